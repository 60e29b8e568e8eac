package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// choose is what returns one of its operands.
func choose() []*ir.Kernel {
	least := func(b *ir.B, t ir.Elem, x, y ir.V) ir.V { return extreme(b, x, y, ir.V.Min, ir.V.Or) }
	most := func(b *ir.B, t ir.Elem, x, y ir.V) ir.V { return extreme(b, x, y, ir.V.Max, ir.V.And) }
	all := join(
		binary("minimum", floats, least), binary("minimum", integers, lesser),
		binary("maximum", floats, most), binary("maximum", integers, greater),
	)
	for _, t := range floats {
		b := ir.New("clip", t, t, t, t)
		all = append(all, b.Done(least(b, t, most(b, t, b.In(0), b.In(1)), b.In(2))))
	}
	for _, t := range integers {
		b := ir.New("clip", t, t, t, t)
		all = append(all, b.Done(lesser(b, t, greater(b, t, b.In(0), b.In(1)), b.In(2))))
	}
	for _, t := range append(append([]ir.Elem{}, floats...), integers...) {
		b := ir.New("where", t, ir.Bool, t, t)
		all = append(all, b.Done(b.In(0).Select(b.In(1), b.In(2))))
	}
	b := ir.New("where", ir.Bool, ir.Bool, ir.Bool, ir.Bool)
	c, x, y := b.In(0), b.In(1), b.In(2)
	return append(all, b.Done(c.MAnd(x).MOr(c.Not().MAnd(y))))
}

// extreme is the canonical NaN where either operand is NaN, and orders -0
// before +0: zeros combine their sign bits.
func extreme(b *ir.B, x, y ir.V, pick, zeros func(x, y ir.V) ir.V) ir.V {
	equal := zeros(x.Bits(), y.Bits()).AsFloat()
	return canonical(b, x.Ne(x).Select(x, x.Eq(y).Select(equal, pick(x, y))))
}

func lesser(_ *ir.B, t ir.Elem, x, y ir.V) ir.V  { return below(t, x, y).Select(x, y) }
func greater(_ *ir.B, t ir.Elem, x, y ir.V) ir.V { return below(t, y, x).Select(x, y) }

func below(t ir.Elem, x, y ir.V) ir.V {
	if t.IsUnsigned() {
		return x.ULt(y)
	}
	return x.ILt(y)
}
