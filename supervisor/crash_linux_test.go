package supervisor

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// torment computes the same statistics again and again while something is done
// to the workers, and compares. It ends when the tormentor returns.
func torment(t *testing.T, pool *Pool, tormentor func(r *rand.Rand)) (jobs int) {
	t.Helper()
	path := rawFile(t, 0, normal(4<<20, 3))
	layout := Raw(raw.Layout{Type: kernels.Float64})
	reference := start(t, InProcess())
	want, err := reference.Stat(t.Context(), open(t, reference, path, layout))
	if err != nil {
		t.Fatal(err)
	}
	x := open(t, pool, path, layout)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tormentor(rand.New(rand.NewPCG(seed, 1)))
	}()
	chunks := pool.Counters().Chunks
	per := uint64(0)
	for {
		select {
		case <-ended:
			if got := pool.Counters().Chunks - chunks; per > 0 && got != per*uint64(jobs) {
				t.Errorf("%d chunks were accepted in %d jobs of %d", got, jobs, per)
			}
			return jobs
		default:
		}
		timer := time.AfterFunc(time.Minute, func() { panic("the job hangs") })
		got, err := pool.Stat(t.Context(), x)
		timer.Stop()
		var loop *CrashLoopError
		if errors.As(err, &loop) {
			t.Fatal(err)
		}
		if err != nil || got != want {
			t.Errorf("%v; %+v, want %+v", err, got, want)
		}
		if jobs++; jobs == 1 {
			per = pool.Counters().Chunks - chunks
		}
	}
}

// killOne kills one of the workers at random and reports whether there was one.
func killOne(t *testing.T, r *rand.Rand) bool {
	pids := children(t, os.Getpid())
	return len(pids) > 0 && syscall.Kill(pids[r.IntN(len(pids))], syscall.SIGKILL) == nil
}

// progress waits until some chunk was finished since, or the pool would take
// the kills for a crash loop, and returns the number.
func progress(pool *Pool, since uint64) uint64 {
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(50 * time.Microsecond) {
		if done := pool.Counters().Chunks; done > since {
			return done
		}
	}
	return since
}

// Workers are killed at random moments; nothing is lost, doubled, given up or
// leaked.
func TestRandomKillsChangeNothing(t *testing.T) {
	kills := rounds(300, 10000)
	pool := start(t, Workers(3), ChunkBytes(1<<20))
	jobs := torment(t, pool, func(r *rand.Rand) {
		chunks := uint64(0)
		for n := 0; n < kills; {
			chunks = progress(pool, chunks)
			// Not just after a chunk was finished, where its worker begins the
			// next: the same place again and again is what a bad chunk looks like.
			time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
			if killOne(t, r) {
				n++
			}
		}
	})
	c := pool.Counters()
	t.Logf("%d kills in %d jobs: %+v", kills, jobs, c)
	if c.Quarantined != 0 || c.Respawns < uint64(kills)/2 {
		t.Errorf("%+v", c)
	}
}

// Workers are stopped, and killed or sent on their way, at random moments.
func TestStopsAndKillsRace(t *testing.T) {
	stops := rounds(150, 2000)
	pool := start(t, Workers(3), ChunkBytes(1<<20))
	jobs := torment(t, pool, func(r *rand.Rand) {
		chunks := uint64(0)
		for range stops {
			chunks = progress(pool, chunks)
			pids := workers(t, os.Getpid(), 3)
			pid := pids[r.IntN(3)]
			syscall.Kill(pid, syscall.SIGSTOP)
			time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
			var group sync.WaitGroup
			for _, sig := range [][]syscall.Signal{{syscall.SIGCONT}, {syscall.SIGCONT, syscall.SIGKILL}, {syscall.SIGKILL}}[r.IntN(3)] {
				group.Go(func() { syscall.Kill(pid, sig) })
			}
			group.Wait()
		}
	})
	c := pool.Counters()
	t.Logf("%d stops in %d jobs: %+v", stops, jobs, c)
	if c.Quarantined != 0 || c.Respawns == 0 {
		t.Errorf("%+v", c)
	}
}

// After many respawns the supervisor holds what it held before.
func TestRespawnsLeakNothing(t *testing.T) {
	respawns := uint64(rounds(200, 10000))
	pool := start(t, Workers(2))
	x := open(t, pool, "../testdata/ecg.npy")
	next := func(until uint64) {
		for pool.Counters().Respawns < until {
			if _, err := pool.Stat(t.Context(), x); err != nil {
				t.Fatal(err)
			}
			pid := workers(t, os.Getpid(), 2)[0]
			syscall.Kill(pid, syscall.SIGKILL)
			for syscall.Kill(pid, 0) == nil {
				time.Sleep(50 * time.Microsecond) // until it is reaped
			}
		}
		workers(t, os.Getpid(), 2)
	}
	// The first ones grow what is kept for reuse.
	next(respawns / 10)
	before, memory := settled(t), resident(t)
	next(respawns)
	after := holdings(t)
	for begin := time.Now(); after != before && time.Since(begin) < 10*time.Second; after = holdings(t) {
		time.Sleep(time.Millisecond)
	}
	t.Logf("%d respawns: %s, %d KiB resident; before: %s, %d KiB", respawns, after, resident(t), before, memory)
	if after != before {
		t.Errorf("%s, before: %s", after, before)
	}
	if grown := resident(t) - memory; grown > 8<<10 {
		t.Errorf("%d KiB more are resident", grown)
	}
}

// resident returns the memory of this process that is its own, in KiB.
func resident(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); fields[0] == "RssAnon:" {
			n := 0
			for _, c := range fields[1] {
				n = 10*n + int(c-'0')
			}
			return n
		}
	}
	t.Fatal("no RssAnon in /proc/self/status")
	return 0
}

// A pool that is closed in the middle of a job unmaps the ring: nobody may look
// at it any more.
func TestCloseInTheMiddleOfAJob(t *testing.T) {
	path := rawFile(t, 0, normal(1<<20, 4))
	for i := range 60 {
		pool := start(t, Workers(2), ChunkBytes(1))
		x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64}))
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				if _, err := pool.Stat(t.Context(), x); err != nil && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
			})
		}
		time.Sleep(time.Duration(i) * 50 * time.Microsecond)
		if err := errors.Join([]func() error{pool.Close, pool.Cancel, pool.Kill}[i%3](), pool.Close()); err != nil {
			t.Error(err)
		}
		group.Wait()
	}
}
