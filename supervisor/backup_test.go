package supervisor

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
)

// A backup is the file as it was; it stays beside a complete run, goes with one that
// has changed nothing, and is put back of one that was interrupted.
func TestBackupIsKeptOrRestored(t *testing.T) { onBothPools(t, backupIsKeptOrRestored) }

func backupIsKeptOrRestored(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2), ChunkBytes(1<<16))
	const n = 32 << 10
	for _, dir := range []string{"", t.TempDir()} {
		path := float64File(t, 16, ramp(n), 8)
		old, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		holdsOld := func(name string) {
			t.Helper()
			if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, old) {
				t.Fatalf("%s is not as it was: %v", name, err)
			}
		}
		var begun Change
		opts := []TaskOption{Backup(), BeforeChange(func(c Change) { begun = c })}
		if dir != "" {
			opts = append(opts, JournalDir(dir))
		}
		x := openRaw(t, pool, path, 16, n)
		// The first element fails: nothing is changed, nothing stays.
		var early *InPlaceError
		if err := pool.InPlace(t.Context(), picky.With(-1), openRaw(t, pool, float64File(t, 0, ramp(n)[1:], 0), 0, n-1), opts...); !errors.As(err, &early) || early.Backup != "" {
			t.Errorf("%v, %+v", err, early)
		}
		if exists(begun.Backup) || begun.Backup == "" {
			t.Errorf("the backup %s of a run that changed nothing is left", begun.Backup)
		}
		// Half of it fails.
		if err := pool.InPlace(t.Context(), picky.With(n/2), x, opts...); !errors.As(err, &early) || early.Backup != begun.Backup {
			t.Fatalf("%v, %+v", err, early)
		}
		if begun.Journal != early.Journal || begun.Backup != begun.Journal+"-backup" || begun.Bytes != 8*n || begun.File != path {
			t.Errorf("%+v, %+v", begun, early)
		}
		if want := path + ".gangsaw-backup"; dir == "" && begun.Backup != want || dir != "" && filepath.Dir(begun.Backup) != dir {
			t.Errorf("the backup is %s", begun.Backup)
		}
		holdsOld(begun.Backup)
		if err := Restore(t.Context(), path, opts...); err != nil {
			t.Fatal(err)
		}
		holdsOld(path)
		if exists(begun.Backup) || exists(begun.Journal) {
			t.Error("backup or journal are left")
		}
		if err := Restore(t.Context(), path, opts...); !errors.Is(err, ErrNotInterrupted) {
			t.Errorf("%v", err)
		}
		// Who has it open sees that.
		if _, err := pool.Stat(t.Context(), x); err == nil {
			t.Error("a file that was put back counts as unchanged")
		}
		x = openRaw(t, pool, path, 16, n)
		if err := pool.InPlace(t.Context(), affine.With([2]float64{3, 1}), x, opts...); err != nil {
			t.Fatal(err)
		}
		holdsFile(t, path, 16, func(i int) float64 { return 3*float64(i) + 1 }, n, 8)
		holdsOld(begun.Backup)
		var backup *BackupError
		if err := pool.InPlace(t.Context(), affine.With([2]float64{3, 1}), x, opts...); !errors.As(err, &backup) || !errors.Is(err, fs.ErrExist) {
			t.Errorf("over a backup: %v", err)
		}
		if exists(begun.Journal) {
			t.Error("a run without a backup has left a journal")
		}
	}
}

// After the machine went down a run cannot be resumed, and its backup can be put
// back; once that has begun, the run cannot be resumed either.
func TestBackupOutlivesTheMachine(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	path, log := interrupted(t, pool, Backup())
	boot, err := journal.Boot()
	if err != nil {
		t.Fatal(err)
	}
	editJournal(t, log, boot, strings.Repeat("0", len(boot)))
	var refused *JournalError
	if err := pool.Resume(t.Context(), path); !errors.As(err, &refused) || refused.Remedy != "restore the backup" {
		t.Errorf("%v", err)
	}
	editJournal(t, log, strings.Repeat("0", len(boot)), boot)
	writeAt(t, log, 56, []byte{1})
	if err := pool.Resume(t.Context(), path); !errors.As(err, &refused) || !strings.Contains(err.Error(), "restore again") {
		t.Errorf("%v", err)
	}
	if err := Restore(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	holdsFile(t, path, 16, func(i int) float64 { return float64(i) }, 32<<10, 8)
}
