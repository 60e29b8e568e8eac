package catalogue

import (
	"math"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// logarithm is the logarithm to its bases. All take the argument apart into 2^k*m
// (Muller, Elementary Functions, 2016, on argument reduction; Handbook of
// Floating-Point Arithmetic on the sums). The natural ones bring m close to 1 by
// a table, the others take a longer polynomial in m-1, for m from sqrt(1/2) to
// sqrt(2). Coefficients are from coefficients/logarithm.sollya.
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

// splitAny is split for subnormal u, too.
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

// For m in sixteenths from 1 to 2: about an inverse, c, a multiple of 2^-6, so
// that c*m - 1 is exact or nearly so, and -log(c) as a multiple of 2^-42, so that
// adding k*log(2) is exact, and the rest. The first c is 1 and the last 1/2, for
// near 1 nothing may be lost.
var (
	logInverse = floatTable("logInverse",
		0x1p0, 0x1.d8p-1, 0x1.b8p-1, 0x1.a8p-1, 0x1.9p-1, 0x1.8p-1, 0x1.7p-1, 0x1.6p-1,
		0x1.5p-1, 0x1.4p-1, 0x1.38p-1, 0x1.28p-1, 0x1.2p-1, 0x1.18p-1, 0x1.1p-1, 0x1p-1,
	)
	logHigh = floatTable("logHigh",
		0, 0x1.4d3115d208p-4, 0x1.365fcb015ap-3, 0x1.823c16551ap-3,
		0x1.f991c6cb3cp-3, 0x1.269621134ep-2, 0x1.522ae0738ap-2, 0x1.7fafa3bd81p-2,
		0x1.af5295248dp-2, 0x1.e148a1a272p-2, 0x1.fb358af7a5p-2, 0x1.188ee40f24p-1,
		0x1.269621134d8p-1, 0x1.35028ad9d9p-1, 0x1.43d9ff2f92p-1, ln2High,
	)
	logLow = floatTable("logLow",
		0, -0x1.53a2582f4e1efp-48, -0x1.fd3a0afb9691bp-44, 0x1.e0ddb9a631e83p-46,
		-0x1.90d04cd7cc834p-44, -0x1.1b61f10522625p-44, 0x1.ebe708164c759p-45, 0x1.46fb79bf6d4cbp-44,
		-0x1.17cc552774458p-45, 0x1.b36537e3375b2p-44, -0x1.def40b87d36d9p-44, -0x1.accec41d52e6cp-44,
		0x1.c93c1df5bb3b6p-44, -0x1.bd1f01ab60655p-44, 0x1.e267b0b7efae1p-44, ln2Low,
	)
)

// pieces is the k of u = 2^k*m, c and c*m - 1, and which sixteenth m is in.
func pieces(u ir.V, normal bool) (k, c, r, i ir.V) {
	k = u.Exponent(normal)
	m := u.Significand(normal)
	i = m.Bits().ShrI(48)
	c = logInverse.At(i)
	return k, c, m.FMS(c, u.C(1)), i
}

// assemble is k*log(2) - log(c) + log(1 + r + tail) for the tail there is.
func assemble(k, i, r ir.V, tail ...ir.V) ir.V {
	high := k.FMA(k.C(ln2High), logHigh.At(i))
	low := k.FMA(k.C(ln2Low), logLow.At(i))
	// high is 0 or more than r.
	sum, sumTail := fastTwoSum(high, r)
	for _, t := range tail {
		low = low.Add(t)
	}
	low = low.Add(sumTail)
	squared := r.Mul(r)
	// (log(1+r) - r) / r^2. With it log(1+r) on [-0.034, 0.0625] is within 2^-60,
	// relatively.
	q := halves(r, squared, 0x1.48450270e0c4p-4, -0x1.989644b601f85p-4, 0x1.c733639ee824fp-4, -0x1.000075a5aea13p-3,
		0x1.2492475fcc923p-3, -0x1.5555553d369d4p-3, 0x1.99999999b045cp-3, -0x1.0000000000affp-2, 0x1.5555555555552p-2, -0.5)
	return sum.Add(q.FMA(squared, low))
}

// log is k*log(2) + log(m) by way of a table (Tang 1990).
func log(b *ir.B, x ir.V) ir.V {
	b.Unroll(2)
	k, _, r, i := pieces(x, false)
	return logSpecials(b, x, assemble(k, i, r))
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

// logOf is log(u + tail + rest) + shift*log(2) for normal u, rest much less than
// tail; rest and shift may be none.
func logOf(u, tail, rest, shift ir.V) ir.V {
	k, c, r0, i := pieces(u, true)
	// Near 1, c*2^-k is 1 and u - 1 + tail exact.
	c = c.Mul(negativePower(k))
	r := tail.FMA(c, r0)
	low := tail.FMA(c, r0.Sub(r))
	if rest != none {
		low = rest.FMA(c, low)
	}
	if shift != none {
		k = k.Add(shift)
	}
	return assemble(k, i, r, low)
}

var none ir.V

// onePlus is 1+x and its rounding error, exact for -1 <= x < 2^52, where the sum
// less 1 is exact.
func onePlus(x ir.V) (sum, tail ir.V) {
	sum = x.C(1).Add(x)
	return sum, x.Sub(sum.Sub(x.C(1)))
}

// log1p takes the rounding error of 1+x along.
func log1p(b *ir.B, x ir.V) ir.V {
	b.Unroll(2)
	u, tail := onePlus(x)
	return logSpecials(b, u, withSign(b, logOf(u, tail, none, none), x))
}
