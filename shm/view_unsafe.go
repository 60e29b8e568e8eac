package shm

import "unsafe"

// View returns the same memory as elements of T, or a *ViewError when its
// length is not a whole number of them or its start is not aligned to their
// size.
func View[T Element](b []byte) ([]T, error) {
	size := int(unsafe.Sizeof(*new(T)))
	if len(b)%size != 0 {
		return nil, &ViewError{Length: len(b), Size: size}
	}
	if len(b) == 0 {
		return nil, nil
	}
	start := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(start)%uintptr(size) != 0 {
		return nil, &ViewError{Length: len(b), Size: size, Align: true}
	}
	return unsafe.Slice((*T)(start), len(b)/size), nil
}

// Bytes returns the memory of elements as bytes, to copy into or out of.
func Bytes[T Element](v []T) []byte {
	size := int(unsafe.Sizeof(*new(T)))
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), len(v)*size)
}

// heapBytes returns the first n bytes of the cache lines.
func heapBytes(lines [][cacheLine / 8]uint64, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(lines))), n)
}
