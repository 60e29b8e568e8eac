package shm

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"
)

// LockedError reports a file that somebody else is changing in place.
type LockedError struct{ Path string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s: another run is changing it: wait until that has ended", e.Path)
}

// LinkedError reports a file with several names, of which all would change.
type LinkedError struct {
	Path  string
	Links uint64
}

func (e *LinkedError) Error() string {
	return fmt.Sprintf("%s: the file has %d names (hard links), and all of them would change: copy it, or say that this is meant", e.Path, e.Links)
}

// TargetOptions say how to open a target.
type TargetOptions struct {
	Patience time.Duration // how long to wait for whoever has locked it
	Linked   bool          // it may have several names
}

// OpenTarget opens the file at path, to which symbolic links lead, to be changed
// in place: it locks it and maps it for reading and writing. The lock is that of
// the open file, which whoever is handed it shares: it lasts until the last of
// them has unmapped and closed it, or until Unlock. A *LockedError tells that
// somebody else has it. Others' writes are not noticed, truncation and
// replacement are.
func OpenTarget(path string, o TargetOptions) (*Mapping, error) {
	for late := time.Now().Add(o.Patience); ; time.Sleep(time.Millisecond) {
		m, err := openTarget(path, o)
		var locked *LockedError
		var replaced *ChangedError
		if (errors.As(err, &locked) || errors.As(err, &replaced)) && time.Now().Before(late) {
			continue
		}
		return m, err
	}
}

func openTarget(path string, o TargetOptions) (*Mapping, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		if err == unix.EACCES || err == unix.EPERM || err == unix.EROFS {
			return nil, fmt.Errorf("%s: %w: it is to be changed in place: make it writable for this user, or copy it", path, err)
		}
		return nil, fmt.Errorf("%s: %w", path, withRemedy(err))
	}
	file := os.NewFile(uintptr(fd), path)
	err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		file.Close()
		return nil, &LockedError{path}
	}
	if err == nil {
		err = mayChange(fd)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	m, err := attachTarget(file)
	if err != nil {
		return nil, err
	}
	if err := m.check(o); err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// attachTarget maps a file for reading and writing, which the mapping then owns.
func attachTarget(file *os.File) (*Mapping, error) {
	m, err := mapFile(file, mmap.RDWR)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	m.start.mtime = time.Time{}
	return m, nil
}

// check looks, under the lock, at what may have changed before it was taken.
func (m *Mapping) check(o TargetOptions) error {
	if err := m.Changed(); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(m.file.Fd()), &st); err != nil {
		return fmt.Errorf("%s: %w", m.Path(), err)
	}
	if links := uint64(st.Nlink); links > 1 && !o.Linked {
		return &LinkedError{m.Path(), links}
	}
	return nil
}

// replaced returns a *ChangedError if the path names another file by now.
func (m *Mapping) replaced(info os.FileInfo) error {
	now, err := os.Stat(m.Path())
	if err == nil && os.SameFile(info, now) {
		return nil
	}
	return &ChangedError{m.Path(), "was replaced, moved or removed"}
}

// Same reports whether two mappings are of the same file.
func (m *Mapping) Same(other *Mapping) bool {
	a, errA := m.file.Stat()
	b, errB := other.file.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// Unlock gives the lock of a target up, for all that were handed its file.
func (m *Mapping) Unlock() error { return unix.Flock(int(m.file.Fd()), unix.LOCK_UN) }
