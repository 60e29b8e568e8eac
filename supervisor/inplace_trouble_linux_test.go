package supervisor

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
)

// onBadDisk adds a million, and makes a page of the first unit that begins with -1
// unwritable, as a disk does that fails between two stores; once, if there is a
// file of that name, which it then removes.
const badDisk = "gangsaw-test-bad-disk"

var onBadDisk = kernels.NewMap("test.onbaddisk", func(dst, src []float64, always bool) error {
	if name := filepath.Join(os.TempDir(), badDisk); src[0] == -1 && (always || exists(name)) {
		os.Remove(name)
		if err := unix.Mprotect(shm.Bytes(src)[4096:8192], unix.PROT_READ); err != nil {
			return err
		}
	}
	for i, v := range src {
		dst[i] = v + 1e6
	}
	return nil
})

func floatsIn(t *testing.T, path string) []float64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	xs := make([]float64, len(b)/8)
	for i := range xs {
		xs[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return xs
}

// A store that faults half-way through a unit leaves it half changed, and its
// worker alive.
func TestFaultWhileStoringIsAppliedOnce(t *testing.T) { onBothPools(t, faultWhileStoringIsAppliedOnce) }

func faultWhileStoringIsAppliedOnce(t *testing.T, start func(...Option) *Pool) {
	if err := os.WriteFile(filepath.Join(os.TempDir(), badDisk), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pool := start(Workers(1), ChunkBytes(1))
	xs := ramp(64 << 10)
	xs[0] = -1
	path := float64File(t, 0, xs, 0)
	x := openRaw(t, pool, path, 0, len(xs))
	if err := pool.InPlace(t.Context(), onBadDisk.With(false), x); err != nil {
		t.Fatal(err)
	}
	for i, v := range floatsIn(t, path) {
		if v != xs[i]+1e6 {
			t.Fatalf("element %d is %v, was %v", i, v, xs[i])
		}
	}
	if pool.Counters().Retries == 0 {
		t.Error("nothing faulted")
	}
}

// What cannot be made whole leaves its journal, even if nothing else was changed.
func TestFailedRepairKeepsTheJournal(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	path := float64File(t, 0, ramp(5000), 0)
	x := openRaw(t, pool, path, 0, 5000)
	c := affine.With([2]float64{2, 0})
	job, err := pool.job(c.Routine(), c.Params(), x, taskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r := &change{pool: pool, job: job}
	r.job.Plan = planOf(x)
	if err := r.inFile(t.Context(), x, taskOptions{}); err != nil {
		t.Fatal(err)
	}
	defer r.close()
	// The worker of area 0 died when it had stored half of unit 0 of chunk 0, and
	// the file has become too short for it.
	if _, err := r.journal.Mapping().WriteAt([]byte{1}, int64(r.journal.Layout().Areas)); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	var early *InPlaceError
	if err := r.early(errors.New("enough")); !errors.As(err, &early) || early.Journal == "" || !exists(path+".gangsaw") {
		t.Errorf("%v", err)
	}
}

func TestGoingElsewhereMeanwhileChangesNothing(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1<<16))
	file := newNumbers(t, 2<<20)
	elsewhere := t.TempDir()
	other := filepath.Join(elsewhere, "data.gangsaw")
	if err := os.WriteFile(other, []byte("somebody else's"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(file.path))
	x := open(t, pool, "data", rawOf(kernels.Uint32))
	var gone sync.WaitGroup
	gone.Go(func() {
		progress(pool, 0)
		if err := os.Chdir(elsewhere); err != nil {
			t.Error(err)
		}
	})
	if err := pool.InPlace(t.Context(), slowMix.With(1), x); err != nil {
		t.Error(err)
	}
	gone.Wait()
	file.applied(1)
	if err := pool.InPlace(t.Context(), mix.With(2), x); err != nil {
		t.Error(err)
	}
	file.applied(2)
	file.check(t, "twice")
	if got, err := os.ReadFile(other); err != nil || string(got) != "somebody else's" {
		t.Errorf("another file's journal: %q, %v", got, err)
	}
}

func TestAbandonWorksWhereErrorsSayItDoes(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	for name, do := range map[string]func(path, log string) error{
		"replaced": func(path, _ string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path+".tmp", b, 0o600), os.Rename(path+".tmp", path))
		},
		"grown":   func(path, _ string) error { return os.Truncate(path, 1<<20) },
		"damaged": func(_, log string) error { return os.WriteFile(log, make([]byte, 9000), 0o600) },
	} {
		path, log := interrupted(t, pool)
		if err := do(path, log); err != nil {
			t.Fatal(err)
		}
		if err := pool.Resume(t.Context(), path); err == nil || !strings.Contains(err.Error(), "abandon") {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := Abandon(path); err != nil || exists(log) {
			t.Errorf("%s: abandon: %v", name, err)
		}
	}
}

// A file that is changed in part is known by more than its name.
func TestInterruptedFileIsKnownByAnyName(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	probe := float64File(t, 0, ramp(1), 0)
	if err := unix.Setxattr(probe, "user.gangsaw.test", nil, 0); err == unix.ENOTSUP {
		t.Skip("this file system has no extended attributes: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	for name, rename := range map[string]func(from, to string) error{"moved": os.Rename, "linked": os.Link} {
		for _, opts := range [][]TaskOption{{HardLinked()}, {HardLinked(), JournalDir(t.TempDir())}} {
			path, log := interrupted(t, pool, opts...)
			other := filepath.Join(t.TempDir(), "other")
			if err := rename(path, other); err != nil {
				t.Fatal(err)
			}
			var early *InterruptedError
			if err := pool.InPlace(t.Context(), picky.With(1e9), openRaw(t, pool, other, 16, 32<<10), HardLinked()); !errors.As(err, &early) || early.Journal != log {
				t.Errorf("%s: %v", name, err)
			}
			if _, _, err := Abandon(other, HardLinked()); err != nil || exists(log) {
				t.Errorf("%s: %v", name, err)
			}
			if err := pool.InPlace(t.Context(), picky.With(1e9), openRaw(t, pool, other, 16, 32<<10), HardLinked()); err != nil {
				t.Errorf("%s: after it was abandoned: %v", name, err)
			}
		}
	}
}

// On an overlay the first write makes another file of it, which who has it open
// does not see.
func TestOverlayIsNotReadAsItWas(t *testing.T) {
	base := t.TempDir()
	dir := func(parts ...string) string {
		d := filepath.Join(append([]string{base}, parts...)...)
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
		return d
	}
	lower, merged, store := dir("lower"), dir("merged"), dir("store")
	if err := unix.Mount("gangsaw-test", store, "tmpfs", 0, "size=16m"); err == unix.EPERM {
		t.Skip("mounting is not allowed here: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(store, unix.MNT_DETACH)
	b, err := os.ReadFile(float64File(t, 0, ramp(5000), 0))
	if err := errors.Join(err, os.WriteFile(filepath.Join(lower, "x"), b, 0o600)); err != nil {
		t.Fatal(err)
	}
	layers := "lowerdir=" + lower + ",upperdir=" + dir("store", "upper") + ",workdir=" + dir("store", "work")
	if err := unix.Mount("overlay", merged, "overlay", 0, layers); err == unix.ENODEV || err == unix.EPERM {
		t.Skip("there is no overlay here: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(merged, unix.MNT_DETACH)
	pool := start(t, Workers(1))
	x := openRaw(t, pool, filepath.Join(merged, "x"), 0, 5000)
	err = pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), x)
	var changed *shm.ChangedError
	if err == nil {
		_, err = pool.Stat(t.Context(), x)
	}
	if !errors.As(err, &changed) {
		t.Errorf("%v", err)
	}
	s, err := pool.Stat(t.Context(), openRaw(t, pool, filepath.Join(merged, "x"), 0, 5000))
	if err != nil || s.Max().Float64() != 9998 && s.Max().Float64() != 4999 {
		t.Errorf("the maximum is %v, %v", s.Max(), err)
	}
}

// One task that cannot be killed holds up no file but its own.
func TestStuckGoroutineLocksItsFileAlone(t *testing.T) {
	pool := start(t, InProcess(), Workers(1), func(o *options) { o.limits.Reap = 100 * time.Millisecond })
	x := openRaw(t, pool, float64File(t, 0, ramp(5000), 0), 0, 5000)
	defer close(letGo)
	hangs.Store(true)
	var early *InPlaceError
	if err := pool.InPlace(t.Context(), hanging.With(struct{}{}), x, Deadline(10*time.Millisecond)); !errors.As(err, &early) {
		t.Fatal(err)
	}
	hangs.Store(false)
	y := openRaw(t, pool, float64File(t, 0, ramp(5000), 0), 0, 5000)
	for range 2 {
		if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), y); err != nil {
			t.Errorf("another file: %v", err)
		}
	}
}

var (
	hangs atomic.Bool
	letGo = make(chan struct{})
)

var hanging = kernels.NewMap("test.hanging", func(dst, src []float64, _ struct{}) error {
	if hangs.Load() {
		<-letGo
	}
	copy(dst, src)
	return nil
})

func TestRunsOnPartsOfOneFileTakeTurns(t *testing.T) { onBothPools(t, runsOnPartsOfOneFileTakeTurns) }

func runsOnPartsOfOneFileTakeTurns(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2), ChunkBytes(1))
	const n = 1 << 16
	path := float64File(t, 0, ramp(n), 0)
	f := openRaw(t, pool, path, 0, n).file
	lower, upper := *f.Arrays()[0], *f.Arrays()[0]
	lower.Shape, upper.Shape = []int64{n / 2}, []int64{n / 2}
	upper.Offset += 4 * n
	var all sync.WaitGroup
	for _, x := range []*Array{&lower, &upper} {
		all.Go(func() {
			for range 3 {
				if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), x); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	holdsFile(t, path, 0, func(i int) float64 { return 8 * float64(i) }, n, 0)
}

// What happens to a file while a run waits for its lock is looked at afterwards.
func TestChangeWhileWaitingForTheLockIsNoticed(t *testing.T) {
	pool := start(t, Workers(1))
	for name, change := range map[string]func(path string) error{
		"truncated": func(path string) error { return os.Truncate(path, 4096) },
		"rewritten": func(path string) error { return os.Chtimes(path, time.Time{}, time.Unix(1, 0)) },
	} {
		path := float64File(t, 0, ramp(50000), 0)
		x := openRaw(t, pool, path, 0, 50000)
		target, err := shm.OpenTarget(t.Context(), path, shm.TargetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- pool.InPlace(context.Background(), affine.With([2]float64{2, 0}), x) }()
		time.Sleep(20 * time.Millisecond) // likely it waits; if it does not yet, it will not at all
		if err := change(path); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		target.Close()
		var changed *shm.ChangedError
		if err := <-done; !errors.As(err, &changed) {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("%s: the file has changed: %d bytes, %v", name, len(after), err)
		}
	}
	path := float64File(t, 0, ramp(5000), 0)
	target, err := shm.OpenTarget(t.Context(), path, shm.TargetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if err := pool.InPlace(ctx, affine.With([2]float64{2, 0}), openRaw(t, pool, path, 0, 5000)); !errors.Is(err, context.Canceled) {
		t.Errorf("a run that waits is cancelled: %v", err)
	}
}

func TestChunksLargerThanTheArray(t *testing.T) {
	for _, chunk := range []uint64{1 << 40, math.MaxUint64} {
		pool := start(t, Workers(1), ChunkBytes(chunk))
		path := float64File(t, 0, ramp(5000), 0)
		if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), openRaw(t, pool, path, 0, 5000)); err != nil {
			t.Errorf("%v", err)
		}
		holdsFile(t, path, 0, func(i int) float64 { return 2 * float64(i) }, 5000, 0)
	}
}

func TestLongNameHasAJournalElsewhere(t *testing.T) {
	pool := start(t, Workers(1))
	path := filepath.Join(t.TempDir(), strings.Repeat("x", 250))
	if err := os.WriteFile(path, make([]byte, 40000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 1}), openRaw(t, pool, path, 0, 5000), JournalDir(t.TempDir())); err != nil {
		t.Error(err)
	}
}

func TestJournalOfAnotherUserIsRefused(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	path, log := interrupted(t, pool)
	if err := os.Chown(log, 65534, 65534); errors.Is(err, unix.EPERM) {
		t.Skip("only root may give files away: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	var refused *JournalError
	if err := pool.Resume(t.Context(), path); !errors.As(err, &refused) || !strings.Contains(err.Error(), "belongs to user 65534") {
		t.Errorf("%v", err)
	}
}

func TestJournalWithoutItsAreasIsRefused(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	path, log := interrupted(t, pool)
	if err := os.Truncate(log, int64(openJournal(t, path).Layout().Areas)); err != nil {
		t.Fatal(err)
	}
	var refused *JournalError
	if err := pool.Resume(t.Context(), path); !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
}
