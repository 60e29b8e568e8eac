package expr

import (
	"math/big"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
)

// axes are those along which a reduction goes.
type axes struct {
	axes []int // in ascending order, nil: all elements are one row
	keep bool  // their lengths become 1
}

// axesOf reads the arguments axis and keepdims.
func (b *builder) axesOf(s *syntax, x *node) axes {
	var a axes
	for _, k := range s.keywords {
		switch {
		case k.name == "axis" && k.value.op == isTuple:
			a.axes = []int{}
			for _, item := range k.value.args {
				a.axes = append(a.axes, b.axis(item, x))
			}
		case k.name == "axis" && k.value.op != isNone:
			a.axes = []int{b.axis(k.value, x)}
		case k.name == "keepdims":
			n := b.build(k.value)
			if n.op != opConst || !n.isBool() {
				b.fail(k.value.span, "write keepdims=True", "keepdims is True or False")
			}
			a.keep = n.value.bits != 0
		}
		if sorted := slices.Sorted(slices.Values(a.axes)); len(slices.Compact(sorted)) < len(a.axes) {
			b.fail(k.value.span, "", "an axis is named twice")
		}
	}
	slices.Sort(a.axes)
	if a.axes == nil && a.keep {
		a.axes = upTo(len(x.shape))
	}
	return a
}

// axis returns an axis of an array by its number, which counts from the end if it
// is negative.
func (b *builder) axis(s *syntax, x *node) int {
	i, ok := b.integer(s)
	switch n := len(x.shape); {
	case !ok:
		b.fail(s.span, "write axis=0, or axis=(0, 1)", "an axis is an integer that is known")
	case i < -n || i >= n:
		b.fail(s.span, axisRemedy(n), "there is no axis %d of an array of shape %v", i, x.shape)
	case i < 0:
		i += n
	}
	return i
}

func axisRemedy(n int) string {
	if n == 0 {
		return "it is one number already"
	}
	return "axes are counted from 0, or back from -1"
}

// integer returns an integer that is known, as far as one of this machine's holds it.
func (b *builder) integer(s *syntax) (int, bool) {
	n := b.build(s)
	if n.op != opConst || n.isBool() || n.isFloat() {
		return 0, false
	}
	i := n.value.big
	if i == nil {
		i = elementInteger(n.value)
	}
	lo, hi := bounds(kernels.Int64)
	if i.Cmp(lo) < 0 {
		i = lo
	} else if i.Cmp(hi) > 0 {
		i = hi
	}
	return int(i.Int64()), true
}

// result returns the shape of what is left of one.
func (a axes) result(shape []int) []int {
	out := []int{}
	for i, n := range shape {
		switch reduced := slices.Contains(a.axes, i); {
		case !reduced:
			out = append(out, n)
		case a.keep:
			out = append(out, 1)
		}
	}
	return out
}

// reduced returns how many elements of a shape become one.
func (a axes) reduced(shape []int) int64 {
	n := int64(1)
	for i, k := range shape {
		if a.axes == nil || slices.Contains(a.axes, i) {
			n *= int64(k)
		}
	}
	return n
}

// element returns the type of a reduction's values along axes, as NumPy has it.
func (r *reduction) element(x *node) dtype {
	name := strings.TrimPrefix(r.name, "nan")
	switch {
	case r.typ.isBool():
		return mask
	case r.typ.isFloat() && x.isFloat(), name == "min", name == "max":
		return strong(x.elem)
	case r.typ.isFloat():
		return strong(kernels.Float64)
	case (name == "sum" || name == "prod") && x.isInt() && !x.elem.IsSigned():
		return strong(kernels.Uint64)
	}
	return strong(kernels.Int64)
}

// elementOfValue returns a value of a reduction as an element of a type that holds
// it.
func elementOfValue(c constant, t kernels.Type) constant {
	out := constant{dtype: strong(t), bits: c.bits}
	switch {
	case t.IsFloat():
		out.bits = t.FloatBits(c.float())
	case c.big != nil:
		out.bits = wrapped(t, new(big.Int).Set(c.big))
	}
	return out
}
