package shm

import (
	"math"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSegmentIsSharedAndCannotShrink(t *testing.T) {
	s, err := NewSegment("test", 8192, 8192)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fd, err := unix.Dup(int(s.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := AttachSegment(os.NewFile(uintptr(fd), "other"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	s.Bytes()[8191] = 42
	if len(other.Bytes()) != 8192 || other.Bytes()[8191] != 42 {
		t.Error("the segment is not shared")
	}
	for _, size := range []int64{0, 4096, 16384} {
		if err := other.File().Truncate(size); err == nil {
			t.Errorf("the segment could be resized to %d bytes", size)
		}
	}
}

func TestSegmentLargerThanMemoryIsAnError(t *testing.T) {
	for _, size := range []int{1 << 50, math.MaxInt} {
		if _, err := NewSegment("huge", size, size); err == nil || !strings.Contains(err.Error(), "that are free: make it smaller") {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestSegmentReadOnlyCannotBeWritten(t *testing.T) {
	s, err := NewSegment("test", 8192, 8192)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, err := s.Mapping(true)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if w.Bytes()[18] = 43; s.Bytes()[18] != 43 || !w.Writable() {
		t.Error("a write through a writable mapping is not seen")
	}
	m, err := s.Mapping(false)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	s.Bytes()[17] = 42
	if m.Bytes()[17] != 42 || m.Changed() != nil || m.Path() != "test" {
		t.Errorf("%d, %v, %s", m.Bytes()[17], m.Changed(), m.Path())
	}
	if mem, err := unix.Mmap(int(m.File().Fd()), 0, 8192, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		unix.Munmap(mem)
		t.Error("whoever is given the file can write to the segment")
	}
}

func TestAttachRefusesMemoryThatCanShrink(t *testing.T) {
	fd, err := unix.MemfdCreate("loose", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := AttachSegment(os.NewFile(uintptr(fd), "loose")); err == nil || !strings.Contains(err.Error(), "not sealed") {
		t.Errorf("unsealed memory: %v", err)
	}
	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := AttachSegment(plain); err == nil {
		t.Error("a device was attached as a segment")
	}
}

func TestSegmentOfNoSizeIsAnError(t *testing.T) {
	for _, size := range []int{0, -1} {
		if s, err := NewSegment("none", size, size); err == nil {
			s.Close()
			t.Errorf("a segment of %d bytes was made", size)
		}
	}
}
