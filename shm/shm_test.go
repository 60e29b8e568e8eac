package shm

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestSliceChecksBoundsAndOverflow(t *testing.T) {
	mem := make([]byte, 100)
	for _, c := range []struct {
		offset, length uint64
		ok             bool
	}{
		{0, 0, true}, {0, 100, true}, {100, 0, true}, {40, 60, true},
		{0, 101, false}, {101, 0, false}, {40, 61, false},
		{math.MaxUint64, 1, false}, {1, math.MaxUint64, false}, {math.MaxUint64, math.MaxUint64, false}, {1 << 63, 1 << 63, false},
	} {
		b, err := Slice(mem, c.offset, c.length)
		var region *RegionError
		if (err == nil) != c.ok || err != nil && !errors.As(err, &region) {
			t.Errorf("Slice(%d, %d): %v", c.offset, c.length, err)
		}
		if err == nil && (uint64(len(b)) != c.length || uint64(cap(b)) != c.length) {
			t.Errorf("Slice(%d, %d): length %d, capacity %d", c.offset, c.length, len(b), cap(b))
		}
	}
}

func TestViewChecksLengthAndAlignment(t *testing.T) {
	words := []uint64{0x0807060504030201, 0x100f0e0d0c0b0a09}
	b := Bytes(words)
	if len(b) != 16 || b[0] != 1 || b[15] != 16 {
		t.Fatalf("Bytes: % x", b)
	}
	v, err := View[uint32](b[4:12])
	if err != nil || len(v) != 2 || v[0] != 0x08070605 || v[1] != 0x0c0b0a09 {
		t.Errorf("View: %x, %v", v, err)
	}
	if words[0] = 0; v[0] != 0 {
		t.Error("a view is a copy")
	}
	var bad *ViewError
	if _, err := View[uint64](b[:15]); !errors.As(err, &bad) || bad.Align {
		t.Errorf("15 bytes as uint64: %v", err)
	}
	if _, err := View[uint64](b[4:12]); !errors.As(err, &bad) || !bad.Align {
		t.Errorf("misaligned uint64: %v", err)
	}
	if v, err := View[float64](nil); err != nil || len(v) != 0 {
		t.Errorf("no bytes: %v, %v", v, err)
	}
}

func TestSegmentIsSharedAndCannotShrink(t *testing.T) {
	s, err := NewSegment("test", 8192)
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
		if s, err := NewSegment("none", size); err == nil {
			s.Close()
			t.Errorf("a segment of %d bytes was made", size)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestMappingShowsTheFileAndNoticesChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(path string) error
		want   string
	}{
		"truncated": {func(p string) error { return os.Truncate(p, 3) }, "was truncated from 5 to 3 bytes"},
		"grown":     {func(p string) error { return os.Truncate(p, 6) }, "grew from 5 to 6 bytes"},
		"touched":   {func(p string) error { return os.Chtimes(p, time.Time{}, time.Unix(1, 0)) }, "was written to"},
	} {
		path := filepath.Join(t.TempDir(), "f")
		write(t, path, "hello")
		m, err := OpenMapping(path)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if string(m.Bytes()) != "hello" || m.Path() != path {
			t.Errorf("mapping of %s holds %q", m.Path(), m.Bytes())
		}
		if err := m.Changed(); err != nil {
			t.Errorf("unchanged: %v", err)
		}
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		var changed *ChangedError
		if err := m.Changed(); !errors.As(err, &changed) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestMappingRefusesWhatCannotBeMapped(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty"), "")
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o666); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"missing": "no such file or directory: check the path",
		"empty":   "the file is empty",
		"fifo":    "not a regular file",
		".":       "is a directory",
	} {
		path := filepath.Join(dir, name)
		m, err := OpenMapping(path)
		if err == nil {
			m.Close()
			t.Errorf("%s was mapped", name)
		} else if !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
