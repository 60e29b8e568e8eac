package journal

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
)

// kept is a file, which has holes and an odd size, and what it held.
type kept struct {
	path string
	old  []byte
}

func newKept(t *testing.T) *kept {
	t.Helper()
	old := make([]byte, 3<<20+5)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range old {
		if part := i >> 18; part != 0 && part != 4 && part != 5 && part < 11 { // these are holes
			old[i] = byte(r.Uint32())
		}
	}
	k := &kept{filepath.Join(t.TempDir(), "x"), old}
	f, err := os.OpenFile(k.path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(int64(len(old))); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(old); at += 1 << 18 {
		part := old[at:min(len(old), at+1<<18)]
		if bytes.Count(part, []byte{0}) == len(part) {
			continue
		}
		if _, err := f.WriteAt(part, int64(at)); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func (k *kept) journal() string { return k.path + ".gangsaw" }
func (k *kept) backup() string  { return BackupName(k.journal()) }

// open opens the file as a target.
func (k *kept) open(t *testing.T) *shm.Mapping {
	t.Helper()
	target, err := shm.OpenTarget(t.Context(), k.path, shm.TargetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

func (k *kept) holds(t *testing.T, path string, want []byte) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s: %v, %d bytes that differ", path, err, len(got))
	}
}

// left returns the names of what lies beside the file.
func (k *kept) left(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(k.path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// changed makes a backup and a journal, and spoils the file, holes and all.
func (k *kept) changed(t *testing.T, target *shm.Mapping) *Journal {
	t.Helper()
	b, err := MakeBackup(t.Context(), k.journal(), target)
	if err != nil {
		t.Fatal(err)
	}
	a := format.Array{Name: "x", Type: kernels.Float64, Shape: []int64{1 << 17}}
	h := testHeader()
	h.Array, h.Backup = ArrayOf(a), b
	if h.Target, err = TargetOf(target, a, nil); err != nil {
		t.Fatal(err)
	}
	j, err := Create(k.journal(), h, 1, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	if _, err := target.WriteAt(bytes.Repeat([]byte{0xee}, len(k.old)), 0); err != nil {
		t.Fatal(err)
	}
	return j
}

func TestBackupIsTheFileAndIsPutBack(t *testing.T) {
	k := newKept(t)
	target := k.open(t)
	j := k.changed(t, target)
	k.holds(t, k.backup(), k.old)
	info, err := os.Stat(k.backup())
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got := k.left(t); got != "x x.gangsaw x.gangsaw-backup" {
		t.Errorf("there are %s", got)
	}
	var backup *BackupError
	if _, err := MakeBackup(t.Context(), k.journal(), target); !errors.As(err, &backup) || !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "delete it, or move it away") {
		t.Errorf("a second one: %v", err)
	}
	if err := j.Restore(t.Context(), target); err != nil {
		t.Fatal(err)
	}
	k.holds(t, k.path, k.old)
	if got := k.left(t); got != "x" {
		t.Errorf("left: %s", got)
	}
}

// A process may die after each step of making a backup: there is one or there is
// none, and the file is as it was.
func TestBackupCutShortIsNone(t *testing.T) {
	for n := range 7 {
		k := newKept(t)
		target := k.open(t)
		m := &making{path: k.backup(), target: target}
		steps := m.steps(t.Context())
		if len(steps) != 7 {
			t.Fatalf("%d steps", len(steps))
		}
		if err := inOrder(steps[:n]); err != nil {
			t.Fatal(err)
		}
		if m.file != nil {
			m.file.Close()
		}
		name := "before " + steps[n].name
		k.holds(t, k.path, k.old)
		if exists(k.backup()) {
			k.holds(t, k.backup(), k.old)
			continue
		}
		b, err := MakeBackup(t.Context(), k.journal(), target)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		k.holds(t, k.backup(), k.old)
		if err := RemoveBackup(k.journal(), b); err != nil || k.left(t) != "x" {
			t.Errorf("%s: %v, left: %s", name, err, k.left(t))
		}
	}
}

// A process may die after each step of putting a backup back, and again: whoever
// does it once more ends with the file as it was, and nothing else.
func TestRestoreCutShortIsDoneAgain(t *testing.T) {
	const steps = 8
	for n := range 2 * steps {
		k := newKept(t)
		target := k.open(t)
		j := k.changed(t, target)
		name := ""
		for _, until := range []int{n % steps, 3 + 4*(n/steps)} {
			phase, err := j.readWord(phaseAt)
			if err != nil {
				t.Fatal(err)
			}
			todo, err := j.restoration(t.Context(), phase, target)
			if err != nil {
				t.Fatal(err)
			}
			until = min(until, len(todo))
			name += " until " + append(todo, step{name: "the end"})[until].name
			if err := inOrder(todo[:until]); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if !exists(k.journal()) {
				break
			}
			j, err = Open(k.journal(), target)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { j.Close() })
			if begun := phase != changing || until >= 2; (j.untouched() != nil) != begun {
				t.Errorf("%s: it has begun: %v, and %v", name, begun, j.untouched())
			}
		}
		if exists(k.journal()) {
			if err := j.Restore(t.Context(), target); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		k.holds(t, k.path, k.old)
		if got := k.left(t); got != "x" {
			t.Errorf("%s: left: %s", name, got)
		}
	}
}

// A file that lost its end is put back whole.
func TestRestoreMendsATruncatedFile(t *testing.T) {
	k := newKept(t)
	j := k.changed(t, k.open(t))
	if err := os.Truncate(k.path, 5000); err != nil {
		t.Fatal(err)
	}
	if err := j.Restore(t.Context(), j.targetAgain(t, k.path)); err != nil {
		t.Fatal(err)
	}
	k.holds(t, k.path, k.old)
}

// targetAgain maps the file anew: the lock is still held.
func (j *Journal) targetAgain(t *testing.T, path string) *shm.Mapping {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	m, err := shm.AttachWritable(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestRestoreRefusesWhatIsNoBackup(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(k *kept) error
		want  string
	}{
		"gone":      {func(k *kept) error { return os.Remove(k.backup()) }, "only another copy of the data helps"},
		"truncated": {func(k *kept) error { return os.Truncate(k.backup(), 7) }, "it is not the file that the run made"},
		"another": {func(k *kept) error {
			return errors.Join(os.Rename(k.backup(), k.path+".away"), os.WriteFile(k.backup(), k.old, 0o600))
		}, "it is not the file that the run made"},
		"a link": {func(k *kept) error {
			return errors.Join(os.Rename(k.backup(), k.path+".away"), os.Symlink(k.path+".away", k.backup()))
		}, "restore again"},
	} {
		k := newKept(t)
		target := k.open(t)
		j := k.changed(t, target)
		if err := c.spoil(k); err != nil {
			t.Fatal(err)
		}
		var useless *BackupError
		if err := j.Restore(t.Context(), target); !errors.As(err, &useless) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		k.holds(t, k.path, bytes.Repeat([]byte{0xee}, len(k.old)))
		if err := j.untouched(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	k := newKept(t)
	target := k.open(t)
	j := k.changed(t, target)
	j.Header.Backup = nil
	var useless *Error
	if err := j.Restore(t.Context(), target); !errors.As(err, &useless) || !strings.Contains(err.Error(), "made no backup") {
		t.Errorf("%v", err)
	}
}

func TestCancelledBackupLeavesNothing(t *testing.T) {
	k := newKept(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	// Where blocks are shared, there is nothing to cancel.
	if b, err := MakeBackup(ctx, k.journal(), k.open(t)); err == nil {
		RemoveBackup(k.journal(), b)
	} else if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if got := k.left(t); got != "x" {
		t.Errorf("left: %s", got)
	}
}

// What the system calls do, done the portable way.
func TestBackupWithoutHelpOfTheSystem(t *testing.T) {
	k := newKept(t)
	src, err := os.Open(k.path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.Create(k.path + ".copy")
	if err != nil {
		t.Fatal(err)
	}
	defer dst.Close()
	if err := writeZeros(dst, 3, 3<<20); err != nil {
		t.Fatal(err)
	}
	if n, err := readAndWrite(dst, src, 5, int64(len(k.old))); err != nil || n != int64(len(k.old))-5 {
		t.Errorf("%d, %v", n, err)
	}
	want := append(make([]byte, 5), k.old[5:]...)
	k.holds(t, k.path+".copy", want)
}
