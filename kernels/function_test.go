package kernels

import (
	"encoding/binary"
	"math"
	"testing"
)

// Functions at zeros, poles, infinities and outside of their domain.
func TestFunctionsAtSpecialPlaces(t *testing.T) {
	inf, nan, zero := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	cases := map[string][][2]float64{
		"exp":     {{-inf, 0}, {inf, inf}, {0, 1}, {zero, 1}, {710, inf}, {-746, 0}, {-745, 0x1p-1074}},
		"exp2":    {{-inf, 0}, {inf, inf}, {0, 1}, {zero, 1}, {10, 1024}, {1024, inf}, {-1074, 0x1p-1074}, {-1076, 0}},
		"expm1":   {{-inf, -1}, {inf, inf}, {0, 0}, {zero, zero}, {0x1p-1074, 0x1p-1074}, {710, inf}, {-100, -1}},
		"sinh":    {{-inf, -inf}, {inf, inf}, {0, 0}, {zero, zero}, {-711, -inf}, {0x1p-1074, 0x1p-1074}},
		"cosh":    {{-inf, inf}, {inf, inf}, {0, 1}, {zero, 1}, {-711, inf}},
		"tanh":    {{-inf, -1}, {inf, 1}, {0, 0}, {zero, zero}, {-30, -1}, {0x1p-1074, 0x1p-1074}},
		"log":     {{0, -inf}, {zero, -inf}, {1, 0}, {inf, inf}, {-1, nan}, {-inf, nan}, {-0x1p-1074, nan}},
		"log2":    {{0, -inf}, {zero, -inf}, {1, 0}, {inf, inf}, {-1, nan}, {-inf, nan}, {0x1p-1074, -1074}, {1024, 10}},
		"log10":   {{0, -inf}, {zero, -inf}, {1, 0}, {inf, inf}, {-1, nan}, {-inf, nan}, {1000, 3}, {1e22, 22}},
		"log1p":   {{-1, -inf}, {0, 0}, {zero, zero}, {inf, inf}, {-2, nan}, {-inf, nan}, {0x1p-1074, 0x1p-1074}},
		"arcsinh": {{-inf, -inf}, {inf, inf}, {0, 0}, {zero, zero}, {0x1p-1074, 0x1p-1074}},
		"arccosh": {{1, 0}, {inf, inf}, {0.5, nan}, {zero, nan}, {-inf, nan}},
		"arctanh": {{1, inf}, {-1, -inf}, {0, 0}, {zero, zero}, {2, nan}, {-inf, nan}, {0x1p-1074, 0x1p-1074}},
	}
	onTiers(t, func(t *testing.T) {
		for name, pairs := range cases {
			k, ok := LookupElementwise(name, Float64)
			if !ok {
				t.Errorf("no %s", name)
				continue
			}
			pairs = append(pairs, [2]float64{nan, nan}, [2]float64{math.Copysign(nan, -1), nan})
			// Every pair by itself, for the tail, and in a whole vector.
			for _, p := range pairs {
				for _, n := range []int{1, 8} {
					in, out := make([]byte, 8*n), make([]byte, 8*n)
					for i := range n {
						put(in, Float64, i, math.Float64bits(p[0]))
					}
					k.Run(out, in, nil, nil)
					want := math.Float64bits(p[1])
					if p[1] != p[1] {
						want = 0x7ff8000000000000
					}
					if got := binary.NativeEndian.Uint64(out[8*n-8:]); got != want {
						t.Errorf("%s(%v) = %v, want %v", name, p[0], math.Float64frombits(got), p[1])
					}
				}
			}
		}
	})
}
