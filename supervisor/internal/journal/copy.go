package journal

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/shm"
)

// copyStep is how many bytes are copied at once: few calls, and an interrupt need
// not wait long.
const copyStep = 64 << 20

// duplicate makes a file hold what another holds, which is so many bytes long: by
// sharing the blocks where the file system can, by copying what is no hole where
// not. A fresh file is empty.
func duplicate(ctx context.Context, dst, src *os.File, size int64, fresh bool) error {
	if fresh {
		// Blocks that are shared take room as well, once one of the files changes.
		if err := room(dst, src, size); err != nil {
			return err
		}
	}
	if clone(dst, src) == nil {
		return dst.Truncate(size)
	}
	if err := dst.Truncate(size); err != nil {
		return err
	}
	if fresh {
		// A disk that is full shows before the long part.
		if err := eachExtent(src, size, func(at, end int64) error { return allocate(dst, at, end-at) }); err != nil {
			return err
		}
	}
	done := int64(0)
	err := eachExtent(src, size, func(at, end int64) error {
		if !fresh {
			if err := zero(dst, done, at-done); err != nil {
				return err
			}
		}
		done = end
		return copyExtent(ctx, dst, src, at, end)
	})
	if err == nil && !fresh {
		err = zero(dst, done, size-done)
	}
	return err
}

// copyExtent copies the bytes from one offset to another.
func copyExtent(ctx context.Context, dst, src *os.File, at, end int64) error {
	for at < end {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := copyRange(dst, src, at, min(end-at, copyStep))
		if err != nil {
			return err
		}
		if n == 0 {
			return &shm.ChangedError{Path: src.Name(), What: fmt.Sprintf("was truncated to %d bytes", at)}
		}
		at += n
	}
	return nil
}

// room returns an error if the disk has not enough of it for the copy.
func room(dst, src *os.File, size int64) error {
	var need int64
	if err := eachExtent(src, size, func(at, end int64) error { need += end - at; return nil }); err != nil {
		return err
	}
	free, err := freeBytes(dst)
	if err != nil || uint64(need) <= free {
		return err
	}
	return fmt.Errorf("it takes %d bytes, and the disk has %d: %w", need, free, unix.ENOSPC)
}

// readAndWrite copies up to length bytes the portable way.
func readAndWrite(dst, src *os.File, at, length int64) (int64, error) {
	return io.Copy(io.NewOffsetWriter(dst, at), io.NewSectionReader(src, at, length))
}

// writeZeros fills a part of a file.
func writeZeros(f *os.File, at, length int64) error {
	zeros := make([]byte, min(length, 1<<20))
	for end := at + length; at < end; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(end-at, int64(len(zeros)))], at); err != nil {
			return err
		}
	}
	return nil
}
