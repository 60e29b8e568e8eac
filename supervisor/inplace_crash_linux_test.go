package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// slowMix is mix, and takes its time.
var slowMix = kernels.NewMap("test.slowmix", func(dst, src []uint32, k uint32) error {
	for begin := time.Now(); time.Since(begin) < 20*time.Microsecond; {
	}
	for i, v := range src {
		dst[i] = 2654435769*v + k
	}
	return nil
})

func init() {
	roles["change"] = func() {
		Main()
		changeInPlace(func(pool *Pool, path string) error {
			f, err := pool.File(path, Raw(raw.Layout{Type: kernels.Uint32}))
			if err != nil {
				return err
			}
			fmt.Println("begins")
			return pool.InPlace(context.Background(), slowMix.With(5), f.Arrays()[0])
		})
	}
	roles["hold"] = func() {
		Main()
		changeInPlace(func(pool *Pool, path string) error {
			f, err := pool.File(path, rawOf(kernels.Uint32))
			if err != nil {
				return err
			}
			return pool.InPlace(context.Background(), heldMix.With(5), f.Arrays()[0])
		})
	}
	roles["resume"] = func() {
		Main()
		changeInPlace(func(pool *Pool, path string) error {
			fmt.Println("begins")
			return pool.Resume(context.Background(), path)
		})
	}
}

// changeInPlace is a process that changes a file with three workers.
func changeInPlace(f func(pool *Pool, path string) error) {
	pool, err := Start(context.Background(), Workers(3), ChunkBytes(1<<18))
	if err == nil {
		err = f(pool, os.Getenv(fileVariable))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	pool.Close()
}

// numbers is a file of uint32 and what it should hold.
type numbers struct {
	path string
	want []uint32
}

func newNumbers(t *testing.T, n int) *numbers {
	t.Helper()
	want := make([]uint32, n)
	for i := range want {
		want[i] = uint32(i)
	}
	return &numbers{rawFile(t, 0, want), want}
}

// applied notes that the map was applied once more.
func (n *numbers) applied(k uint32) {
	for i, v := range n.want {
		n.want[i] = 2654435769*v + k
	}
}

func (n *numbers) check(t *testing.T, when string) {
	t.Helper()
	got, err := os.ReadFile(n.path)
	if err != nil || !bytes.Equal(got, shm.Bytes(n.want)) {
		at := 0
		for at < len(got) && got[at] == shm.Bytes(n.want)[at] {
			at++
		}
		t.Fatalf("%s: %v, %d bytes, the first wrong one is %d", when, err, len(got), at)
	}
}

// Workers are killed at random moments of changes in place.
func TestKilledInPlaceIsAppliedOnce(t *testing.T) {
	kills := 60
	if *crash {
		kills = 3000
	}
	file := newNumbers(t, 4<<20)
	pool := start(t, Workers(3), ChunkBytes(1<<20), Retries(1000))
	x := open(t, pool, file.path, Raw(raw.Layout{Type: kernels.Uint32}))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	ended := killAtRandom(t, pool, seed, kills)
	rounds := 0
	for done := false; !done; rounds++ {
		select {
		case <-ended:
			done = true
		default:
		}
		if err := pool.InPlace(t.Context(), slowMix.With(uint32(rounds)), x); err != nil {
			t.Fatal(err)
		}
		file.applied(uint32(rounds))
		file.check(t, fmt.Sprintf("round %d", rounds))
	}
	c := pool.Counters()
	t.Logf("%d kills in %d changes: %+v", kills, rounds, c)
	if c.Quarantined != 0 || c.Respawns < uint64(kills)/2 || c.Retries == 0 {
		t.Errorf("%+v", c)
	}
}

// killAll runs a role on the file, kills it and all its workers a while after a file
// is there, and reports whether it was killed before it ended.
func (n *numbers) killAll(t *testing.T, role, there string, after time.Duration) bool {
	t.Helper()
	cmd := command(role, n.path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 16)); err != nil {
		t.Fatalf("%s: %v: %s", role, err, cmd.Wait())
	}
	var ended atomic.Bool
	go func() {
		io.Copy(io.Discard, out)
		ended.Store(true)
	}()
	// Until there is something to interrupt, before which passes may have to be made.
	for begin := time.Now(); !exists(there) && !ended.Load() && time.Since(begin) < 20*time.Second; {
		runtime.Gosched()
	}
	time.Sleep(after)
	pids := children(t, cmd.Process.Pid)
	for _, pid := range append([]int{cmd.Process.Pid}, pids...) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
		return true
	}
	if err != nil {
		t.Fatalf("%s: %v: %s", role, err, &errs)
	}
	return false
}

// The supervisor and all workers are killed together; a resumed run finishes what
// they began, also when it is killed itself.
func TestKilledSupervisorIsResumedOnce(t *testing.T) {
	runs := 8
	if *crash {
		runs = 250
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	pool := start(t, Workers(2))
	file := newNumbers(t, 4<<20)
	log := file.path + ".gangsaw"
	interrupted, again, tries := 0, 0, 0
	for ; interrupted < runs && tries < 20*runs; tries++ {
		before := bytes.Clone(shm.Bytes(file.want))
		file.killAll(t, "change", log, time.Duration(r.IntN(10000))*time.Microsecond)
		if !exists(log) {
			// It had ended, or not begun.
			if got, err := os.ReadFile(file.path); err != nil || !bytes.Equal(got, before) {
				file.applied(5)
			}
			file.check(t, "no journal")
			continue
		}
		interrupted++
		for range r.IntN(4) {
			if file.killAll(t, "resume", log, time.Duration(r.IntN(10000))*time.Microsecond) {
				again++
			}
			if !exists(log) {
				break
			}
		}
		if err := pool.Resume(t.Context(), file.path); err != nil && !errors.Is(err, ErrNotInterrupted) {
			t.Fatal(err)
		}
		file.applied(5)
		file.check(t, "resumed")
		if left, err := filepath.Glob(file.path + ".*"); err != nil || len(left) > 0 {
			t.Fatalf("left behind: %v, %v", left, err)
		}
	}
	t.Logf("%d of %d runs were interrupted, resumed ones %d times again", interrupted, tries, again)
	if interrupted < runs {
		t.Errorf("only %d of %d runs were interrupted", interrupted, tries)
	}
}

// heldMix is mix, but waits while there is a file that the environment names.
var heldMix = kernels.NewMap("test.heldmix", func(dst, src []uint32, k uint32) error {
	for name := os.Getenv(holdVariable); name != "" && exists(name); {
		time.Sleep(time.Millisecond)
	}
	for i, v := range src {
		dst[i] = 2654435769*v + k
	}
	return nil
})

const holdVariable = "GANGSAW_POOL_TEST_HOLD"

// A resumed run waits until what is left of the one before is gone: a stopped
// worker goes with its supervisor.
func TestResumeWaitsForOrphans(t *testing.T) {
	file := newNumbers(t, 1<<20)
	hold := filepath.Join(t.TempDir(), "hold")
	if err := os.WriteFile(hold, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command("hold", file.path, holdVariable+"="+hold)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pids := workers(t, cmd.Process.Pid, 3)
	for begin := time.Now(); !exists(file.path + ".gangsaw"); time.Sleep(time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			t.Fatal("it does not begin")
		}
	}
	stop(t, pids[0])
	cmd.Process.Kill()
	cmd.Wait()
	if err := start(t, Workers(2)).Resume(t.Context(), file.path); err != nil {
		t.Fatal(err)
	}
	file.applied(5)
	file.check(t, "resumed")
}

// A kernel that kills its worker, or never ends, at one element: the unit that it
// lies in stays as it was, and whatever is not behind it in its chunk is changed.
func TestPoisonedUnitStaysAsItWas(t *testing.T) {
	for name, c := range map[string]struct {
		fault fault
		check func(error) bool
		opts  []TaskOption
	}{
		"exit":     {fault{Kind: exits, Code: 3}, died(0, 3), nil},
		"SIGSEGV":  {fault{Kind: signals, Code: int64(syscall.SIGSEGV)}, died(syscall.SIGSEGV, 0), nil},
		"SIGKILL":  {fault{Kind: signals, Code: int64(syscall.SIGKILL)}, died(syscall.SIGKILL, 0), nil},
		"overflow": {fault{Kind: recurses}, died(0, 2), nil},
		"deadline": {fault{Kind: loops}, faults["infinite loop"].check, []TaskOption{Deadline(100 * time.Millisecond)}},
	} {
		t.Run(name, func(t *testing.T) {
			pool := start(t, Workers(2), ChunkBytes(1<<16))
			const n, chunk, unit = 100000, 8192, 2048
			path := float64File(t, 0, ramp(n), 0)
			x := openRaw(t, pool, path, 0, n)
			const poisoned = 3*chunk + 2*unit + 7
			err := pool.InPlace(t.Context(), poison.With(poisonAt{poisoned, c.fault}), x, c.opts...)
			var early *InPlaceError
			if !errors.As(err, &early) || !c.check(err) {
				t.Fatalf("%v", err)
			}
			want := []Range{{First: 8 * (3*chunk + 2*unit), Last: 8*4*chunk - 1}}
			if len(early.Rest) != 1 || early.Rest[0] != want[0] {
				t.Errorf("not changed: %v, want %v", early.Rest, want)
			}
			half := func(i int) float64 {
				if i >= 3*chunk+2*unit && i < 4*chunk {
					return float64(i)
				}
				return -float64(i)
			}
			holdsFile(t, path, 0, half, n, 0)
			if _, _, err := Abandon(path); err != nil {
				t.Error(err)
			}
			holdsFile(t, path, 0, half, n, 0)
		})
	}
}

type poisonAt struct {
	value float64
	fault fault
}

var poison = kernels.NewMap("test.poison", func(dst, src []float64, p poisonAt) error {
	for i, v := range src {
		dst[i] = -v
		if v == p.value {
			_, err := p.fault.happen()
			return err
		}
	}
	return nil
})

// A file that is truncated while it is changed is an error; so are a journal that
// is, and a disk without room for the holes of a file.
func TestTruncationInPlaceIsAnError(t *testing.T) { onBothPools(t, truncationInPlaceIsAnError) }

func truncationInPlaceIsAnError(t *testing.T, start func(...Option) *Pool) {
	for _, what := range []string{"", ".gangsaw"} {
		// A pool for each: goroutines whose journal is gone fault again and again.
		pool := start(Workers(1), ChunkBytes(1<<16))
		file := newNumbers(t, 8<<20)
		x := open(t, pool, file.path, Raw(raw.Layout{Type: kernels.Uint32}))
		var truncate sync.WaitGroup
		truncate.Go(func() {
			for begin := time.Now(); !exists(file.path+".gangsaw") && time.Since(begin) < 10*time.Second; {
				runtime.Gosched()
			}
			progress(pool, pool.Counters().Chunks)
			if err := os.Truncate(file.path+what, 5000); err != nil {
				t.Error(err)
			}
		})
		err := pool.InPlace(t.Context(), slowMix.With(1), x)
		truncate.Wait()
		var changed *shm.ChangedError
		if what == "" && !errors.As(err, &changed) || err == nil {
			t.Errorf("truncated%s: %v", what, err)
		}
		if other := newNumbers(t, 1000); pool.InPlace(t.Context(), mix.With(1), open(t, pool, other.path, Raw(raw.Layout{Type: kernels.Uint32}))) != nil {
			t.Errorf("the pool does not live after a truncated%s", what)
		}
	}
}

func TestInPlaceOnAFullDiskChangesNothing(t *testing.T) {
	pool := start(t, Workers(2))
	dir := t.TempDir()
	if err := unix.Mount("gangsaw-test", dir, "tmpfs", 0, "size=2m"); err == unix.EPERM {
		t.Skip("mounting is not allowed here: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(dir, unix.MNT_DETACH)
	path := filepath.Join(dir, "f")
	if err := os.WriteFile(path, bytes.Repeat([]byte{1}, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4<<20); err != nil {
		t.Fatal(err)
	}
	x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Uint32}))
	if err := pool.InPlace(t.Context(), mix.With(1), x, JournalDir(t.TempDir())); !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	// Room for the file, and none for the journal.
	if err := os.Truncate(path, 2<<20-4096); err != nil {
		t.Fatal(err)
	}
	y := open(t, pool, path, Raw(raw.Layout{Type: kernels.Uint32}))
	if err := pool.InPlace(t.Context(), mix.With(1), y); !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), "journal") {
		t.Errorf("%v", err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got[:4096], bytes.Repeat([]byte{1}, 4096)) || !bytes.Equal(got[4096:], make([]byte, len(got)-4096)) {
		t.Errorf("the file has changed: %v", err)
	}
}

func TestChangesInPlaceLeaveNothingBehind(t *testing.T) {
	pool := start(t, Workers(2))
	file := newNumbers(t, 50000)
	x := open(t, pool, file.path, Raw(raw.Layout{Type: kernels.Uint32}))
	change := func(n int) {
		for range n {
			if err := pool.InPlace(t.Context(), mix.With(3), x); err != nil {
				t.Fatal(err)
			}
			file.applied(3)
		}
	}
	change(5)
	before := settled(t)
	n := 50
	if *crash {
		n = 1000
	}
	change(n)
	file.check(t, "all")
	after := holdings(t)
	for begin := time.Now(); after != before && time.Since(begin) < 10*time.Second; after = holdings(t) {
		time.Sleep(time.Millisecond)
	}
	if after != before {
		t.Errorf("%s, before %s", after, before)
	}
	for _, pid := range workers(t, os.Getpid(), 2) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
		for begin := time.Now(); err == nil && strings.Count(string(text), file.path) > 1 && time.Since(begin) < 10*time.Second; text, err = os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid)) {
			time.Sleep(time.Millisecond)
		}
		if mapped := strings.Count(string(text), file.path); err != nil || mapped > 1 {
			t.Errorf("worker %d maps the file or its journal %d times: %v", pid, mapped, err)
		}
	}
}
