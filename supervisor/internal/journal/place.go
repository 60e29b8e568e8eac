package journal

import "github.com/gangsaw/gangsaw/shm"

// at returns where in the target an element lies, by its index in the order of the
// array.
func (j *Journal) at(element uint64) int64 {
	a, strides := &j.array, j.array.ByteStrides()
	offset := a.Offset
	for i := range a.Shape {
		axis := i
		if !a.Fortran {
			axis = len(a.Shape) - 1 - i
		}
		n := uint64(a.Shape[axis])
		offset += strides[axis] * int64(element%n)
		element /= n
	}
	return offset
}

// store writes elements of the array, of which so many bytes are before them.
func (j *Journal) store(target *shm.Mapping, b []byte, first uint64) error {
	if j.pieced != nil {
		return j.pieced.each(first, uint64(len(b)), func(offset int64, from, to uint64) error {
			_, err := target.WriteAt(b[from:to], offset)
			return err
		})
	}
	if j.array.Contiguous() {
		_, err := target.WriteAt(b, j.array.Offset+int64(first))
		return err
	}
	size := j.array.Type.Size()
	for i := 0; i < len(b); i += size {
		if _, err := target.WriteAt(b[i:i+size], j.at((first+uint64(i))/uint64(size))); err != nil {
			return err
		}
	}
	return nil
}

// span tells where so many bytes of elements lie, of which first are before them.
func (j *Journal) span(first, length uint64, tell func(first, length uint64)) {
	size := uint64(j.array.Type.Size())
	switch {
	case length == 0:
	case j.pieced != nil:
		j.pieced.each(first, length, func(offset int64, from, to uint64) error {
			tell(uint64(offset), to-from)
			return nil
		})
	case j.array.Contiguous():
		tell(uint64(j.array.Offset)+first, length)
	case j.upwards():
		low, high := j.at(first/size), j.at((first+length)/size-1)
		tell(uint64(low), uint64(high-low)+size)
	default:
		tell(j.array.Extent())
	}
}

// upwards reports whether each element lies behind those before it.
func (j *Journal) upwards() bool {
	reach := int64(0)
	strides := j.array.ByteStrides()
	for i := range j.array.Shape {
		axis := i
		if !j.array.Fortran {
			axis = len(j.array.Shape) - 1 - i
		}
		if j.array.Shape[axis] == 1 {
			continue
		}
		if strides[axis] <= reach {
			return false
		}
		reach += strides[axis] * (j.array.Shape[axis] - 1)
	}
	return true
}
