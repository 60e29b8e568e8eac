package journal

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// inode returns the number of a file and when it was made.
func inode(f *os.File) (number uint64, born int64, err error) {
	var st unix.Statx_t
	if err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return 0, 0, err
	}
	if st.Mask&unix.STATX_BTIME != 0 {
		born = st.Btime.Sec*1e9 + int64(st.Btime.Nsec)
	}
	return st.Ino, born, nil
}

// Boot returns what tells this boot of the machine from others.
func Boot() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id)), err
}

// reserve makes a file that long, with all of it on the disk.
func reserve(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if err == unix.EOPNOTSUPP {
		return writeZeros(f, 0, size)
	}
	return err
}

// publish gives a file its name, which no other has.
func publish(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if err == unix.EINVAL || err == unix.ENOSYS { // the file system cannot
		return os.Link(from, to)
	}
	return err
}

// attribute of a file that is being changed: the path of the journal, by which it
// is found when the file has another name by now, or lies elsewhere itself. Some
// file systems have none.
const attribute = "user.gangsaw.journal"

func setMark(f *os.File, path string) { unix.Fsetxattr(int(f.Fd()), attribute, []byte(path), 0) }
func clearMark(f *os.File)            { unix.Fremovexattr(int(f.Fd()), attribute) }

func markOf(f *os.File) string {
	b := make([]byte, unix.PathMax)
	n, err := unix.Fgetxattr(int(f.Fd()), attribute, b)
	if err != nil {
		return ""
	}
	return string(b[:n])
}
