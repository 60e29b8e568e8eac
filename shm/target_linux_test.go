package shm

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A sparse file on a disk that is full: an error before the first store, no fault.
func TestSparseTargetOnAFullDiskIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("gangsaw-test", dir, "tmpfs", 0, "size=1m"); err == unix.EPERM {
		t.Skip("mounting is not allowed here: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	path := filepath.Join(dir, "f")
	write(t, path, "hello")
	if err := os.Truncate(path, 2<<20); err != nil {
		t.Fatal(err)
	}
	m := openTestTarget(t, path, TargetOptions{})
	if err := m.Reserve(0, 2<<20); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v", err)
	}
	// Where the system knows how, and says that what is read-only cannot be.
	reader, err := OpenMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	knows := Populate(reader.Bytes(), 0, 1) != nil
	if err := Populate(m.Bytes(), 5, 2<<20-5); knows && err == nil {
		t.Error("pages for which there is no room were populated")
	}
	if err := m.Reserve(0, 1<<19); err != nil {
		t.Error(err)
	}
	if err := Populate(m.Bytes(), 5, 1<<19-5); err != nil {
		t.Error(err)
	}
	// On tmpfs too, a target is no segment.
	fd, err := unix.Dup(int(m.File().Fd()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := AttachWritable(os.NewFile(uintptr(fd), path))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.Bytes()[1] = 'u'; m.Bytes()[1] != 'u' {
		t.Error("the target is not shared")
	}
}
