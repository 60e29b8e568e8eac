package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// compare is what makes truth values, and what combines them.
func compare() (all []*ir.Kernel) {
	type two = func(x, y ir.V) ir.V
	not := func(f two) two { return func(x, y ir.V) ir.V { return f(x, y).Not() } }
	swap := func(f two) two { return func(x, y ir.V) ir.V { return f(y, x) } }
	for _, c := range []struct {
		name                    string
		float, signed, unsigned two
	}{
		{"equal", ir.V.Eq, ir.V.IEq, ir.V.IEq},
		{"not_equal", ir.V.Ne, not(ir.V.IEq), not(ir.V.IEq)},
		{"less", ir.V.Lt, ir.V.ILt, ir.V.ULt},
		{"less_equal", ir.V.Le, not(swap(ir.V.ILt)), not(swap(ir.V.ULt))},
		{"greater", swap(ir.V.Lt), swap(ir.V.ILt), swap(ir.V.ULt)},
		{"greater_equal", swap(ir.V.Le), not(ir.V.ILt), not(ir.V.ULt)},
	} {
		all = append(all, predicate(c.name, floats, c.float)...)
		all = append(all, predicate(c.name, signed, c.signed)...)
		all = append(all, predicate(c.name, unsigned, c.unsigned)...)
	}
	for _, t := range floats {
		for name, f := range map[string]func(x ir.V) ir.V{
			"isnan":    func(x ir.V) ir.V { return x.Ne(x) },
			"isfinite": func(x ir.V) ir.V { return x.Sub(x).Eq(x.C(0)) },
			"isinf":    func(x ir.V) ir.V { return x.Eq(x).MAnd(x.Sub(x).Ne(x.C(0))) },
		} {
			b := ir.New(name, ir.Bool, t)
			all = append(all, b.Done(f(b.In(0))))
		}
		b := ir.New("signbit", ir.Bool, t)
		x := b.In(0).Bits()
		all = append(all, b.Done(x.ILt(b.Int(x.Type(), 0))))
	}
	for name, f := range map[string]two{"logical_and": ir.V.MAnd, "logical_or": ir.V.MOr, "logical_xor": ir.V.MXor} {
		all = append(all, predicate(name, []ir.Elem{ir.Bool}, f)...)
	}
	b := ir.New("logical_not", ir.Bool, ir.Bool)
	all = append(all, b.Done(b.In(0).Not()))
	return sorted(all)
}

// predicate makes bool = f(in, in) for each type.
func predicate(name string, types []ir.Elem, f func(x, y ir.V) ir.V) (all []*ir.Kernel) {
	for _, t := range types {
		b := ir.New(name, ir.Bool, t, t)
		all = append(all, b.Done(f(b.In(0), b.In(1))))
	}
	return all
}
