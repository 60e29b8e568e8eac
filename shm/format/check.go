package format

import (
	"fmt"
	"math"
	"math/bits"
)

// largest is more elements, and more bytes, than any file has.
const largest = 1 << 60

// Check reports whether the array's bytes lie inside a file of that size. The
// error tells how many bytes are missing.
func (a *Array) Check(format string, fileSize int64) error {
	for _, d := range a.Shape {
		if d < 0 {
			return &Error{Format: format, What: fmt.Sprintf("shape %s has a negative length", a.ShapeString())}
		}
	}
	if a.Offset < 0 {
		return &Error{Format: format, What: fmt.Sprintf("offset %d is negative", a.Offset)}
	}
	if a.Strides != nil && len(a.Strides) != len(a.Shape) {
		return &Error{Format: format, What: fmt.Sprintf("%d strides for shape %s", len(a.Strides), a.ShapeString())}
	}
	elements := uint64(1)
	for _, d := range a.Shape {
		if d == 0 {
			return nil
		}
		hi, lo := bits.Mul64(elements, uint64(d))
		if hi != 0 || lo > largest {
			return &Error{Format: format, Offset: a.Offset, What: fmt.Sprintf("shape %s is larger than any file", a.ShapeString())}
		}
		elements = lo
	}
	before, need, ok := a.reach(elements)
	if !ok || before > uint64(a.Offset) {
		return &Error{Format: format, Offset: a.Offset, What: fmt.Sprintf("shape %s with strides %v reaches outside any file", a.ShapeString(), a.Strides)}
	}
	have := uint64(max(0, fileSize-a.Offset))
	if need > have {
		return &Error{
			Format: format, Offset: a.Offset,
			What:   fmt.Sprintf("%s %s needs %d bytes of data, the file holds %d", a.DType(), a.ShapeString(), need, have),
			Remedy: "the file is truncated or its shape is wrong: write it again",
		}
	}
	return nil
}

// reach returns how many bytes the elements of a shape without zeros take before
// and from the first one on.
func (a *Array) reach(elements uint64) (before, after uint64, ok bool) {
	size := uint64(a.Type.Size())
	if a.Strides == nil {
		return 0, elements * size, true
	}
	for i, stride := range a.Strides {
		hi, span := bits.Mul64(uint64(a.Shape[i]-1), magnitude(stride))
		if hi != 0 || span > largest {
			return 0, 0, false
		}
		if stride < 0 {
			before += span
		} else {
			after += span
		}
		if before > largest || after > largest {
			return 0, 0, false
		}
	}
	return before, after + size, true
}

func magnitude(n int64) uint64 {
	if n == math.MinInt64 {
		return 1 << 63
	}
	return uint64(max(n, -n))
}

// Lay sets the strides, and takes them for what they are where the elements are
// contiguous after all. Shape and type are set.
func (a *Array) Lay(strides []int64) {
	a.Strides = strides
	if len(strides) == 0 {
		a.Strides = nil
		return
	}
	for _, fortran := range []bool{false, true} {
		if contiguous(a.Shape, strides, int64(a.Type.Size()), fortran) {
			a.Strides, a.Fortran = nil, fortran
			return
		}
	}
	a.Fortran = false // the strides tell
}

func contiguous(shape, strides []int64, size int64, fortran bool) bool {
	next := uint64(size)
	for k := range shape {
		i := len(shape) - 1 - k
		if fortran {
			i = k
		}
		if shape[i] == 0 {
			return true
		}
		if shape[i] != 1 && uint64(strides[i]) != next {
			return false
		}
		hi, lo := bits.Mul64(next, uint64(shape[i]))
		if hi != 0 || lo > largest {
			return false
		}
		next = lo
	}
	return true
}

// StridesOf returns the strides of a contiguous shape in C or Fortran order whose
// elements take size bytes each. It reports false if they are larger than any file.
func StridesOf(shape []int64, size int64, fortran bool) ([]int64, bool) {
	strides := make([]int64, len(shape))
	next := uint64(size)
	for k := range shape {
		i := len(shape) - 1 - k
		if fortran {
			i = k
		}
		strides[i] = int64(next)
		hi, lo := bits.Mul64(next, uint64(max(shape[i], 1)))
		if hi != 0 || lo > largest {
			return nil, false
		}
		next = lo
	}
	return strides, true
}
