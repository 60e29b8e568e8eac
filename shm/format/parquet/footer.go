package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Physical types.
const (
	typeBoolean = iota
	typeInt32
	typeInt64
	typeInt96
	typeFloat
	typeDouble
	typeByteArray
	typeFixed
)

var physicalNames = []string{"BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY"}

// Repetitions.
const (
	required = iota
	optional
	repeated
)

// element is an element of the schema: a group of those that follow, or a column.
type element struct {
	name       string
	physical   int64 // -1: it is a group
	length     int64 // of FIXED_LEN_BYTE_ARRAY
	repetition int64
	children   int64
	converted  int64 // -1: none
	logical    logical
}

// logical is an annotation of what a physical type stands for.
type logical struct {
	kind   int64 // 0: none
	width  int64 // of an integer
	signed bool
}

const (
	logicalInteger = 10
	logicalFloat16 = 15
)

var logicalNames = map[int64]string{
	1: "String", 2: "Map", 3: "List", 4: "Enum", 5: "Decimal", 6: "Date", 7: "Time", 8: "Timestamp", logicalInteger: "Int",
	11: "Null", 12: "JSON", 13: "BSON", 14: "UUID", logicalFloat16: "Float16", 16: "Variant", 17: "Geometry", 18: "Geography",
}

// convertedTypes are the annotations that older writers have instead.
var convertedTypes = []logical{
	0: {kind: 1}, 1: {kind: 2}, 2: {kind: 2}, 3: {kind: 3}, 4: {kind: 4}, 5: {kind: 5}, 6: {kind: 6}, 7: {kind: 7}, 8: {kind: 7}, 9: {kind: 8}, 10: {kind: 8},
	11: {logicalInteger, 8, false}, 12: {logicalInteger, 16, false}, 13: {logicalInteger, 32, false}, 14: {logicalInteger, 64, false},
	15: {logicalInteger, 8, true}, 16: {logicalInteger, 16, true}, 17: {logicalInteger, 32, true}, 18: {logicalInteger, 64, true},
	19: {kind: 12}, 20: {kind: 13}, 21: {kind: unknownLogical},
}

// unknownLogical is an annotation without a name here, such as an interval.
const unknownLogical = -1

// footer is what a file says of itself.
type footer struct {
	schema []element
	rows   int64
	groups []group
}

// group is a row group.
type group struct {
	rows   int64
	chunks []chunk
}

// chunk is a column's part of a row group.
type chunk struct {
	elsewhere  bool // in another file
	encrypted  bool
	physical   int64
	codec      int64
	values     int64
	size       int64 // bytes of its pages, compressed
	data       int64 // where the first data page is
	dictionary int64 // where the dictionary is, 0 if there is none
	nulls      int64
	counted    bool // nulls are known
}

const (
	magic   = "PAR1"
	trailer = 8 // the footer's length, and the magic
)

// readFooter reads the footer of a file of that size.
func readFooter(r io.ReaderAt, size int64) (*footer, error) {
	if size < trailer+int64(len(magic)) {
		return nil, fmt.Errorf("the file has %d bytes, fewer than any of its format", size)
	}
	end := make([]byte, trailer)
	if _, err := r.ReadAt(end, size-trailer); err != nil {
		return nil, err
	}
	length := int64(binary.LittleEndian.Uint32(end))
	if string(end[4:]) != magic {
		return nil, fmt.Errorf("it does not end in %s", magic)
	}
	if length > size-trailer-int64(len(magic)) {
		return nil, fmt.Errorf("a footer of %d bytes in a file of %d", length, size)
	}
	b := make([]byte, length)
	if _, err := r.ReadAt(b, size-trailer-length); err != nil {
		return nil, err
	}
	f, t := &footer{}, &thrift{b: b}
	t.structure(func(id int64, kind byte) bool {
		switch {
		case id == 2 && kind == thriftList:
			t.structs(func() { f.schema = append(f.schema, readElement(t)) })
		case id == 3 && kind == thriftI64:
			f.rows = t.integer()
		case id == 4 && kind == thriftList:
			t.structs(func() { f.groups = append(f.groups, readGroup(t)) })
		default:
			return false
		}
		return true
	})
	return f, t.err
}

func readElement(t *thrift) element {
	e := element{physical: -1, converted: -1}
	t.structure(func(id int64, kind byte) bool {
		switch {
		case id == 4 && kind == thriftBinary:
			e.name = string(t.binary())
		case id == 10 && kind == thriftStruct:
			e.logical = readLogical(t)
		case kind != thriftI32:
			return false
		case id == 1:
			e.physical = t.integer()
		case id == 2:
			e.length = t.integer()
		case id == 3:
			e.repetition = t.integer()
		case id == 5:
			e.children = t.integer()
		case id == 6:
			e.converted = t.integer()
		default:
			return false
		}
		return true
	})
	return e
}

// readLogical reads an annotation, which is a union: the number of its only field says
// which it is.
func readLogical(t *thrift) (l logical) {
	t.structure(func(union int64, kind byte) bool {
		if l.kind = unknownLogical; union > 0 && logicalNames[union] != "" {
			l.kind = union
		}
		if union != logicalInteger || kind != thriftStruct {
			return false
		}
		t.structure(func(id int64, kind byte) bool {
			switch {
			case id == 1 && kind == thriftByte:
				l.width = int64(t.byte())
			case id == 2 && (kind == thriftTrue || kind == thriftFalse):
				l.signed = kind == thriftTrue
			default:
				return false
			}
			return true
		})
		return true
	})
	return l
}

func readGroup(t *thrift) (g group) {
	t.structure(func(id int64, kind byte) bool {
		switch {
		case id == 1 && kind == thriftList:
			t.structs(func() { g.chunks = append(g.chunks, readChunk(t)) })
		case id == 3 && kind == thriftI64:
			g.rows = t.integer()
		default:
			return false
		}
		return true
	})
	return g
}

func readChunk(t *thrift) (c chunk) {
	c.physical = -1
	t.structure(func(id int64, kind byte) bool {
		switch {
		case id == 1:
			c.elsewhere = true
		case id == 3 && kind == thriftStruct:
			readChunkData(t, &c)
			return true
		case id == 8, id == 9:
			c.encrypted = true
		}
		return false
	})
	return c
}

// readChunkData reads where a chunk's pages are, and what they are.
func readChunkData(t *thrift, c *chunk) {
	t.structure(func(id int64, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			c.physical = t.integer()
		case id == 4 && kind == thriftI32:
			c.codec = t.integer()
		case id == 5 && kind == thriftI64:
			c.values = t.integer()
		case id == 7 && kind == thriftI64:
			c.size = t.integer()
		case id == 9 && kind == thriftI64:
			c.data = t.integer()
		case id == 11 && kind == thriftI64:
			c.dictionary = t.integer()
		case id == 12 && kind == thriftStruct:
			t.structure(func(id int64, kind byte) bool {
				if id != 3 || kind != thriftI64 {
					return false
				}
				c.nulls, c.counted = t.integer(), true
				return true
			})
		default:
			return false
		}
		return true
	})
}
