package catalogue

import (
	"math"
	"strings"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// casts is the conversions between types, and what goes with them:
//
//	cast      rounds to nearest; to integers, cuts off and wraps
//	saturate  to integers: cuts off, and takes the nearest in range; NaN is 0
//	fits      to integers: whether cutting off leaves a number in range
//
// The last two are there where not every value fits. 16-bit floats are cast to
// float32 alone, and from float32 and float64: by way of float32 these would round
// twice.
func casts() (cast, saturate, fits []*ir.Kernel) {
	numbers := append(append([]ir.Elem{}, floats...), integers...)
	for _, from := range numbers {
		for _, to := range numbers {
			if from == to {
				continue
			}
			b := ir.New("cast", to, from)
			cast = append(cast, b.Done(castLane(b, b.In(0), from, to)))
			if to.IsFloat() || contains(to, from) {
				continue
			}
			b = ir.New("saturate", to, from)
			saturate = append(saturate, b.Done(saturateLane(b, b.In(0), from, to)))
			b = ir.New("fits_"+strings.ToLower(to.String()), ir.Bool, from)
			fits = append(fits, b.Done(fitsLane(b, b.In(0), from, to)))
		}
		b := ir.New("cast", ir.Bool, from)
		if x := b.In(0); from.IsFloat() {
			cast = append(cast, b.Done(x.Ne(x.C(0))))
		} else {
			cast = append(cast, b.Done(x.IEq(b.Int(x.Type(), 0)).Not()))
		}
		b = ir.New("cast", from, ir.Bool)
		cast = append(cast, b.Done(b.In(0).Select(one(b, from.Lane()), zeroOf(b, from.Lane()))))
	}
	for _, h := range []ir.Elem{ir.Float16, ir.BFloat16} {
		b := ir.New("cast", ir.Float32, h)
		cast = append(cast, b.Done(canonical(b, b.In(0))))
		b = ir.New("cast", h, ir.Float32)
		cast = append(cast, b.Done(canonical(b, b.In(0))))
		b = ir.New("cast", h, ir.Float64)
		cast = append(cast, b.Done(canonical(b, toOdd(b, b.In(0), h).Narrow())))
	}
	return cast, saturate, fits
}

// toOdd rounds float64 to a float32 of the same side of any 16-bit float and of any
// middle between two: to the odd one, where it is none. (S. Boldo and G. Melquiond,
// Emulation of FMA and correctly rounded sums: proved algorithms using rounding to
// odd, IEEE Transactions on Computers 57, 2008.)
func toOdd(b *ir.B, x ir.V, to ir.Elem) ir.V {
	const dropped = 1<<29 - 1 // bits of float64's fraction that float32 has not
	bits := x.Bits()
	low := bits.And(b.Int(ir.I64, dropped))
	exact := low.IEq(b.Int(ir.I64, 0))
	odd := bits.AndNot(b.Int(ir.I64, dropped)).Or(exact.Select(b.Int(ir.I64, 0), b.Int(ir.I64, dropped+1))).AsFloat()
	if to == ir.Float16 {
		return odd // its numbers are far above those that float32 has fewer bits for
	}
	// Below float32's normal numbers, where its last bits count less: to a multiple of
	// bfloat16's least number.
	magic := x.C(0x1.8p-81)
	small := copySign(b, abs(b, x).Add(magic).Sub(magic), x)
	return abs(b, x).Lt(x.C(0x1p-126)).Select(small, odd)
}

func one(b *ir.B, t ir.Type) ir.V {
	if t.IsFloat() {
		return b.Float(t, 1)
	}
	return b.Int(t, 1)
}

func zeroOf(b *ir.B, t ir.Type) ir.V {
	if t.IsFloat() {
		return b.Float(t, 0)
	}
	return b.Int(t, 0)
}

// contains tells whether integer type to holds every value of from.
func contains(to, from ir.Elem) bool {
	switch {
	case from.IsFloat():
		return false
	case to.IsUnsigned():
		return from.IsUnsigned() && from.Size() <= to.Size()
	case from.IsUnsigned():
		return from.Size() < to.Size()
	}
	return from.Size() <= to.Size()
}

// double is a float as float64.
func double(x ir.V) ir.V {
	if x.Type() == ir.F32 {
		return x.Widen()
	}
	return x
}

func castLane(b *ir.B, x ir.V, from, to ir.Elem) ir.V {
	switch {
	case from.IsFloat() && to.IsFloat():
		if to == ir.Float32 {
			return canonical(b, x.Narrow())
		}
		return canonical(b, x.Widen())
	case from.IsFloat() && fitsInt32(to):
		b.Bail(abs(b, x).Lt(x.C(0x1p31)).Not(), "wrap["+to.GoType()+"]")
		return resize(x.ToInt(ir.I32), ir.Int32, to)
	case from.IsFloat():
		t := double(x).Trunc()
		b.Bail(abs(b, t).Lt(t.C(0x1p51)).Not(), "wrap["+to.GoType()+"]")
		return narrow(toInteger(b, t, true), to)
	case to.IsFloat() && fitsInt32(from):
		t := to.Lane()
		if from.Size() == 4 {
			return x.FromInt(t)
		}
		return resize(x, from, ir.Int32).FromInt(t)
	case to.IsFloat():
		wide := widen(x, from)
		var f ir.V
		switch {
		case from == ir.Uint64:
			f = toFloatUnsigned(b, wide)
		default:
			f = toFloat(b, wide, from.Size() < 8)
		}
		if to == ir.Float64 {
			return f
		}
		if from.Size() == 8 {
			// float64 must be exact, or the second rounding may go wrong.
			b.Bail(outside(b, wide, from), map[ir.Elem]string{ir.Int64: "roundInt", ir.Uint64: "roundUint"}[from])
		}
		return f.Narrow()
	}
	return resize(x, from, to)
}

// fitsInt32 tells whether int32 holds every value of an integer type.
func fitsInt32(t ir.Elem) bool { return t == ir.Int32 || contains(ir.Int32, t) }

// resize is an integer of type from with the bits that type to has.
func resize(x ir.V, from, to ir.Elem) ir.V {
	switch {
	case from.Size() > to.Size():
		return x.Cut(to.Lane())
	case from.Size() == to.Size():
		return x
	case from.IsUnsigned():
		return x.Zext(to.Lane())
	}
	return x.Sext(to.Lane())
}

// bounds returns the least and the greatest value of an integer type, as bits.
func bounds(t ir.Elem) (lo, hi uint64) {
	w := 8 * t.Size()
	if t.IsUnsigned() {
		return 0, math.MaxUint64 >> (64 - w)
	}
	return -(uint64(1) << (w - 1)), 1<<(w-1) - 1
}

// floatBounds returns the least value as a float, and the first that is too great.
func floatBounds(t ir.Elem) (lo, beyond float64) {
	w := 8 * t.Size()
	if t.IsUnsigned() {
		return 0, math.Ldexp(1, w)
	}
	return -math.Ldexp(1, w-1), math.Ldexp(1, w-1)
}

func saturateLane(b *ir.B, x ir.V, from, to ir.Elem) ir.V {
	if !from.IsFloat() {
		in := x
		for _, l := range limits(b, x, from, to) {
			in = l.beyond.Select(l.bound, in)
		}
		// What is left is not negative where a wider type has no sign.
		return resize(in, from, to)
	}
	if to.Size() > 2 {
		x = double(x) // float32 has not the greatest of 32 bits
	}
	t := x.Ne(x).Select(x.C(0), x)
	lo, beyond := floatBounds(to)
	switch {
	case to.Size() == 8:
		t = t.Trunc()
		b.Bail(abs(b, t).Lt(t.C(0x1p51)).Not(), map[ir.Elem]string{ir.Int64: "saturateInt", ir.Uint64: "saturateUint"}[to])
		if to == ir.Uint64 {
			t = t.Max(t.C(0))
		}
		return toInteger(b, t, true)
	case to == ir.Uint32:
		return narrow(toInteger(b, t.C(beyond-1).Min(t.C(lo).Max(t.Trunc())), true), to)
	}
	return resize(t.C(beyond-1).Min(t.C(lo).Max(t)).ToInt(ir.I32), ir.Int32, to)
}

// limit is a bound of a type and where a value lies beyond it.
type limit struct{ beyond, bound ir.V }

// limits returns those of type to that an integer of type from can lie beyond.
func limits(b *ir.B, x ir.V, from, to ir.Elem) (all []limit) {
	l, h := bounds(to)
	lo, hi := b.Int(x.Type(), l), b.Int(x.Type(), h)
	_, most := bounds(from)
	switch {
	case from.IsUnsigned():
		return []limit{{hi.ULt(x), hi}}
	case to.IsUnsigned():
		lo = b.Int(x.Type(), 0)
	}
	all = append(all, limit{x.ILt(lo), lo})
	if h < most {
		all = append(all, limit{hi.ILt(x), hi})
	}
	return all
}

func fitsLane(b *ir.B, x ir.V, from, to ir.Elem) ir.V {
	if from.IsFloat() {
		t := x.Trunc()
		lo, beyond := floatBounds(to)
		return t.C(lo).Le(t).MAnd(t.Lt(t.C(beyond)))
	}
	all := limits(b, x, from, to)
	beyond := all[0].beyond
	for _, l := range all[1:] {
		beyond = beyond.MOr(l.beyond)
	}
	return beyond.Not()
}
