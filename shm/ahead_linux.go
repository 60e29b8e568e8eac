package shm

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// preferLargeReads has page faults read 2 MiB of a file that is not in memory, and ahead,
// into large folios where the file system has them, which large pages map.
func preferLargeReads(mem []byte) {
	if largeReads() {
		unix.Madvise(mem, unix.MADV_HUGEPAGE)
	}
}

// largeReads reports whether faults heed the advice: Linux 5.18 with huge pages built in.
var largeReads = sync.OnceValue(func() bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil || unix.Access("/sys/kernel/mm/transparent_hugepage", unix.F_OK) != nil {
		return false
	}
	var major, minor int
	n, _ := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor)
	return n == 2 && (major > 5 || major == 5 && minor >= 18)
})

// ReadAhead has the system begin to read a region of a mapped file, as far as the
// file goes, if its first or its last page is not in memory yet, where page faults alone
// read little at a time, and wait for it. It is a hint and waits for no data.
func ReadAhead(mem []byte, offset, length uint64) {
	if !largeReads() {
		willNeed(mem, offset, length)
	}
}

func willNeed(mem []byte, offset, length uint64) {
	end := uint64(len(mem))
	if offset >= end || length == 0 {
		return
	}
	page := uint64(os.Getpagesize())
	first := offset &^ (page - 1)
	last := min(end-offset, length) + offset
	if resident(mem, first) && resident(mem, (last-1)&^(page-1)) {
		return
	}
	unix.Madvise(mem[first:last], unix.MADV_WILLNEED)
}
