//go:build !linux

package shm

// ReadAhead is left to the system here.
func ReadAhead(mem []byte, offset, length uint64) {}

// preferLargeReads does nothing here.
func preferLargeReads(mem []byte) {}
