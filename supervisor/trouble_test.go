package supervisor

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

var (
	badMerge = kernels.NewReduce("test.bad-merge", func(n *int64, x []float64, _ struct{}) error {
		*n += int64(len(x))
		return nil
	}, func(_, _ int64) int64 { panic("of a merge") })
	typedNil = kernels.NewFunc("test.typed-nil", func([]byte, struct{}) (int64, error) {
		var e *fs.PathError
		return 0, e // whose methods panic
	})
	joined = kernels.NewFunc("test.joined", func([]byte, struct{}) (int64, error) {
		return 0, errors.Join(errors.New("first"), errors.New("second"))
	})
	hoard = kernels.NewFunc("test.hoard", func(_ []byte, mib int64) (int64, error) {
		b := make([]byte, mib<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		hoarded = append(hoarded, b)
		return int64(len(hoarded)), nil
	})
	hoarded [][]byte
	nap     = kernels.NewFunc("test.nap", func(_ []byte, d time.Duration) (int64, error) { time.Sleep(d); return 1, nil })
)

func TestPanicOfAMergeIsTheCallersAlone(t *testing.T) { onBothPools(t, panicOfAMergeIsTheCallersAlone) }

func panicOfAMergeIsTheCallersAlone(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1), ChunkBytes(1))
	x := open(t, pool, rawFile(t, 0, normal(5*4096, 1)), Raw(raw.Layout{Type: kernels.Float64}))
	var panicked *PanicError
	if _, err := Reduce(t.Context(), pool, badMerge.With(struct{}{}), x); !errors.As(err, &panicked) || panicked.What != "panic while merging: of a merge" {
		t.Errorf("%v", err)
	}
	result(t, submit(t, pool, square.With(3)), 9)
}

func TestErrorWhoseMethodsPanicIsAPanic(t *testing.T) { onBothPools(t, errorWhoseMethodsPanicIsAPanic) }

func errorWhoseMethodsPanicIsAPanic(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	var panicked *PanicError
	if _, err := submit(t, pool, typedNil.With(struct{}{})).Result(t.Context()); !errors.As(err, &panicked) {
		t.Errorf("%v", err)
	}
	var failed *TaskError
	if _, err := submit(t, pool, joined.With(struct{}{})).Result(t.Context()); !errors.As(err, &failed) || failed.What != "first\nsecond" {
		t.Errorf("%v", err)
	}
}

func TestScopeTakesNothingOnceItIsOver(t *testing.T) { onBothPools(t, scopeTakesNothingOnceItIsOver) }

func scopeTakesNothingOnceItIsOver(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	for range 1000 {
		var g *Group
		ended := make(chan struct{})
		err := Scope(t.Context(), pool, func(group *Group) error {
			g = group
			f, err := SubmitTo(g, square.With(3), nil)
			if err != nil {
				return err
			}
			go func() { // while Scope waits, or returns
				defer close(ended)
				<-f.Done()
				for range rand.IntN(4000) {
					runtime.Gosched()
				}
				if f, err := SubmitTo(g, square.With(3), nil); err == nil {
					<-f.Done()
				} else if err != ErrScopeOver {
					t.Error(err)
				}
			}()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		<-ended
		if _, err := SubmitTo(g, square.With(3), nil); err != ErrScopeOver {
			t.Errorf("%v", err)
		}
		if t.Failed() {
			return
		}
	}
}

func TestEndedContextStartsNothing(t *testing.T) {
	pool := start(t, Workers(1))
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	if err := Scope(ctx, pool, func(*Group) error { t.Error("the scope was entered"); return nil }); err != enough {
		t.Errorf("%v", err)
	}
	for range 20 {
		for _, stream := range []func(context.Context, *Pool, *kernels.Func[byte, int64, int64], func(func(int64) bool), ...TaskOption) func(func(int64, error) bool){
			func(ctx context.Context, p *Pool, f *kernels.Func[byte, int64, int64], in func(func(int64) bool), o ...TaskOption) func(func(int64, error) bool) {
				return Map(ctx, p, f, in, o...)
			},
			func(ctx context.Context, p *Pool, f *kernels.Func[byte, int64, int64], in func(func(int64) bool), o ...TaskOption) func(func(int64, error) bool) {
				return MapUnordered(ctx, p, f, in, o...)
			},
		} {
			var all []error
			for _, err := range stream(ctx, pool, square, slices.Values([]int64{1, 2, 3})) {
				all = append(all, err)
			}
			if len(all) != 1 || all[0] != enough {
				t.Fatalf("%v", all)
			}
		}
	}
	if n := pool.Counters().Chunks; n != 0 {
		t.Errorf("%d tasks ran", n)
	}
}

func TestUnboundedStreamsEnd(t *testing.T) {
	pool := start(t, Workers(2))
	n := 0
	for _, err := range MapUnordered(t.Context(), pool, square, slices.Values(make([]int64, 1000)), InFlight(math.MaxInt)) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 1000 {
		t.Errorf("%d of 1000", n)
	}
}

func TestStreamYieldsWhatWasDoneBeforeThePoolWasClosed(t *testing.T) {
	pool := start(t, Workers(1))
	params := func(yield func(int64) bool) {
		for i := range int64(3) {
			if !yield(i) {
				return
			}
		}
		pool.Close()
		yield(3)
	}
	var results []int64
	var last error
	for r, err := range Map(t.Context(), pool, square, params, InFlight(8)) {
		if last = err; err == nil {
			results = append(results, r)
		}
	}
	if !slices.Equal(results, []int64{0, 1, 4}) || !errors.Is(last, ErrClosed) {
		t.Errorf("%v, %v", results, last)
	}
}

func TestTaskThatRanIsNotCancelled(t *testing.T) {
	pool := start(t, Workers(1))
	var f *Future[int64]
	failed := errors.New("failed")
	err := Scope(t.Context(), pool, func(g *Group) (err error) {
		if f, err = SubmitTo(g, nap.With(time.Hour), nil); err != nil {
			return err
		}
		await(t, f, Running)
		return failed
	})
	if err != failed || f.State() != Finished {
		t.Errorf("%v, state %v", err, f.State())
	}
	pool.Kill()
	if f.State() != Finished {
		t.Errorf("state %v", f.State())
	}
}

func TestCallbackThatEndsItsGoroutineEndsNoOther(t *testing.T) {
	f := submit(t, start(t, Workers(1)), square.With(2))
	called := make(chan bool)
	f.OnDone(func(*Future[int64]) { runtime.Goexit() })
	f.OnDone(func(*Future[int64]) { close(called) })
	select {
	case <-called:
	case <-time.After(30 * time.Second):
		t.Error("the second callback is not called")
	}
}

func TestThoseThatEndedInTimeAreFinished(t *testing.T) {
	pool := start(t, Workers(2))
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		all := []*Future[int64]{submit(t, pool, nap.With(time.Microsecond)), submit(t, pool, nap.With(2*time.Microsecond))}
		n := 0
		for _, err := range AsCompleted(ctx, all...) {
			if err != nil {
				t.Fatalf("after %d: %v", n, err)
			}
			n++
			for _, f := range all {
				<-f.Done()
			}
			cancel()
		}
		if n != 2 {
			t.Errorf("%d of 2", n)
		}
		cancel()
	}
}

// Many tasks wait for one: none of them costs more for that.
func TestManyTasksWait(t *testing.T) {
	pool := start(t, Workers(1))
	call, release := held(t)
	busy := submit(t, pool, call)
	await(t, busy, Running)
	var done atomic.Int64
	var all []*Future[int64]
	for i := range int64(100000) {
		f := submit(t, pool, square.With(i))
		all = append(all, f)
	}
	release()
	for i, f := range all {
		if r, err := f.Result(t.Context()); err != nil || r != int64(i*i) {
			t.Fatalf("%d: %d, %v", i, r, err)
		}
		done.Add(1)
	}
}
