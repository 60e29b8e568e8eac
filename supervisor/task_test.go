package supervisor

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// Kernels of the tests, which workers have too.
var (
	square = kernels.NewFunc("test.square", func(_ []byte, n int64) (int64, error) { return n * n, nil })
	plain  = kernels.NewFunc("test.sum", func(x []float64, offset float64) (sum float64, err error) {
		for _, v := range x {
			sum += v + offset
		}
		return sum, nil
	})
	// hold lasts until a file is gone.
	hold = kernels.NewFunc("test.hold", func(_ []byte, path [200]byte) (int32, error) {
		name := strings.TrimRight(string(path[:]), "\x00")
		for {
			if _, err := os.Stat(name); err != nil {
				return int32(os.Getpid()), nil
			}
			time.Sleep(time.Millisecond)
		}
	})
	self       = kernels.NewFunc("test.self", func([]byte, struct{}) (int32, error) { return int32(os.Getpid()), nil })
	initialise = kernels.NewFunc("test.initialise", func(_ []byte, n int64) (int64, error) {
		switch {
		case n < 0:
			return 0, fmt.Errorf("%d is negative", n)
		case n == 0:
			panic("zero")
		}
		initialised.Store(n)
		return n, nil
	})
	readInitialised = kernels.NewFunc("test.initialised", func([]byte, struct{}) (int64, error) { return initialised.Load(), nil })
	extents         = kernels.NewReduce("test.extents", addExtent, mergeExtents)
)

var initialised atomic.Int64

type extent struct {
	Count int
	Sum   float64
	Tree  uint64 // another one for any other order of merges
}

func addExtent(s *extent, x []float64, scale float64) error {
	for _, v := range x {
		if v < 0 {
			return fmt.Errorf("%v is negative", v)
		}
		s.Count++
		s.Sum += v * scale
	}
	s.Tree = math.Float64bits(x[0])
	return nil
}

func mergeExtents(a, b extent) extent {
	return extent{a.Count + b.Count, a.Sum + b.Sum, (a.Tree*31 + b.Tree) * 0x9e3779b97f4a7c15}
}

// held is a call of hold, and what lets it go.
func held(t *testing.T) (kernels.Call[int32], func()) {
	path := filepath.Join(t.TempDir(), "held")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	var p [200]byte
	if copy(p[:], path) == len(p) {
		t.Fatalf("%s is too long", path)
	}
	release := func() { os.Remove(path) }
	t.Cleanup(release)
	return hold.With(p), release
}

func submit[R any](t *testing.T, p *Pool, c kernels.Call[R], opts ...TaskOption) *Future[R] {
	t.Helper()
	f, err := Submit(p, c, nil, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func result[R comparable](t *testing.T, f *Future[R], want R) {
	t.Helper()
	if got, err := f.Result(t.Context()); err != nil || got != want {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

// await waits until a future is in a state.
func await[R any](t *testing.T, f *Future[R], want State) {
	t.Helper()
	for begin := time.Now(); f.State() != want; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("state %v, want %v", f.State(), want)
		}
	}
}

// onBothPools runs a test on processes and on goroutines.
func onBothPools(t *testing.T, test func(t *testing.T, start func(...Option) *Pool)) {
	for _, kind := range []struct {
		name string
		opts []Option
	}{{"processes", nil}, {"InProcess", []Option{InProcess()}}} {
		t.Run(kind.name, func(t *testing.T) {
			if kind.name == "processes" && runtime.GOOS != "linux" {
				t.Skip("worker processes need Linux")
			}
			test(t, func(opts ...Option) *Pool { return start(t, append(opts, kind.opts...)...) })
		})
	}
}

func TestTaskReturnsItsResult(t *testing.T) { onBothPools(t, taskReturnsItsResult) }

func taskReturnsItsResult(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	var all []*Future[int64]
	for i := range int64(1000) {
		all = append(all, submit(t, pool, square.With(i)))
	}
	for i, f := range all {
		result(t, f, int64(i*i))
		if f.State() != Finished {
			t.Errorf("state %v", f.State())
		}
	}
	xs := normal(10000, 3)
	x := open(t, pool, rawFile(t, 1, xs), Raw(raw.Layout{Type: kernels.Float64, Offset: 1}))
	want := 0.0
	for _, v := range xs {
		want += v + 7
	}
	f, err := Submit(pool, plain.With(7), x)
	if err != nil {
		t.Fatal(err)
	}
	result(t, f, want)
}

func TestReduceIsTheSameForAnyPool(t *testing.T) { onBothPools(t, reduceIsTheSameForAnyPool) }

func reduceIsTheSameForAnyPool(t *testing.T, start func(...Option) *Pool) {
	xs := normal(300001, 4)
	for i, v := range xs {
		xs[i] = max(v, -v)
	}
	path := rawFile(t, 0, xs)
	tree := kernels.Tree[extent]{Merge: mergeExtents}
	for i := 0; i*kernels.BlockLen < len(xs); i++ {
		var e extent
		addExtent(&e, xs[i*kernels.BlockLen:min((i+1)*kernels.BlockLen, len(xs))], 0.1)
		tree.Add(uint64(i), e)
	}
	want, _ := tree.Root()
	for _, opts := range [][]Option{{Workers(1)}, {Workers(3), ChunkBytes(1)}, {Workers(2), ChunkBytes(1 << 18)}} {
		pool := start(opts...)
		x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64}))
		got, err := Reduce(t.Context(), pool, extents.With(0.1), x)
		if err != nil || got != want || got.Count != len(xs) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	xs[200000] = -1
	pool := start(Workers(2), ChunkBytes(1<<15))
	x := open(t, pool, rawFile(t, 0, xs), Raw(raw.Layout{Type: kernels.Float64}))
	var refused *TaskError
	if _, err := Reduce(t.Context(), pool, extents.With(1), x); !errors.As(err, &refused) || refused.What != "-1 is negative" || refused.Place.First != 200000/4096*4096*8 {
		t.Errorf("%v", err)
	}
}

func TestCancelBeforeTheClaim(t *testing.T) { onBothPools(t, cancelBeforeTheClaim) }

func cancelBeforeTheClaim(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	call, release := held(t)
	busy := submit(t, pool, call)
	await(t, busy, Running)
	next := submit(t, pool, square.With(3))
	if next.State() != Pending || !next.Cancel() || next.State() != Cancelled || next.Cancel() {
		t.Errorf("state %v", next.State())
	}
	if _, err := next.Result(t.Context()); err != ErrCancelled {
		t.Errorf("%v", err)
	}
	release()
	if _, err := busy.Result(t.Context()); err != nil {
		t.Error(err)
	}
	result(t, submit(t, pool, square.With(4)), 16)
}

func TestCancelAfterTheClaimChangesNothing(t *testing.T) {
	onBothPools(t, cancelAfterTheClaimChangesNothing)
}

func cancelAfterTheClaimChangesNothing(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	call, release := held(t)
	f := submit(t, pool, call)
	await(t, f, Running)
	if f.Cancel() || f.State() != Running {
		t.Errorf("state %v", f.State())
	}
	release()
	if _, err := f.Result(t.Context()); err != nil || f.Cancel() || f.State() != Finished {
		t.Errorf("%v, state %v", err, f.State())
	}
}

func TestExpiredContextLeavesTheTaskRunning(t *testing.T) {
	onBothPools(t, expiredContextLeavesTheTaskRunning)
}

func expiredContextLeavesTheTaskRunning(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	call, release := held(t)
	f := submit(t, pool, call)
	await(t, f, Running)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := f.Result(ctx); !errors.Is(err, context.DeadlineExceeded) || f.State() != Running || f.Err() != nil {
		t.Errorf("%v, state %v", err, f.State())
	}
	release()
	if _, err := f.Result(t.Context()); err != nil {
		t.Error(err)
	}
	// What is there is returned, whatever the context says.
	if _, err := f.Result(ctx); err != nil {
		t.Error(err)
	}
}

func TestCallbacks(t *testing.T) { onBothPools(t, callbacks) }

func callbacks(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	call, release := held(t)
	f := submit(t, pool, call)
	var order []int
	called := make(chan int, 1)
	for i := range 3 {
		f.OnDone(func(f *Future[int32]) {
			order = append(order, i)
			if i == 1 {
				panic("of a callback")
			}
		})
	}
	// Work can be submitted from a callback.
	f.OnDone(func(*Future[int32]) {
		next := submit(t, pool, square.With(5))
		next.OnDone(func(f *Future[int64]) {
			r, _ := f.Result(context.Background())
			called <- int(r)
		})
	})
	release()
	if r := <-called; r != 25 || !slices.Equal(order, []int{0, 1, 2}) {
		t.Errorf("%d, %v", r, order)
	}
	f.OnDone(func(*Future[int32]) { called <- 1 }) // is done already
	<-called
}

func TestWaitNamesWhoIsDone(t *testing.T) {
	pool := start(t, Workers(2))
	call, release := held(t)
	slow, quick := submit(t, pool, call), submit(t, pool, square.With(2))
	other := submit(t, pool, square.With(2))
	if _, err := quick.Result(t.Context()); err != nil {
		t.Fatal(err)
	}
	done, rest, err := Wait(t.Context(), FirstCompleted, slow, quick, slow, quick)
	if err != nil || len(done) != 1 || done[0] != quick || len(rest) != 1 || rest[0] != slow {
		t.Errorf("%v %v %v", done, rest, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	var unfinished *UnfinishedError
	done, rest, err = Wait(ctx, AllCompleted, slow, quick)
	if !errors.As(err, &unfinished) || *unfinished != (UnfinishedError{1, 2, context.DeadlineExceeded}) || len(done) != 1 || len(rest) != 1 {
		t.Errorf("%v %v %v", done, rest, err)
	}
	failing, err := Submit(pool, misbehave.With(fault{Kind: fails}), nil)
	if err != nil {
		t.Fatal(err)
	}
	done, rest, err = Wait(t.Context(), FirstError, slow, failing, other)
	if err != nil || !slices.Contains(done, Task(failing)) || !slices.Contains(rest, Task(slow)) {
		t.Errorf("%v %v %v", done, rest, err)
	}
	release()
	done, rest, err = Wait(t.Context(), AllCompleted, slow, quick)
	if err != nil || len(done) != 2 || len(rest) != 0 {
		t.Errorf("%v %v %v", done, rest, err)
	}
}

func TestAsCompletedYieldsEachOnce(t *testing.T) {
	pool := start(t, Workers(2))
	var all []*Future[int64]
	for i := range int64(50) {
		f := submit(t, pool, square.With(i))
		all = append(all, f, f)
	}
	seen := map[*Future[int64]]bool{}
	for f, err := range AsCompleted(t.Context(), all...) {
		if err != nil || seen[f] || f.State() != Finished {
			t.Errorf("%v, seen %v, state %v", err, seen[f], f.State())
		}
		seen[f] = true
	}
	if len(seen) != 50 {
		t.Errorf("%d of 50", len(seen))
	}
	call, _ := held(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	last := ""
	for _, err := range AsCompleted(ctx, submit(t, pool, call), submit(t, pool, call)) {
		last = fmt.Sprint(err)
	}
	if last != "2 of 2 tasks are not finished: context deadline exceeded" {
		t.Error(last)
	}
}

// count yields numbers without end and counts those that were pulled.
func count(pulled *atomic.Int64) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		for i := int64(0); ; i++ {
			pulled.Add(1)
			if !yield(i) {
				return
			}
		}
	}
}

func TestMapKeepsTheOrderAndPullsExactlyTheBound(t *testing.T) {
	onBothPools(t, mapKeepsTheOrderAndPullsExactlyTheBound)
}

func mapKeepsTheOrderAndPullsExactlyTheBound(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	for _, bound := range []int{1, 2, 7} {
		var pulled atomic.Int64
		n := int64(0)
		for r, err := range Map(t.Context(), pool, square, count(&pulled), InFlight(bound)) {
			if err != nil || r != n*n {
				t.Fatalf("%d: %v, %v", n, r, err)
			}
			if got := pulled.Load(); got != n+int64(bound) {
				t.Fatalf("with %d taken, %d were pulled, bound %d", n, got, bound)
			}
			if n++; n == 100 {
				break
			}
		}
		pulled.Store(0)
		seen := map[int64]bool{}
		for r, err := range MapUnordered(t.Context(), pool, square, count(&pulled), InFlight(bound)) {
			if err != nil || seen[r] {
				t.Fatalf("%v, %v", r, err)
			}
			if seen[r] = true; len(seen) == 100 {
				break
			}
			if got := pulled.Load(); got != int64(len(seen)-1+bound) {
				t.Fatalf("with %d taken, %d were pulled, bound %d", len(seen), got, bound)
			}
		}
	}
	want := int64(0)
	for r, err := range Map(t.Context(), pool, square, slices.Values([]int64{0, 1, 2, 3, 4})) {
		if err != nil || r != want*want {
			t.Errorf("%v, %v", r, err)
		}
		want++
	}
	if want != 5 {
		t.Errorf("%d results of 5", want)
	}
}

func TestMapEndsWithItsContext(t *testing.T) {
	pool := start(t, Workers(1))
	call, _ := held(t)
	busy := submit(t, pool, call)
	await(t, busy, Running)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
	var pulled atomic.Int64
	var last error
	for _, err := range Map(ctx, pool, square, count(&pulled)) {
		last = err
	}
	if last != enough || pulled.Load() != 4 {
		t.Errorf("%v, %d pulled", last, pulled.Load())
	}
}

func TestScopeLeavesNothingBehind(t *testing.T) { onBothPools(t, scopeLeavesNothingBehind) }

func scopeLeavesNothingBehind(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	var all []*Future[int64]
	err := Scope(t.Context(), pool, func(g *Group) error {
		for i := range int64(100) {
			f, err := SubmitTo(g, square.With(i), nil)
			if err != nil {
				return err
			}
			all = append(all, f)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.State() != Finished {
			t.Errorf("state %v", f.State())
		}
	}
	var rest []Task
	err = Scope(t.Context(), pool, func(g *Group) error {
		bad, err := SubmitTo(g, misbehave.With(fault{Kind: fails}), nil)
		if err != nil {
			return err
		}
		for i := range int64(10) {
			f, err := SubmitTo(g, square.With(i), nil)
			if err != nil {
				break // it has failed by now
			}
			rest = append(rest, f)
		}
		<-bad.Done()
		<-g.Context().Done()
		_, err = SubmitTo(g, square.With(1), nil)
		return err
	})
	var refused *TaskError
	if !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
	for _, f := range rest {
		select {
		case <-f.Done():
		default:
			t.Error("a task of the scope is left")
		}
	}
}

// late is made when Main has been called.
var late = sync.OnceValue(func() *kernels.Func[byte, int64, int64] {
	return kernels.NewFunc("test.late", func(_ []byte, n int64) (int64, error) { return n, nil })
})

func TestKernelMadeLateIsRefused(t *testing.T) {
	pool := start(t, Workers(1))
	if _, err := Submit(pool, late().With(1), nil); err == nil || !strings.Contains(err.Error(), `kernel "test.late" was made after supervisor.Main`) {
		t.Errorf("%v", err)
	}
}

func TestElementsOfAnotherTypeAreRefused(t *testing.T) {
	pool := start(t, Workers(1))
	x := open(t, pool, rawFile(t, 0, normal(16, 1)), Raw(raw.Layout{Type: kernels.Int64}))
	if _, err := Submit(pool, plain.With(1), x); err == nil || !strings.Contains(err.Error(), `has elements of type int64, and kernel "test.sum" takes float64`) {
		t.Errorf("%v", err)
	}
}
