package catalogue

import (
	"math"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

func trigonometric() []*ir.Kernel {
	return join(
		circular("sin", sin),
		circular("cos", cos),
		circular("tan", tan),
	)
}

// reducible is up to where the reduction in floats is exact enough. Beyond it
// rare_trigonometric.go serves.
const reducible = 0x1p40

// circular makes a function of the angle x from one of x and |x|.
func circular(name string, f func(b *ir.B, x, a ir.V) ir.V) (all []*ir.Kernel) {
	for _, t := range floats {
		b := ir.New(name, t, t)
		x := b.In(0)
		if t == ir.Float32 {
			x = x.Widen()
		}
		a := abs(b, x)
		// This turns the bits of infinity and NaN negative, so that one
		// comparison finds the finite angles beyond the bound.
		const turn = 1<<63 - 0x7ff<<52
		turned := a.Bits().IAdd(b.Int(ir.I64, turn))
		b.Bail(b.Int(ir.I64, math.Float64bits(reducible)+turn).ILt(turned), name+map[ir.Elem]string{ir.Float64: "64", ir.Float32: "32"}[t])
		y := f(b, x, a)
		if t == ir.Float32 {
			y = y.Narrow()
		}
		all = append(all, b.Done(canonical(b, y)))
	}
	return all
}

// reduceAngle is the rest r = hi + lo of a >= 0 to the nearest multiple k of pi/2,
// and an integer whose low bits are those of k.
//
// Cody and Waite (1980) with pi/2 in three parts. The first step is exact by
// FMA, for the rest is a multiple of 2^-53 below 1. The second keeps its
// rounding error, for near a multiple of pi/2 little else may be left: as what is
// left by the first is a multiple of the product's last place, their difference
// hi is off by no more than r - hi can tell, which is exact (Dekker 1971).
func reduceAngle(b *ir.B, a ir.V) (hi, lo, k ir.V) {
	magic := a.C(0x1.8p52)
	t := a.FMA(a.C(0x1.45f306dc9c883p-1), magic)
	n := t.Sub(magic)
	r := n.FNMA(a.C(0x1.921fb54442d18p0), a)
	second := a.C(0x1.1a62633145c07p-54)
	hi = r.Sub(n.Mul(second))
	lo = n.FNMA(second, r.Sub(hi))
	return hi, n.FNMA(a.C(-0x1.f1976b7ed8fbcp-110), lo), t.Bits()
}

// sinCos is the sine r + sl and the cosine c + cl of r + rl for |r| up to a bit
// more than pi/4, the tails not yet rounded into r and c.
func sinCos(r, rl ir.V) (sl, c, cl ir.V) {
	z := r.Mul(r)
	c, cl = cosine(r, rl, z)
	return r.FMA(z.Mul(sinePolynomial(z)), rl.Mul(c)), c, cl
}

// cosine begins with 1 - r^2/2, whose rounding error it keeps.
func cosine(r, rl, z ir.V) (c, cl ir.V) {
	h := r.Mul(r.C(0.5))
	c = h.FNMA(r, r.C(1))
	e := h.FNMA(r, r.C(1).Sub(c))
	e = r.FNMA(rl, e)
	return c, z.Mul(z).FMA(horner(z, cosineTerms...), e)
}

func sinePolynomial(z ir.V) ir.V { return horner(z, sineTerms...) }

// Coefficients of polynomials in z = r^2, highest power first. See
// coefficients/trigonometric.sollya.
var (
	// (cos(r) - 1 + z/2) / z^2, absolute error of cos 2^-64.
	cosineTerms = []float64{-0x1.8faff1bdbae04p-37, 0x1.1ee9ef42895c9p-29, -0x1.27e4f81041929p-22,
		0x1.a01a019cbce9ap-16, -0x1.6c16c16c15211p-10, 0x1.555555555554cp-5}
	// (sin(r)/r - 1) / z, relative error of sin 2^-57.8.
	sineTerms = []float64{0x1.5d8cd8ffc173bp-33, -0x1.ae5e503ade65ap-26, 0x1.71de355a62746p-19,
		-0x1.a01a019bede9ep-13, 0x1.111111110f748p-7, -0x1.5555555555548p-3}
)

// isOdd tells whether an integer is odd.
func isOdd(b *ir.B, k ir.V) ir.V { return k.And(b.Int(ir.I64, 1)).IEq(b.Int(ir.I64, 1)) }

// negate is y or, where signs has its first bit set, -y.
func negate(b *ir.B, y, signs ir.V) ir.V {
	return y.Bits().Xor(signs.And(signBit(b, ir.F64))).AsFloat()
}

// sin evaluates both polynomials of the reduced angle and takes the quadrant's.
func sin(b *ir.B, x, a ir.V) ir.V {
	b.Unroll(2)
	r, rl, k := reduceAngle(b, a)
	sl, c, cl := sinCos(r, rl)
	y := isOdd(b, k).Select(c.Add(cl), r.Add(sl))
	return negate(b, y, k.ShlI(62).Xor(x.Bits()))
}

// cos is sin a quadrant further.
func cos(b *ir.B, _, a ir.V) ir.V {
	b.Unroll(2)
	r, rl, k := reduceAngle(b, a)
	sl, c, cl := sinCos(r, rl)
	y := isOdd(b, k).Select(r.Add(sl), c.Add(cl))
	return negate(b, y, k.IAdd(b.Int(ir.I64, 1)).ShlI(62))
}

// tan is the quotient n/d of polynomials in r, or -d/n in odd quadrants, both as sums
// of two floats (Dekker 1971).
func tan(b *ir.B, x, a ir.V) ir.V {
	b.Unroll(2)
	r, rl, k := reduceAngle(b, a)
	// Early, so that x and k need no registers any more.
	odd, signs := isOdd(b, k), k.ShlI(63).Xor(x.Bits())
	z := r.Mul(r)
	zl := r.Add(r).FMA(rl, r.FMS(r, z)) // what (r+rl)^2 is more than z
	// The numerator r + r*p. Near a multiple of pi/2 rl is no small part of r.
	n0 := horner(z, tangentNumerator...)
	p := z.Mul(n0)
	s, sl := fastTwoSum(r, r.FMA(p, r.FMA(n0.Mul(zl), rl.FMA(p, rl))))
	// The denominator 1 + z*q, where the last term of q is far the largest.
	last, one := r.C(tangentDenominator[3]), r.C(1)
	q0 := horner(z, tangentDenominator[:3]...)
	q := z.FMA(q0, last)
	ql := z.FMA(q0, last.Sub(q))
	c := z.FMA(q, one)
	cl := zl.FMA(q, z.FMA(ql, z.FMA(q, one.Sub(c))))
	d, dl := odd.Select(s, c), odd.Select(sl, cl)
	n, nl := odd.Select(c, s), odd.Select(cl, sl)
	inverse := one.Div(d)
	y := n.Mul(inverse)
	rest := y.FNMA(dl, y.FNMA(d, n).Add(nl))
	return negate(b, rest.FMA(inverse, y), signs)
}

// Of tan(r) = (r + r*z*numerator) / (1 + z*denominator), z = r^2, within 2^-57. See
// coefficients/tangent.py.
var (
	tangentNumerator   = []float64{-0x1.2b7104aca0576p-16, 0x1.c0cceec60167dp-9, -0x1.1127dcbc9beebp-3}
	tangentDenominator = []float64{0x1.0b1d94fb7fcfbp-21, -0x1.46d1e8546b6f2p-12, 0x1.a46d290e493dap-6, -0x1.dde943b3a34cbp-2}
)
