package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// once returns a behaviour that is bad the first n times a chunk of that
// number comes, and good otherwise.
func once(chunk uint64, n int32, bad behaviour) behaviour {
	var times atomic.Int32
	return func(w *fake, c ring.Claim) bool {
		if c.Descriptor.Chunk == chunk && times.Add(1) <= n {
			return bad(w, c)
		}
		return good(w, c)
	}
}

func TestEveryChunkIsAcceptedOnce(t *testing.T) {
	f := newFixture(t, 3, good)
	for range 20 {
		for i := range f.accepted {
			f.accepted[i].Store(0)
		}
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.onceEach()
	}
	if c := f.Counters(); c.Chunks != 20*fakeChunks || c.Bytes != 20*fakeChunks*4096 || c.Retries+c.Respawns+c.Quarantined != 0 {
		t.Errorf("counters %+v", c)
	}
}

func TestJobThatIsRunAgainIsLaidOutAgain(t *testing.T) {
	var mu sync.Mutex
	where := map[uint64][]int{}
	f := newFixture(t, 2, func(w *fake, c ring.Claim) bool {
		mu.Lock()
		where[c.Descriptor.Chunk] = append(where[c.Descriptor.Chunk], c.Slot)
		mu.Unlock()
		return good(w, c)
	})
	small := f.job
	array := small.Plan.Array()
	array.Shape = []int64{fakeSlots / 2 * kernels.BlockLen}
	small.Plan = partition.New(array, 1, 2)
	for range 3 {
		if err := f.Run(t.Context(), small); err != nil {
			t.Fatal(err)
		}
	}
	for chunk := range uint64(fakeSlots / 2) {
		if slots, at := where[chunk], 2*int(chunk); !slices.Equal(slots, []int{at, at, at}) {
			t.Errorf("chunk %d was in slots %v, not in %d each time", chunk, slots, at)
		}
	}
}

func TestJobsShareThePool(t *testing.T) {
	f := newFixture(t, 2, good)
	var group sync.WaitGroup
	const jobs = wire.Programs + 10 // more than there are program records
	for range jobs {
		group.Go(func() {
			if err := f.Run(t.Context(), f.job); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i := range f.accepted {
		if n := f.accepted[i].Load(); n != jobs {
			t.Errorf("chunk %d was accepted %d times", i, n)
		}
	}
}

func TestChunkOfADeadWorkerIsRunAgain(t *testing.T) {
	for name, bad := range map[string]behaviour{
		"killed after the claim":       func(w *fake, c ring.Claim) bool { return false },
		"killed while writing results": func(w *fake, c ring.Claim) bool { w.write(c, wire.Result{Word: c.Word}); return false },
		"killed before the commit":     func(w *fake, c ring.Claim) bool { w.write(c, w.result(c)); return false },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 2, once(7, 2, bad))
			if err := f.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.onceEach()
			if c := f.Counters(); c.Retries != 2 || c.Respawns < 1 || f.count(ChunkRetried) != 2 {
				t.Errorf("counters %+v, %d retries reported", c, f.count(ChunkRetried))
			}
		})
	}
}

func TestKilledAfterDoneIsNotRunAgain(t *testing.T) {
	f := newFixture(t, 1, once(7, 1, func(w *fake, c ring.Claim) bool {
		w.work(c)
		return false // without a wake
	}))
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	if c := f.Counters(); c.Retries != 0 || c.Respawns != 1 || f.count(WorkerDied) != 1 {
		t.Errorf("counters %+v, %d deaths reported", c, f.count(WorkerDied))
	}
}

func TestPoisonChunkIsQuarantined(t *testing.T) {
	f := newFixture(t, 2, once(7, 1000, func(*fake, ring.Claim) bool { return false }))
	err := f.run(t.Context())
	var q *QuarantineError
	if !errors.As(err, &q) || len(q.Chunks) != 1 {
		t.Fatalf("error %v", err)
	}
	if c := q.Chunks[0]; c.Chunk != 7 || c.First != 7*4096 || c.Last != 8*4096-1 || c.Cause != "killed by SIGSEGV (segmentation fault)" {
		t.Errorf("quarantined %+v", c)
	}
	f.onceEach(7)
	if c := f.Counters(); c.Retries != 2 || c.Quarantined != 1 || c.Chunks != fakeChunks-1 {
		t.Errorf("counters %+v", c)
	}
	// The pool goes on.
	for i := range f.accepted {
		f.accepted[i].Store(0)
	}
	if err := f.run(t.Context()); !errors.As(err, &q) {
		t.Errorf("the second job: %v", err)
	}
	f.onceEach(7)
}

func TestForgedResultsAreNotAccepted(t *testing.T) {
	forge := func(change func(r *wire.Result)) behaviour {
		return func(w *fake, c ring.Claim) bool {
			r := w.result(c)
			change(&r)
			w.write(c, r)
			w.claimer.Complete(c)
			w.ring.WakeSupervisor()
			return hang(w)
		}
	}
	for name, bad := range map[string]behaviour{
		"task":    forge(func(r *wire.Result) { r.Descriptor.Task++ }),
		"chunk":   forge(func(r *wire.Result) { r.Descriptor.Chunk-- }),
		"offset":  forge(func(r *wire.Result) { r.Descriptor.Offset += 8 }),
		"count":   forge(func(r *wire.Result) { r.Descriptor.Count = 1 }),
		"attempt": forge(func(r *wire.Result) { r.Descriptor.Attempt++ }),
		"program": forge(func(r *wire.Result) { r.Program++ }),
		"status":  forge(func(r *wire.Result) { r.Status = 77 }),
		"zero":    forge(func(r *wire.Result) { r.Status = 0 }),
		"word":    forge(func(r *wire.Result) { r.Word += 1 << 32 }),
		"none": func(w *fake, c ring.Claim) bool {
			w.claimer.Complete(c)
			w.ring.WakeSupervisor()
			return hang(w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, 2, once(7, 1, bad))
			if err := f.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.onceEach()
			if f.count(WorkerDistrusted) != 1 || f.Counters().Retries != 1 {
				t.Errorf("%d workers distrusted, counters %+v", f.count(WorkerDistrusted), f.Counters())
			}
		})
	}
}

// A worker's words must not reach the terminal as they are.
func TestErrorTextIsPrintable(t *testing.T) {
	f := newFixture(t, 1, once(7, 1, func(w *fake, c ring.Claim) bool {
		r := w.result(c)
		r.Status, r.Payload = wire.Failed, []byte("a\x1b[2Jb\xffc\n")
		w.write(c, r)
		return w.claimer.Complete(c)
	}))
	if err := f.run(t.Context()); err == nil || !strings.HasSuffix(err.Error(), ": a\uFFFD[2Jb\uFFFDc\n") {
		t.Errorf("%q", err)
	}
}

func TestCancellationsDoNotWearOutThePool(t *testing.T) {
	var calm atomic.Bool
	f := newFixture(t, 2, func(w *fake, c ring.Claim) bool {
		if calm.Load() {
			return w.work(c)
		}
		return hang(w)
	})
	for range 15 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		if err := f.run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("cancelled: %v", err)
		}
		cancel()
	}
	calm.Store(true)
	for i := range f.accepted {
		f.accepted[i].Store(0)
	}
	if err := f.run(t.Context()); err != nil {
		t.Error(err)
	}
	f.onceEach()
}

func TestCancelAtTheVeryEnd(t *testing.T) {
	f := newFixture(t, 2, good)
	for i := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Duration(i)*time.Microsecond, cancel)
		if err := f.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
}

func TestFailedTaskFailsTheJob(t *testing.T) {
	for status, want := range map[wire.Status]string{
		wire.Failed:  `array "x": chunk 7 (bytes 28672-32767): it is so`,
		wire.Faulted: `array "x": chunk 7 (bytes 28672-32767): it is so: check the disk`,
	} {
		f := newFixture(t, 2, once(7, 1, func(w *fake, c ring.Claim) bool {
			r := w.result(c)
			r.Status, r.Payload = status, []byte("it is so")
			w.write(c, r)
			return w.claimer.Complete(c)
		}))
		err := f.run(t.Context())
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("status %d: %v, want %q", status, err, want)
		}
		for i := range f.accepted {
			f.accepted[i].Store(0)
		}
		if err := f.run(t.Context()); err != nil {
			t.Errorf("the job after it: %v", err)
		}
		f.onceEach()
	}
}

func TestChangedFileFailsTheJob(t *testing.T) {
	for name, status := range map[string]wire.Status{"noticed by a fault": wire.Faulted, "noticed at the end": wire.OK} {
		var f *fixture
		f = newFixture(t, 2, once(7, 1, func(w *fake, c ring.Claim) bool {
			os.Truncate(f.job.Mapping.Path(), 5)
			r := w.result(c)
			r.Status = status
			w.write(c, r)
			return w.claimer.Complete(c)
		}))
		var changed *shm.ChangedError
		if err := f.run(t.Context()); !errors.As(err, &changed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCancelKillsWhoeverStillWorks(t *testing.T) {
	claimed := make(chan struct{})
	f := newFixture(t, 2, once(0, 1, func(w *fake, c ring.Claim) bool {
		close(claimed)
		return hang(w)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-claimed
		cancel()
	}()
	if err := f.run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for i := range f.accepted {
		f.accepted[i].Store(0)
	}
	if err := f.run(t.Context()); err != nil {
		t.Errorf("the job after it: %v", err)
	}
	f.onceEach()
}

func TestCloseFailsWhatRuns(t *testing.T) {
	claimed := make(chan struct{})
	f := newFixture(t, 2, once(0, 1, func(w *fake, c ring.Claim) bool {
		close(claimed)
		return hang(w)
	}))
	go func() {
		<-claimed
		f.Close()
	}()
	if err := f.run(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	f.Close()
	if err := f.run(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	if _, err := f.Attach(f.job.Mapping); !errors.Is(err, ErrClosed) {
		t.Errorf("attach after close: %v", err)
	}
}

func TestCrashLoopGivesUp(t *testing.T) {
	f := newFixture(t, 2, func(*fake, ring.Claim) bool { return false }, func(c *Config) { c.Retries = 1 << 20 })
	var loop *CrashLoopError
	if err := f.run(t.Context()); !errors.As(err, &loop) || loop.Deaths != maxIdleDeaths+2*2 {
		t.Errorf("crash loop: %v", err)
	}
	if err := f.run(t.Context()); !errors.As(err, &loop) {
		t.Errorf("the job after it: %v", err)
	}
}

func TestWorkersThatNeverComeToWork(t *testing.T) {
	for name, launch := range map[string]Launcher{
		"end at once": func(i, _ uint32, ready func(), exited func(proc.Exit)) (Worker, error) {
			w := &fake{incarnation: i, results: make([]byte, wire.ResultsSize(8)), killed: make(chan struct{})}
			go exited(proc.Exit{Code: 3})
			return w, nil
		},
		"cannot be started": func(uint32, uint32, func(), func(proc.Exit)) (Worker, error) { return nil, syscall.EAGAIN },
	} {
		f := newFixture(t, 2, good, func(c *Config) { c.Launch = launch })
		var start *StartError
		if err := f.Started(t.Context()); !errors.As(err, &start) {
			t.Errorf("%s: %v", name, err)
		}
		if err := f.run(t.Context()); !errors.As(err, &start) {
			t.Errorf("%s: job: %v", name, err)
		}
	}
}

// One worker that comes to work is a pool, if a smaller one.
func TestPoolGoesOnWithTheWorkersItHas(t *testing.T) {
	var tries atomic.Int32
	f := newFixture(t, 2, good, func(c *Config) {
		launch := c.Launch
		c.Launch = func(i, seat uint32, ready func(), exited func(proc.Exit)) (Worker, error) {
			if i > 1 {
				tries.Add(1)
				return nil, syscall.EAGAIN
			}
			return launch(i, seat, ready, exited)
		}
	})
	if err := f.Started(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	// The one that could not be started was tried again, but reported once.
	for begin := time.Now(); f.Counters().Workers != 1 || tries.Load() < 3; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("counters %+v, %d tries", f.Counters(), tries.Load())
		}
	}
	if c := f.Counters(); c.Respawns != 0 || f.count(WorkerDied) != 1 {
		t.Errorf("counters %+v, %d deaths reported", c, f.count(WorkerDied))
	}
}

func TestPolicy(t *testing.T) {
	crash, start, killedStart := death{ready: true, others: 1}, death{}, death{killed: true}
	for name, c := range map[string]struct {
		health health
		death  death
		want   string
	}{
		"first death":                      {health{true, 0, 0}, crash, "0 0s"},
		"first death of the only one":      {health{true, 0, 0}, death{ready: true}, "0 0s"},
		"second in a row":                  {health{true, 0, 1}, crash, "0 10ms"},
		"fifth in a row":                   {health{true, 0, 4}, crash, "0 80ms"},
		"the delay has a limit":            {health{true, 0, 18}, crash, "0 500ms"},
		"too many":                         {health{true, 0, maxIdleDeaths - 1}, crash, "2 0s"},
		"not too many for a large pool":    {health{true, 0, maxIdleDeaths - 1}, death{ready: true, size: 8}, "0 500ms"},
		"no hook":                          {health{}, start, "1 0s"},
		"no hook, others are left":         {health{}, death{others: 2}, "0 500ms"},
		"killed before it came to work":    {health{}, killedStart, "0 0s"},
		"killed again":                     {health{false, 1, 1}, killedStart, "0 10ms"},
		"killed too often":                 {health{false, 2, 2}, killedStart, "1 0s"},
		"a later start fails":              {health{true, 0, 0}, start, "0 0s"},
		"starts fail while others work":    {health{true, 4, 0}, death{others: 1}, "0 80ms"},
		"starts fail for a very long time": {health{true, 1000, 0}, death{others: 1}, "0 500ms"},
	} {
		if _, v := c.health.after(c.death); fmt.Sprint(int(v.action), " ", v.delay) != c.want {
			t.Errorf("%s: %+v, want %s", name, v, c.want)
		}
	}
	h, _ := health{true, 1, 5}.after(start)
	if h != (health{true, 2, 6}) || h.progress() != (health{true, 2, 0}) || h.ready() != (health{true, 0, 6}) {
		t.Errorf("health %+v, %+v, %+v", h, h.progress(), h.ready())
	}
}

func TestBlame(t *testing.T) {
	for name, c := range map[string]struct {
		retries int
		places  []uint32
		want    int // deaths after which the chunk is given up, 0: not
	}{
		"three deaths at one place":         {2, []uint32{5, 5, 5, 5}, 3},
		"at its very beginning":             {2, []uint32{0, 0, 0}, 3},
		"no retries":                        {0, []uint32{5}, 1},
		"deaths that find progress":         {2, []uint32{0, 1, 2, 3, 4, 5, 6, 7}, 0},
		"deaths all over the place":         {2, []uint32{0, 0, 7, 7, 0, 0, 3}, 0},
		"the poison after two random kills": {2, []uint32{1, 5, 4, 4, 4}, 5},
	} {
		got := 0
		var b blame
		for i, place := range c.places {
			var up bool
			if b, up = b.after(place, c.retries); up && got == 0 {
				got = i + 1
			}
		}
		if got != c.want {
			t.Errorf("%s: given up after %d deaths, want %d", name, got, c.want)
		}
	}
	var b blame
	up := false
	n := 0
	for ; !up && n < 10*maxDeaths; n++ {
		b, up = b.after(uint32(n), 2)
	}
	if n != maxDeaths {
		t.Errorf("a chunk that kills in ever new places is given up after %d deaths", n)
	}
}

func TestLateness(t *testing.T) {
	for name, c := range map[string]struct {
		retries int
		steps   []uint32
		want    int // times after which the chunk is given up, 0: not
	}{
		"no retries":              {0, []uint32{0}, 1},
		"two retries":             {2, []uint32{5, 5, 5, 5}, 3},
		"each step has its own":   {1, []uint32{0, 1, 2, 3, 4}, 0},
		"and begins with it anew": {1, []uint32{0, 1, 0, 1, 1}, 5},
	} {
		got := 0
		var l lateness
		for i, step := range c.steps {
			var up bool
			if l, up = l.after(step, c.retries); up && got == 0 {
				got = i + 1
			}
		}
		if got != c.want {
			t.Errorf("%s: given up after %d times, want %d", name, got, c.want)
		}
	}
}

// A chunk that is past its deadline is run again as often as the job says, and that
// is no strike against it: deaths are counted by themselves.
func TestChunkPastItsDeadlineIsRunAgain(t *testing.T) {
	for hangs := range int32(4) {
		var crashes atomic.Int32
		behave := once(7, hangs, func(w *fake, c ring.Claim) bool { return hang(w) })
		f := newFixture(t, 2, func(w *fake, c ring.Claim) bool {
			if c.Descriptor.Chunk == 7 && crashes.Add(1) <= 2 {
				return false // twice, which is as often as it may
			}
			return behave(w, c)
		})
		f.job.Limit, f.job.Late = 500*time.Millisecond, 2
		err := f.run(t.Context())
		var late *DeadlineError
		if hangs <= 2 {
			if err != nil {
				t.Errorf("%d times: %v", hangs, err)
			}
			f.onceEach()
		} else if !errors.As(err, &late) {
			t.Errorf("%d times: %v", hangs, err)
		} else {
			f.onceEach(7)
		}
		if c := f.Counters(); c.Retries != uint64(2+min(hangs, 2)) || c.Quarantined != uint64(hangs/3) {
			t.Errorf("%d times: %+v", hangs, c)
		}
	}
}

func TestDeathsThatFindProgressAreNoStrikes(t *testing.T) {
	var deaths atomic.Int32
	f := newFixture(t, 1, once(7, 12, func(w *fake, c ring.Claim) bool {
		wire.BeatOf(w.results).Progress(int(deaths.Add(1)) * wire.ProgressStep)
		return false
	}))
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	if c := f.Counters(); c.Retries != 12 || c.Quarantined != 0 {
		t.Errorf("counters %+v", c)
	}
}

func TestHolderThatStaysStoppedIsKilled(t *testing.T) {
	f := newFixture(t, 2, once(7, 1, func(w *fake, c ring.Claim) bool {
		w.stopped.Store(true)
		return hang(w)
	}), func(c *Config) { c.Limits.Stop = 50 * time.Millisecond })
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.events) != 1 || f.events[0].Kind != ChunkRetried || !strings.Contains(f.events[0].Cause, "stayed stopped for 50ms") {
		t.Errorf("events %v", f.events)
	}
}

// A holder that is stopped for a shorter time, again and again, is left alone.
func TestHolderThatGoesOnIsNotKilled(t *testing.T) {
	f := newFixture(t, 2, once(7, 1, func(w *fake, c ring.Claim) bool {
		w.stretches.Store(6)
		for w.stretches.Load() > 0 {
			select {
			case <-w.killed:
				return false
			case <-time.After(time.Millisecond):
			}
		}
		return w.work(c)
	}), func(c *Config) { c.Limits.Stop = 300 * time.Millisecond })
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	if c := f.Counters(); c.Retries != 0 || c.Respawns != 0 {
		t.Errorf("counters %+v", c)
	}
}

// A worker that was killed and is not gone keeps its chunk: nobody else gets
// it, the job reports it, the pool goes on with another worker.
func TestStuckWorkerKeepsItsChunk(t *testing.T) {
	release := make(chan struct{})
	var tries atomic.Int32
	var stuck atomic.Pointer[fake]
	f := newFixture(t, 2, func(w *fake, c ring.Claim) bool {
		if c.Descriptor.Chunk == 7 {
			tries.Add(1)
			if stuck.CompareAndSwap(nil, w) {
				w.stopped.Store(true)
				<-w.killed
				<-release // in the kernel
				return false
			}
		}
		return w.work(c)
	}, func(c *Config) { c.Limits.Stop, c.Limits.Reap = 20*time.Millisecond, 50*time.Millisecond })
	var q *QuarantineError
	if err := f.run(t.Context()); !errors.As(err, &q) || len(q.Chunks) != 1 || q.Chunks[0].Chunk != 7 ||
		!strings.Contains(q.Chunks[0].Cause, "is not gone after 50ms") {
		t.Errorf("error %v", err)
	}
	f.onceEach(7)
	if tries.Load() != 1 || f.count(ChunkQuarantined) != 1 {
		t.Errorf("the chunk was handed out %d times, %d quarantines reported", tries.Load(), f.count(ChunkQuarantined))
	}
	again := func() {
		t.Helper()
		for i := range f.accepted {
			f.accepted[i].Store(0)
		}
		if err := f.run(t.Context()); err != nil {
			t.Errorf("the job after it: %v", err)
		}
		f.onceEach()
	}
	again()
	close(release)
	again()
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		f.Engine.mu.Lock()
		members, claim := len(f.workers), f.active
		f.Engine.mu.Unlock()
		if members == 2 {
			if claim != 2 {
				t.Errorf("%d of %d workers claim", claim, members)
			}
			return
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d workers", members)
		}
	}
}

func TestStuckTaskIsSaidToBePastItsDeadline(t *testing.T) {
	release := make(chan struct{})
	f := newFixture(t, 2, once(7, 1, func(w *fake, c ring.Claim) bool {
		<-release
		return false
	}), func(c *Config) { c.Limits.Reap = 50 * time.Millisecond })
	defer close(release)
	f.job.Limit, f.job.Late = time.Second, 3 // it cannot be run again
	var q *QuarantineError
	var late *DeadlineError
	if err := f.run(t.Context()); !errors.As(err, &q) || !errors.As(err, &late) || late.Place.Chunk != 7 || late.Limit != f.job.Limit {
		t.Errorf("%v", err)
	}
	f.onceEach(7)
}

func TestCloseDoesNotWaitForAStuckWorker(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	claimed := make(chan struct{})
	f := newFixture(t, 2, once(7, 1, func(w *fake, c ring.Claim) bool {
		close(claimed)
		<-release
		return false
	}), func(c *Config) { c.Limits.Reap = 50 * time.Millisecond })
	go func() {
		<-claimed
		f.Close()
	}()
	if err := f.run(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// roll notes which workers have come and gone.
type roll struct {
	EventFunc
	mu          sync.Mutex
	come, gone  []uint32
	workedFirst bool // a chunk was run by one that had not come
}

func (r *roll) WorkerStarted(worker uint32, _ int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.come = append(r.come, worker)
}

func (r *roll) WorkerEnded(worker uint32, _ int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = append(r.gone, worker)
}

func (r *roll) ChunkRun(c ChunkRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.workedFirst = r.workedFirst || !slices.Contains(r.come, c.Worker)
}

// A worker that has something in work is among the members, though its report is late.
func TestMemberThatWorksIsReady(t *testing.T) {
	claimed, leave := make(chan struct{}), make(chan struct{})
	f := newFixture(t, 1, func(w *fake, c ring.Claim) bool {
		if c.Descriptor.Chunk == 0 {
			close(claimed)
			<-leave
		}
		return w.work(c)
	}, func(c *Config) {
		launch := c.Launch
		c.Launch = func(incarnation, seat uint32, _ func(), exited func(proc.Exit)) (Worker, error) {
			return launch(incarnation, seat, func() {}, exited)
		}
	})
	ended := make(chan error)
	go func() { ended <- f.run(t.Context()) }()
	<-claimed
	if all, err := f.Members(); len(all) != 1 || err != nil {
		t.Errorf("%d members, %v", len(all), err)
	}
	close(leave)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A worker whose report comes after its work, or after its end, is told of all the same,
// once.
func TestWorkerThatWorksIsReady(t *testing.T) {
	for _, reports := range []int{0, 1, 2} {
		r := &roll{EventFunc: func(Event) {}}
		f := newFixture(t, 1, good, func(c *Config) {
			c.Observer = r
			launch := c.Launch
			c.Launch = func(incarnation, seat uint32, ready func(), exited func(proc.Exit)) (Worker, error) {
				late := func(exit proc.Exit) {
					if reports == 2 {
						ready()
					}
					exited(exit)
				}
				if reports != 1 {
					return launch(incarnation, seat, func() {}, late)
				}
				return launch(incarnation, seat, ready, late)
			}
		})
		if err := f.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if r.mu.Lock(); len(r.come) != 1 || !slices.Equal(r.come, r.gone) || r.workedFirst {
			t.Errorf("report %d: %v have come and %v gone; one worked before: %v", reports, r.come, r.gone, r.workedFirst)
		}
		r.mu.Unlock()
	}
}
