// Package format describes what arrays lie where in a file. Each file format
// is a package below it: a pure parser over an io.ReaderAt and, where gangsaw
// writes the format, the writer beside it.
//
// A file's bytes are not trusted: sizes and offsets are checked for overflow
// and against the size of the file, and nothing is allocated in proportion to
// what a header claims. An [Array] is a description without bytes, and valid
// for as long as the file is unchanged.
package format

import (
	"fmt"
	"math/bits"
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

// Check reports whether the array's bytes lie inside a file of that size. The
// error tells how many bytes are missing.
func (a *Array) Check(format string, fileSize int64) error {
	elements := uint64(1)
	for _, d := range a.Shape {
		if d < 0 {
			return &Error{Format: format, What: fmt.Sprintf("shape %s has a negative length", a.ShapeString())}
		}
	}
	for _, d := range a.Shape {
		if d == 0 {
			return nil
		}
		hi, lo := bits.Mul64(elements, uint64(d))
		if hi != 0 || lo > 1<<60 {
			return &Error{Format: format, What: fmt.Sprintf("shape %s is larger than any file", a.ShapeString())}
		}
		elements = lo
	}
	need := elements * uint64(a.Type.Size())
	have := uint64(max(0, fileSize-a.Offset))
	if need > have {
		return &Error{
			Format: format, Offset: a.Offset,
			What:   fmt.Sprintf("%s %s needs %d bytes of data, the file holds %d", a.Type, a.ShapeString(), need, have),
			Remedy: "the file is truncated or its shape is wrong: write it again",
		}
	}
	return nil
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
