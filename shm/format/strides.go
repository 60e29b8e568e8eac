package format

// ByteStrides returns how many bytes the next element along each axis is on.
func (a *Array) ByteStrides() []int64 {
	if a.Strides != nil {
		return a.Strides
	}
	strides := make([]int64, len(a.Shape))
	step := int64(a.Type.Size())
	for i := range a.Shape {
		axis := i
		if !a.Fortran {
			axis = len(a.Shape) - 1 - i
		}
		strides[axis] = step
		step *= max(1, a.Shape[axis])
	}
	return strides
}

// Contiguous reports whether the elements lie one after another in the order that
// Fortran says, with nothing between.
func (a *Array) Contiguous() bool {
	plain := Array{Type: a.Type, Shape: a.Shape, Fortran: a.Fortran}
	for axis, stride := range plain.ByteStrides() {
		if a.Strides != nil && a.Shape[axis] > 1 && a.Strides[axis] != stride {
			return false
		}
	}
	return true
}

// Extent returns the bytes of the file among which the elements lie: from the first
// byte of the first of them on, so many. The array's bounds must have been checked.
func (a *Array) Extent() (offset, size uint64) {
	if a.Len() == 0 {
		return uint64(a.Offset), 0
	}
	first, last := a.Offset, a.Offset+int64(a.Type.Size())
	for axis, stride := range a.ByteStrides() {
		if by := stride * (a.Shape[axis] - 1); by < 0 {
			first += by
		} else {
			last += by
		}
	}
	return uint64(first), uint64(last - first)
}
