package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// hypot is the root of the sum of squares, which is a sum of two floats, with
// one correction (Borges 2019) that takes a reciprocal from the root's bits:
// they show it to 5 per cent, and the correction is less than one unit.
func hypot(b *ir.B, x, y ir.V, narrow bool) ir.V {
	inf := b.Int(ir.I64, inf64).AsFloat()
	if narrow {
		// Squares neither overflow nor underflow.
		x, y = x.Mul(x), y.Mul(y)
		return x.Eq(inf).MOr(y.Eq(inf)).Select(inf, x.Add(y).Sqrt())
	}
	x, y = abs(b, x), abs(b, y)
	// NaN is the greatest by its bits.
	less := x.Bits().ILt(y.Bits())
	most, least := less.Select(y, x), less.Select(x, y)
	infinite := most.Eq(inf).MOr(least.Eq(inf))
	// A power of two that brings the greater one to between 2^-52 and 8. Three
	// exponents out of four are left alone so that its reciprocal exists, too.
	exponent := most.Bits().And(b.Int(ir.I64, 0x7fc0000000000000))
	scale := b.Int(ir.I64, 2045<<52).ISub(exponent)
	most, least = most.Mul(scale.AsFloat()), least.Mul(scale.AsFloat())
	high := most.Mul(most)
	low := most.FMS(most, high)
	sum := least.FMA(least, high)
	low = low.Add(least.FMA(least, high.Sub(sum)))
	h := sum.Sqrt()
	low = h.FNMA(h, sum).Add(low)
	reciprocal := b.Int(ir.I64, 0x7fce666666666666).ISub(h.Bits()).AsFloat()
	h = low.FMA(reciprocal, h).Mul(b.Int(ir.I64, 2046<<52).ISub(scale).AsFloat())
	return infinite.Select(inf, h)
}
