package kernels

import (
	"math"
	"testing"
)

// apply runs a float64 kernel on every tuple of operands.
func apply(t *testing.T, name string, operands ...[]float64) []float64 {
	t.Helper()
	in := make([]Type, len(operands))
	raw := make([][]byte, len(operands))
	n := len(operands[0])
	for i, o := range operands {
		in[i] = Float64
		raw[i] = make([]byte, 8*n)
		for e, f := range o {
			put(raw[i], Float64, e, math.Float64bits(f))
		}
	}
	k, ok := LookupElementwise(name, in...)
	if !ok {
		t.Fatal("no " + name)
	}
	dst := make([]byte, 8*n)
	a, b, c := three(raw)
	k.Run(dst, a, b, c)
	return view[float64](dst)
}

// pairs returns every pair of these.
func pairs(all []float64) (x, y []float64) {
	for _, a := range all {
		for _, b := range all {
			x, y = append(x, a), append(y, b)
		}
	}
	return x, y
}

// alike tells whether results are the same zero, infinity or NaN, or within
// 2^-46 of each other, which is more than package math is off.
func alike(got, want float64) bool {
	if want != want {
		return math.Float64bits(got) == 0x7ff8000000000000
	}
	return got == want && math.Signbit(got) == math.Signbit(want) || math.Abs(got-want) <= 0x1p-46*math.Abs(want)
}

// Zeros, infinities, NaN, whole and odd exponents, and all else at which C99
// says what comes out, as package math does.
func TestSpecialCasesOfPowers(t *testing.T) {
	var all []float64
	for _, f := range []float64{0, 1, 0.5, 2, 3, 4, 2.5, 100, 0x1p52 + 0.5, 0x1p52 + 1, 0x1p53, 0x1p65, 1e300, 0x1p-1074, 0x1p-1022,
		math.MaxFloat64, 1 - 0x1p-53, 1 + 0x1p-52, math.Inf(1), math.NaN()} {
		all = append(all, f, -f)
	}
	x, y := pairs(all)
	onTiers(t, func(t *testing.T) {
		for name, f := range map[string]func(x, y float64) float64{"power": math.Pow, "hypot": math.Hypot} {
			for i, got := range apply(t, name, x, y) {
				// Package math is a long way off where x is about 1 and y is huge.
				if math.Abs(math.Abs(x[i])-1) < 0x1p-50 && math.Abs(y[i]) > 0x1p40 && math.Abs(y[i]) < 0x1p60 {
					continue
				}
				if want := f(x[i], y[i]); !alike(got, want) {
					t.Errorf("%s(%v, %v) = %v, want %v", name, x[i], y[i], got, want)
				}
			}
		}
		for name, f := range map[string]func(x float64) float64{"cbrt": math.Cbrt, "erf": math.Erf} {
			for i, got := range apply(t, name, all) {
				if want := f(all[i]); !alike(got, want) {
					t.Errorf("%s(%v) = %v, want %v", name, all[i], got, want)
				}
			}
		}
	})
}

// Quotients round down and remainders have the sign of the divisor, zeros,
// too.
func TestFlooredDivision(t *testing.T) {
	zero, inf, nan := math.Copysign(0, -1), math.Inf(1), math.NaN()
	for _, c := range []struct{ x, y, quotient, remainder float64 }{
		{7, 2, 3, 1}, {-7, 2, -4, 1}, {7, -2, -4, -1}, {-7, -2, 3, -1},
		{6, 3, 2, 0}, {-6, 3, -2, 0}, {6, -3, -2, zero}, {-6, -3, 2, zero},
		{0, 1, 0, 0}, {zero, 1, zero, 0}, {0, -1, zero, zero}, {zero, -1, 0, zero},
		// The quotient rounds to one more than the true one.
		{1, 0.1, 9, math.Mod(1, 0.1)}, {-1e-20, 1, -1, 1}, {0x1p-1074, -1, -1, -1},
		{1, inf, 0, 1}, {-1, inf, -1, inf}, {1, -inf, -1, -inf}, {-1, -inf, 0, -1}, {0, inf, 0, 0},
		{1, 0, inf, nan}, {-1, 0, -inf, nan}, {1, zero, -inf, nan}, {inf, 0, inf, nan}, {0, 0, nan, nan},
		{inf, 1, nan, nan}, {-inf, 2, nan, nan}, {inf, inf, nan, nan}, {nan, 1, nan, nan}, {1, nan, nan, nan},
		{1e300, 3, 1e300 / 3, math.Mod(1e300, 3)}, {0x1p53, 3, (0x1p53 - 2) / 3, 2}, {math.MaxFloat64, 0x1p-1074, inf, 0},
	} {
		onTiers(t, func(t *testing.T) {
			x, y := make([]float64, 17), make([]float64, 17)
			for i := range x {
				x[i], y[i] = c.x, c.y
			}
			for name, want := range map[string]float64{"floor_divide": c.quotient, "remainder": c.remainder} {
				for _, got := range apply(t, name, x, y) {
					if got != want && want == want || math.Signbit(got) != math.Signbit(want) && want == want || want != want && got == got {
						t.Fatalf("%s(%v, %v) = %v, want %v", name, c.x, c.y, got, want)
					}
				}
			}
		})
	}
}
