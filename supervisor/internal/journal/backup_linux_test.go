package journal

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func allocated(t *testing.T, path string) int64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return 512 * st.Blocks
}

func TestBackupKeepsHoles(t *testing.T) {
	k := newKept(t)
	target := k.open(t)
	before := allocated(t, k.path)
	j := k.changed(t, target)
	if got := allocated(t, k.backup()); got > before+64<<10 {
		t.Errorf("the backup takes %d bytes, the file %d", got, before)
	}
	if err := j.Restore(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	if got := allocated(t, k.path); got > before+64<<10 {
		t.Errorf("put back, the file takes %d bytes, before %d", got, before)
	}
	k.holds(t, k.path, k.old)
}

// Where blocks are shared, the change takes the room that a copy would have taken.
func TestSharedBackupWithoutRoomIsAnError(t *testing.T) {
	mkfs, err := exec.LookPath("mkfs.xfs")
	if err != nil {
		t.Skip("no file system can be made that shares blocks: ", err)
	}
	dir := t.TempDir()
	image, at := filepath.Join(dir, "image"), filepath.Join(dir, "at")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, 320<<20), os.Mkdir(at, 0o700)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(mkfs, "-q", image).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop", image, at).CombinedOutput(); err != nil {
		t.Skipf("mounting is not allowed here: %v: %s", err, out)
	}
	defer unix.Unmount(at, unix.MNT_DETACH)
	k := newKept(t)
	k.path = filepath.Join(at, "x")
	if err := os.WriteFile(k.path, k.old, 0o600); err != nil {
		t.Fatal(err)
	}
	target := k.open(t)
	free := func() uint64 {
		n, err := freeBytes(target.File())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := free()
	b, err := MakeBackup(t.Context(), k.journal(), target)
	if err != nil {
		t.Fatal(err)
	}
	if took := int64(before - free()); took > 1<<20 { // less, once what was delayed is done
		t.Errorf("a backup that shares %d bytes takes %d", len(k.old), took)
	}
	k.holds(t, k.backup(), k.old)
	if err := RemoveBackup(k.journal(), b); err != nil {
		t.Fatal(err)
	}
	filler, err := os.Create(filepath.Join(at, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	if err := unix.Fallocate(int(filler.Fd()), 0, 0, int64(free()-2<<20)); err != nil {
		t.Fatal(err)
	}
	if _, err := MakeBackup(t.Context(), k.journal(), target); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v", err)
	}
}

// A disk that is too full for a backup is an error before anything is copied.
func TestBackupWithoutRoomIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("gangsaw-test", dir, "tmpfs", 0, "size=3m"); err == unix.EPERM {
		t.Skip("mounting is not allowed here: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	k := newKept(t)
	target := k.open(t)
	name := filepath.Join(dir, "x.gangsaw")
	if b, err := MakeBackup(t.Context(), name, target); err != nil {
		t.Errorf("without its holes it fits: %v", err)
	} else if err := RemoveBackup(name, b); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other"), make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var backup *BackupError
	if _, err := MakeBackup(t.Context(), name, target); !errors.As(err, &backup) || !errors.Is(err, unix.ENOSPC) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	k.holds(t, k.path, k.old)
}
