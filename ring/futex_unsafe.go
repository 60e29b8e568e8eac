//go:build linux

package ring

import (
	"math"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	opWait = 0 // FUTEX_WAIT, not private: the word is shared between processes
	opWake = 1 // FUTEX_WAKE
)

// futexWait sleeps while *addr is seen, until a wake or the timeout. It may
// return early for no reason.
func futexWait(addr *atomic.Uint32, seen uint32, timeout time.Duration) {
	ts := unix.NsecToTimespec(int64(timeout))
	unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWait, uintptr(seen), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// futexWake wakes at most n that sleep on addr and returns how many it did.
func futexWake(addr *atomic.Uint32, n int) int {
	woken, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(addr)), opWake, uintptr(min(n, math.MaxInt32)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(woken)
}
