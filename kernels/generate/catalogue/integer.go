package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// integer is division of integers. By zero the quotient and the remainder are
// 0, as NumPy has it; the least integer divided by -1 wraps to itself.
//
// Quotients are taken in float64, where they are exact enough: two integers
// below 2^53 whose quotient is no integer are at least 1/y away from one, which
// the rounding of less than 2^-53 times x/y cannot bridge. So are those of 8 and 16
// bits in float32.
func integer() []*ir.Kernel {
	floor := func(q ir.V) ir.V { return q.Floor() }
	trunc := func(q ir.V) ir.V { return q.Trunc() }
	return join(
		quotients("floor_divide", "integerFloorDivide", floor, false),
		quotients("remainder", "integerRemainder", floor, true),
		quotients("trunc_divide", "truncDivide", trunc, false),
		quotients("fmod", "truncRemainder", trunc, true),
	)
}

func quotients(name, slow string, cut func(ir.V) ir.V, rest bool) []*ir.Kernel {
	return binary(name, integers, func(b *ir.B, t ir.Elem, x, y ir.V) ir.V {
		switch {
		case t.Size() == 8:
			b.Bail(outside(b, x, t).MOr(outside(b, y, t)), slow)
		case t.Size() < 4:
			x, y = resize(x, t, ir.Int32), resize(y, t, ir.Int32)
		}
		over, by := quotientFloat(b, x, t), quotientFloat(b, y, t)
		q := cut(over.Div(by))
		if !rest {
			q = by.Eq(q.C(0)).Select(q.C(0), q)
		}
		var n ir.V
		if t.Size() < 4 {
			n = q.ToInt(ir.I32)
		} else {
			n = narrow(toInteger(b, q, t.Size() < 8), t)
		}
		if rest {
			// Where y is 0, so is n*y, whatever n.
			zero := b.Int(y.Type(), 0)
			n = y.IEq(zero).Select(zero, x.ISub(n.IMul(y)))
		}
		if t.Size() < 4 {
			return n.Cut(t.Lane())
		}
		return n
	})
}

// quotientFloat is an integer of type t as the float that quotients are taken in.
func quotientFloat(b *ir.B, x ir.V, t ir.Elem) ir.V {
	switch {
	case t.Size() < 4:
		return x.FromInt(ir.F32)
	case t == ir.Int32:
		return x.FromInt(ir.F64)
	}
	return toFloat(b, widen(x, t), t.Size() < 8)
}

// outside tells where a 64-bit integer is 2^52 or more in magnitude.
func outside(b *ir.B, x ir.V, t ir.Elem) ir.V {
	if t.IsUnsigned() {
		return x.ULt(b.Int(ir.I64, 1<<52)).Not()
	}
	return x.IAdd(b.Int(ir.I64, 1<<52)).ULt(b.Int(ir.I64, 1<<53)).Not()
}

// widen is an integer as 64 bits.
func widen(x ir.V, t ir.Elem) ir.V {
	switch {
	case t.Size() == 8:
		return x
	case t.IsUnsigned():
		return x.Zext(ir.I64)
	}
	return x.Sext(ir.I64)
}

// narrow is the low bits of 64.
func narrow(x ir.V, t ir.Elem) ir.V {
	if t.Size() == 8 {
		return x
	}
	return x.Cut(t.Lane())
}

// toFloat is a signed 64-bit integer rounded to a float64, by halves that are
// exact: of less than 2^51 in magnitude, in one step.
func toFloat(b *ir.B, x ir.V, small bool) ir.V {
	magic := func(x ir.V) ir.V {
		return x.IAdd(b.Int(ir.I64, 0x4338000000000000)).AsFloat().Sub(b.Float(ir.F64, 0x1.8p52))
	}
	if small {
		return magic(x)
	}
	return magic(x.SarI(32)).FMA(b.Float(ir.F64, 0x1p32), lowHalf(b, x))
}

// toFloatUnsigned is toFloat of an unsigned integer.
func toFloatUnsigned(b *ir.B, x ir.V) ir.V {
	return lowHalf(b, x.ShrI(32)).FMA(b.Float(ir.F64, 0x1p32), lowHalf(b, x))
}

// lowHalf is the low 32 bits of an integer as a float64.
func lowHalf(b *ir.B, x ir.V) ir.V {
	return x.And(b.Int(ir.I64, 1<<32-1)).Or(b.Int(ir.I64, 0x4330000000000000)).AsFloat().Sub(b.Float(ir.F64, 0x1p52))
}

// toInteger is an integral float64 of less than 2^53 in magnitude as an
// integer, of less than 2^51 in one step.
func toInteger(b *ir.B, x ir.V, small bool) ir.V {
	magic := func(x ir.V) ir.V {
		return x.Add(x.C(0x1.8p52)).Bits().ISub(b.Int(ir.I64, 0x4338000000000000))
	}
	if small {
		return magic(x)
	}
	top := x.Mul(x.C(0x1p-32)).Floor()
	return magic(top).ShlI(32).IAdd(magic(top.FNMA(x.C(0x1p32), x)))
}
