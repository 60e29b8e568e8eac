package worker

import (
	"sync/atomic"
	"unsafe"

	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// takeRoom takes n bytes of memory that workers share, and returns them and their
// offset; nil if there is no room. What a worker takes that dies is lost.
func takeRoom(memory []byte, n int) ([]byte, uint64) {
	if len(memory) < wire.KeptOffset {
		return nil, 0
	}
	// Publishes nothing: whose the bytes are, this worker's result says.
	taken := (*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(memory)))
	room := uint64(len(memory) - wire.KeptOffset)
	// Others may scribble on the word: it is checked, and cannot wrap past the check.
	end := taken.Add(uint64(n))
	if end > room || end < uint64(n) {
		return nil, 0
	}
	at := wire.KeptOffset + end - uint64(n)
	return memory[at : at+uint64(n) : at+uint64(n)], at
}
