package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// round is rounding to integral values.
func round() (all []*ir.Kernel) {
	for _, r := range []struct {
		name string
		f    func(ir.V) ir.V
	}{{"floor", ir.V.Floor}, {"ceil", ir.V.Ceil}, {"trunc", ir.V.Trunc}, {"rint", ir.V.Rint}} {
		all = append(all, unary(r.name, floats, func(b *ir.B, _ ir.Elem, x ir.V) ir.V { return canonical(b, r.f(x)) })...)
	}
	return all
}
