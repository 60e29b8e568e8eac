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
