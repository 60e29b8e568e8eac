package expr

import (
	"fmt"
	"math/bits"
	"slices"
)

// selection says which elements of one shape make up another: those that a slice
// takes, or that broadcasting repeats.
type selection struct {
	shape []int      // that is made
	axes  []axisStep // of each of its axes
	from  []int      // of each axis that is selected from, where it begins
}

// axisStep is how one axis goes along an axis of what it is selected from. Of axis
// -1 one place serves for all.
type axisStep struct{ axis, step int }

// all returns the selection of everything.
func all(shape []int) selection {
	s := selection{shape: shape, axes: make([]axisStep, len(shape)), from: make([]int, len(shape))}
	for i := range shape {
		s.axes[i] = axisStep{i, 1}
	}
	return s
}

// of returns the selection that s makes of what inner has selected.
func (s selection) of(inner selection) selection {
	out := selection{shape: s.shape, from: slices.Clone(inner.from), axes: make([]axisStep, len(s.axes))}
	for i, a := range inner.axes {
		if a.axis >= 0 {
			out.from[a.axis] += a.step * s.from[i]
		}
	}
	for i, a := range s.axes {
		out.axes[i] = axisStep{-1, 0}
		if a.axis >= 0 && inner.axes[a.axis].axis >= 0 {
			out.axes[i] = axisStep{inner.axes[a.axis].axis, inner.axes[a.axis].step * a.step}
		}
	}
	return out
}

// isAll reports whether everything of that shape is selected, as it lies.
func (s selection) isAll(shape []int) bool {
	return slices.Equal(s.shape, shape) && slices.Equal(s.axes, all(shape).axes) && !slices.ContainsFunc(s.from, func(i int) bool { return i != 0 })
}

// permuted returns the selection whose axis i is axis order[i] of s.
func (s selection) permuted(order []int) selection {
	out := selection{from: s.from}
	for _, i := range order {
		out.shape, out.axes = append(out.shape, s.shape[i]), append(out.axes, s.axes[i])
	}
	return out
}

// stretched returns the selection that broadcasts one shape to another, to which
// it goes.
func stretched(from, to []int) selection {
	s := selection{shape: to, from: make([]int, len(from)), axes: make([]axisStep, len(to))}
	for i := range to {
		s.axes[i] = axisStep{-1, 0}
		if at := i - len(to) + len(from); at >= 0 && from[at] == to[i] {
			s.axes[i] = axisStep{at, 1}
		}
	}
	return s
}

// together returns the shape to which two broadcast, by NumPy's rule: axes are
// lined up at the last, and one of length 1 goes with any.
func together(a, b []int) ([]int, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i, n := range b {
		switch at := i + len(a) - len(b); {
		case out[at] == 1:
			out[at] = n
		case n != 1 && n != out[at]:
			return nil, false
		}
	}
	return out, true
}

// maxElements is the most elements that a shape has: no sum of offsets overflows.
const maxElements = 1 << 56

// elements returns how many elements a shape has, false if they are too many.
func elements(shape []int) (uint64, bool) {
	n := uint64(1)
	for _, k := range shape {
		if k == 0 {
			return 0, true
		}
	}
	for _, k := range shape {
		hi, lo := bits.Mul64(n, uint64(k))
		if hi != 0 || lo > maxElements {
			return 0, false
		}
		n = lo
	}
	return n, true
}

// selected returns the elements of n that a selection takes. What computes n
// computes those alone.
func (b *builder) selected(n *node, s selection) *node {
	if !n.array || s.isAll(n.shape) {
		return n
	}
	key := viewKey{n, fmt.Sprint(s)}
	if known := b.views[key]; known != nil {
		return known
	}
	src, at := b.src, b.at
	b.src, b.at = n.at.src, n.at.span
	var made *node
	switch n.op {
	case opInput, opValue:
		made = b.view(n, s)
	case opView:
		made = b.view(n.args[0], s.of(*n.view))
	default:
		like := *n
		like.shape, like.args = s.shape, make([]*node, len(n.args))
		for i, a := range n.args {
			like.args[i] = b.selected(a, s)
		}
		made = b.node(like)
	}
	b.src, b.at = src, at
	b.views[key] = made
	return made
}

// viewKey tells selections of nodes apart.
type viewKey struct {
	of *node
	as string
}

// view returns a selection of an array that lies in memory.
func (b *builder) view(of *node, s selection) *node {
	if s.isAll(of.shape) {
		return of
	}
	return b.node(node{op: opView, dtype: of.dtype, array: true, shape: s.shape, name: fmt.Sprint(s), view: &s, args: []*node{of}})
}

// broadcast returns n as of a shape.
func (b *builder) broadcast(n *node, shape []int) *node {
	if !n.array || slices.Equal(n.shape, shape) {
		return n
	}
	return b.selected(n, stretched(n.shape, shape))
}

// aligned broadcasts the arrays among operands to one shape, which it returns.
func (b *builder) aligned(args []*node) (shape []int, array bool) {
	for _, a := range args {
		switch {
		case !a.array:
		case !array:
			shape, array = a.shape, true
		default:
			met, ok := together(shape, a.shape)
			if !ok {
				b.fail(b.at, "axes are lined up at the last, and have one length, or 1: x[:, None] puts in an axis", "the shapes %v and %v do not go together", shape, a.shape)
			}
			shape = met
		}
	}
	if _, ok := elements(shape); !ok {
		b.fail(b.at, "reduce or slice the arrays first", "the shape %v is larger than any file", shape)
	}
	if array {
		for i, a := range args {
			args[i] = b.broadcast(a, shape)
		}
	}
	return shape, array
}

// space is what a pass goes over: the elements of all nodes of a shape, in some
// order of the axes.
type space struct {
	shape []int
	order []int // of the shape's axes, the outermost first
	rows  int   // of these, so many number arrays that are folded each by itself; 0: all is one
}

func (s space) key() string { return fmt.Sprint(s) }

// dims returns the lengths of the axes, the outermost first.
func (s space) dims() []int {
	dims := make([]int, len(s.order))
	for i, axis := range s.order {
		dims[i] = s.shape[axis]
	}
	return dims
}

// length returns how many of the lengths' elements there are.
func length(dims []int) int {
	n := 1
	for _, k := range dims {
		n *= k
	}
	return n
}

// flat returns the space of all elements of nodes of one shape. It goes in the order
// in which they lie if that is Fortran's for all, else in C's.
func (b *builder) flat(nodes ...*node) space {
	s := space{shape: nodes[0].shape, order: upTo(len(nodes[0].shape))}
	if b.inFortran(nodes) {
		slices.Reverse(s.order)
	}
	return s
}

// inOrder returns the space that goes in C's order.
func inOrder(shape []int) space { return space{shape: shape, order: upTo(len(shape))} }

// along returns the space in which the axes that are reduced come last.
func along(shape, axes []int) space {
	s := space{shape: shape}
	for i := range shape {
		if !slices.Contains(axes, i) {
			s.order = append(s.order, i)
		}
	}
	s.rows = len(s.order)
	s.order = append(s.order, axes...)
	return s
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// inFortran reports whether all arrays of more than one axis that nodes read, and
// one at least, lie in Fortran's order.
func (b *builder) inFortran(nodes []*node) bool {
	used := newUsage()
	for _, n := range nodes {
		used.add(n)
	}
	c, f := false, false
	for leaf := range used.leaves {
		of := leaf
		if leaf.op == opView {
			of = leaf.args[0]
		}
		if of.op != opInput || len(of.shape) < 2 || len(leaf.shape) != len(of.shape) {
			continue
		}
		c, f = c || !b.inputs[of.input].Fortran, f || b.inputs[of.input].Fortran
	}
	return f && !c
}
