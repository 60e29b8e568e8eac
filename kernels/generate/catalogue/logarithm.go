package catalogue

import (
	"math"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// logarithm is the logarithm to its bases. All take the argument apart into 2^k*m
// (Muller, Elementary Functions, 2016, on argument reduction; Handbook of
// Floating-Point Arithmetic on the sums) and bring m close to 1 by a table (Tang
// 1990). Coefficients are from coefficients/logarithm.sollya.
func logarithm() []*ir.Kernel {
	return join(
		throughFloat64("log", log),
		throughFloat64("log2", to2.log),
		throughFloat64("log10", to10.log),
		throughFloat64("log1p", log1p),
	)
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

// log is k*log(2) + log(m).
func log(b *ir.B, x ir.V) ir.V {
	b.Unroll(2)
	k, _, r, i := pieces(x, false)
	return logSpecials(b, x, assemble(k, i, r))
}

// base is what a logarithm to another base takes: for the c of logInverse -log(c) as
// a multiple of 2^-43, so that adding k times two is exact, and the rest; the
// logarithm of 2 in two parts, of which the first times an exponent is exact; that of
// e in two; and (log(1+r) - r) / r^2 times the latter.
type base struct {
	high, low    *ir.Table
	two, twoTail float64
	e, eTail     float64
	terms        []float64
}

var (
	to2 = base{
		high: floatTable("log2High",
			0, 0x1.e0b1ae8f3p-4, 0x1.bfc67a8p-3, 0x1.169c05363fp-2, 0x1.6cb0f6865dp-2, 0x1.a8ff971811p-2, 0x1.e7df5fe539p-2, 0x1.14c560fe688p-1,
			0x1.37222bb7078p-1, 0x1.5b2c3da197p-1, 0x1.6ddfc2a79p-1, 0x1.94c287492c8p-1, 0x1.a8ff9718108p-1, 0x1.bdce9dcc96p-1, 0x1.d338120a6ep-1, 1),
		low: floatTable("log2Low",
			0, -0x1.54cda62d3926ep-47, -0x1.667f21fa8423fp-44, 0x1.5872350f805d6p-46, -0x1.c57f2495fb7fap-44, -0x1.6879fa00b120ap-44,
			-0x1.532c412ba94dbp-44, 0x1.7c407050799bfp-44, -0x1.c22d2cad415aep-44, 0x1.1d406db502403p-44, -0x1.ce60916e52e91p-44,
			-0x1.927dfc23d978p-44, 0x1.2f0c0bfe9dbecp-44, 0x1.871a7610e40bdp-45, -0x1.3167ccc538261p-44, 0),
		two: 1,
		e:   0x1.71547652b82fep0, eTail: 0x1.777d0ffda0d24p-56,
		terms: []float64{0x1.d997c6e3626e1p-4, -0x1.26bbb399172afp-3, 0x1.485ba0ecc1525p-3, -0x1.7155200d59a3ep-3, 0x1.a617601a778ebp-3,
			-0x1.ec709da0d4034p-3, 0x1.2776c50f0a1abp-2, -0x1.71547652b92dbp-2, 0x1.ec709dc3a03f9p-2, -0x1.71547652b82fep-1},
	}
	to10 = base{
		high: floatTable("log10High",
			0, 0x1.21681b5c8cp-5, 0x1.0d966cc65p-4, 0x1.4f7aad9bbcp-4, 0x1.b721cd1716p-4, 0x1.ffbfc2bbc8p-4, 0x1.25ba8215afp-3, 0x1.4d43f8275ap-3,
			0x1.76a45cbb7ep-3, 0x1.a209a84fbdp-3, 0x1.b88e67cf98p-3, 0x1.e76124046bp-3, 0x1.ffbfc2bbc8p-3, 0x1.0c6711d6acp-2, 0x1.194b3bdef68p-2,
			0x1.34413509f78p-2),
		low: floatTable("log10Low",
			0, 0x1.09ac6c218cde8p-48, 0x1.f3735158d42c3p-49, 0x1.75da8a5871b9ap-45, -0x1.03ad4133e8c4cp-45, -0x1.ff229f20ed3d2p-46,
			0x1.ff081a4e81f0bp-45, 0x1.20ca9a2bcc728p-45, 0x1.bfb1de334b1cbp-45, -0x1.0cee0ed4ca7e9p-52, -0x1.a01b9bb0ebf1bp-45,
			0x1.f97877007c127p-46, -0x1.ff229f20ed3d2p-45, -0x1.42d6ae59e7d9cp-45, 0x1.cefc5208422d8p-45, 0x1.fef311f12b358p-46),
		two: 0x1.34413509f78p-2, twoTail: 0x1.fef311f12b358p-46,
		e: 0x1.bcb7b1526e50ep-2, eTail: 0x1.95355baaafad3p-57,
		terms: []float64{0x1.1d219e78f7626p-5, -0x1.62e4e6cd1f9ddp-5, 0x1.8b61e0e875db6p-5, -0x1.bcb87db2341dbp-5, 0x1.fc3fa30284903p-5,
			-0x1.287a762200eafp-4, 0x1.63c6277538befp-4, -0x1.bcb7b1526f828p-4, 0x1.287a7636f435cp-3, -0x1.bcb7b1526e50ep-3},
	}
)

// log is k*log(2) - log(c) + log(1+r) to another base. The first term of log(1+r) is
// r times a constant in two parts, with the rounding error of the product.
func (to *base) log(b *ir.B, x ir.V) ir.V {
	b.Unroll(2)
	k, _, r, i := pieces(x, false)
	high, low := k.FMA(k.C(to.two), to.high.At(i)), to.low.At(i)
	if to.twoTail != 0 {
		low = k.FMA(k.C(to.twoTail), low)
	}
	first, firstTail := twoProduct(r, r.C(to.e))
	// high is 0 or more than the first term.
	sum, sumTail := fastTwoSum(high, first)
	low = low.Add(r.FMA(r.C(to.eTail), firstTail)).Add(sumTail)
	squared := r.Mul(r)
	q := halves(r, squared, to.terms...)
	return logSpecials(b, x, sum.Add(q.FMA(squared, low)))
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
