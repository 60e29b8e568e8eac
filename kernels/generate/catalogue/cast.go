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
// The last two are there where not every value fits. 16-bit floats go by way of
// float32, to and from which alone they are cast.
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
	}
	return cast, saturate, fits
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
	case from.IsFloat():
		t := double(x).Trunc()
		b.Bail(abs(b, t).Lt(t.C(0x1p51)).Not(), "wrap["+to.GoType()+"]")
		return narrow(toInteger(b, t, true), to)
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
	if from.Size() > to.Size() {
		return narrow(widen(x, from), to)
	}
	if from.Size() == to.Size() {
		return x
	}
	if from.IsUnsigned() {
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

// floatBounds returns them as float64; of 64 bits, the greatest that is in
// range.
func floatBounds(t ir.Elem) (lo, hi float64) {
	switch t {
	case ir.Int64:
		return -0x1p63, 0x1p63 - 0x1p10
	case ir.Uint64:
		return 0, 0x1p64 - 0x1p11
	}
	l, h := bounds(t)
	return float64(int64(l)), float64(h)
}

func saturateLane(b *ir.B, x ir.V, from, to ir.Elem) ir.V {
	if from.IsFloat() {
		d := double(x)
		t := d.Ne(d).Select(d.C(0), d.Trunc())
		lo, hi := floatBounds(to)
		if to.Size() == 8 {
			b.Bail(abs(b, t).Lt(t.C(0x1p51)).Not(), map[ir.Elem]string{ir.Int64: "saturateInt", ir.Uint64: "saturateUint"}[to])
			if to == ir.Uint64 {
				t = t.Max(t.C(0))
			}
			return toInteger(b, t, true)
		}
		return narrow(toInteger(b, t.C(hi).Min(t.C(lo).Max(t)), true), to)
	}
	wide := widen(x, from)
	in := wide
	for _, l := range limits(b, wide, from, to) {
		in = l.beyond.Select(l.bound, in)
	}
	return narrow(in, to)
}

// limit is a bound of a type and where a value lies beyond it.
type limit struct{ beyond, bound ir.V }

// limits returns those of type to that a 64-bit integer made from type from can
// lie beyond.
func limits(b *ir.B, wide ir.V, from, to ir.Elem) (all []limit) {
	l, h := bounds(to)
	lo, hi := b.Int(ir.I64, l), b.Int(ir.I64, h)
	if from.IsSigned() {
		all = append(all, limit{wide.ILt(lo), lo})
	}
	switch {
	case from == ir.Uint64:
		all = append(all, limit{hi.ULt(wide), hi})
	case to != ir.Uint64:
		all = append(all, limit{hi.ILt(wide), hi})
	}
	return all
}

func fitsLane(b *ir.B, x ir.V, from, to ir.Elem) ir.V {
	if from.IsFloat() {
		t := double(x).Trunc()
		lo, hi := floatBounds(to)
		return t.C(lo).Le(t).MAnd(t.Le(t.C(hi)))
	}
	all := limits(b, widen(x, from), from, to)
	beyond := all[0].beyond
	for _, l := range all[1:] {
		beyond = beyond.MOr(l.beyond)
	}
	return beyond.Not()
}
