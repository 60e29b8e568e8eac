package shm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"
)

// Mapping is a data file or a segment, mapped shared: a file read-only, unless it
// is a target (see [OpenTarget]).
type Mapping struct {
	file     *os.File // nil: memory of this process
	name     string
	where    string // its path, wherever this process may go
	mem      mmap.MMap
	writable bool
	start    atomic.Pointer[identity] // of a file that others may change
}

// HeapMapping returns zero bytes of this process's memory as a mapping, for those
// that share it as goroutines do. Without writable it should not be written to.
func HeapMapping(name string, size int, writable bool) *Mapping {
	words := make([][cacheLine / 8]uint64, (size+cacheLine-1)/cacheLine)
	return &Mapping{name: name, mem: heapBytes(words, size), writable: writable}
}

// cacheLine is what memory of this process is aligned to.
const cacheLine = 64

// identity tells whether an open file still has the contents it had.
type identity struct {
	size  int64     // bytes
	mtime time.Time // zero, of a file that this program writes to
	stale string    // why the open file is not the one that has its name any more
}

// ChangedError reports a file that changed after it was mapped.
type ChangedError struct {
	Path    string
	What    string
	InPlace bool // while it was being changed in place
}

func (e *ChangedError) Error() string {
	if e.InPlace {
		return fmt.Sprintf("%s: the file %s while it was being changed in place", e.Path, e.What)
	}
	return fmt.Sprintf("%s: the file %s while it was being read; results are discarded: run again when nothing writes to it", e.Path, e.What)
}

// OpenMapping opens the file at path and maps it. The path is used once; every
// later use, by any process, goes through the open file.
func OpenMapping(path string) (*Mapping, error) {
	// Without O_NONBLOCK, opening a pipe would wait for its writer.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, withRemedy(err))
	}
	file := os.NewFile(uintptr(fd), path)
	m, err := AttachMapping(file)
	if err != nil {
		return nil, err
	}
	m.where, err = filepath.Abs(path)
	return m, err
}

// AttachMapping maps an open file, which the mapping then owns.
func AttachMapping(file *os.File) (*Mapping, error) {
	m, err := mapFile(file, mmap.RDONLY)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	return m, nil
}

func mapFile(file *os.File, access int) (*Mapping, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, errors.New("is a directory: name a file of numbers")
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("is not a regular file (%s) and cannot be mapped: copy it to a file first", info.Mode().Type())
	case info.Size() == 0:
		return nil, errors.New("the file is empty (0 bytes): there is nothing to map")
	}
	mem, err := mmap.MapRegion(file, int(info.Size()), access, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("mapping %d bytes: %w", info.Size(), err)
	}
	preferLargeReads(mem)
	m := &Mapping{file: file, name: file.Name(), mem: mem, writable: access == mmap.RDWR}
	m.start.Store(identify(info))
	return m, nil
}

// withRemedy adds what can be done about a file that does not open.
func withRemedy(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: check the path", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: make it readable for this user", err)
	case errors.Is(err, unix.EMFILE):
		return fmt.Errorf("%w: raise the limit on open files (ulimit -n)", err)
	}
	return err
}

func identify(info fs.FileInfo) *identity {
	return &identity{size: info.Size(), mtime: info.ModTime()}
}

// Bytes returns the file's contents. Reading what was truncated away since
// raises SIGBUS.
func (m *Mapping) Bytes() []byte { return m.mem }

// Where returns the absolute path that the file had when it was opened.
func (m *Mapping) Where() string { return m.where }

// Path returns the path under which the file was opened, or the name of what is
// no file.
func (m *Mapping) Path() string { return m.name }

// File returns the open file to hand to another process, nil if there is none.
func (m *Mapping) File() *os.File { return m.file }

// Writable reports whether its bytes may be written to.
func (m *Mapping) Writable() bool { return m.writable }

// Changed returns a *ChangedError when the file's size or modification time
// is no longer what it was when it was mapped. What only this program writes to
// does not change.
func (m *Mapping) Changed() error {
	start := m.start.Load() // Renew may put another in its place
	if start == nil {
		return nil
	}
	changed := func(format string, args ...any) error {
		return &ChangedError{m.Path(), fmt.Sprintf(format, args...), m.writable}
	}
	info, err := m.file.Stat()
	if err != nil {
		return err
	}
	switch now := info.Size(); {
	case start.stale != "":
		return changed("%s", start.stale)
	case now < start.size:
		return changed("was truncated from %d to %d bytes", start.size, now)
	case now != start.size:
		return changed("grew from %d to %d bytes", start.size, now)
	case start.mtime.IsZero() && !m.named(info):
		return changed("was replaced, moved or removed")
	case !start.mtime.IsZero() && !info.ModTime().Equal(start.mtime):
		return changed("was written to")
	}
	return nil
}

// Renew takes the file as it is now for what it was when it was mapped, after
// this program wrote to it through a target, to what lies at an offset among other
// things.
func (m *Mapping) Renew(target *Mapping, offset int64) error {
	info, err := m.file.Stat()
	if err != nil {
		return err
	}
	if start := m.start.Load(); start.size == info.Size() {
		now := identify(info)
		if !m.alike(target, offset) {
			now.stale = "was copied to another layer when it was written to: open it again"
		}
		m.start.Store(now)
	}
	return nil
}

// alike reports whether a mapping shows what is in the target, at a look. On an
// overlay it does not, if it was made before the first write to the file.
func (m *Mapping) alike(target *Mapping, offset int64) (same bool) {
	b := make([]byte, 64<<10)
	n, err := target.file.ReadAt(b, offset)
	if err != nil && err != io.EOF {
		return false
	}
	// The file may have been truncated.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			same = false
		}
	}()
	shown, err := Slice(m.mem, uint64(offset), uint64(n))
	return err == nil && bytes.Equal(shown, b[:n])
}

// ReadAt and WriteAt go through the file, whose mapping may have been truncated:
// that is an error here, and no fault. WriteAt never makes a file larger.
func (m *Mapping) ReadAt(b []byte, at int64) (int, error) {
	if m.file != nil {
		return m.file.ReadAt(b, at)
	}
	region, err := Slice(m.mem, uint64(at), uint64(len(b)))
	return copy(b, region), err
}

// WriteAt see [Mapping.ReadAt].
func (m *Mapping) WriteAt(b []byte, at int64) (int, error) {
	var size int64
	if m.file == nil {
		size = int64(len(m.mem))
	} else if info, err := m.file.Stat(); err == nil {
		size = info.Size()
	} else {
		return 0, err
	}
	if at < 0 || at > size || int64(len(b)) > size-at {
		return 0, &RegionError{uint64(at), uint64(len(b)), uint64(size)}
	}
	if m.file != nil {
		return m.file.WriteAt(b, at)
	}
	return copy(m.mem[at:], b), nil
}

// Close unmaps the file and closes it.
func (m *Mapping) Close() error {
	if m.file == nil {
		return nil
	}
	err := m.mem.Unmap()
	if cerr := m.file.Close(); err == nil {
		err = cerr
	}
	return err
}
