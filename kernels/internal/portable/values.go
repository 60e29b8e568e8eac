package portable

import "math"

// repeat returns a mask for indices of an operand of m elements where there
// are n results: 0 makes one element serve them all.
func repeat(n, m int) int {
	if m == 1 {
		return 0
	}
	if m < n {
		panic("kernels: operand shorter than the result")
	}
	return -1
}

func toBool(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// less returns a where a < b, else b.
func less[T float32 | float64](a, b T) T {
	if a < b {
		return a
	}
	return b
}

// greater returns a where a > b, else b.
func greater[T float32 | float64](a, b T) T {
	if a > b {
		return a
	}
	return b
}

// Going by way of float64 changes no bit of these.
func sqrt32(x float32) float32  { return float32(math.Sqrt(float64(x))) }
func floor32(x float32) float32 { return float32(math.Floor(float64(x))) }
func ceil32(x float32) float32  { return float32(math.Ceil(float64(x))) }
func trunc32(x float32) float32 { return float32(math.Trunc(float64(x))) }
func rint32(x float32) float32  { return float32(math.RoundToEven(float64(x))) }

// fma32 returns a*b+c rounded once. The product is exact in float64; the sum is
// rounded to odd there, so that the second rounding sees on which side of a tie
// the exact sum lies (Boldo and Melquiond 2008).
func fma32(a, b, c float32) float32 {
	p := float64(a) * float64(b)
	z := float64(c)
	s := p + z
	if s-s != 0 {
		return float32(s)
	}
	t := s - p
	e := (p - (s - t)) + (z - t)
	if bits := math.Float64bits(s); e != 0 && bits&1 == 0 {
		if (e > 0) == (s > 0) {
			s = math.Float64frombits(bits + 1)
		} else {
			s = math.Float64frombits(bits - 1)
		}
	}
	return float32(s)
}

// ldexp returns a * 2^k in two steps of which the first is exact, for integral
// |k| <= 2000 and an a that is not far from 1, 0, infinite or NaN.
func ldexp(a, k float64) float64 {
	const magic = 0x1.8p52 + 1023 // leaves a biased exponent in the low bits
	half := math.RoundToEven(float64(k * 0.5))
	rest := float64(k - half)
	a = float64(a * math.Float64frombits(math.Float64bits(float64(half+magic))<<52))
	return float64(a * math.Float64frombits(math.Float64bits(float64(rest+magic))<<52))
}

// exponent and significand take a positive finite float apart, see ir.Exponent.
func exponent(x float64) float64 {
	_, k := normal(x)
	return k
}

func significand(x float64) float64 {
	bits, _ := normal(x)
	return math.Float64frombits(bits&(1<<52-1) | 1023<<52)
}

// normal is the bits of x, scaled where it is subnormal, and its exponent.
func normal(x float64) (bits uint64, exponent float64) {
	bias := 1023
	if x < 0x1p-1022 {
		x, bias = float64(x*0x1p54), 1023+54
	}
	bits = math.Float64bits(x)
	return bits, float64(int(bits>>52) - bias)
}
