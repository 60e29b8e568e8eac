package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// bits is the bit operations of integers.
func bits() []*ir.Kernel {
	return join(
		binary("bitwise_and", integers, wrapping(ir.V.And)),
		binary("bitwise_or", integers, wrapping(ir.V.Or)),
		binary("bitwise_xor", integers, wrapping(ir.V.Xor)),
		unary("invert", integers, func(b *ir.B, t ir.Elem, x ir.V) ir.V { return x.Xor(b.Int(t.Lane(), ^uint64(0))) }),
		binary("left_shift", integers, shifted(ir.V.Shl, ir.V.Zext)),
		binary("right_shift", signed, shifted(ir.V.Sar, ir.V.Sext)),
		binary("right_shift", unsigned, shifted(ir.V.Shr, ir.V.Zext)),
		unary("byteswap", unsigned[1:], func(_ *ir.B, _ ir.Elem, x ir.V) ir.V { return x.Swap() }),
	)
}

// shifted shifts by the bits of y as an unsigned number: by a negative one,
// everything out. Lanes that are too narrow for the instruction sets are
// widened meanwhile.
func shifted(f func(x, y ir.V) ir.V, widen func(ir.V, ir.Type) ir.V) func(*ir.B, ir.Elem, ir.V, ir.V) ir.V {
	return func(_ *ir.B, t ir.Elem, x, y ir.V) ir.V {
		if t.Size() >= 4 {
			return f(x, y)
		}
		return f(widen(x, ir.I32), y.Zext(ir.I32)).Cut(t.Lane())
	}
}
