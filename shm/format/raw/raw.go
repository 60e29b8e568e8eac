// Package raw describes files of bare numbers, about which the user says what
// the file does not.
package raw

import (
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// Layout is what the user says about a raw file.
type Layout struct {
	Type    kernels.Type
	Shape   []int64 // nil: all elements from Offset to the end of the file
	Offset  int64   // of the first element, bytes
	Swapped bool    // the bytes of an element are in big-endian order
}

// Parse describes the array in a file of that size.
func Parse(l Layout, size int64) ([]format.Array, error) {
	if !l.Type.Valid() {
		return nil, &format.Error{Format: "raw", What: "no dtype was given", Remedy: "use one of " + kernels.TypeNames()}
	}
	if l.Offset < 0 || l.Offset > size {
		return nil, &format.Error{Format: "raw", Offset: l.Offset, What: fmt.Sprintf("the offset is outside the file of %d bytes", size)}
	}
	a := format.Array{Name: "x", Type: l.Type, Shape: l.Shape, Offset: l.Offset, Swapped: l.Swapped && l.Type.Size() > 1}
	if a.Shape == nil {
		bytes, item := size-l.Offset, int64(l.Type.Size())
		if bytes%item != 0 {
			return nil, &format.Error{
				Format: "raw", Offset: l.Offset,
				What:   fmt.Sprintf("%d bytes are not a whole number of %s elements", bytes, l.Type),
				Remedy: "check dtype and offset, or give a shape",
			}
		}
		a.Shape = []int64{bytes / item}
	}
	if err := a.Check("raw", size); err != nil {
		return nil, err
	}
	return []format.Array{a}, nil
}
