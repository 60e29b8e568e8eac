package supervisor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
)

var (
	scale = kernels.NewMap("test.scale", func(dst, src []float64, k float64) error {
		for i, v := range src {
			dst[i] = k * v
		}
		return nil
	})
	round = kernels.NewMap("test.round", func(dst []int32, src []float64, limit int32) error {
		for i, v := range src {
			if v > float64(limit) {
				return fmt.Errorf("%v is above %d", v, limit)
			}
			dst[i] = int32(math.RoundToEven(v))
		}
		return nil
	})
)

func TestMapWritesEachElementOnce(t *testing.T) { onBothPools(t, mapWritesEachElementOnce) }

func mapWritesEachElementOnce(t *testing.T, start func(...Option) *Pool) {
	for _, chunk := range []uint64{1, 1 << 16, 0} {
		pool := start(Workers(2), ChunkBytes(chunk))
		xs := make([]float64, 100003)
		r := rand.New(rand.NewPCG(5, 5))
		for i := range xs {
			xs[i] = r.NormFloat64()
		}
		// Neither the file nor the results are aligned.
		x := open(t, pool, rawFile(t, 3, xs), Raw(raw.Layout{Type: kernels.Float64, Offset: 3}))
		arena := newArena(t, pool, 2<<20, Output())
		b := arena.Allocate(4*len(xs) + 66)
		for i := range b {
			b[i] = 0x5a
		}
		y, err := arena.Array("y", kernels.Int32, b[33:33+4*len(xs)])
		if err != nil {
			t.Fatal(err)
		}
		if err := pool.Apply(t.Context(), round.With(100), y, x); err != nil {
			t.Fatal(err)
		}
		for i, v := range xs {
			if got := int32(binary.NativeEndian.Uint32(b[33+4*i:])); got != int32(math.RoundToEven(v)) {
				t.Fatalf("element %d: %d of %v", i, got, v)
			}
		}
		for i, v := range b {
			if (i < 33 || i >= 33+4*len(xs)) && v != 0x5a {
				t.Errorf("byte %d beside the results is %#x", i, v)
			}
		}
		// From arena to arena.
		as, err := Alloc[float64](arena, 5000)
		if err != nil {
			t.Fatal(err)
		}
		bs, err := Alloc[float64](arena, 5000)
		if err != nil {
			t.Fatal(err)
		}
		copy(as, xs)
		from, err := ArrayOf(arena, "a", as)
		if err != nil {
			t.Fatal(err)
		}
		to, err := ArrayOf(arena, "b", bs)
		if err != nil {
			t.Fatal(err)
		}
		if err := pool.Apply(t.Context(), scale.With(-2), to, from); err != nil {
			t.Fatal(err)
		}
		for i, v := range bs {
			if v != -2*xs[i] {
				t.Fatalf("element %d: %v of %v", i, v, xs[i])
			}
		}
		var failed *TaskError
		if err := pool.Apply(t.Context(), round.With(2), y, x); !errors.As(err, &failed) || !strings.Contains(failed.What, "is above 2") {
			t.Errorf("%v", err)
		}
	}
}

func TestMapRefusesWhatDoesNotFit(t *testing.T) {
	pool := start(t, Workers(1))
	arena, output := newArena(t, pool, 1<<16), newArena(t, pool, 1<<16, Output())
	array := func(a *Arena, b []byte, kind kernels.Type) *Array {
		x, err := a.Array("x", kind, b)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	b := output.Allocate(1600)
	src := array(arena, arena.Allocate(800), kernels.Float64)
	for want, dst := range map[string]*Array{
		"is not for writing": array(arena, arena.Allocate(800), kernels.Float64),
		"elements of type float32, and kernel \"test.scale\" makes float64": array(output, b[:400], kernels.Float32),
		"has 99 elements, array \"x\" 100":                                  array(output, b[:792], kernels.Float64),
	} {
		if err := pool.Apply(t.Context(), scale.With(1), dst, src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	low, high := array(output, b[:800], kernels.Float64), array(output, b[792:1592], kernels.Float64)
	for _, pair := range [][2]*Array{{low, high}, {high, low}, {low, low}} {
		if err := pool.Apply(t.Context(), scale.With(1), pair[0], pair[1]); err == nil || !strings.Contains(err.Error(), "overlap") {
			t.Errorf("%v", err)
		}
	}
	if err := pool.Apply(t.Context(), scale.With(1), array(output, b[800:], kernels.Float64), low); err != nil {
		t.Error(err)
	}
	if _, err := Submit(pool, kernels.Call[struct{}]{}, nil); err == nil {
		t.Error("a call of nothing was taken")
	}
}

func TestStageKeepsTheOrderAndPullsExactlyTheBound(t *testing.T) {
	onBothPools(t, stageKeepsTheOrderAndPullsExactlyTheBound)
}

func stageKeepsTheOrderAndPullsExactlyTheBound(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2), ChunkBytes(1))
	for _, bound := range []int{1, 3} {
		pulled := 0
		// Batches of many sizes, none and ones that need more room among them.
		size := func(n int) int { return []int{10, 0, 5000, 1, 70000, 20, 100000}[n%7] }
		batches := func(yield func([]float64) bool) {
			for n := 0; ; n++ {
				pulled++
				batch := make([]float64, size(n))
				for i := range batch {
					batch[i] = float64(n + i%1000)
				}
				if n == 9 {
					batch[4000] = 1e6 // which the kernel refuses
				}
				if !yield(batch) {
					return
				}
				clear(batch) // it is copied
			}
		}
		n := 0
		for out, err := range Stage(t.Context(), pool, round, 100000, batches, InFlight(bound)) {
			var refused *TaskError
			switch {
			case n == 9:
				if !errors.As(err, &refused) {
					t.Fatalf("batch 9: %v", err)
				}
			case err != nil || len(out) != size(n):
				t.Fatalf("batch %d: %d results, %v", n, len(out), err)
			}
			for i, v := range out {
				if v != int32(n+i%1000) {
					t.Fatalf("batch %d, element %d: %d", n, i, v)
				}
			}
			if pulled != n+bound {
				t.Fatalf("with %d taken, %d were pulled, bound %d", n, pulled, bound)
			}
			if n++; n == 30 {
				break
			}
		}
	}
	n := 0
	for out, err := range Stage(t.Context(), pool, scale, 3, slices.Values([][]float64{{1}, {2, 3}, nil, {4}})) {
		if err != nil || len(out) > 0 && out[0] != []float64{3, 6, 0, 12}[n] {
			t.Errorf("batch %d: %v, %v", n, out, err)
		}
		n++
	}
	if n != 4 {
		t.Errorf("%d batches of 4", n)
	}
}

var (
	lag = kernels.NewMap("test.lag", func(dst, src []float64, _ struct{}) error {
		first := src[0]
		if first < 0 {
			lagging <- true
			defer close(lagging)
		}
		dst[0] = first
		return nil
	})
	lagging chan bool
)

// A goroutine that was given up goes on: in memory that is no longer anybody's.
func TestInProcessStageIsNotSpoiltByATaskThatWasGivenUp(t *testing.T) {
	defer func(l engine.Limits) { engine.DefaultLimits = l }(engine.DefaultLimits)
	engine.DefaultLimits.Reap = 100 * time.Millisecond
	lagging = make(chan bool)
	pool := start(t, InProcess(), Workers(1))
	n := 0
	for out, err := range Stage(t.Context(), pool, lag, struct{}{}, slices.Values([][]float64{{-1}, {1}}), InFlight(1), Deadline(time.Second)) {
		switch n {
		case 0:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		case 1:
			<-lagging
			<-lagging // it has written
			if err != nil || out[0] != 1 {
				t.Errorf("%v, %v", out, err)
			}
		}
		n++
	}
}

func TestStageEndsWithItsContext(t *testing.T) {
	pool := start(t, Workers(1))
	call, _ := held(t)
	busy := submit(t, pool, call)
	await(t, busy, Running)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
	var last error
	for _, err := range Stage(ctx, pool, scale, 3, slices.Values([][]float64{{1}, {2}, {3}})) {
		last = err
	}
	if last != enough {
		t.Errorf("%v", last)
	}
}
