package wire

import (
	"errors"
	"sync/atomic"
	"unsafe"
)

// doneOf returns the first word of answers.
func doneOf(b []byte) (*atomic.Uint32, error) {
	word := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(word)%8 != 0 {
		return nil, errors.New("answers that are not aligned")
	}
	return (*atomic.Uint32)(word), nil
}
