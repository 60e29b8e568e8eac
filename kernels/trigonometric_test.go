package kernels

import (
	"math"
	"slices"
	"testing"
)

// applyToOne returns a kernel's result for one element of float64 operands,
// repeated to whole vectors, so that every tier's own code computes it.
func applyToOne(t *testing.T, name string, operands ...float64) float64 {
	t.Helper()
	repeated := make([][]float64, len(operands))
	for i, x := range operands {
		repeated[i] = slices.Repeat([]float64{x}, 16)
	}
	return apply(t, name, repeated...)[0]
}

func TestTrigonometricSpecialCases(t *testing.T) {
	zero, minus := 0.0, math.Copysign(0, -1)
	inf, nan := math.Inf(1), math.Float64frombits(0x7ff8000000000000)
	const tiny = math.SmallestNonzeroFloat64
	onTiers(t, func(t *testing.T) {
		check := func(name string, want float64, operands ...float64) {
			if got := applyToOne(t, name, operands...); math.Float64bits(got) != math.Float64bits(want) {
				t.Errorf("%s%v = %v, want %v", name, operands, got, want)
			}
		}
		for _, name := range []string{"sin", "tan", "arcsin", "arctan"} {
			for _, x := range []float64{zero, tiny, 0x1p-1022, 0x1.fp-1000} {
				check(name, x, x)
				check(name, -x, -x)
			}
			check(name, minus, minus)
		}
		for _, x := range []float64{inf, -inf, nan, -nan} {
			for _, name := range []string{"sin", "cos", "tan", "arcsin", "arccos"} {
				check(name, nan, x)
			}
		}
		check("cos", 1, zero)
		check("cos", 1, minus)
		check("cos", 1, tiny)
		for _, x := range []float64{1 + 0x1p-52, -1 - 0x1p-52, 2, 1e300} {
			check("arcsin", nan, x)
			check("arccos", nan, x)
		}
		check("arccos", zero, 1)
		check("arccos", math.Pi, -1)
		check("arccos", math.Pi/2, zero)
		check("arcsin", math.Pi/2, 1)
		check("arcsin", -math.Pi/2, -1)
		check("arctan", math.Pi/2, inf)
		check("arctan", -math.Pi/2, -inf)
		check("arctan", math.Pi/2, math.MaxFloat64)
		check("arctan", nan, nan)
		// The float64 nearest to a multiple of pi/2: Muller, Elementary Functions.
		hard := math.Ldexp(6381956970095103, 797)
		check("cos", -4.687165924254628e-19, hard)
		check("sin", 1, hard)
		// Where what is left of the angle has a tail that is no small part of it.
		check("tan", -0x1.d9574aacb301cp+55, -0x1.065c829d6873p+39)
		check("tan", -1.2246467991473532e-16, math.Pi)

		const quarter, threeQuarters = math.Pi / 4, 3 * math.Pi / 4
		for _, s := range []float64{1, -1} {
			for _, c := range []struct{ y, x, want float64 }{
				{zero, zero, zero}, {zero, minus, math.Pi}, {zero, 1, zero}, {zero, -1, math.Pi},
				{zero, tiny, zero}, {zero, -math.MaxFloat64, math.Pi}, {1, zero, math.Pi / 2}, {tiny, minus, math.Pi / 2},
				{zero, inf, zero}, {zero, -inf, math.Pi}, {1, inf, zero}, {1, -inf, math.Pi},
				{inf, 1, math.Pi / 2}, {inf, -1, math.Pi / 2}, {inf, math.MaxFloat64, math.Pi / 2},
				{inf, inf, quarter}, {inf, -inf, threeQuarters}, {1, 1, quarter}, {1, -1, threeQuarters},
				{math.MaxFloat64, math.MaxFloat64, quarter}, {tiny, -tiny, threeQuarters},
				{tiny, 1, tiny}, {tiny, 0.5, 2 * tiny}, {tiny, math.MaxFloat64, zero}, {tiny, -1, math.Pi},
				{math.MaxFloat64, tiny, math.Pi / 2}, {3 * 0x1p-1050, 0x1p-10, 3 * 0x1p-1040},
			} {
				check("arctan2", math.Copysign(c.want, s), math.Copysign(c.y, s), c.x)
			}
		}
		for _, x := range []float64{zero, 1, inf, -inf, tiny, math.MaxFloat64, nan} {
			check("arctan2", nan, nan, x)
			check("arctan2", nan, x, nan)
		}
	})
}

// Package math is right to about a unit in the last place.
func TestTrigonometricNearPackageMath(t *testing.T) {
	functions := map[string]func(float64) float64{
		"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "arcsin": math.Asin, "arctan": math.Atan,
		// math.Acos is not near 0.
		"arccos": func(x float64) float64 { return 2 * math.Atan2(math.Sqrt(1-x), math.Sqrt(1+x)) },
	}
	for name, f := range functions {
		for i := -1000; i <= 1000; i++ {
			x := float64(i) / 1000
			switch name {
			case "sin", "cos", "tan":
				x *= 700
			case "arctan":
				x = math.Sinh(9 * x)
			}
			if got, want := applyToOne(t, name, x), f(x); math.Abs(got-want) > 0x1p-51*math.Abs(want) {
				t.Errorf("%s(%v) = %v, want %v", name, x, got, want)
			}
		}
	}
	for i := range 1000 {
		sin, cos := math.Sincos(float64(i))
		sin, cos = math.Ldexp(sin, i-500), math.Ldexp(cos, i-500)
		if got, want := applyToOne(t, "arctan2", sin, cos), math.Atan2(sin, cos); math.Abs(got-want) > 0x1p-51*math.Abs(want) {
			t.Errorf("arctan2(%v, %v) = %v, want %v", sin, cos, got, want)
		}
	}
}
