package format

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// Table is a file whose arrays, its columns, do not lie in it as numbers, but for those
// with pieces: they have to be decoded, anew for each pass. Its methods may be called from any goroutine.
type Table interface {
	// Columns describes all columns, those that cannot be decoded too.
	Columns() []Column
	// Decode returns a decoder that is at the first elements of columns, given by
	// their indices, which all have the same number of elements and no Err.
	Decode(columns []int) (Decoder, error)
	// Close frees what the table holds, after all its decoders. The file it was
	// opened from is not closed.
	Close() error
}

// Column is one array of a table.
type Column struct {
	Array // of what it is decoded to; the offset means nothing
	// Nulls is how many elements are null. NaN is in their place, for which
	// integers are decoded to float64.
	Nulls int64
	// Pieces, if there are any, are where the elements lie in the file as numbers after
	// all, one piece after another: the column need not be decoded. It is Swapped then if
	// those are.
	Pieces []Piece
	Why    string // it is decoded, if that is not the same for all columns of the format
	Err    error  // why it cannot be decoded
}

// Piece is where some elements of a column lie in the file, one after another.
type Piece struct {
	Offset int64 // of the first
	Len    int64 // elements
	// Valid is the offset of a bitmap, of a bit for each element, from the lowest bit of
	// each byte on, that is 0 for null; 0: none is null.
	Valid int64
}

// Decoder decodes some columns of a table from the first to the last element. It is
// not safe for concurrent use.
type Decoder interface {
	// Decode decodes the next n elements, of which there are so many, of each
	// column into the slice of its place, as long as they are, in this machine's
	// byte order.
	Decode(dst [][]byte, n int) error
	// Skip passes over n elements, of which there are so many.
	Skip(n int64) error
	Close() error
}

// TableOptions tell how tables are read.
type TableOptions struct {
	// Delimiter is what stands between the cells of text, 0 for what the file's
	// name says.
	Delimiter rune
	// Memory is how many bytes a decoder may take for what it has to hold as a
	// whole, such as a page or a record batch.
	Memory int64
}

// TableFormat is a file format whose arrays have to be decoded.
type TableFormat struct {
	Name string
	// Magic is what files begin with, or "", where the ends of their names tell.
	Magic    string
	Suffixes []string
	// Match, if not nil, reports whether arrays of a file of that size, which begins so,
	// have to be decoded; if not, it is one of a [Format].
	Match func(r io.ReaderAt, size int64) bool
	// Why says why arrays are not used where they lie, and Remedy, unless it is "", how
	// to write the file so that they are.
	Why, Remedy string
	NoNulls     bool // no array has any
	// Open opens the table in a file of that size.
	Open func(r io.ReaderAt, size int64, path string, o TableOptions) (Table, error)
}

var tables []TableFormat

// RegisterTable makes a format known to [DetectTable], see [Register].
func RegisterTable(f TableFormat) { tables = append(tables, f) }

// DetectTable returns the format of a file of that size that has to be decoded, by its
// first bytes or the end of its name; nil if it is none of those.
func DetectTable(r io.ReaderAt, size int64, path string) *TableFormat {
	for i, f := range tables {
		head := make([]byte, len(f.Magic))
		if n, _ := r.ReadAt(head, 0); f.Magic != "" && string(head[:n]) == f.Magic && (f.Match == nil || f.Match(r, size)) {
			return &tables[i]
		}
	}
	suffix := strings.ToLower(filepath.Ext(path))
	for i, f := range tables {
		for _, s := range f.Suffixes {
			if f.Magic == "" && s == suffix {
				return &tables[i]
			}
		}
	}
	return nil
}

// Guard calls f and makes an error of a panic of the library that reads a format:
// what it read is not what it should be.
func Guard(format string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Error{Format: format, What: fmt.Sprintf("the file is damaged: %v", p), Remedy: "write it again"}
		}
	}()
	return f()
}
