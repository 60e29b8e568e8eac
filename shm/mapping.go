package shm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"
)

// Mapping is a data file or a segment, mapped shared: a file read-only, unless it
// is a target (see [OpenTarget]).
type Mapping struct {
	file     *os.File // nil: memory of this process
	name     string
	mem      mmap.MMap
	writable bool
	start    identity // of a file that others may change
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
}

// ChangedError reports a file that changed after it was mapped.
type ChangedError struct {
	Path string
	What string
}

func (e *ChangedError) Error() string {
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
	return m, nil
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
	return &Mapping{file: file, name: file.Name(), mem: mem, writable: access == mmap.RDWR, start: identify(info)}, nil
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

func identify(info fs.FileInfo) identity { return identity{info.Size(), info.ModTime()} }

// Bytes returns the file's contents. Reading what was truncated away since
// raises SIGBUS.
func (m *Mapping) Bytes() []byte { return m.mem }

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
	if m.start == (identity{}) {
		return nil
	}
	info, err := m.file.Stat()
	if err != nil {
		return err
	}
	switch now := identify(info); {
	case now.size < m.start.size:
		return &ChangedError{m.Path(), fmt.Sprintf("was truncated from %d to %d bytes", m.start.size, now.size)}
	case now.size != m.start.size:
		return &ChangedError{m.Path(), fmt.Sprintf("grew from %d to %d bytes", m.start.size, now.size)}
	case m.start.mtime.IsZero():
		return m.replaced(info)
	case !now.mtime.Equal(m.start.mtime):
		return &ChangedError{m.Path(), "was written to"}
	}
	return nil
}

// Renew takes the file as it is now for what it was when it was mapped, after
// this program wrote to it. A *ChangedError tells that it has another size.
func (m *Mapping) Renew() error {
	info, err := m.file.Stat()
	if err != nil {
		return err
	}
	if m.start.size == info.Size() {
		m.start = identify(info)
	}
	return m.Changed()
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
	size := int64(len(m.mem))
	if m.file != nil {
		info, err := m.file.Stat()
		if err != nil {
			return 0, err
		}
		size = info.Size()
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
