package catalogue

import (
	"math"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// hyperbolic is the hyperbolic functions by way of exponentials, and their
// inverses by way of logarithms, both in two parts (Muller et al., Handbook of
// Floating-Point Arithmetic, on sums and products with their rounding errors).
// Coefficients are from coefficients/hyperbolic.sollya.
func hyperbolic() []*ir.Kernel {
	return join(
		throughFloat64("sinh", sinh),
		throughFloat64("cosh", cosh),
		throughFloat64("tanh", tanh),
		throughFloat64("arcsinh", asinh),
		throughFloat64("arccosh", acosh),
		throughFloat64("arctanh", atanh),
	)
}

// hyperbola holds what sinh and cosh of y = k*log(2) + r + tail are made of:
//
//	sinh(y) = 2^k * (minus*cosh(r) + plus*sinh(r))
//	cosh(y) = 2^k * (plus*cosh(r) + minus*sinh(r))
//
// with minus and plus for (1 -+ 4^-k) / 2.
type hyperbola struct {
	k, r, tail          ir.V
	minus, plus         ir.V
	minusTail, plusTail ir.V
	cosh1               ir.V // cosh(r) - 1
	sinhRest            ir.V // sinh(r) - r
}

func newHyperbola(b *ir.B, x ir.V) (h hyperbola) {
	h.k, h.r, h.tail = reduce(x.C(750).Min(abs(b, x)))
	z := h.r.Mul(h.r)
	// (cosh(r) - 1) / z and (sinh(r) - r) / (r*z), |r| <= 0.3466, within 2^-65
	// and 2^-56.
	h.cosh1 = z.Mul(horner(z, 0x1.1f78e7453188dp-29, 0x1.27e4d81551328p-22, 0x1.a01a01a819611p-16, 0x1.6c16c16c15ff9p-10,
		0x1.5555555555556p-5, 0x1p-1))
	h.sinhRest = h.r.Mul(z).Mul(horner(z, 0x1.ad64b1c32a7a3p-33, 0x1.ae32312ab862bp-26, 0x1.71de465d0bf28p-19,
		0x1.a01a019d930a6p-13, 0x1.1111111111489p-7, 0x1.5555555555555p-3))
	// 4^-100 is as good as less.
	power := negativePower(x.C(100).Min(h.k))
	small := power.Mul(x.C(.5)).Mul(power)
	h.minus, h.minusTail = fastTwoSum(x.C(.5), x.C(0).Sub(small))
	h.plus, h.plusTail = fastTwoSum(x.C(.5), small)
	return h
}

func sinh(b *ir.B, x ir.V) ir.V {
	h := newHyperbola(b, x)
	product, low := twoProduct(h.plus, h.r)
	low = h.plus.FMA(h.sinhRest.Add(h.tail), low.Add(h.minusTail))
	low = h.minus.FMA(h.cosh1, low)
	// minus is 0 or more than the product.
	sum, tail := fastTwoSum(h.minus, product)
	return canonical(b, copySign(b, sum.Add(low.Add(tail)).Ldexp(h.k), x))
}

func cosh(b *ir.B, x ir.V) ir.V {
	h := newHyperbola(b, x)
	product, low := twoProduct(h.minus, h.r)
	low = h.minus.FMA(h.sinhRest.Add(h.tail), low.Add(h.plusTail))
	low = h.plus.FMA(h.cosh1, low)
	sum, tail := fastTwoSum(h.plus, product)
	return canonical(b, sum.Add(low.Add(tail)).Ldexp(h.k))
}

// Twice 2^(j/16), with j subtracted from the bits where tanh will add it, and half
// of the logarithm of what the entry lacks. 50 bits leave room for exact sums
// with 1.
var (
	tanhPower = &ir.Table{Name: "tanhPower", Entries: powersLess(
		0x1p1, 0x1.0b5586cf9891p1, 0x1.172b83c7d5178p1, 0x1.2387a6e756238p1, 0x1.306fe0a31b718p1, 0x1.3dea64c12342p1,
		0x1.4bfdad5362a28p1, 0x1.5ab07dd485428p1, 0x1.6a09e667f3bdp1, 0x1.7a11473eb0188p1, 0x1.8ace5422aa0d8p1,
		0x1.9c49182a3f09p1, 0x1.ae89f995ad3bp1, 0x1.c199bdd8552ap1, 0x1.d5818dcfba488p1, 0x1.ea4afa2a490d8p1,
	)}
	tanhRest = floatTable("tanhRest",
		0, -0x1.2d75c73e2d323p-54, 0x1.5006147126233p-52, 0x1.68efde3a8a894p-55, -0x1.2f9a05e291405p-52, 0x1.c787a97893a1fp-53,
		-0x1.5dacb6abb4ae5p-54, 0x1.fd30564f92b8cp-54, -0x1.36ef4c4cb311dp-52, -0x1.91163747208ccp-54, 0x1.16b571c07ae4ap-52,
		0x1.1affc2b91ce27p-57, -0x1.9072e1cf12c2ep-53, -0x1.19d04fcefe9d2p-52, -0x1.dbc8f0f6b610bp-55, 0x1.96cec35fe2da3p-54,
	)
)

func powersLess(powers ...float64) (bits []uint64) {
	for j, p := range powers {
		bits = append(bits, math.Float64bits(p)-uint64(j)<<48)
	}
	return bits
}

// tanh is e/d = (s*p + s-1) / (s*p + s+1) for s = exp(2*n*log(2)/32) and p = expm1(2*r)
// with |x| = n*log(2)/32 + r, where s comes from a table (Tang 1989).
func tanh(b *ir.B, x ir.V) ir.V {
	b.Unroll(2)
	// From 20 on the result rounds to 1.
	y := x.C(20).Min(abs(b, x))
	t := y.FMA(x.C(0x1.71547652b82fep5), x.C(magic))
	n, i := t.Sub(x.C(magic)), t.Bits()
	// Exact: it is small, and a multiple of the constant's last bit.
	first := n.FNMA(x.C(0x1.62e42fefa39efp-6), y)
	tail := n.FNMA(x.C(0x1.abc9e3b39803fp-61), tanhRest.At(i))
	// The shift drops all but n, of which 16 are a power of two.
	twice := tanhPower.At(i).Bits().IAdd(i.ShlI(48)).AsFloat()
	// p/2 = first + low. (expm1(2r)/2 - r) / r^2; with it expm1 on
	// [-0.0109, 0.0109] is within 2^-58.
	q := halves(first, first.Mul(first), 0x1.a01b5add175ecp-7, 0x1.6c17f57ba0651p-5, 0x1.11111110b286ep-3, 0x1.55555554dfb75p-2,
		0x1.5555555555557p-1, 0x1.0000000000001p0)
	// r^2 but for the tail's square.
	square := first.Mul(tail.FMA(x.C(2), first))
	low := q.FMA(square, tail)
	less := twice.FMS(x.C(.5), x.C(1))
	// less is 0 or more than its summand.
	e := twice.FMA(first, less)
	eTail := twice.FMA(low, twice.FMA(first, less.Sub(e)))
	d := twice.FMA(first, less.Add(x.C(2)))
	dTail := twice.FMA(low, twice.FMA(first, less.Sub(d).Add(x.C(2))))
	// The tails are small, but not of the size of rounding errors, so that the
	// divisor takes its own along.
	reciprocal := x.C(1).Div(twice.FMA(low, d))
	quotient := e.Mul(reciprocal)
	lack := quotient.FNMA(d, e).Add(quotient.FNMA(dTail, eTail))
	return canonical(b, copySign(b, lack.FMA(reciprocal, quotient), x))
}

// halfRecipRoot is 1/(2*sqrt(t)) within 4% for positive normal t: half of the
// exponent's bits, negated.
func halfRecipRoot(b *ir.B, t ir.V) ir.V {
	return b.Int(ir.I64, 0x5fd6eb50c7b537a9).ISub(t.Bits().ShrI(1)).AsFloat()
}

// root is the square root of t + tail in two parts.
func root(b *ir.B, t, tail ir.V) (high, low ir.V) {
	high = t.Sqrt()
	return high, high.FNMA(high, t).Add(tail).Mul(halfRecipRoot(b, t))
}

// large is from where on asinh(x) and acosh(x) are log(2x).
const large = 0x1p28

// logSquare is log(y+z) for (y+z)^2 = 1 + product + low: half of log1p. From
// large on it is log(2*y).
func logSquare(b *ir.B, product, low, y ir.V) ir.V {
	u, tail := onePlus(product)
	is := y.C(large).Lt(y)
	u, tail, low = is.Select(y, u), is.Select(y.C(0), tail), is.Select(y.C(0), low)
	v := logOf(u, tail, low, is.Select(y.C(1), y.C(0)))
	v = v.Mul(is.Select(y.C(1), y.C(.5)))
	return y.Lt(y.C(math.Inf(1))).Select(v, y)
}

// asinh is log(y + s) with s = sqrt(y^2+1), so that (y+s)^2 = 1 + 2*y*(y+s).
func asinh(b *ir.B, x ir.V) ir.V {
	y := abs(b, x)
	square, squareTail := twoProduct(y, y)
	t, tail := onePlus(square)
	s, sTail := root(b, t, tail.Add(squareTail))
	sum, sumTail := fastTwoSum(s, y)
	twice := y.Add(y)
	product, low := twoProduct(twice, sum)
	low = twice.FMA(sumTail.Add(sTail), low)
	return canonical(b, copySign(b, logSquare(b, product, low, y), x))
}

// acosh is log(x + s) with s = sqrt(x^2-1), so that (x+s)^2 = 1 + 2*s*(x+s).
func acosh(b *ir.B, x ir.V) ir.V {
	square, squareTail := twoProduct(x, x)
	less, lessTail := fastTwoSum(square, x.C(-1))
	t, tail := fastTwoSum(less, squareTail)
	s, sTail := root(b, t, tail.Add(lessTail))
	sum, sumTail := fastTwoSum(x, s)
	twice := s.Add(s)
	product, low := twoProduct(twice, sum)
	low = twice.FMA(sumTail.Add(sTail), low)
	low = sTail.Add(sTail).FMA(sum, low)
	return x.C(1).Le(x).Select(logSquare(b, product, low, x), nan(b, ir.F64))
}

// atanh is log1p(2y/(1-y)) / 2.
func atanh(b *ir.B, x ir.V) ir.V {
	y := abs(b, x)
	d, dTail := fastTwoSum(x.C(1), x.C(0).Sub(y))
	reciprocal := x.C(1).Div(d)
	twice := y.Add(y)
	quotient := twice.Mul(reciprocal)
	rest := quotient.FNMA(d, twice)
	rest = quotient.FNMA(dTail, rest).Mul(reciprocal)
	u, tail := onePlus(quotient)
	v := logOf(u, tail, rest, none).Mul(x.C(.5))
	pole := y.Eq(x.C(1)).Select(x.C(math.Inf(1)), nan(b, ir.F64))
	return canonical(b, copySign(b, y.Lt(x.C(1)).Select(v, pole), x))
}
