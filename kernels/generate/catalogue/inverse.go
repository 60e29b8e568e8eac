package catalogue

import (
	"math"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

func inverse() []*ir.Kernel {
	return join(
		throughFloat64("arcsin", canonically(arcsin)),
		throughFloat64("arccos", canonically(arccos)),
		throughFloat64("arctan", canonically(arctan)),
		arctan2(),
	)
}

// Parts of constants: rounded, and what is left.
const (
	piHi, piLo         = 0x1.921fb54442d18p1, 0x1.1a62633145c07p-53
	halfPiHi, halfPiLo = 0x1.921fb54442d18p0, 0x1.1a62633145c07p-54
)

// halfArcsin is arcsin(w) = w + tail for a <= 1/2 with w = a, else for
// w = sqrt((1-a)/2), of which arccos(a) is the double (Muller, Elementary
// Functions). It tells which by big.
func halfArcsin(b *ir.B, a ir.V) (w, tail, big ir.V) {
	half := a.C(0.5)
	big = half.Lt(a)
	z := half.FNMA(a, half) // exact where it counts
	s := z.Sqrt()
	// The root's rounding error by a step of Newton's method, for which this
	// 1/(2s) serves, right to 4 percent: halve the exponent, negate.
	slope := b.Int(ir.I64, 0x5fd6eb50c7b537a9).ISub(z.Bits().ShrI(1)).AsFloat()
	rest := s.FNMA(s, z).Mul(slope)
	w = big.Select(s, a)
	z = big.Select(z, a.Mul(a))
	rest = big.Select(rest, a.C(0))
	// (arcsin(w)/w - 1) / w^2 on [0, 1/2], relative error of arcsin 2^-59.8.
	// See coefficients/inverse.sollya.
	p := paired(z, 0x1.0b45e9c0352cfp-5, -0x1.57fad03d2f5b6p-6, 0x1.639a88e7509b4p-6, 0x1.e5fbe9b6e03d6p-9,
		0x1.613c1e5e2f8a7p-7, 0x1.75859daf6a83dp-7, 0x1.ca1f8af1b8d2ap-7, 0x1.1c49f077d744p-6,
		0x1.6e8bdedebf929p-6, 0x1.f1c71a95002fdp-6, 0x1.6db6db721247bp-5, 0x1.333333332e133p-4, 0x1.5555555555577p-3)
	return w, w.Mul(z).FMA(p, rest), big
}

// arcsin is pi/2 - arccos(|x|) beyond 1/2. Beyond 1 the root is NaN.
func arcsin(b *ir.B, x ir.V) ir.V {
	w, tail, big := halfArcsin(b, abs(b, x))
	zero := x.C(0)
	factor := big.Select(x.C(-2), x.C(1))
	sum, rest := fastTwoSum(big.Select(x.C(halfPiHi), zero), w.Mul(factor))
	y := sum.Add(tail.FMA(factor, big.Select(x.C(halfPiLo), zero)).Add(rest))
	return negate(b, y, x.Bits())
}

// arccos is pi/2 - arcsin(x) up to 1/2, and beyond that 2 arcsin(w), or pi less
// that for negative x.
func arccos(b *ir.B, x ir.V) ir.V {
	w, tail, big := halfArcsin(b, abs(b, x))
	zero := x.C(0)
	factor := big.Select(x.C(2), x.C(-1)).Bits().Xor(x.Bits().And(signBit(b, ir.F64))).AsFloat()
	negative := x.Lt(zero)
	sum, rest := fastTwoSum(big.Select(negative.Select(x.C(piHi), zero), x.C(halfPiHi)), w.Mul(factor))
	low := big.Select(negative.Select(x.C(piLo), zero), x.C(halfPiLo))
	return sum.Add(tail.FMA(factor, low).Add(rest))
}

// quotientArctan is t + tail = arctan(n / (d + below)) for quotients up to 1/4.
// The tail makes good what t lost by rounding.
func quotientArctan(n, d, below ir.V) (t, tail ir.V) {
	inverse := n.C(1).Div(d)
	t = n.Mul(inverse)
	tl := t.FNMA(below, t.FNMA(d, n)).Mul(inverse)
	z := t.Mul(t)
	// (arctan(t)/t - 1) / t^2 on [0, 1/4], relative error of arctan 2^-57.5.
	// See coefficients/inverse.sollya.
	p := paired(z, 0x1.7989a757aa7abp-5, -0x1.0b4e0a08feed6p-4, 0x1.3ab9ee582d41fp-4, -0x1.7459e40d00717p-4,
		0x1.c71c60ac8ca38p-4, -0x1.2492490b36781p-3, 0x1.99999999752afp-3, -0x1.55555555554c6p-2)
	return t, t.Mul(z).FMA(p, z.FNMA(tl, tl))
}

// Tables of arctan by the exponent of |x| from -3 to 3, the last three bits of
// its biased form: a number c amid the binade, and arctan(c) in two parts. c is
// 0 below, and infinite, for which there is 1, above.
var (
	arctanMiddle = table("arctanMiddle", 2.75, 1, 1, 0, 0, 0.375, 0.6875, 1.375)
	arctanHi     = table("arctanHi", 0x1.38d6a6ce13353p0, halfPiHi, halfPiHi, 0,
		0, 0x1.6f61941e4def1p-2, 0x1.345f01cce37bbp-1, 0x1.e24dd44c855d1p-1)
	arctanLo = table("arctanLo", -0x1.12c77e8a80f5cp-55, halfPiLo, halfPiLo, 0,
		0, -0x1.c63aae6f6e918p-56, 0x1.1021137c71102p-55, 0x1.f7ac612ab33d8p-55)
)

func table(name string, entries ...float64) *ir.Table {
	t := &ir.Table{Name: name}
	for _, e := range entries {
		t.Entries = append(t.Entries, math.Float64bits(e))
	}
	return t
}

// arctan is that of c, plus that of (|x|-c) / (1+c|x|), or of -1/|x| where c is
// infinite (Muller, Elementary Functions). The numerator is exact.
func arctan(b *ir.B, x ir.V) ir.V {
	// Farther out nothing changes, and quotients stay finite.
	a := x.C(0x1p100).Min(abs(b, x))
	binade := x.C(0x1p3).Min(x.C(0x1p-3).Max(a)).Bits().ShrI(52)
	c := arctanMiddle.At(binade)
	one := a.Lt(x.C(4)).Select(x.C(1), x.C(0))
	d := a.FMA(c, one)
	t, tail := quotientArctan(a.FMS(one, c), d, a.FMA(c, one.Sub(d)))
	sum, rest := fastTwoSum(arctanHi.At(binade), t)
	y := sum.Add(rest.Add(arctanLo.At(binade).Add(tail)))
	return negate(b, y, x.Bits())
}

// Tables of arctan2: the angle, in two parts, of a point whose lesser coordinate
// is c = 0, 1/2 or 1 times the greater. They go by the last four bits of c's
// biased exponent, with bit 2 flipped where |y| is the greater and bit 3 where x
// is negative.
var (
	arctan2Hi = table("arctan2Hi", 0, 0, 0x1.0468a8ace4df6p1, 0x1.2d97c7f3321d2p1,
		halfPiHi, 0, 0x1.56c6e7397f5aep1, 0x1.2d97c7f3321d2p1,
		piHi, 0, 0x1.1b6e192ebbe44p0, 0x1.921fb54442d18p-1,
		halfPiHi, 0, 0x1.dac670561bb4fp-2, 0x1.921fb54442d18p-1)
	arctan2Lo = table("arctan2Lo", 0, 0, 0x1.0620bf7406affp-55, 0x1.a79394c9e8a0ap-54,
		halfPiLo, 0, 0x1.660b64ece6f4bp-53, 0x1.a79394c9e8a0ap-54,
		piLo, 0, 0x1.b1b466a88828ep-54, 0x1.1a62633145c07p-55,
		halfPiLo, 0, 0x1.a2b7f222f65e2p-56, 0x1.1a62633145c07p-55)
)

// arctan2 is the angle of the point (x, y). float32 goes by way of float64.
func arctan2() (all []*ir.Kernel) {
	for _, t := range floats {
		b := ir.New("arctan2", t, t, t)
		y, x := b.In(0), b.In(1)
		if t == ir.Float32 {
			r := angle(b, y.Widen(), x.Widen(), "").Narrow()
			all = append(all, b.Done(canonical(b, r)))
			continue
		}
		all = append(all, b.Done(angle(b, y, x, "arctan2")))
	}
	return all
}

// angle goes by the lesser magnitude u and the greater v. From the angle that c,
// near u/v, has in the same octant it goes on by
//
//	arctan(u/v) - arctan(c) = arctan((u-cv) / (v+cu))
//
// forward or, in every other octant, back (Muller, Elementary Functions). The
// numerator is exact. Operands whose quotient or remainder might underflow are
// left to slow, if there can be any.
func angle(b *ir.B, y, x ir.V, slow string) ir.V {
	one, zero, inf := x.C(1), x.C(0), b.Int(ir.I64, 0x7ff<<52).AsFloat()
	ay, ax := abs(b, y), abs(b, x)
	u, v := ax.Min(ay), ax.Max(ay)
	// Infinities count as 1, and what is finite beside them as 0.
	infinite := v.Eq(inf)
	u = infinite.Select(u.Eq(inf).Select(one, zero), u)
	v = infinite.Select(one, v.Max(x.C(0x1p-600)))
	if slow != "" {
		b.Bail(x.C(0x1p500).Lt(v).MOr(zero.Lt(u).MAnd(u.Lt(x.C(0x1p-500)))), slow)
	}
	c := v.Mul(x.C(0.25)).Le(u).Select(v.Mul(x.C(0.75)).Le(u).Select(one, x.C(0.5)), zero)
	steep := ax.Bits().ISub(ay.Bits()) // where negative
	d := c.FMA(u, v)
	n := negate(b, c.FNMA(v, u), steep.Xor(x.Bits()))
	t, tail := quotientArctan(n, d, c.FMA(u, v.Sub(d)))
	at := c.Bits().ShrI(52).Xor(steep.ShrI(63).ShlI(2)).Xor(x.Bits().ShrI(63).ShlI(3))
	sum, rest := fastTwoSum(arctan2Hi.At(at), t)
	r := negate(b, sum.Add(rest.Add(arctan2Lo.At(at).Add(tail))), y.Bits())
	unordered := ax.Add(ay)
	return unordered.Ne(unordered).Select(nan(b, ir.F64), r)
}

// paired is the polynomial with these coefficients, highest power first, in
// pairs (Estrin 1960): of long ones, the chain of dependent operations is about
// half as long as Horner's.
func paired(x ir.V, coefficients ...float64) ir.V {
	square := x.Mul(x)
	c := coefficients
	p := x.C(c[0])
	if len(c)%2 == 0 {
		p = p.FMA(x, x.C(c[1]))
		c = c[1:]
	}
	for c = c[1:]; len(c) > 0; c = c[2:] {
		p = p.FMA(square, x.C(c[0]).FMA(x, x.C(c[1])))
	}
	return p
}
