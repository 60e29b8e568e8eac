package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// division is division that rounds quotients down.
func division() []*ir.Kernel {
	return join(
		binary("floor_divide", floats, func(b *ir.B, t ir.Elem, x, y ir.V) ir.V {
			q, _, over := floored(b, t, x, y, "floorDivide")
			return canonical(b, over.Select(q.Sub(q.C(1)), q))
		}),
		binary("remainder", floats, func(b *ir.B, t ir.Elem, x, y ir.V) ir.V {
			_, r, over := floored(b, t, x, y, "remainder")
			return canonical(b, copySign(b, over.Select(r.Add(y), r), y))
		}),
	)
}

// floored is the rounded quotient, rounded down, and the remainder it leaves.
// The quotient is the true one or, where over holds, one more; then the
// remainder is of the wrong sign. Quotients that large that NumPy's way of
// rounding them shows are left to slow, and infinite y are.
func floored(b *ir.B, t ir.Elem, x, y ir.V, slow string) (q, r, over ir.V) {
	most := map[ir.Elem]float64{ir.Float64: 0x1p50, ir.Float32: 0x1p21}[t]
	q = x.Div(y).Floor()
	// NaN is served.
	b.Bail(x.C(most).Le(abs(b, q)).MOr(y.Sub(y).Ne(x.C(0)).MAnd(y.Eq(y))), slow)
	r = q.FNMA(y, x)
	over = r.Bits().Xor(y.Bits()).ILt(b.Int(r.Type().Bits(), 0)).MAnd(r.Ne(x.C(0)))
	return q, r, over
}
