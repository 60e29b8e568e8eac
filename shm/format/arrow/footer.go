package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The library allocates what the footer's schema says that there is, so that is held
// against the footer's own length first.
const (
	footerSchema       = 1
	footerDictionaries = 2
	footerBatches      = 3
	schemaEndianness   = 0
	schemaFields       = 1
	schemaMetadata     = 2
	fieldKind          = 2
	fieldType          = 3
	fieldChildren      = 5
	fieldMetadata      = 6
	unionIDs           = 1
	kindUnion          = 14
	maxFields          = 1 << 16
	maxDepth           = 64
	trailer            = 10 // the footer's length, and the magic
	largestReference   = 1 << 30
)

// footer is a footer's bytes, and what was counted in them.
type footer struct {
	flat
	root, schema int
	fields       int
}

var errFooter = errors.New("the footer's schema is no schema")

// readFooter reads the footer of a file of that size and checks its schema.
func readFooter(r io.ReaderAt, size int64) (*footer, error) {
	end := make([]byte, trailer)
	if size < trailer {
		return nil, errFooter
	}
	if _, err := r.ReadAt(end, size-trailer); err != nil {
		return nil, err
	}
	length := int64(int32(binary.LittleEndian.Uint32(end)))
	if length <= 0 || length > size-trailer || length > largestReference {
		return nil, fmt.Errorf("a footer of %d bytes in a file of %d", length, size)
	}
	f := &footer{flat: make([]byte, length)}
	if _, err := r.ReadAt(f.flat, size-trailer-length); err != nil {
		return nil, err
	}
	var ok bool
	if f.root, ok = f.follow(0); !ok {
		return nil, errFooter
	}
	f.schema, ok = f.table(f.root, footerSchema)
	if !ok || !f.vector(f.schema, schemaMetadata) || !f.children(f.schema, schemaFields, 0) {
		return nil, errFooter
	}
	return f, nil
}

// bigEndian reports whether the elements of the file are.
func (f *footer) bigEndian() bool {
	at, ok := f.slot(f.schema, schemaEndianness)
	n, _ := f.u16(at)
	return ok && at != 0 && n == 1
}

// vector reports whether a vector is as long as it says.
func (f *footer) vector(table, slot int) bool {
	_, n, ok := f.elements(table, slot)
	f.fields += n
	return ok && f.fields <= maxFields
}

// children checks a vector of fields.
func (f *footer) children(table, slot, depth int) bool {
	at, n, ok := f.elements(table, slot)
	if f.fields += n; !ok || f.fields > maxFields || depth > maxDepth {
		return false
	}
	for i := range n {
		field, ok := f.follow(at + 4*i)
		if !ok || !f.vector(field, fieldMetadata) || !f.children(field, fieldChildren, depth+1) || !f.union(field) {
			return false
		}
	}
	return true
}

// union checks the type of a field that is a union, whose numbers are a vector.
func (f *footer) union(field int) bool {
	kind, ok := f.slot(field, fieldKind)
	if !ok || kind >= len(f.flat) {
		return false
	}
	if kind == 0 || f.flat[kind] != kindUnion {
		return true
	}
	t, ok := f.table(field, fieldType)
	return ok && f.vector(t, unionIDs)
}
