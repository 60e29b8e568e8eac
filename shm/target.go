package shm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
	Name     string        // that errors call it by, if not by its path
	Patience time.Duration // how long to wait for whoever has locked it
	Linked   bool          // it may have several names
}

// OpenTarget opens the file at path, to which symbolic links lead, to be changed
// in place: it locks it and maps it for reading and writing. The lock is that of
// the open file, which whoever is handed it shares: it lasts until the last of
// them has unmapped and closed it, or until Unlock. A *LockedError tells that
// somebody else has it. Others' writes are not noticed, truncation and
// replacement are.
func OpenTarget(ctx context.Context, path string, o TargetOptions) (*Mapping, error) {
	where, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = path
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for late := time.Now().Add(o.Patience); ; {
		m, err := openTarget(where, o)
		var locked *LockedError
		var replaced *ChangedError
		if !errors.As(err, &locked) && !errors.As(err, &replaced) || time.Now().After(late) {
			return m, err
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func openTarget(where string, o TargetOptions) (*Mapping, error) {
	fd, err := unix.Open(where, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		if err == unix.EACCES || err == unix.EPERM || err == unix.EROFS {
			return nil, fmt.Errorf("%s: %w: it is to be changed in place: make it writable for this user, or copy it", o.Name, err)
		}
		return nil, fmt.Errorf("%s: %w", o.Name, withRemedy(err))
	}
	file := os.NewFile(uintptr(fd), o.Name)
	err = unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		file.Close()
		return nil, &LockedError{o.Name}
	}
	if err == nil {
		err = CheckLocal(file)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	m, err := attachTarget(file)
	if err != nil {
		return nil, err
	}
	m.where = where
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
	m.start.Load().mtime = time.Time{}
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

// named reports whether the path that the file was opened by, if there is one, still
// names it.
func (m *Mapping) named(info os.FileInfo) bool {
	if m.where == "" {
		return true // it was handed over
	}
	now, err := os.Stat(m.where)
	return err == nil && os.SameFile(info, now)
}

// Same reports whether two mappings are of the same file.
func (m *Mapping) Same(other *Mapping) bool {
	a, errA := m.file.Stat()
	b, errB := other.file.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// Unlock gives the lock of a target up, for all that were handed its file.
func (m *Mapping) Unlock() error { return unix.Flock(int(m.file.Fd()), unix.LOCK_UN) }
