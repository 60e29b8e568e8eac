package supervisor

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// What a kernel may do to its worker, and the error that follows.
var faults = map[string]struct {
	fault fault
	check func(err error) bool
	opts  []TaskOption
}{
	"error": {fault{Kind: fails}, func(err error) bool {
		var e *TaskError
		return errors.As(err, &e) && e.What == "it failed" && strings.HasPrefix(e.Place.Kernel, "test.")
	}, nil},
	"panic": {fault{Kind: panics}, func(err error) bool {
		var e *PanicError
		return errors.As(err, &e) && e.What == "panic: with 42" && strings.Contains(e.Stack, "fault.happen")
	}, nil},
	"nil pointer": {fault{Kind: follows}, func(err error) bool {
		var e *PanicError
		return errors.As(err, &e) && strings.Contains(e.What, "nil pointer dereference")
	}, nil},
	"exit 0":         {fault{Kind: exits}, died(0, 0), nil},
	"exit 1":         {fault{Kind: exits, Code: 1}, died(0, 1), nil},
	"SIGSEGV":        {fault{Kind: signals, Code: int64(syscall.SIGSEGV)}, died(syscall.SIGSEGV, 0), nil},
	"SIGKILL":        {fault{Kind: signals, Code: int64(syscall.SIGKILL)}, died(syscall.SIGKILL, 0), nil},
	"stack overflow": {fault{Kind: recurses}, died(0, 2), nil},
	"Goexit":         {fault{Kind: leaves}, died(0, 1), nil},
	"out of memory": {fault{Kind: hoards}, func(err error) bool {
		var e *MemoryError
		return errors.As(err, &e) && e.Had > e.Limit && e.Limit == 200<<20
	}, nil},
	"infinite loop": {fault{Kind: loops}, func(err error) bool {
		var e *DeadlineError
		return errors.As(err, &e) && e.Limit == 100*time.Millisecond && errors.Is(err, context.DeadlineExceeded)
	}, []TaskOption{Deadline(100 * time.Millisecond)}},
}

// died checks for workers that died that way. A signal that the Go runtime takes
// may come back as an exit.
func died(signal syscall.Signal, code int) func(error) bool {
	return func(err error) bool {
		var e *DeathError
		return errors.As(err, &e) && e.PID > 0 &&
			(e.Signal == signal && e.Code == code || signal == syscall.SIGSEGV && e.Code == 2)
	}
}

func TestMisbehavingTaskFailsAloneAndItsNeighboursDoNot(t *testing.T) {
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := start(t, Workers(2), MemoryLimit(200<<20))
			for _, bad := range []int{0, 4, 8} {
				var good []*Future[int64]
				var f *Future[int64]
				for i := range 9 {
					if i == bad {
						f = submit(t, pool, misbehave.With(c.fault), c.opts...)
					} else {
						good = append(good, submit(t, pool, square.With(int64(i))))
					}
				}
				if _, err := f.Result(t.Context()); !c.check(err) {
					t.Errorf("as task %d: %v", bad, err)
				}
				for _, f := range good {
					if r, err := f.Result(t.Context()); err != nil || r > 64 {
						t.Errorf("a neighbour: %d, %v", r, err)
					}
				}
			}
		})
	}
}

func TestWorkersStayAfterErrorsAndPanics(t *testing.T) {
	pool := start(t, Workers(2))
	before := workers(t, os.Getpid(), 2)
	for i := range 100 {
		kind := []faultKind{fails, panics}[i%2]
		if _, err := submit(t, pool, misbehave.With(fault{Kind: kind})).Result(t.Context()); err == nil {
			t.Error("no error")
		}
	}
	for i := range int64(100) {
		result(t, submit(t, pool, square.With(i)), i*i)
	}
	if after := workers(t, os.Getpid(), 2); before[0] != after[0] || before[1] != after[1] || pool.Counters().Respawns != 0 {
		t.Errorf("workers %v, before %v", after, before)
	}
}

// A deadline is each chunk's own: tasks that wait behind one that does not end
// have all theirs left, and the kill takes nobody with it.
func TestDeadlineHitsItsTaskAlone(t *testing.T) {
	pool := start(t, Workers(1))
	stuck := submit(t, pool, misbehave.With(fault{Kind: loops}), Deadline(300*time.Millisecond))
	var behind []*Future[int64]
	for i := range int64(20) {
		behind = append(behind, submit(t, pool, square.With(i), Deadline(time.Hour)))
	}
	var late *DeadlineError
	if _, err := stuck.Result(t.Context()); !errors.As(err, &late) {
		t.Errorf("%v", err)
	}
	for i, f := range behind {
		result(t, f, int64(i*i))
	}
	if c := pool.Counters(); c.Respawns != 1 || c.Retries != 0 {
		t.Errorf("%+v", c)
	}
}

// stumble hangs unless a file is there, which it makes.
var stumble = kernels.NewFunc("test.stumble", func(_ []byte, path [200]byte) (int64, error) {
	name := strings.TrimRight(string(path[:]), "\x00")
	if exists(name) {
		return 1, nil
	}
	if err := os.WriteFile(name, nil, 0o666); err != nil {
		return 0, err
	}
	select {}
})

func TestTaskThatHangsOnceIsRunAgain(t *testing.T) {
	pool := start(t, Workers(1), Retries(0))
	opts := []TaskOption{Deadline(2 * time.Second), DeadlineRetries(1)}
	at := func(name string) (p [200]byte) {
		if copy(p[:], filepath.Join(t.TempDir(), name)) == len(p) {
			t.Fatal("the path is too long")
		}
		return p
	}
	result(t, submit(t, pool, stumble.With(at("one")), opts...), 1)
	if c := pool.Counters(); c.Retries != 1 || c.Respawns != 1 || c.Quarantined != 0 {
		t.Errorf("%+v", c)
	}
	// So do two calls of one chunk.
	n := 0
	for r, err := range Map(t.Context(), pool, stumble, slices.Values([][200]byte{at("two"), at("three")}), append(opts, ChunkSize(2))...) {
		if n++; r != 1 || err != nil {
			t.Errorf("call %d: %d, %v", n, r, err)
		}
	}
	if c := pool.Counters(); n != 2 || c.Retries != 3 || c.Respawns != 3 || c.Quarantined != 0 {
		t.Errorf("%d calls, %+v", n, c)
	}
}

// A worker that grows from task to task is replaced, and none of them, nor the
// next, is blamed for it.
func TestMemoryOfManyTasksIsNobodysFault(t *testing.T) {
	pool := start(t, Workers(1), MemoryLimit(150<<20))
	for range 30 {
		if n, err := submit(t, pool, hoard.With(30)).Result(t.Context()); err != nil || n > 12 {
			t.Errorf("%d pieces, %v", n, err)
		}
	}
	result(t, submit(t, pool, nap.With(300*time.Millisecond)), 1)
	c := pool.Counters()
	replaced := c.Recycled // between two tasks
	if raceDetector {
		replaced += c.Respawns // tasks are slow, so in the middle of one too, which is run again
	}
	if replaced < 2 || c.Quarantined != 0 {
		t.Errorf("%+v", c)
	}
}

// A file that is truncated while it is mapped raises SIGBUS in whoever reads it.
func TestTruncatedFileFailsItsTaskAlone(t *testing.T) {
	pool := start(t, Workers(2))
	for _, bad := range []int{0, 4, 8} {
		path := rawFile(t, 0, normal(1<<20, 8))
		x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64}))
		if err := os.Truncate(path, 4096); err != nil {
			t.Fatal(err)
		}
		var good []*Future[int64]
		var f *Future[float64]
		for i := range 9 {
			if i != bad {
				good = append(good, submit(t, pool, square.With(9)))
				continue
			}
			var err error
			if f, err = Submit(pool, plain.With(0), x); err != nil {
				t.Fatal(err)
			}
		}
		var changed *shm.ChangedError
		if _, err := f.Result(t.Context()); !errors.As(err, &changed) || !strings.Contains(err.Error(), "truncated") {
			t.Errorf("as task %d: %v", bad, err)
		}
		for _, f := range good {
			result(t, f, 81)
		}
	}
	if c := pool.Counters(); c.Respawns != 0 {
		t.Errorf("%+v", c)
	}
}

// killAtRandom kills workers at random moments, and then closes the channel.
func killAtRandom(t *testing.T, pool *Pool, seed uint64, kills int) (ended chan struct{}) {
	ended = make(chan struct{})
	go func() {
		defer close(ended)
		r := rand.New(rand.NewPCG(seed, 3))
		chunks := uint64(0)
		for n := 0; n < kills; {
			chunks = progress(pool, chunks)
			time.Sleep(time.Duration(r.IntN(1000)) * time.Microsecond)
			if killOne(t, r) {
				n++
			}
		}
	}()
	return ended
}

// Workers are killed at random while a map writes: every element is right in the
// end, and nothing else is touched.
func TestKilledMapsWriteTheSame(t *testing.T) {
	kills := 50
	if *crash {
		kills = 2000
	}
	pool := start(t, Workers(2), ChunkBytes(1<<18), Retries(1000))
	arena := newArena(t, pool, 33<<20, Output())
	xs, err := Alloc[float64](arena, 1<<21)
	if err != nil {
		t.Fatal(err)
	}
	ys, err := Alloc[float64](arena, 1<<21)
	if err != nil {
		t.Fatal(err)
	}
	for i := range xs {
		xs[i] = float64(i)
	}
	x, err := ArrayOf(arena, "x", xs)
	if err != nil {
		t.Fatal(err)
	}
	y, err := ArrayOf(arena, "y", ys)
	if err != nil {
		t.Fatal(err)
	}
	ended := killAtRandom(t, pool, 3, kills)
	rounds := 0
	for done := false; !done; rounds++ {
		select {
		case <-ended:
			done = true
		default:
		}
		k := float64(rounds + 2)
		if err := pool.Apply(t.Context(), scale.With(k), y, x); err != nil {
			t.Fatal(err)
		}
		for i, v := range ys {
			if v != k*float64(i) {
				t.Fatalf("round %d, element %d: %v", rounds, i, v)
			}
		}
	}
	t.Logf("%d kills in %d maps: %+v", kills, rounds, pool.Counters())
}

func TestFuturesLeaveNothingBehind(t *testing.T) {
	round := func() {
		pool, err := Start(t.Context(), Workers(2), Standby(1), Pin(), Observe(&diary{}))
		if err != nil {
			t.Fatal(err)
		}
		for i := range int64(20) {
			submit(t, pool, square.With(i)).OnDone(func(*Future[int64]) {})
		}
		squares(t, pool, good(20), nil, ChunkSize(3))
		for r := range ToChannel(t.Context(), Stage(t.Context(), pool, scale, 2, FromChannel(t.Context(), send([]float64{1}, []float64{2})))) {
			if r.Err != nil {
				t.Error(r.Err)
			}
		}
		pool.Close()
	}
	for range 3 {
		round()
	}
	debug.FreeOSMemory()
	before, memory := settled(t), resident(t)
	pools := 20
	if *crash {
		pools = 1000
	}
	for range pools {
		round()
	}
	after := holdings(t)
	for begin := time.Now(); after != before && time.Since(begin) < 10*time.Second; after = holdings(t) {
		runtime.Gosched()
	}
	if after != before {
		t.Errorf("%s, before %s", after, before)
	}
	debug.FreeOSMemory()
	t.Logf("%d pools: %s, %d KiB resident; before: %d KiB", pools, after, resident(t), memory)
	if grown := resident(t) - memory; grown > 8<<10 {
		t.Errorf("%d KiB more are resident", grown)
	}
}
