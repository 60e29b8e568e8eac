package ring

import (
	"sync/atomic"
	"unsafe"
)

// header and slot are the shared layouts; a test pins their offsets.
type header struct {
	published      atomic.Uint32
	supervisorIdle atomic.Uint32
	_              [56]byte

	completed   atomic.Uint32
	workersIdle atomic.Uint32
	_           [56]byte

	claimHint atomic.Uint32
	_         [60]byte
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
