package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// clone has two files share their blocks, until one is written to.
func clone(dst, src *os.File) error { return unix.IoctlFileClone(int(dst.Fd()), int(src.Fd())) }

// eachExtent calls f with each part of a file that is no hole, in order.
func eachExtent(src *os.File, size int64, f func(at, end int64) error) error {
	for at := int64(0); at < size; {
		data, err := unix.Seek(int(src.Fd()), at, unix.SEEK_DATA)
		if err == unix.ENXIO {
			return nil // holes to the end
		}
		end := size
		if err != nil {
			data = at // this file system knows of no holes
		} else if end, err = unix.Seek(int(src.Fd()), data, unix.SEEK_HOLE); err != nil {
			return err
		}
		if data >= size {
			return nil
		}
		end = min(end, size)
		if err := f(data, end); err != nil {
			return err
		}
		at = end
	}
	return nil
}

// allocate takes a part of a file from the disk, where the file system can.
func allocate(f *os.File, at, length int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, at, length)
	if err == unix.EOPNOTSUPP {
		return nil
	}
	return err
}

// zero makes a part of a file zeros.
func zero(f *os.File, at, length int64) error {
	if length == 0 {
		return nil
	}
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, length)
	if err == unix.EOPNOTSUPP {
		return writeZeros(f, at, length)
	}
	return err
}

// copyRange copies up to length bytes, none at the end of the file.
func copyRange(dst, src *os.File, at, length int64) (int64, error) {
	from, to := at, at
	for {
		n, err := unix.CopyFileRange(int(src.Fd()), &from, int(dst.Fd()), &to, int(length), 0)
		switch err {
		case nil:
			return int64(n), nil
		case unix.EINTR:
			continue
		case unix.EXDEV, unix.EINVAL, unix.ENOSYS, unix.EOPNOTSUPP, unix.EPERM:
			return readAndWrite(dst, src, at, min(length, 1<<20)) // between file systems, say
		}
		return 0, err
	}
}

// freeBytes returns how much room the file system has that a file lies on.
func freeBytes(f *os.File) (uint64, error) {
	var st unix.Statfs_t
	err := unix.Fstatfs(int(f.Fd()), &st)
	return st.Bavail * uint64(st.Bsize), err
}
