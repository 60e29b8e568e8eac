package shm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func openTestTarget(t *testing.T, path string, o TargetOptions) *Mapping {
	t.Helper()
	m, err := OpenTarget(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestTargetIsWrittenThroughMappingAndFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "hello")
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	m := openTestTarget(t, link, TargetOptions{})
	m.Bytes()[0] = 'j'
	if _, err := m.WriteAt([]byte("y"), 4); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 2)
	if _, err := m.ReadAt(b, 3); err != nil || string(b) != "ly" || !m.Writable() {
		t.Errorf("%q, %v", b, err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "jelly" {
		t.Errorf("%q, %v", got, err)
	}
	if err := m.Changed(); err != nil {
		t.Errorf("its own writes: %v", err)
	}
	var region *RegionError
	for _, at := range []int64{-1, 4, 5, 6} {
		if _, err := m.WriteAt([]byte("xy"), at); !errors.As(err, &region) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 5 {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
}

func TestTargetTruncatedOrReplacedHasChanged(t *testing.T) {
	for name, c := range map[string]struct {
		change func(path string) error
		want   string
	}{
		"truncated": {func(p string) error { return os.Truncate(p, 3) }, "was truncated from 5 to 3 bytes"},
		"removed":   {os.Remove, "was replaced, moved or removed"},
		"replaced": {func(p string) error {
			return errors.Join(os.WriteFile(p+".new", []byte("world"), 0o666), os.Rename(p+".new", p))
		}, "was replaced, moved or removed"},
	} {
		path := filepath.Join(t.TempDir(), "f")
		write(t, path, "hello")
		m := openTestTarget(t, path, TargetOptions{})
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		var changed *ChangedError
		if err := m.Changed(); !errors.As(err, &changed) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if _, err := m.WriteAt([]byte("x"), 4); (err == nil) == (name == "truncated") {
			t.Errorf("%s: a write at the end: %v", name, err)
		}
	}
}

// The lock is held by the open file, whoever has it, and a mapping has it too.
func TestLockOfATargetOutlivesWhoeverTookIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "hello")
	first := openTestTarget(t, path, TargetOptions{})
	handed, err := unix.Dup(int(first.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := attachTarget(os.NewFile(uintptr(handed), path))
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	var locked *LockedError
	if _, err := OpenTarget(t.Context(), path, TargetOptions{Patience: 5 * time.Millisecond}); !errors.As(err, &locked) {
		t.Errorf("%v", err)
	}
	time.AfterFunc(20*time.Millisecond, func() { other.Close() })
	second := openTestTarget(t, path, TargetOptions{Patience: time.Minute})
	if err := second.Unlock(); err != nil {
		t.Fatal(err)
	}
	openTestTarget(t, path, TargetOptions{})
}

func TestTargetRefusesWhatMustNotChange(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	write(t, path, "hello")
	write(t, filepath.Join(dir, "empty"), "")
	if err := os.Link(path, path+".other"); err != nil {
		t.Fatal(err)
	}
	var linked *LinkedError
	if _, err := OpenTarget(t.Context(), path, TargetOptions{}); !errors.As(err, &linked) || linked.Links != 2 {
		t.Errorf("%v", err)
	}
	openTestTarget(t, path, TargetOptions{Linked: true})
	for name, want := range map[string]string{"none": "check the path", "empty": "the file is empty", ".": "is a directory"} {
		if m, err := OpenTarget(t.Context(), filepath.Join(dir, name), TargetOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
}

func TestFileIsRenewedAfterItWasWrittenTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	write(t, path, "hello")
	m, err := OpenMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if m.Changed() == nil || m.Renew(m, 0) != nil || m.Changed() != nil {
		t.Error("a renewed mapping has changed")
	}
	if err := os.Truncate(path, 3); err != nil {
		t.Fatal(err)
	}
	if m.Renew(m, 0); m.Changed() == nil {
		t.Error("a truncated file was renewed")
	}
}
