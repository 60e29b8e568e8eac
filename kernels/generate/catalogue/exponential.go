package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// exponential is the exponential function in its forms. All reduce the argument
// by a multiple of log(2), kept in two parts (Cody and Waite, Software Manual
// for the Elementary Functions, 1980), to where a polynomial serves, and add the
// terms by size with the rounding errors of the large ones (Muller et al.,
// Handbook of Floating-Point Arithmetic). Coefficients are from
// coefficients/exponential.sollya.
func exponential() []*ir.Kernel {
	return join(
		throughFloat64("exp", exp),
		throughFloat64("exp2", exp2),
		throughFloat64("expm1", expm1),
	)
}

// clamp bounds x and lets NaN through.
func clamp(x ir.V, least, most float64) ir.V {
	return x.C(most).Min(x.C(least).Max(x))
}

// reduce is x = k*log(2) + r + tail, |r| <= 0.3466, for |x| < 1500. The first
// difference is exact: it is small, and a multiple of the last bit of log(2).
func reduce(x ir.V) (k, r, tail ir.V) {
	k = x.FMA(x.C(0x1.71547652b82fep0), x.C(magic)).Sub(x.C(magic))
	first := k.FNMA(x.C(0x1.62e42fefa39efp-1), x)
	low := x.C(0x1.abc9e3b39803fp-56)
	r = k.FNMA(low, first)
	return k, r, k.FNMA(low, first.Sub(r))
}

// expCubic is (exp(r) - 1 - r - r^2/2) / r^3. With it (exp(r) - 1 - r) / r^2 on
// [-0.3466, 0.3466] is within 2^-59.
func expCubic(r, squared ir.V) ir.V {
	return halves(r, squared, 0x1.1f86f0b035526p-29, 0x1.af4ecab92d52fp-26, 0x1.27e4cfaf0e60fp-22, 0x1.71de01acf7607p-19,
		0x1.a01a01ab9882bp-16, 0x1.a01a01ac1de81p-13, 0x1.6c16c16c156a5p-10, 0x1.1111111110051p-7, 0x1.5555555555557p-5,
		0x1.5555555555557p-3)
}

// exp is 2^k * (1 + r + r^2*(1/2 + r*q(r))).
func exp(b *ir.B, x ir.V) ir.V {
	// Beyond these bounds the result is 0 or infinite.
	k, r, _ := reduce(clamp(x, -750, 750))
	squared := r.Mul(r)
	sum, tail := fastTwoSum(x.C(1), r)
	return canonical(b, sum.Add(expCubic(r, squared).FMA(r, x.C(.5)).FMA(squared, tail)).Ldexp(k))
}

// exp2 is exp with a reduction that is exact; r*log(2) takes two parts instead.
func exp2(b *ir.B, x ir.V) ir.V {
	x = clamp(x, -1100, 1100)
	k := x.Rint()
	r := x.Sub(k)
	squared := r.Mul(r)
	// (2^r - 1 - r*log(2)) / r^2 on [-0.5, 0.5] within 2^-56.
	q := halves(r, squared, 0x1.b4c524916724cp-36, 0x1.e9d6ab83bf9a7p-32, 0x1.e4d9fa5b16091p-28, 0x1.b524f9436b5ebp-24,
		0x1.62c01f87f3f38p-20, 0x1.ffcbfc67be6cep-17, 0x1.430912f90475dp-13, 0x1.5d87fe78a509fp-10, 0x1.3b2ab6fba4cc3p-7,
		0x1.c6b08d704a0c2p-5, 0x1.ebfbdff82c58fp-3)
	head, low := twoProduct(r, x.C(0x1.62e42fefa39efp-1))
	low = r.FMA(x.C(0x1.abc9e3b39803fp-56), low)
	sum, tail := fastTwoSum(x.C(1), head)
	return canonical(b, sum.Add(q.FMA(squared, low.Add(tail))).Ldexp(k))
}

// expMinusOne is exp(r + tail) - 1 in two parts: high is r + r^2/2 rounded, low
// what that leaves, exactly, and the terms from r^3.
func expMinusOne(r, tail ir.V) (high, low ir.V) {
	squared := r.Mul(r)
	half := r.Mul(r.C(.5))
	high = half.FMA(r, r)
	low = half.FMA(r, r.Sub(high)).Add(tail)
	return high, expCubic(r, squared).FMA(squared.Mul(r), low)
}

// expm1 is 2^k * ((1 - 2^-k) + (exp(r) - 1)).
func expm1(b *ir.B, x ir.V) ir.V {
	// Below -40 the result rounds to -1.
	k, r, tail := reduce(clamp(x, -40, 750))
	high, low := expMinusOne(r, tail)
	// 2^-100 is as good as less.
	one, oneTail := twoSum(x.C(1), x.C(0).Sub(negativePower(x.C(100).Min(k))))
	// one is 0 or more than high.
	sum, sumTail := fastTwoSum(one, high)
	return canonical(b, withSign(b, sum.Add(low.Add(oneTail).Add(sumTail)).Ldexp(k), x))
}
