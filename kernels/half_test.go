package kernels

import (
	"math"
	"testing"
)

// run1 runs a cast over the bits of elements.
func run1(t *testing.T, from, to Type, elements []uint64) []uint64 {
	t.Helper()
	k, ok := LookupCast("cast", from, to)
	if !ok {
		t.Fatalf("no cast from %v to %v", from, to)
	}
	src, dst := make([]byte, len(elements)*from.Size()), make([]byte, len(elements)*to.Size())
	for i, bits := range elements {
		put(src, from, i, bits)
	}
	k.Run(dst, src, nil, nil)
	out := make([]uint64, len(elements))
	for i := range out {
		out[i] = get(dst, to, i)
	}
	return out
}

// All 65,536 bits of each 16-bit type go to float32 and back; between any two
// neighbours the middle and what lies next to it round to the right one.
func TestEvery16BitFloatConverts(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for _, half := range []Type{Float16, BFloat16} {
			all := make([]uint64, 1<<16)
			for i := range all {
				all[i] = uint64(i)
			}
			wide := run1(t, half, Float32, all)
			back := run1(t, Float32, half, wide)
			for i, bits := range wide {
				f := floatOf(half, uint64(i))
				if bits != bitsOf(Float32, f) {
					t.Fatalf("%v %#x is %#x, want %v", half, i, bits, f)
				}
				if want := uint64(i); f == f && back[i] != want || f != f && back[i] != bitsOf(half, f) {
					t.Fatalf("%v %#x comes back as %#x", half, i, back[i])
				}
			}
			var between, between64, want []uint64
			for i := range 1<<15 - 1 {
				low, high := floatOf(half, uint64(i)), floatOf(half, uint64(i+1))
				if low != low || high != high || math.IsInf(low, 0) {
					continue
				}
				if math.IsInf(high, 1) {
					high = low + (low - floatOf(half, uint64(i-1))) // where it would be
				}
				middle := float32((low + high) / 2)
				even := i + i&1
				below, above := math.Nextafter32(middle, 0), math.Nextafter32(middle, float32(math.Inf(1)))
				for sign := uint64(0); sign < 2; sign++ {
					for _, f := range []float64{math.Nextafter((low+high)/2, 0), (low + high) / 2, math.Nextafter((low+high)/2, math.Inf(1))} {
						between64 = append(between64, math.Float64bits(f)|sign<<63)
					}
					between = append(between, uint64(math.Float32bits(below))|sign<<31, uint64(math.Float32bits(middle))|sign<<31, uint64(math.Float32bits(above))|sign<<31)
					want = append(want, uint64(i)|sign<<15, uint64(even)|sign<<15, uint64(i+1)|sign<<15)
				}
			}
			for i, got := range run1(t, Float32, half, between) {
				if got != want[i] {
					t.Fatalf("%v next to %#x is %#x, want %#x", half, between[i], got, want[i])
				}
			}
			for i, got := range run1(t, Float64, half, between64) {
				if f := math.Float64frombits(between64[i]); got != want[i] || half.FloatBits(f) != got {
					t.Fatalf("%v next to %v is %#x, by FloatBits %#x, want %#x", half, f, got, half.FloatBits(f), want[i])
				}
			}
		}
	})
}
