package main

import "math"

// format is a binary floating point format. Finite numbers are below
// 2^(maxExp+1) and normal ones begin at 2^minExp.
type format struct {
	name           string
	digits         int
	minExp, maxExp int
}

var (
	binary64 = format{"float64", 53, -1022, 1023}
	binary32 = format{"float32", 24, -126, 127}
)

// tiniest is the exponent of the smallest subnormal number.
func (f format) tiniest() int { return f.minExp - f.digits + 1 }

// error returns how far a result is from the exact value, in ULP: the distance
// of neighbours in the binade of the exact value, subnormal and largest ones
// included. An infinity counts as the first number that is too large to exist
// but is right wherever rounding to nearest gives it. A wrong sign (that of
// zero too), and NaN, zero or infinity in only one of an exact special and the
// result, are infinitely far.
func (f format) error(got float64, want exact) float64 {
	switch {
	case math.IsNaN(want.hi) || math.IsNaN(got):
		return zeroIf(math.IsNaN(want.hi) && math.IsNaN(got))
	case math.Signbit(want.hi) != math.Signbit(got):
		return math.Inf(1)
	case want.hi == 0 || math.IsInf(want.hi, 0):
		return zeroIf(got == want.hi)
	}
	ulp := min(max(want.exp-1, f.minExp), f.maxExp) - f.digits + 1
	hi := math.Ldexp(math.Abs(want.hi), want.exp-ulp)
	lo := math.Ldexp(math.Copysign(1, want.hi)*want.lo, want.exp-ulp)
	if !math.IsInf(got, 0) {
		// The difference to hi is exact wherever the error is small.
		return math.Abs(math.Ldexp(math.Abs(got), -ulp) - hi - lo)
	}
	if e := math.Ldexp(1, f.maxExp+1-ulp) - hi - lo; e > 0.5 {
		return e
	}
	return 0
}

func zeroIf(right bool) float64 {
	if right {
		return 0
	}
	return math.Inf(1)
}

// round returns the number of the format nearest to x.
func (f format) round(x float64) float64 {
	if f == binary32 {
		return float64(float32(x))
	}
	return x
}

// bits returns the number of the format with these bits.
func (f format) bits(b uint64) float64 {
	if f == binary32 {
		return float64(math.Float32frombits(uint32(b)))
	}
	return math.Float64frombits(b)
}

// step returns the number n places behind the one nearest to x, an infinity
// where there are not that many. NaN stays.
func (f format) step(x float64, n int64) float64 {
	if math.IsNaN(x) {
		return x
	}
	sign, b := int64(1), int64(0)
	if math.Signbit(x) {
		sign = -1
	}
	inf := int64(f.maxExp-f.minExp+2) << (f.digits - 1)
	if f == binary32 {
		b = int64(math.Float32bits(float32(math.Abs(x))))
	} else {
		b = int64(math.Float64bits(math.Abs(x)))
	}
	if b = sign*b + n; b < 0 || b == 0 && sign < 0 {
		return -f.bits(uint64(min(-b, inf)))
	}
	return f.bits(uint64(min(b, inf)))
}
