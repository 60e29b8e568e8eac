package journal

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/gangsaw/gangsaw/shm"
)

// word returns the word at an offset of a journal, which processes share.
func word(mem []byte, offset uint64) (*atomic.Uint64, error) {
	b, err := shm.Slice(mem, offset, 8)
	if err != nil {
		return nil, err
	}
	p := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(p)%8 != 0 {
		return nil, fmt.Errorf("the word at offset %d is not aligned", offset)
	}
	return (*atomic.Uint64)(p), nil
}
