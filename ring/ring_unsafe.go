package ring

import (
	"sync/atomic"
	"unsafe"
)

// header and slot are the shared layouts; a test pins their offsets.
type header struct {
	workers bellWords
	_       [48]byte

	supervisor bellWords
	_          [48]byte
}

type slot struct {
	word       atomic.Uint64
	descriptor Descriptor
	_          [8]byte
}

const (
	headerSize = int(unsafe.Sizeof(header{}))
	slotSize   = int(unsafe.Sizeof(slot{}))
)

// overlay lays the shared layouts over mem, which the caller has checked.
func overlay(mem []byte, capacity int) (*header, []slot) {
	base := unsafe.Pointer(unsafe.SliceData(mem))
	return (*header)(base), unsafe.Slice((*slot)(unsafe.Add(base, headerSize)), capacity)
}

func aligned(mem []byte) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(mem)))%8 == 0
}
