package shm

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// NewSparse makes sparse memory. The name is what its mapping is called.
func NewSparse(name string, size int) (*Sparse, error) {
	segment, err := NewSegment("gangsaw-decoded", size, 0)
	if err != nil {
		return nil, err
	}
	mapping, err := segment.Mapping(false)
	if err != nil {
		return nil, errors.Join(err, segment.Close())
	}
	mapping.name = name
	allocate := func(mode uint32, offset, length int64) error {
		for {
			err := unix.Fallocate(int(segment.file.Fd()), mode, offset, length)
			if err == nil {
				return nil
			}
			if err != unix.EINTR {
				return fmt.Errorf("%s: %d bytes of memory: %w", name, length, err)
			}
		}
	}
	return &Sparse{
		bytes: segment.Bytes(), mapping: mapping,
		reserve: func(offset, length int64) error { return allocate(0, offset, length) },
		release: func(offset, length int64) error {
			return allocate(unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, offset, length)
		},
		close: func() error { return errors.Join(mapping.Close(), segment.Close()) },
	}, nil
}
