package kernels

import "math"

// double is an unevaluated sum hi+lo of two float64, about 106 bits. It is
// normal when hi is hi+lo rounded to nearest.
type double struct{ hi, lo float64 }

// twoSum returns a+b and the rounding error of that sum, exactly (Knuth).
func twoSum(a, b float64) (sum, err float64) {
	sum = a + b
	bb := sum - a
	return sum, (a - (sum - bb)) + (b - bb)
}

// fastTwoSum is twoSum for |a| >= |b| (Dekker).
func fastTwoSum(a, b float64) (sum, err float64) {
	sum = a + b
	return sum, b - (sum - a)
}

// add returns x+y of two normal doubles, normal, with a relative error of at
// most 3*2^-106 (Joldes, Muller and Popescu 2017, algorithm 6).
func (x double) add(y double) double {
	sh, sl := twoSum(x.hi, y.hi)
	th, tl := twoSum(x.lo, y.lo)
	vh, vl := fastTwoSum(sh, sl+th)
	zh, zl := fastTwoSum(vh, tl+vl)
	return double{zh, zl}
}

// sub returns x-y, see add.
func (x double) sub(y double) double { return x.add(double{-y.hi, -y.lo}) }

// over returns x/n as a double that is good to about 100 bits.
func (x double) over(n float64) double {
	q := x.hi / n
	r := math.FMA(-q, n, x.hi)
	hi, lo := fastTwoSum(q, (r+x.lo)/n)
	return double{hi, lo}
}

// ldexp returns x times 2^e.
func (x double) ldexp(e int) double {
	return double{math.Ldexp(x.hi, e), math.Ldexp(x.lo, e)}
}
