// Package format describes what arrays lie where in a file. Each file format
// is a package below it: a pure parser over an io.ReaderAt and, where gangsaw
// writes the format, the writer beside it.
//
// A file's bytes are not trusted: sizes and offsets are checked for overflow
// and against the size of the file, and nothing is allocated in proportion to
// what a header claims. An [Array] is a description without bytes, and valid
// for as long as the file is unchanged.
//
// A file that is malformed is an [*Error]. An array that cannot be mapped does not
// hide the others: it is listed as decoded or refused, with a note on why and a
// remedy. testdata/refusals.txt has the line for each case, and is kept true by a
// test. testdata/make.py has the reference implementations write files and say what
// is in them, against which every parser is held.
package format

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
)

// Array describes the numbers of one array inside a file.
type Array struct {
	Name    string
	Type    kernels.Type
	Shape   []int64 // elements along each axis; empty for a single number
	Fortran bool    // the first axis varies fastest, not the last
	Offset  int64   // of the first element in the file, bytes
	Strides []int64 // bytes from one element to the next along each axis; nil where contiguous in the order Fortran says
	Swapped bool    // the bytes of an element are in big-endian order

	Scale     *Scaling   // what the stored numbers stand for; nil: themselves
	Access    Access     // how the elements can be had
	Stored    string     // the format's word for the elements of an array without a Type
	Note      string     // why the array is not mapped, or what else is to be known of it
	Remedy    string     // how to write it so that it is mapped
	Checksums []Checksum // that the file keeps of the array's bytes
}

// Access tells how the elements of an array can be had.
type Access uint8

const (
	Mapped  Access = iota // where they lie
	Decoded               // in a copy that has to be made: they are compressed, say
	Refused               // not at all: they are no numbers that gangsaw knows
)

// String returns the word for it.
func (a Access) String() string { return [...]string{"mapped", "decoded", "refused"}[a] }

// DType names the elements' type as far as there is a word for it.
func (a *Array) DType() string {
	if !a.Type.Valid() {
		return a.Stored
	}
	return a.Type.String()
}

// Len returns the number of elements.
func (a *Array) Len() int64 {
	n := int64(1)
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Size returns the number of bytes the elements occupy.
func (a *Array) Size() int64 { return a.Len() * int64(a.Type.Size()) }

// Order names the order of the axes as NumPy does: "C" or "F".
func (a *Array) Order() string {
	if a.Fortran {
		return "F"
	}
	return "C"
}

// ShapeString returns the shape as Python writes a tuple.
func (a *Array) ShapeString() string {
	var b strings.Builder
	b.WriteByte('(')
	for i, d := range a.Shape {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.FormatInt(d, 10))
	}
	if len(a.Shape) == 1 {
		b.WriteByte(',')
	}
	b.WriteByte(')')
	return b.String()
}

// Alignment returns the largest power of two, at most 64, that divides the
// offset of the first element.
func (a *Array) Alignment() int64 {
	for n := int64(64); n > 1; n /= 2 {
		if a.Offset%n == 0 {
			return n
		}
	}
	return 1
}

// Error reports what is wrong with a file, where, and what can be done.
type Error struct {
	Format string // such as "npy"
	Offset int64  // where in the file, bytes
	What   string
	Remedy string // empty when there is none
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s, byte %d: %s", e.Format, e.Offset, e.What)
	if e.Remedy != "" {
		s += ": " + e.Remedy
	}
	return s
}
