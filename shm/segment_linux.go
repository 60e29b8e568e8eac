package shm

import (
	"fmt"
	"os"
	"strings"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"
)

// Segment is anonymous shared memory of fixed size. It is freed when the last
// process that has it open or mapped is gone.
type Segment struct {
	file *os.File
	mem  mmap.MMap
}

// NewSegment makes a segment of size zero bytes, the first of which are reserved
// now, so that lack of memory is an error here and not a SIGBUS later. The name
// only shows in /proc.
func NewSegment(name string, size, reserved int) (*Segment, error) {
	// The kernel does not refuse to reserve more than there is: it kills somebody.
	if reserved > large {
		if free, ok := available(); ok && reserved > free {
			return nil, fmt.Errorf("segment %s: %d bytes are more than the %d that are free: make it smaller, or free some memory", name, reserved, free)
		}
	}
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, fmt.Errorf("segment %s: memfd_create: %w", name, withRemedy(err))
	}
	file := os.NewFile(uintptr(fd), name)
	err = unix.Ftruncate(fd, int64(size))
	if err == nil && reserved > 0 {
		err = unix.Fallocate(fd, 0, 0, int64(reserved))
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("segment %s: reserving %d of %d bytes: %w", name, reserved, size, err)
	}
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		file.Close()
		return nil, fmt.Errorf("segment %s: sealing: %w", name, err)
	}
	return mapSegment(file)
}

// large is from where on it is worth a look at how much memory there is.
const large = 16 << 20

// available returns how many bytes of memory the system can give.
func available() (int, bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	_, rest, _ := strings.Cut(string(text), "\nMemAvailable:")
	var kib int
	n, _ := fmt.Sscan(rest, &kib)
	return kib << 10, n == 1
}

// AttachSegment maps a segment that another process made, given by its file,
// which the segment then owns. It refuses memory that could still shrink.
func AttachSegment(file *os.File) (*Segment, error) {
	seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("segment %s: not shared memory: %w", file.Name(), err)
	}
	if seals&unix.F_SEAL_SHRINK == 0 {
		file.Close()
		return nil, fmt.Errorf("segment %s: not sealed against shrinking", file.Name())
	}
	return mapSegment(file)
}

func mapSegment(file *os.File) (*Segment, error) {
	mem, err := mmap.Map(file, mmap.RDWR, 0)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("segment %s: mapping: %w", file.Name(), err)
	}
	return &Segment{file, mem}, nil
}

// Bytes returns the segment's memory, aligned to pages.
func (s *Segment) Bytes() []byte { return s.mem }

// File returns the open file to hand to another process.
func (s *Segment) File() *os.File { return s.file }

// Mapping returns the segment as a mapping, to hand to others: without writable,
// they cannot write through it.
func (s *Segment) Mapping(writable bool) (*Mapping, error) {
	mode := unix.O_RDONLY
	if writable {
		mode = unix.O_RDWR
	}
	// A description of its own, or it could be mapped for writing.
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", s.file.Fd()), mode|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("segment %s: opening it again: %w", s.file.Name(), err)
	}
	file := os.NewFile(uintptr(fd), s.file.Name())
	if writable {
		return AttachWritable(file)
	}
	m, err := AttachMapping(file)
	if err != nil {
		return nil, err
	}
	m.start.Store(nil)
	return m, nil
}

// AttachWritable maps a segment, or a target, that another process opened, given
// by its file, which the mapping then owns, for reading and writing.
func AttachWritable(file *os.File) (*Mapping, error) {
	// A file on tmpfs has seals too, but not this one.
	if seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0); err != nil || seals&unix.F_SEAL_SHRINK == 0 {
		return attachTarget(file)
	}
	s, err := AttachSegment(file)
	if err != nil {
		return nil, err
	}
	return &Mapping{file: s.file, name: s.file.Name(), mem: s.mem, writable: true}, nil
}

// Close unmaps the segment and closes its file.
func (s *Segment) Close() error {
	err := s.mem.Unmap()
	if cerr := s.file.Close(); err == nil {
		err = cerr
	}
	return err
}
