package expr

import (
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
)

// operation is what a node does.
type operation uint8

const (
	opInput   operation = iota // the elements of an array
	opConst                    // a scalar that is known
	opValue                    // the value of a reduction, or, along axes, its values
	opView                     // some elements of an array that lies in memory
	opKernel                   // an elementwise kernel, of arrays or of scalars
	opExact                    // arithmetic of weak integers
	opConvert                  // a weak scalar as of another type
	opCompare                  // elements of an integer type with a weak integer of any size
)

// node is a value that an expression computes. Nodes are equal if and only if
// they are the same one, so that what is written twice is computed once.
type node struct {
	op operation
	dtype
	array  bool
	args   []*node
	name   string // of the kernel or of the arithmetic
	kernel *kernels.Elementwise
	value  constant
	shape  []int // of an array
	input  int
	view   *selection
	reduce *reduction
	level  int   // the first pass that can compute it
	at     place // where it was first written
}

// nodeKey tells nodes apart.
type nodeKey struct {
	op      operation
	typ     dtype
	array   bool
	name    string
	input   int
	bits    uint64
	big     string
	a, b, c *node
}

// builder makes nodes of what was parsed. It panics with an *Error, which
// compile takes up.
type builder struct {
	src    source
	inputs []Input
	built  map[*syntax]*node
	known  map[nodeKey]*node
	views  map[viewKey]*node
	folds  map[foldKey]*fold
	where  *node // the mask of all reductions, nil for none
	filter *node // that mask, as of the shape of the reduction in hand
	axes   []int // along which that reduces, nil: all elements as one row
	at     span  // of the operation in hand
}

func (b *builder) fail(at span, remedy, format string, args ...any) {
	panic(b.src.errorf(at, remedy, format, args...))
}

// node returns the node that is like n.
func (b *builder) node(n node) *node {
	k := nodeKey{op: n.op, typ: n.dtype, array: n.array, name: n.name, input: n.input}
	k.bits, k.big = n.value.key()
	for i, at := range []**node{&k.a, &k.b, &k.c}[:len(n.args)] {
		*at = n.args[i]
	}
	if same := b.known[k]; same != nil {
		return same
	}
	n.at = place{b.src, b.at}
	for _, a := range n.args {
		n.level = max(n.level, a.level)
	}
	b.known[k] = &n
	return &n
}

func (b *builder) constant(c constant) *node {
	return b.node(node{op: opConst, dtype: c.dtype, value: c})
}

// made returns the node n, or the constant that it is if its operands are
// constants.
func (b *builder) made(n node) *node {
	var known []constant
	n.args = slices.Clone(n.args)
	n.shape, n.array = b.aligned(n.args)
	for _, a := range n.args {
		if a.op == opConst {
			known = append(known, a.value)
		}
	}
	if len(known) < len(n.args) {
		return b.node(n)
	}
	n.at = place{b.src, b.at}
	return b.constant(evaluate(&n, known))
}

// kernel returns the node of a kernel for operands of just these types.
func (b *builder) kernel(name string, args ...*node) *node {
	in := make([]kernels.Type, len(args))
	weak := true
	for i, a := range args {
		in[i] = a.elem
		weak = weak && (a.weak || a.isBool()) // where's condition is a mask
	}
	k, ok := kernels.LookupElementwise(name, in...)
	if !ok {
		panic(fmt.Sprintf("expr: no kernel %s%v", name, in))
	}
	return b.made(node{op: opKernel, dtype: dtype{k.Out(), weak && k.Out() == kernels.Float64}, name: name, kernel: k, args: args})
}

// cast returns elements as those of another type, by NumPy's astype. From 16-bit
// floats the way leads through float32, from integers to them through float64.
func (b *builder) cast(n *node, to kernels.Type) *node {
	switch {
	case n.elem == to:
		return n
	case n.is16() && to != kernels.Float32:
		return b.cast(b.cast(n, kernels.Float32), to)
	case strong(to).is16() && !n.isFloat():
		return b.cast(b.cast(n, kernels.Float64), to)
	}
	k, ok := kernels.LookupCast("cast", n.elem, to)
	if !ok {
		panic(fmt.Sprintf("expr: no cast from %v to %v", n.elem, to))
	}
	return b.made(node{op: opKernel, dtype: strong(to), name: "cast", kernel: k, args: []*node{n}})
}

// convert returns n as of the type to which it is promoted.
func (b *builder) convert(n *node, to dtype) *node {
	switch {
	case n.dtype == to:
		return n
	case !n.weak:
		return b.cast(n, to.elem)
	}
	return b.made(node{op: opConvert, dtype: to, args: []*node{n}})
}

// explicit returns n cast to an element type by name.
func (b *builder) explicit(n *node, to kernels.Type) *node {
	switch {
	case n.dtype == weakFloat && !to.IsFloat():
		n = b.convert(n, strong(kernels.Float64))
	case n.dtype == weakInt && to == kernels.Bool:
		return b.kernel("not_equal", b.convert(n, weakFloat), b.constant(floatConstant(0)))
	}
	return b.convert(n, strong(to))
}

// compute returns a kernel's result for operands that are promoted to type d.
// Kernels compute 16-bit floats as float32; the result is rounded back, unless
// it is a mask.
func (b *builder) compute(name string, d dtype, args ...*node) *node {
	wide := d
	if d.is16() {
		wide = strong(kernels.Float32)
	}
	operands := make([]*node, len(args))
	for i, a := range args {
		operands[i] = b.convert(b.convert(a, d), wide)
	}
	if d == weakInt {
		return b.made(node{op: opExact, dtype: exactResult(name), name: name, args: operands})
	}
	n := b.kernel(name, operands...)
	if n.isBool() {
		return n
	}
	return b.convert(n, d)
}

// common returns the type to which operands are promoted. As in NumPy, floats
// come first, so that int16 with uint16 and float32 is float32, and weak ones
// last.
func common(args []*node) dtype {
	sorted := slices.Clone(args)
	slices.SortStableFunc(sorted, func(a, b *node) int {
		if a.weak != b.weak {
			return map[bool]int{false: -1, true: 1}[a.weak]
		}
		return b.rank() - a.rank()
	})
	d := sorted[0].dtype
	for _, a := range sorted[1:] {
		d = promote(d, a.dtype)
	}
	return d
}
