package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestSumsOfNarrowIntegersAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 5))
	onTiers(t, func(t *testing.T) {
		var f blockFold
		for _, typ := range []Type{Int8, Uint8, Int16, Uint16} {
			lo, hi := uint64(0), uint64(1)<<(8*typ.Size())-1
			if typ.IsSigned() {
				lo, hi = hi/2+1, hi/2
			}
			for name, element := range map[string]func() uint64{"any": r.Uint64, "least": func() uint64 { return lo }, "greatest": func() uint64 { return hi }} {
				for _, n := range []int{1, 3, 8, 9, 31, 127, 128, 129, 1000, BlockLen - 1, BlockLen} {
					block := make([]byte, n*typ.Size())
					want := narrowSums{count: int64(n), least: math.MaxInt64, most: math.MinInt64}
					magnitudes := int64(0)
					for i := range n {
						put(block, typ, i, element())
						v := int64(integerElement(block, typ, i))
						want.sum += v
						want.squares += v * v
						want.least, want.most = min(want.least, v), max(want.most, v)
						magnitudes += max(v, -v)
					}
					got := f.narrow(typ, block)
					if got != want {
						t.Errorf("%d of %v, %s: %+v, want %+v", n, typ, name, got, want)
					}
					if m := f.magnitudes(typ, block, got); m != magnitudes {
						t.Errorf("%d of %v, %s: magnitudes %d, want %d", n, typ, name, m, magnitudes)
					}
				}
			}
		}
	})
}
