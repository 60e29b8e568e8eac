package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// math makes a function of float64 for float64 and, by way of it, for float32.
func math1(name string, f func(b *ir.B, x ir.V) ir.V) []*ir.Kernel {
	return unary(name, floats, func(b *ir.B, t ir.Elem, x ir.V) ir.V {
		if t == ir.Float32 {
			return canonical(b, f(b, x.Widen()).Narrow())
		}
		return canonical(b, f(b, x))
	})
}

func exponential() []*ir.Kernel {
	return join(
		math1("exp", exp),
	)
}

// horner is the polynomial with these coefficients, highest power first.
func horner(x ir.V, coefficients ...float64) ir.V {
	p := x.C(coefficients[0])
	for _, c := range coefficients[1:] {
		p = p.FMA(x, x.C(c))
	}
	return p
}

// exp reduces to |r| <= log(2)/2, where a polynomial serves.
func exp(b *ir.B, x ir.V) ir.V {
	// Beyond these bounds the result is 0 or infinite; NaN goes through.
	x = x.C(750).Min(x.C(-750).Max(x))
	magic := x.C(0x1.8p52)
	k := x.FMA(x.C(0x1.71547652b82fep0), magic).Sub(magic)
	r := k.FNMA(x.C(0x1.62e42fefa39efp-1), x)
	r = k.FNMA(x.C(0x1.abc9e3b39803fp-56), r)
	// Taylor, to be replaced.
	q := horner(r, 1./6227020800, 1./479001600, 1./39916800, 1./3628800, 1./362880, 1./40320, 1./5040, 1./720, 1./120, 1./24, 1./6, .5)
	p := q.FMA(r.Mul(r), r).Add(x.C(1))
	return p.Ldexp(k)
}
