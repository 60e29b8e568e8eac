package parquet

import (
	"encoding/binary"
	"errors"
)

// Kinds of values in Thrift's compact protocol, in which the footer and the headers of
// pages are written.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
	thriftUUID   = 13
)

// maxNested is how deep structs lie in one another at most.
const maxNested = 32

var (
	errShort  = errors.New("its metadata end early")
	errThrift = errors.New("its metadata are no Thrift")
)

// thrift reads values, one after another. After an error all are 0, and no list has
// elements any more.
type thrift struct {
	b      []byte // what is left
	nested int
	err    error
}

func (t *thrift) fail(err error) {
	if t.err == nil {
		t.err = err
	}
	t.b = nil
}

func (t *thrift) take(n uint64) []byte {
	if n > uint64(len(t.b)) {
		t.fail(errShort)
		return nil
	}
	b := t.b[:n]
	t.b = t.b[n:]
	return b
}

func (t *thrift) uvarint() uint64 {
	v, n := binary.Uvarint(t.b)
	if n <= 0 {
		t.fail(errShort)
		return 0
	}
	t.b = t.b[n:]
	return v
}

// integer reads a number of 16 to 64 bits.
func (t *thrift) integer() int64 {
	v := t.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (t *thrift) byte() byte {
	if b := t.take(1); b != nil {
		return b[0]
	}
	return 0
}

// binary returns bytes that are not copied.
func (t *thrift) binary() []byte { return t.take(t.uvarint()) }

// structure reads a struct. The function reads each field, whose value has that kind,
// or returns false to have it skipped; a truth value is the kind itself.
func (t *thrift) structure(field func(id int64, kind byte) bool) {
	if t.nested++; t.nested > maxNested {
		t.fail(errThrift)
	}
	defer func() { t.nested-- }()
	id := int64(0)
	for t.err == nil {
		head := t.byte()
		kind := head & 15
		if kind == thriftStop {
			return
		}
		if delta := int64(head >> 4); delta != 0 {
			id += delta
		} else {
			id = t.integer()
		}
		if !field(id, kind) {
			t.skip(kind)
		}
	}
}

// list reads a list, whose elements the function reads, each at least a byte.
func (t *thrift) list(element func(kind byte)) {
	head := t.byte()
	n := uint64(head >> 4)
	if n == 15 {
		n = t.uvarint()
	}
	for ; n > 0 && t.err == nil; n-- {
		if len(t.b) == 0 {
			t.fail(errShort)
			return
		}
		element(head & 15)
	}
}

// leastStruct is fewer bytes than an element of a schema, a row group, or a column of
// one has: who claims to have more of them than fit wants memory for nothing.
const leastStruct = 5

// structs reads a list of structs, each of which the function reads.
func (t *thrift) structs(read func()) {
	t.list(func(byte) {
		before := len(t.b)
		if read(); before-len(t.b) < leastStruct {
			t.fail(errThrift)
		}
	})
}

// skip passes over a value.
func (t *thrift) skip(kind byte) {
	switch kind {
	case thriftTrue, thriftFalse:
	case thriftByte:
		t.byte()
	case thriftI16, thriftI32, thriftI64:
		t.uvarint()
	case thriftDouble:
		t.take(8)
	case thriftBinary:
		t.binary()
	case thriftUUID:
		t.take(16)
	case thriftStruct:
		t.structure(func(int64, byte) bool { return false })
	case thriftList, thriftSet:
		if t.nested++; t.nested > maxNested {
			t.fail(errThrift)
		}
		t.list(t.skipElement)
		t.nested--
	case thriftMap:
		n := t.uvarint()
		if n == 0 {
			return
		}
		kinds := t.byte()
		if t.nested++; t.nested > maxNested {
			t.fail(errThrift)
		}
		for ; n > 0 && t.err == nil; n-- {
			t.skipElement(kinds >> 4)
			t.skipElement(kinds & 15)
		}
		t.nested--
	default:
		t.fail(errThrift)
	}
}

// skipElement passes over a value in a list, where truth takes a byte.
func (t *thrift) skipElement(kind byte) {
	if kind == thriftTrue || kind == thriftFalse {
		kind = thriftByte
	}
	t.skip(kind)
}
