package supervisor

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
)

// Arrow's memory.Allocator, by shape.
var _ interface {
	Allocate(size int) []byte
	Reallocate(size int, b []byte) []byte
	Free(b []byte)
} = (*Arena)(nil)

func newArena(t *testing.T, p *Pool, size int, opts ...ArenaOption) *Arena {
	t.Helper()
	a, err := p.Arena(size, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func TestWorkersComputeOnAnArena(t *testing.T) { onBothPools(t, workersComputeOnAnArena) }

func workersComputeOnAnArena(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2), ChunkBytes(1<<15))
	arena := newArena(t, pool, 4<<20)
	for round := range 3 { // the same memory again, with other numbers
		xs, err := Alloc[float64](arena, 100000)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for i := range xs {
			xs[i] = float64(i % (100 + round))
			want += xs[i]
		}
		x, err := ArrayOf(arena, "xs", xs)
		if err != nil {
			t.Fatal(err)
		}
		s, err := pool.Stat(t.Context(), x)
		if err != nil || s.Sum().Float64() != want || s.Count() != 100000 {
			t.Errorf("%v of %d, %v, want %v", s.Sum(), s.Count(), err, want)
		}
		part, err := ArrayOf(arena, "part", xs[10:20])
		if err != nil {
			t.Fatal(err)
		}
		f, err := Submit(pool, plain.With(1), part)
		if err != nil {
			t.Fatal(err)
		}
		result(t, f, 10+145)
		arena.Free(shm.Bytes(xs[:cap(xs)]))
	}
	none, err := ArrayOf(arena, "none", []float64{})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := pool.Stat(t.Context(), none); err != nil || s.Count() != 0 {
		t.Errorf("%v, %v", s.Count(), err)
	}
}

func TestArenaRefusesWhatIsNotInIt(t *testing.T) {
	pool := start(t, Workers(1), InProcess())
	arena, other := newArena(t, pool, 1<<12), newArena(t, pool, 1<<12)
	elsewhere, err := Alloc[float64](other, 8)
	if err != nil {
		t.Fatal(err)
	}
	for name, xs := range map[string][]float64{"heap": make([]float64, 8), "another arena": elsewhere} {
		if _, err := ArrayOf(arena, "x", xs); err == nil || !strings.Contains(err.Error(), "do not lie in the arena") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := arena.Array("x", kernels.Float64, arena.Allocate(7)); err == nil {
		t.Error("seven bytes were taken for float64")
	}
	for name, b := range map[string][]byte{"heap": make([]byte, 64), "a part": arena.Allocate(128)[64:]} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was freed", name)
				}
			}()
			arena.Free(b)
		}()
	}
	if _, err := pool.Arena(0); err == nil {
		t.Error("an arena of nothing was made")
	}
	if _, err := start(t, Workers(1)).Arena(math.MaxInt - 100); err == nil {
		t.Error("an arena larger than any memory was made")
	}
}

func TestArenaFillsAndEmpties(t *testing.T) {
	const size = 1 << 16
	arena := newArena(t, start(t, Workers(1), InProcess()), size-1)
	r := rand.New(rand.NewPCG(1, 9))
	type held struct {
		b    []byte
		mark byte
	}
	var all []held
	for i := range 20000 {
		if len(all) > 0 && r.IntN(2) == 0 {
			k := r.IntN(len(all))
			h := all[k]
			for _, v := range h.b {
				if v != h.mark {
					t.Fatalf("%d: %d where %d was written", i, v, h.mark)
				}
			}
			if r.IntN(3) == 0 {
				n := min(len(h.b), 1+r.IntN(300))
				all[k].b = arena.Reallocate(n, h.b)
				continue
			}
			arena.Free(h.b)
			all[k] = all[len(all)-1]
			all = all[:len(all)-1]
			continue
		}
		b, err := arena.allocate(r.IntN(1000))
		var full *ArenaFullError
		if errors.As(err, &full) {
			if len(all) < 10 {
				t.Fatalf("%v with %d allocations", err, len(all))
			}
			continue
		}
		mark := byte(i)
		for j := range b {
			if b[j] != 0 {
				t.Fatal("memory is not zeroed")
			}
			b[j] = mark
		}
		all = append(all, held{b, mark})
	}
	for _, h := range all {
		arena.Free(h.b)
	}
	if b := arena.Allocate(size); len(b) != size {
		t.Errorf("%d bytes", len(b))
	}
	if _, err := Alloc[float32](arena, 1); err == nil || err.Error() != "an arena of 65536 bytes has no room for 4: the largest gap has 0 bytes; free something, or make it larger" {
		t.Errorf("%v", err)
	}
}

func TestReallocatedMemoryIsZeroed(t *testing.T) {
	arena := newArena(t, start(t, Workers(1), InProcess()), 1<<12)
	b := arena.Allocate(40)
	for i := range b {
		b[i] = 7
	}
	b = arena.Reallocate(60, arena.Reallocate(10, b))
	b = arena.Reallocate(200, b)
	for i, v := range b {
		if want := map[bool]byte{true: 7}[i < 10]; v != want {
			t.Errorf("byte %d is %d", i, v)
		}
	}
}
