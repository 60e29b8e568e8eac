//go:build !linux

package shm

import (
	"fmt"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"
)

// NewSparse makes sparse memory. The name is what its mapping is called.
func NewSparse(name string, size int) (*Sparse, error) {
	mem, err := mmap.MapRegion(nil, size, mmap.RDWR, mmap.ANON, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %d bytes of addresses: %w", name, size, err)
	}
	return &Sparse{
		bytes: mem, mapping: &Mapping{name: name, mem: mem},
		reserve: func(int64, int64) error { return nil },
		release: func(offset, length int64) error {
			clear(mem[offset : offset+length])
			return unix.Madvise(mem[offset:offset+length], unix.MADV_DONTNEED)
		},
		close: mem.Unmap,
	}, nil
}
