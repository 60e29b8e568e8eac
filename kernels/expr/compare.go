package expr

import (
	"math/big"

	"github.com/gangsaw/gangsaw/kernels"
)

var zero = new(big.Int)

// mirrored are the comparisons with their sides exchanged.
var mirrored = map[string]string{"equal": "equal", "not_equal": "not_equal",
	"less": "greater", "less_equal": "greater_equal", "greater": "less", "greater_equal": "less_equal"}

func comparison(name string) building {
	return func(b *builder, _ *syntax, args []*node) *node { return b.compare(name, args[0], args[1]) }
}

// compare returns the mask of a comparison, which is one of values: integers of
// different types are never rounded, as in NumPy 2.
func (b *builder) compare(name string, x, y *node) *node {
	d := common([]*node{x, y})
	switch {
	case d.isBool():
		return b.compare(name, b.cast(x, kernels.Uint8), b.cast(y, kernels.Uint8))
	case x.isBool() && d.isInt():
		return b.compare(name, b.cast(x, kernels.Uint8), y)
	case y.isBool() && d.isInt():
		return b.compare(name, x, b.cast(y, kernels.Uint8))
	case y.dtype == weakInt && x.isInt() && !x.weak:
		return b.made(node{op: opCompare, dtype: mask, name: name, args: []*node{x, y}})
	case x.dtype == weakInt && y.isInt() && !y.weak:
		return b.compare(mirrored[name], y, x)
	case x.isInt() && y.isInt() && d.isFloat() && y.elem == kernels.Uint64:
		return b.compareSigned(name, x, y)
	case x.isInt() && y.isInt() && d.isFloat():
		return b.compareSigned(mirrored[name], y, x)
	}
	return b.compute(name, d, x, y)
}

// compareSigned compares signed x with y of type uint64.
func (b *builder) compareSigned(name string, x, y *node) *node {
	negative := b.compare("less", x, b.constant(intConstant(zero)))
	magnitudes := b.kernel(name, b.cast(x, kernels.Uint64), y)
	if name == "less" || name == "less_equal" || name == "not_equal" {
		return b.kernel("logical_or", negative, magnitudes)
	}
	return b.kernel("logical_and", b.kernel("logical_not", negative), magnitudes)
}
