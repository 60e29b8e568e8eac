package supervisor

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

func init() {
	roles["change with backup"] = func() {
		Main()
		changeInPlace(func(pool *Pool, path string) error {
			f, err := pool.File(path, Raw(raw.Layout{Type: kernels.Uint32}))
			if err != nil {
				return err
			}
			fmt.Println("begins")
			return pool.InPlace(context.Background(), slowMix.With(5), f.Arrays()[0], Backup())
		})
	}
	roles["restore"] = func() {
		fmt.Println("begins")
		if err := Restore(context.Background(), os.Getenv(fileVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// Everything is killed while the backup is made, while the file is changed, and
// while the backup is put back: then the file is as it was, or, resumed, as the run
// would have left it, and the backup is whole.
func TestKilledWithABackupIsOldOrNew(t *testing.T) {
	runs := rounds(8, 250)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	pool := start(t, Workers(2))
	file := newNumbers(t, 4<<20)
	log := file.path + ".gangsaw"
	backup := log + "-backup"
	copying, changing, whole, restored, again := 0, 0, 0, 0, 0
	for range runs {
		old := bytes.Clone(shm.Bytes(file.want))
		there := []string{backup + ".new", log}[r.IntN(2)]
		file.killAll(t, "change with backup", there, time.Duration(r.IntN(12000))*time.Microsecond)
		switch {
		case exists(log):
			changing++
			holds(t, backup, old)
			if r.IntN(2) == 0 {
				if err := pool.Resume(t.Context(), file.path); err != nil {
					t.Fatal(err)
				}
				file.applied(5)
				holds(t, backup, old)
				break
			}
			for range r.IntN(3) {
				if file.killAll(t, "restore", log, time.Duration(r.IntN(8000))*time.Microsecond) {
					again++
				}
				if !exists(log) {
					break
				}
			}
			if exists(log) {
				if err := Restore(t.Context(), file.path); err != nil {
					t.Fatal(err)
				}
			}
			restored++
			if exists(backup) {
				t.Fatal("the backup that was put back is left")
			}
		case exists(backup):
			holds(t, backup, old)
			if got, err := os.ReadFile(file.path); err != nil || !bytes.Equal(got, old) {
				file.applied(5) // it had ended
				whole++
			}
		default:
			copying++
		}
		file.check(t, "after the remedy")
		os.Remove(backup)
		os.Remove(backup + ".new")
		os.Remove(log + ".new")
		if left, err := filepath.Glob(file.path + ".*"); err != nil || len(left) > 0 {
			t.Fatalf("left behind: %v, %v", left, err)
		}
	}
	t.Logf("killed %d times before there was a backup, %d times in the change, %d ended before; %d were put back, which was killed %d times", copying, changing, whole, restored, again)
	if copying+changing == 0 {
		t.Error("nothing was killed in time")
	}
}

func holds(t *testing.T, path string, want []byte) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s: %v, %d bytes that differ", path, err, len(got))
	}
}
