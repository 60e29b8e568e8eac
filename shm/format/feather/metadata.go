package feather

import (
	"encoding/binary"
	"math"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// The numbers that the format has for things.
const (
	version5      = 4
	littleEndian  = 0
	schemaMessage = 1
	batchMessage  = 3
	typeInt       = 2
	typeFloat     = 3
	typeBool      = 6

	continuation = math.MaxUint32 // what a message begins with
	prefix       = 8              // bytes of that, and of the metadata's length
)

// batch is where a record batch lies.
type batch struct {
	at             int64
	metadata, body int64 // bytes
}

// message returns a message at a place, but for its body, which is so long and begins
// right behind it.
func message(at int64, kind uint8, header field, body int64) []byte {
	metadata := finished([]field{short(version5), octet(kind), header, long(body)})
	for (at+prefix+int64(len(metadata)))%align != 0 {
		metadata = append(metadata, 0)
	}
	b := binary.LittleEndian.AppendUint32(nil, continuation)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(metadata)))
	return append(b, metadata...)
}

// schema describes the columns.
func schema(arrays []format.Array) field {
	var fields [][]field
	for _, a := range arrays {
		kind, typ := typeOf(a.Type)
		none := field{}
		fields = append(fields, []field{text(a.Name), truth(true), octet(kind), typ, none, tables(nil)})
	}
	return table(short(littleEndian), tables(fields))
}

// typeOf returns the kind of a type, and the table that says which of the kind it is.
func typeOf(t kernels.Type) (kind uint8, typ field) {
	switch {
	case t == kernels.Bool:
		return typeBool, table()
	case t.IsFloat():
		precision := map[int]int16{2: 0, 4: 1, 8: 2}
		return typeFloat, table(short(precision[t.Size()]))
	}
	return typeInt, table(word(int32(8*t.Size())), truth(t.IsSigned()))
}

// record describes a batch of n rows.
func record(arrays []format.Array, n int64) field {
	var nodes, buffers []int64
	at := int64(0)
	for _, a := range arrays {
		nodes = append(nodes, n, 0)
		// Which elements are not null, which all are, and the elements.
		buffers = append(buffers, at, 0, at, elementBytes(a, n))
		at += columnSize(a, n)
	}
	return table(long(n), structs(2, nodes), structs(2, buffers))
}

// footer ends the messages, and says where they are.
func footer(arrays []format.Array, batches []batch) []byte {
	var blocks []int64
	for _, b := range batches {
		blocks = append(blocks, b.at, b.metadata, b.body)
	}
	le := binary.LittleEndian
	end := le.AppendUint32(le.AppendUint32(nil, continuation), 0)
	directory := finished([]field{short(version5), schema(arrays), structs(3, nil), structs(3, blocks)})
	end = append(end, directory...)
	return append(le.AppendUint32(end, uint32(len(directory))), magic...)
}
