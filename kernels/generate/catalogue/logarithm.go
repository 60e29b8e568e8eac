package catalogue

import (
	"math"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// logarithm is the logarithm to its bases. All split the argument into 2^k*m
// with m in [sqrt(1/2), sqrt(2)) and take log(m) from a polynomial in m-1
// without a division (Muller, Elementary Functions, 2016, on argument
// reduction; Handbook of Floating-Point Arithmetic on the sums). Coefficients
// are from coefficients/logarithm.sollya.
func logarithm() []*ir.Kernel {
	return join(
		throughFloat64("log", log),
		throughFloat64("log2", log2),
		throughFloat64("log10", log10),
		throughFloat64("log1p", log1p),
	)
}

// split is u = 2^k * (1 + f) with 1+f in [sqrt(1/2), sqrt(2)), for positive
// normal u; k as a float, after the bias.
func split(b *ir.B, u, bias ir.V) (k, f ir.V) {
	const (
		one  = 0x3ff0000000000000
		root = 0x3fe6a09e667f3bcd // sqrt(1/2)
	)
	i := u.Bits().IAdd(b.Int(ir.I64, one-root))
	// A small integer in the low bits of 2^52 is that much more.
	k = i.ShrI(52).Or(b.Int(ir.I64, 0x4330000000000000)).AsFloat().Sub(bias)
	m := i.And(b.Int(ir.I64, 1<<52-1)).IAdd(b.Int(ir.I64, root)).AsFloat()
	return k, m.Sub(u.C(1))
}

// splitNormal and splitAny are split for normal u and for subnormal u, too.
func splitNormal(b *ir.B, u ir.V) (k, f ir.V) { return split(b, u, u.C(exponentBias)) }

func splitAny(b *ir.B, u ir.V) (k, f ir.V) {
	small := u.Lt(u.C(0x1p-1022))
	u = small.Select(u.Mul(u.C(0x1p54)), u)
	return split(b, u, small.Select(u.C(exponentBias+54), u.C(exponentBias)))
}

const exponentBias = 0x1p52 + 1023

// logParts is log(1+f) = high + low + rest in the order of size: high is
// f - f^2/2 rounded, low what that leaves, exactly, rest the terms from f^3.
func logParts(f ir.V) (high, low, rest ir.V) {
	squared := f.Mul(f)
	half := f.Mul(f.C(.5))
	high = half.FNMA(f, f)
	low = half.FNMA(f, f.Sub(high))
	// (log(1+f) - f + f^2/2) / f^3 on [sqrt(1/2)-1, sqrt(2)-1] within 2^-55.
	q := halves(f, squared, 0x1.a38c392ebc7d7p-6, -0x1.d14598ce6216p-5, 0x1.e5f29b2b7d64dp-5, -0x1.9c6edd8e25b9p-5,
		0x1.9cacd0b642a99p-5, -0x1.c3e1a4b43d38dp-5, 0x1.e3b48d2b692ccp-5, -0x1.003ad7adb7facp-4, 0x1.110397125b4c2p-4,
		-0x1.248e225b17df7p-4, 0x1.3b142c9060697p-4, -0x1.5555801e9ba8cp-4, 0x1.745d146f7d4p-4, -0x1.9999989b9454dp-4,
		0x1.c71c71d25d4d5p-4, -0x1.000000019700ep-3, 0x1.24924924833fdp-3, -0x1.5555555553028p-3, 0x1.9999999999affp-3,
		-0x1.0000000000008p-2, 0x1.5555555555555p-2)
	return high, low, q.Mul(squared.Mul(f))
}

// logSpecials is the logarithm of u where v was computed as if u were positive
// and finite.
func logSpecials(b *ir.B, u, v ir.V) ir.V {
	v = u.Lt(u.C(math.Inf(1))).Select(v, u)
	pole := u.Eq(u.C(0)).Select(u.C(math.Inf(-1)), nan(b, ir.F64))
	return u.C(0).Lt(u).Select(v, pole)
}

// log(2) in two parts, of which the first times an exponent is exact.
const (
	ln2High = 0x1.62e42fefa38p-1
	ln2Low  = 0x1.ef35793c7673p-45
)

// log is k*log(2) + log(m).
func log(b *ir.B, x ir.V) ir.V {
	k, f := splitAny(b, x)
	high, low, rest := logParts(f)
	sum, tail := fastTwoSum(k.Mul(x.C(ln2High)), high)
	low = k.FMA(x.C(ln2Low), low.Add(tail))
	return logSpecials(b, x, sum.Add(rest.Add(low)))
}

// scaledLog is log(1+f) in two parts times a constant in two.
func scaledLog(f ir.V, c, cTail float64) (high, low ir.V) {
	head, tail, rest := logParts(f)
	head, tail = fastTwoSum(head, rest.Add(tail))
	high, low = twoProduct(head, f.C(c))
	low = tail.FMA(f.C(c), low)
	return high, head.FMA(f.C(cTail), low)
}

// log2 is k + log(m)*log2(e).
func log2(b *ir.B, x ir.V) ir.V {
	k, f := splitAny(b, x)
	high, low := scaledLog(f, 0x1.71547652b82fep0, 0x1.777d0ffda0d24p-56)
	sum, tail := fastTwoSum(k, high)
	return logSpecials(b, x, sum.Add(tail.Add(low)))
}

// log10 is k*log10(2) + log(m)*log10(e).
func log10(b *ir.B, x ir.V) ir.V {
	k, f := splitAny(b, x)
	high, low := scaledLog(f, 0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57)
	sum, tail := fastTwoSum(k.Mul(x.C(0x1.34413509f78p-2)), high)
	low = k.FMA(x.C(0x1.fef311f12b358p-46), low.Add(tail))
	return logSpecials(b, x, sum.Add(low))
}

// logOf is log(u + tail), plus shift*log(2) if there is a shift. Near 1, u + tail
// is 1 + x + xTail, of which the polynomial wants x itself.
func logOf(b *ir.B, u, tail, x, xTail ir.V, shift ...ir.V) ir.V {
	k, f := splitNormal(b, u)
	near := k.Eq(k.C(0))
	// Behind 2^100 a tail of 1 and less does not matter.
	tail = near.Select(xTail, tail.Mul(negativePower(k.C(100).Min(k))))
	f = near.Select(x, f)
	high, low, rest := logParts(f)
	for _, s := range shift {
		k = k.Add(s)
	}
	sum, sumTail := fastTwoSum(k.Mul(u.C(ln2High)), high)
	low = k.FMA(u.C(ln2Low), low.Add(sumTail))
	// The derivative 1/(1+f) within 0.061, enough for less than a unit.
	slope := horner(f, -0x1.0000000000b5p0, 0x1.0f876ccdf9ec3p0)
	return sum.Add(slope.FMA(tail, rest).Add(low))
}

// onePlus is 1+x and its rounding error, exact for -1 <= x < 2^52, where the sum
// less 1 is exact.
func onePlus(x ir.V) (sum, tail ir.V) {
	sum = x.C(1).Add(x)
	return sum, x.Sub(sum.Sub(x.C(1)))
}

// log1p takes the rounding error of 1+x along.
func log1p(b *ir.B, x ir.V) ir.V {
	u, tail := onePlus(x)
	return logSpecials(b, u, withSign(b, logOf(b, u, tail, x, x.C(0)), x))
}
