package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// arithmetic is IEEE arithmetic of floats and wrapping arithmetic of integers.
func arithmetic() []*ir.Kernel {
	return join(
		binary("add", floats, rounded(ir.V.Add)), binary("add", integers, wrapping(ir.V.IAdd)),
		binary("subtract", floats, rounded(ir.V.Sub)), binary("subtract", integers, wrapping(ir.V.ISub)),
		binary("multiply", floats, rounded(ir.V.Mul)), binary("multiply", integers, wrapping(ir.V.IMul)),
		binary("divide", floats, rounded(ir.V.Div)),
		binary("fmod", floats, fmod),
		fma(),
		unary("sqrt", floats, func(b *ir.B, _ ir.Elem, x ir.V) ir.V { return canonical(b, x.Sqrt()) }),
		unary("negative", floats, func(b *ir.B, t ir.Elem, x ir.V) ir.V {
			return x.Bits().Xor(signBit(b, t.Lane())).AsFloat()
		}),
		unary("negative", integers, func(b *ir.B, t ir.Elem, x ir.V) ir.V { return b.Int(t.Lane(), 0).ISub(x) }),
		unary("absolute", floats, func(b *ir.B, _ ir.Elem, x ir.V) ir.V { return abs(b, x) }),
		unary("absolute", signed, func(b *ir.B, t ir.Elem, x ir.V) ir.V {
			zero := b.Int(t.Lane(), 0)
			return x.ILt(zero).Select(zero.ISub(x), x)
		}),
		unary("sign", floats, func(b *ir.B, _ ir.Elem, x ir.V) ir.V {
			// Zeros stay what they are.
			return canonical(b, x.Eq(x).MAnd(x.Ne(x.C(0))).Select(copySign(b, x.C(1), x), x))
		}),
		unary("sign", signed, func(b *ir.B, t ir.Elem, x ir.V) ir.V {
			zero := b.Int(t.Lane(), 0)
			return x.ILt(zero).Select(b.Int(t.Lane(), ^uint64(0)), zero.ILt(x).Select(b.Int(t.Lane(), 1), zero))
		}),
		unary("sign", unsigned, func(b *ir.B, t ir.Elem, x ir.V) ir.V {
			zero := b.Int(t.Lane(), 0)
			return x.IEq(zero).Select(zero, b.Int(t.Lane(), 1))
		}),
	)
}

// rounded is a float operation with its NaN made canonical.
func rounded(f func(x, y ir.V) ir.V) func(*ir.B, ir.Elem, ir.V, ir.V) ir.V {
	return func(b *ir.B, _ ir.Elem, x, y ir.V) ir.V { return canonical(b, f(x, y)) }
}

// wrapping is an integer operation.
func wrapping(f func(x, y ir.V) ir.V) func(*ir.B, ir.Elem, ir.V, ir.V) ir.V {
	return func(_ *ir.B, _ ir.Elem, x, y ir.V) ir.V { return f(x, y) }
}

// fma is a*b+c, rounded once.
func fma() (all []*ir.Kernel) {
	for _, t := range floats {
		b := ir.New("fma", t, t, t, t)
		all = append(all, b.Done(canonical(b, b.In(0).FMA(b.In(1), b.In(2)))))
	}
	return all
}

// fmod is the exact remainder with the sign of x. The rounded quotient, cut
// off, is the true one or one more in magnitude, and as long as it is exact the
// remainder it leaves is, too.
func fmod(b *ir.B, t ir.Elem, x, y ir.V) ir.V {
	most := map[ir.Elem]float64{ir.Float64: 0x1p53, ir.Float32: 0x1p24}[t]
	q := x.Div(y).Trunc()
	served := abs(b, q).Lt(x.C(most)).MAnd(y.Sub(y).Eq(x.C(0)))
	b.Bail(served.Not(), map[ir.Elem]string{ir.Float64: "fmod64", ir.Float32: "fmod32"}[t])
	r := q.FNMA(y, x)
	signs := r.Bits().Xor(x.Bits()).And(signBit(b, t.Lane()))
	over := signs.IEq(b.Int(t.Lane().Bits(), 0)).Not().MAnd(r.Ne(x.C(0)))
	r = over.Select(r.Add(copySign(b, y, x)), r)
	return copySign(b, r, x)
}
