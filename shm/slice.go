package shm

import "fmt"

// RegionError reports a region that does not lie inside its memory.
type RegionError struct {
	Offset, Length uint64 // bytes
	Size           uint64 // of the memory
}

func (e *RegionError) Error() string {
	return fmt.Sprintf("region of %d bytes at offset %d is outside memory of %d bytes", e.Length, e.Offset, e.Size)
}

// Slice returns the region of length bytes at offset, or a *RegionError. Any
// values are safe, also ones whose sum overflows.
func Slice(mem []byte, offset, length uint64) ([]byte, error) {
	size := uint64(len(mem))
	if offset > size || length > size-offset {
		return nil, &RegionError{offset, length, size}
	}
	return mem[offset : offset+length : offset+length], nil
}

// ViewError reports bytes that cannot be seen as elements.
type ViewError struct {
	Length int  // bytes
	Size   int  // of an element
	Align  bool // the start is not aligned to Size
}

func (e *ViewError) Error() string {
	if e.Align {
		return fmt.Sprintf("bytes are not aligned to elements of %d bytes", e.Size)
	}
	return fmt.Sprintf("%d bytes are not a whole number of elements of %d bytes", e.Length, e.Size)
}

// Element is the constraint of types without pointers that views are made of.
type Element interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}
