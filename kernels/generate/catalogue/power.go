package catalogue

import (
	"math"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// powers is powers, roots and the error function.
func powersAndRoots() []*ir.Kernel {
	return join(
		math2("power", power),
		math2("hypot", hypot),
		widened("cbrt", cbrt),
		widened("erf", erf),
	)
}

// math2 makes a function of two float64 for float64 and, by way of it, for
// float32. narrow tells f that its result will be narrowed.
func math2(name string, f func(b *ir.B, x, y ir.V, narrow bool) ir.V) []*ir.Kernel {
	return binary(name, floats, func(b *ir.B, t ir.Elem, x, y ir.V) ir.V {
		if t == ir.Float32 {
			return canonical(b, f(b, x.Widen(), y.Widen(), true).Narrow())
		}
		return canonical(b, f(b, x, y, false))
	})
}

// widened is throughFloat64 with a function that is told, too.
func widened(name string, f func(b *ir.B, x ir.V, narrow bool) ir.V) []*ir.Kernel {
	return unary(name, floats, func(b *ir.B, t ir.Elem, x ir.V) ir.V {
		if t == ir.Float32 {
			return canonical(b, f(b, x.Widen(), true).Narrow())
		}
		return canonical(b, f(b, x, false))
	})
}

const (
	inf64 = 0x7ff0000000000000
	one64 = 0x3ff0000000000000
)

// power is exp(y * log |x|), with logarithm and product in two floats each for
// float64, and the sign that an odd y passes on. Zeros and infinities come out
// of the range of the exponential; the rest of C99's special cases are selected.
func power(b *ir.B, x, y ir.V, narrow bool) ir.V {
	// Beyond, every result is 0, 1 or infinite, and y is even as infinity is.
	y = y.C(0x1p65).Min(y.C(-0x1p65).Max(y))
	a := abs(b, x)
	var z, rest ir.V
	if narrow {
		z = y.Mul(logNarrow(b, a))
	} else {
		high, low := logTwo(b, a)
		p := y.Mul(high)
		low = y.FMA(low, y.FMS(high, p))
		z = p.Add(low)
		rest = low.Sub(z.Sub(p))
	}
	// False for 0, infinity and NaN, for which log |x| is minus infinity,
	// infinity and NaN.
	ordinary := a.Lt(a.Add(a))
	z = ordinary.Select(z, a.Sub(x.C(1)).Mul(b.Int(ir.I64, inf64).AsFloat()).Mul(y))
	var r ir.V
	if narrow {
		// Both bounds leave the range of float32.
		z = z.C(200).Min(z.C(-200).Max(z))
		r = expNarrow(z)
	} else {
		r = expTwo(z, rest)
		r = x.C(710).Lt(z).Select(b.Int(ir.I64, inf64).AsFloat(), r)
		r = z.Lt(x.C(-746)).Select(x.C(0), r)
	}
	// The magnitude of the remainder of y by 2: 0 for even y, 1 for odd y.
	m := abs(b, y.Mul(y.C(0.5)).Trunc().FNMA(y.C(2), y))
	odd := m.Eq(y.C(1))
	sign := odd.Select(x.Bits().And(signBit(b, ir.F64)), b.Int(ir.I64, 0))
	r = r.Bits().Xor(sign).AsFloat()
	whole := odd.MOr(m.Eq(y.C(0)))
	r = x.Lt(x.C(0)).MAnd(ordinary).Select(whole.Select(r, nan(b, ir.F64)), r)
	return x.Eq(x.C(1)).MOr(y.Eq(y.C(0))).Select(x.C(1), r)
}

// log 2, in two parts of which the first is a multiple of 2^-42, so that its
// products with exponents are exact.
const (
	log2High = 0x1.62e42fefa38p-1
	log2Low  = 0x1.ef35793c7673p-45
)

// Of 1/(1+i/24), i from -8 to 7, modulo 16, and what to add for them to the
// logarithm: multiples of 2^-42, and the rest.
var (
	powerInverse = floatTable("powerInverse",
		0x1p0, 0x1.eb851eb851eb8p-1, 0x1.d89d89d89d89ep-1, 0x1.c71c71c71c71cp-1,
		0x1.b6db6db6db6dbp-1, 0x1.a7b9611a7b961p-1, 0x1.999999999999ap-1, 0x1.8c6318c6318c6p-1,
		0x1.8p0, 0x1.6969696969697p0, 0x1.5555555555555p0, 0x1.435e50d79435ep0,
		0x1.3333333333333p0, 0x1.2492492492492p0, 0x1.1745d1745d174p0, 0x1.0b21642c8590bp0,
	)
	powerHigh = floatTable("powerHigh",
		0, 0x1.4e69ed6d8p-5, 0x1.47dadcbbdcp-4, 0x1.e27076e2bp-4,
		0x1.3bb35a041ep-3, 0x1.83914f3bd2p-3, 0x1.c8ff7c79aap-3, 0x1.061365ff7fp-2,
		-0x1.9f323ecbfap-2, -0x1.611ddd4bd7p-2, -0x1.269621134ep-2, -0x1.de71768d7ap-3,
		-0x1.7565011e4ap-3, -0x1.1178e8227ep-3, -0x1.64660aa8dp-4, -0x1.5ca5fb01e8p-5,
	)
	powerLow = floatTable("powerLow",
		0, 0x1.d66419f5532e7p-46, -0x1.603f5a09c55c2p-46, -0x1.a2c2c2af0003cp-45,
		-0x1.aa9db7768aa1ep-44, -0x1.b3dcd2db0ca12p-44, -0x1.7814f689f8434p-45, 0x1.85351c81f3de1p-45,
		0x1.ed03525ca2643p-44, 0x1.01ebb3984345p-44, 0x1.1ba1f10522625p-44, 0x1.9ef183638e945p-46,
		0x1.316381c250ed4p-44, -0x1.1e778ce2d07f2p-45, 0x1.9df7ea90c5a65p-44, 0x1.eeca8aefb762ep-44,
	)
)

func floatTable(name string, entries ...float64) *ir.Table {
	t := &ir.Table{Name: name}
	for _, e := range entries {
		t.Entries = append(t.Entries, math.Float64bits(e))
	}
	return t
}

// parts splits a positive a, 0 and infinity included, into 2^k * m with m from
// 0.65 to 1.3, and returns which interval of width 1/24 m lies in.
func parts(b *ir.B, a ir.V, bias ir.V) (k, m, i ir.V) {
	low := math.Float64bits(0.65)
	shifted := a.Bits().IAdd(b.Int(ir.I64, one64-low))
	k = shifted.ShrI(52).Or(b.Int(ir.I64, 0x4330000000000000)).AsFloat().Sub(bias)
	m = shifted.And(b.Int(ir.I64, 1<<52-1)).IAdd(b.Int(ir.I64, low)).AsFloat()
	return k, m, m.FMA(m.C(24), m.C(0x1.8p52-24)).Bits()
}

// logTwo is log(a) as a sum of two floats, to about 64 bits: a reciprocal c
// from a table, log(1+r) for r = c*m-1, and the logarithms of 1/c and of the
// exponent (Tang 1990, with steps of exact sums and products).
func logTwo(b *ir.B, a ir.V) (high, low ir.V) {
	small := a.Lt(a.C(0x1p-1022))
	k, m, i := parts(b, small.Select(a.Mul(a.C(0x1p54)), a), small.Select(a.C(0x1p52+1023+54), a.C(0x1p52+1023)))
	c := powerInverse.At(i)
	p := m.Mul(c)
	d := p.Sub(p.C(1))
	e := m.FMS(c, p)
	r := d.Add(e)
	rest := e.Sub(r.Sub(d))
	w := k.FMA(k.C(log2High), powerHigh.At(i))
	low = k.FMA(k.C(log2Low), powerLow.At(i))
	high = w.Add(r)
	low = low.Add(r.Sub(high.Sub(w)))
	// -r^2/2, a product of two floats.
	half := r.Mul(r.C(-0.5))
	square := half.Mul(r)
	low = low.Add(half.FMS(r, square))
	// What r lacks counts 1/(1+r) times, about 1 - r + r^2.
	low = low.Add(rest.FNMA(square.FMA(r.C(2), r), rest))
	sum := high.Add(square)
	low = low.Add(square.Sub(sum.Sub(high)))
	// log(1+r) = r - r^2/2 + r^3 q(r), -2q here: |r| <= 1/32, 2^-68.6.
	q := halves(r, r.Mul(r), 2*0x1.54409c8fef1f3p-4, -2*0x1.72bee6d49bbc6p-4, 2*0x1.999a5ed02766cp-4, -2*0x1.c71d9e82b8bb8p-4,
		2*0x1.ffffffdd621cfp-4, -2*0x1.2492490642c13p-3, 2*0x1.555555555635dp-3, -2*0x1.999999999bc74p-3, 2*0x1p-2, -2*0x1.5555555555555p-2)
	return sum, r.Mul(square).FMA(q, low)
}

// logNarrow is log(a) to 42 bits.
func logNarrow(b *ir.B, a ir.V) ir.V {
	k, m, i := parts(b, a, a.C(0x1p52+1023))
	r := m.FMS(powerInverse.At(i), m.C(1))
	// log(1+r) = r + r^2 q(r): |r| <= 1/32, 2^-42.9.
	q := horner(r, 0x1.24eed21aee004p-3, -0x1.55b56b82bc642p-3, 0x1.99998f5d46db1p-3, -0x1.fffff6fd41e03p-3, 0x1.555555557561bp-2, -0x1.000000000802bp-1)
	l := q.FMA(r.Mul(r), r)
	return k.FMA(k.C(math.Ln2), powerHigh.At(i)).Add(l)
}

// expTwo is exp(z + rest).
func expTwo(z, rest ir.V) ir.V {
	magic := z.C(0x1.8p52)
	k := z.FMA(z.C(math.Log2E), magic).Sub(magic)
	d := k.FNMA(z.C(log2High), z)
	e := k.FNMA(z.C(log2Low), rest)
	r := d.Add(e)
	e = e.Sub(r.Sub(d))
	s := r.Add(r.C(1))
	e = e.FMA(s, r.Sub(s.Sub(r.C(1))))
	// exp(r) = 1 + r + r^2 q(r): |r| <= 0.3467, 2^-62.
	q := halves(r, r.Mul(r), 0x1.1f3305b8430a2p-29, 0x1.af4ed2a30d5c5p-26, 0x1.27e500d7e4a31p-22, 0x1.71de01aa5e8a5p-19, 0x1.a01a0197be222p-16,
		0x1.a01a01ac1e4dcp-13, 0x1.6c16c16c18932p-10, 0x1.1111111110051p-7, 0x1.5555555555552p-5, 0x1.5555555555557p-3, 0.5)
	return s.Add(r.Mul(r).FMA(q, e)).Ldexp(k)
}

// expNarrow is exp(z) to 37 bits.
func expNarrow(z ir.V) ir.V {
	magic := z.C(0x1.8p52)
	k := z.FMA(z.C(math.Log2E), magic).Sub(magic)
	r := k.FNMA(z.C(math.Ln2), z)
	// exp(r) = 1 + r + r^2 q(r): |r| <= 0.3467, 2^-37.8.
	q := horner(r, 0x1.a06ce674b52a3p-16, 0x1.a1515e917e4d5p-13, 0x1.6c16fd616cdadp-10, 0x1.1110c64819876p-7, 0x1.5555553159a9dp-5, 0x1.55555567466b9p-3, 0x1.00000000049acp-1)
	return q.FMA(r.Mul(r), r).Add(r.C(1)).Ldexp(k)
}
