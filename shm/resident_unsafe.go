//go:build linux

package shm

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// resident reports whether the page of a mapping that begins at an offset is in
// memory; also where the system does not tell.
func resident(mem []byte, page uint64) bool {
	in := byte(1)
	_, _, err := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mem[page])), 1, uintptr(unsafe.Pointer(&in)))
	return err != 0 || in&1 != 0
}
