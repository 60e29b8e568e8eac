package kernels

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortedKeysAscend(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for n := range 300 {
		for _, mask := range []uint64{0, 3, 1 << 63, 0xffe00, 0xfff0_0000_0000_0000, 1<<64 - 1} {
			keys := make([]uint64, n)
			for i := range keys {
				keys[i] = r.Uint64() & mask
			}
			want := slices.Sorted(slices.Values(keys))
			if sortKeys(keys); !slices.Equal(keys, want) {
				t.Fatalf("%d keys of %x: %x, want %x", n, mask, keys, want)
			}
		}
	}
}

func BenchmarkSortKeys(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	from := make([]uint64, 1<<18)
	for i := range from {
		from[i] = keyOfFloat(r.NormFloat64())
	}
	keys := make([]uint64, len(from))
	for name, sort := range map[string]func([]uint64){"by digits": sortKeys, "by comparing": slices.Sort[[]uint64]} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				copy(keys, from)
				sort(keys)
			}
		})
	}
}
