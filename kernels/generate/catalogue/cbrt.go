package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// cbrt starts from r, about the reciprocal of the root, which the bits of x
// show to 3.4 per cent when they are divided by -3 (Kahan 1991). A polynomial
// in the residual h = 1 - x r^3 corrects it, and a step of Newton's with an
// exact residual the root that it leads to, division free.
func cbrt(b *ir.B, x ir.V, narrow bool) ir.V {
	a := abs(b, x)
	scaled, back := a, x.C(1)
	if !narrow {
		// So that no residual underflows.
		small := a.Lt(a.C(0x1p-900))
		scaled = small.Select(a.Mul(a.C(0x1p300)), a)
		back = small.Select(a.C(0x1p-100), back)
	}
	// 2^52 and the upper 44 bits; the constant makes good for the 2^52.
	upper := scaled.Bits().ShrI(20).Or(b.Int(ir.I64, 0x4330000000000000)).AsFloat()
	r := upper.FNMA(x.C(1.0/3), x.C(cbrtStart)).Bits().ShlI(20).AsFloat()
	h := scaled.Mul(r).FNMA(r.Mul(r), x.C(1))
	// (1-h)^(-1/3) = 1 + h p(h): |h| <= 0.1021, 2^-31.
	p := horner(h, 0x1.ce72cc334c1cfp-4, 0x1.02e5b34654ed1p-3, 0x1.26f465b56a236p-3, 0x1.61f66aba9a396p-3, 0x1.c71c74740056fp-3, 0x1.55555593589cp-2)
	r = r.Mul(h).FMA(p, r)
	square := r.Mul(r)
	y := scaled.Mul(square)
	if !narrow {
		high := y.Mul(y)
		low := y.FMS(y, high)
		rest := low.FNMA(y, high.FNMA(y, scaled))
		y = rest.FMA(square.Mul(x.C(1.0/3)), y).Mul(back)
	}
	return copySign(b, a.Lt(b.Int(ir.I64, inf64).AsFloat()).Select(y, a), x)
}

// cbrtStart is 1.5*2^52 + 2^52/3, and the bits of 1 times 4/3 less what halves
// the largest error.
const cbrtStart = 0x1.8p52 + 0x1p52/3 + 5858043205119
