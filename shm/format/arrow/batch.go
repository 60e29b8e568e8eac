package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
)

// What of a message's flatbuffer tells where a record batch's buffers lie.
const (
	messageKind      = 1
	messageHeader    = 2
	kindDictionary   = 2
	kindBatch        = 3
	dictionaryData   = 1
	batchRows        = 0
	batchNodes       = 1
	batchBuffers     = 2
	batchCompression = 3
	blockSize        = 24
	nodeSize         = 16 // of an array: its elements, and how many are null
	bufferSize       = 16 // offset and length
	continuation     = 0xffffffff
)

var errBatch = errors.New("its message is damaged")

// block is where a message lies, and how long the body behind it is.
type block struct {
	message region
	body    int64
}

// batch is where the buffers of a record batch lie.
type batch struct {
	rows       int64
	body       int64 // its offset in the file
	size       int64 // of the body
	compressed bool
	dictionary bool // it is none, but a dictionary
	nodes      []node
	buffers    []region // in the body
}

// node is an array of a record batch.
type node struct{ length, nulls int64 }

// region is bytes.
type region struct{ offset, length int64 }

// end returns where a region of a file, or of part of one, of that size ends.
func (r region) end(size int64) (int64, bool) {
	return r.offset + r.length, r.offset >= 0 && r.length >= 0 && r.offset <= size && r.length <= size-r.offset
}

// blocks returns where the messages of a vector of the footer lie.
func (f *footer) blocks(slot int) ([]block, error) {
	at, n, ok := f.structs(f.root, slot, blockSize)
	if !ok {
		return nil, errors.New("the footer's record batches are cut short")
	}
	all := make([]block, n)
	for i := range all {
		offset, _ := f.i64(at + i*blockSize)
		length, _ := f.u32(at + i*blockSize + 8)
		body, _ := f.i64(at + i*blockSize + 16)
		all[i] = block{region{offset, int64(int32(length))}, body}
	}
	return all, nil
}

// readBatches reads where all record batches lie, and none of their elements.
func readBatches(r io.ReaderAt, size int64, blocks []block) ([]batch, error) {
	all := make([]batch, 0, len(blocks))
	rows := int64(0)
	for i, at := range blocks {
		b, err := readBatch(r, size, at)
		if err == nil && b.dictionary {
			err = errBatch
		}
		if err != nil {
			return nil, fmt.Errorf("record batch %d: %w", i, err)
		}
		if b.rows > math.MaxInt64/64-rows {
			return nil, fmt.Errorf("record batch %d has %d rows", i, b.rows)
		}
		rows += b.rows
		all = append(all, b)
	}
	return all, nil
}

// readBatch reads the message of a record batch, or of a dictionary, which is one too.
func readBatch(r io.ReaderAt, size int64, at block) (batch, error) {
	message, body := at.message, at.body
	b := batch{size: body}
	var ok bool
	if b.body, ok = message.end(size); !ok || message.length < 8 || message.length > largestReference {
		return b, errBatch
	}
	if _, ok := (region{b.body, body}).end(size); !ok {
		return b, errors.New("it is cut short")
	}
	bytes := make([]byte, message.length)
	if _, err := r.ReadAt(bytes, message.offset); err != nil {
		return b, err
	}
	if binary.LittleEndian.Uint32(bytes) == continuation {
		bytes = bytes[4:]
	}
	return b, b.parse(flat(bytes[4:]))
}

func (b *batch) parse(f flat) error {
	root, ok := f.follow(0)
	if !ok {
		return errBatch
	}
	kind, ok := f.slot(root, messageKind)
	if !ok || kind == 0 || kind >= len(f) || f[kind] != kindBatch && f[kind] != kindDictionary {
		return errBatch
	}
	table, ok := f.table(root, messageHeader)
	if b.dictionary = f[kind] == kindDictionary; b.dictionary && ok {
		table, ok = f.table(table, dictionaryData)
	}
	if !ok {
		return errBatch
	}
	if at, ok := f.slot(table, batchRows); !ok {
		return errBatch
	} else if at != 0 {
		b.rows, _ = f.i64(at)
	}
	compression, ok := f.slot(table, batchCompression)
	if !ok || b.rows < 0 {
		return errBatch
	}
	b.compressed = compression != 0
	at, n, ok := f.structs(table, batchNodes, nodeSize)
	if !ok {
		return errBatch
	}
	for i := range n {
		length, _ := f.i64(at + i*nodeSize)
		nulls, _ := f.i64(at + i*nodeSize + 8)
		b.nodes = append(b.nodes, node{length, nulls})
	}
	at, n, ok = f.structs(table, batchBuffers, bufferSize)
	if !ok {
		return errBatch
	}
	for i := range n {
		offset, _ := f.i64(at + i*bufferSize)
		length, _ := f.i64(at + i*bufferSize + 8)
		b.buffers = append(b.buffers, region{offset, length})
	}
	return nil
}

// span returns how many nodes and buffers a column of a type has in each record batch;
// false where that is not the same in all.
func span(t arrow.DataType) (nodes, buffers int, ok bool) {
	switch t := t.(type) {
	case arrow.ExtensionType:
		return span(t.StorageType())
	case *arrow.DictionaryType:
		return span(t.IndexType)
	}
	layout := t.Layout()
	nodes, ok = 1, layout.VariadicSpec == nil
	for _, b := range layout.Buffers {
		if b.Kind != arrow.KindAlwaysNull {
			buffers++
		}
	}
	if nested, is := t.(arrow.NestedType); is {
		for _, f := range nested.Fields() {
			n, b, known := span(f.Type)
			nodes, buffers, ok = nodes+n, buffers+b, ok && known
		}
	}
	return nodes, buffers, ok
}
