package supervisor

import (
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

type faultAt struct {
	At   float64
	What fault
}

// negate does what it should not at one element, which begins a chunk.
var negate = kernels.NewMap("test.negate", func(dst, src []float64, p faultAt) error {
	if src[0] == p.At {
		if _, err := p.What.happen(); err != nil {
			return err
		}
	}
	for i, v := range src {
		dst[i] = -v
	}
	return nil
})

// A map that misbehaves in its first, a middle or its last chunk ends with the same
// errors as a task, and the pool and the arena are as good as before.
func TestMisbehavingMapFailsAloneAndThePoolLives(t *testing.T) {
	const chunks = 9
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := start(t, Workers(2), ChunkBytes(1), MemoryLimit(200<<20))
			arena := newArena(t, pool, 1<<20, Output())
			var arrays [2]*Array
			var elements [2][]float64
			for i := range arrays {
				xs, err := Alloc[float64](arena, chunks*kernels.BlockLen)
				if err != nil {
					t.Fatal(err)
				}
				if arrays[i], err = ArrayOf(arena, "x", xs); err != nil {
					t.Fatal(err)
				}
				elements[i] = xs
			}
			dst, src := elements[0], elements[1]
			for i := range src {
				src[i] = float64(i)
			}
			call := negate.With(faultAt{-1, c.fault}) // which is nowhere
			for _, bad := range []int{0, chunks / 2, chunks - 1} {
				at := faultAt{float64(bad * kernels.BlockLen), c.fault}
				err := pool.Apply(t.Context(), negate.With(at), arrays[0], arrays[1], c.opts...)
				if !c.check(err) {
					t.Errorf("in chunk %d: %v", bad, err)
				}
				clear(dst)
				if err := pool.Apply(t.Context(), call, arrays[0], arrays[1]); err != nil {
					t.Errorf("after chunk %d: %v", bad, err)
				}
				for i, v := range dst {
					if v != -float64(i) {
						t.Fatalf("after chunk %d, element %d: %v", bad, i, v)
					}
				}
			}
		})
	}
}

func TestSubmitAfterCloseIsRefused(t *testing.T) {
	onBothPools(t, func(t *testing.T, start func(...Option) *Pool) {
		pool := start(Workers(1))
		done := submit(t, pool, square.With(2))
		pool.Close()
		if _, err := Submit(pool, square.With(1), nil); err != ErrClosed {
			t.Errorf("%v", err)
		}
		result(t, done, 4) // what was submitted before is there
		if err := pool.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
	})
}
