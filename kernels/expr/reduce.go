package expr

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
)

// reducer is a reduction as the language has it.
type reducer struct {
	elementwise string   // the function that two arguments call instead
	arrays      int      // how many it takes
	most        int      // arguments, numbers among them
	keywords    []string // in the order of arguments after the arrays
	make        func(b *builder, s *syntax, args []*node) reduction
}

// reduction is a reducer of certain operands.
type reduction struct {
	name    string // with what it was told beside its operands
	typ     dtype
	variant string // the function that leaves NaN out, "" if there is none
	folds   []*fold
	finish  func(parts []any) result
	// quantile is what is known before any pass, instead of folds.
	quantile *Quantile
}

// result is what a reduction gives: a value, or why there is none.
type result struct {
	value       constant
	nan         uint64 // elements that are NaN, if the value is NaN because of them
	msg, remedy string
}

// foldKey is a reduction of package kernels with its operands.
type foldKey struct {
	kind  foldKind
	x, y  *node // y of pairs only
	space string
}

// fold is what a pass folds. Several reductions may share it.
type fold struct {
	kind  foldKind
	x, y  *node
	space     // all of it, or along axes
	id    int // in the order of their making
	level int
}

// foldKind is a reduction of package kernels. Its values stand in programs.
type foldKind uint8

const (
	foldSummary foldKind = 1 + iota
	foldMoments
	foldNorms
	foldProduct
	foldExtremes
	foldTruth
	foldCovariance
	foldDot
	foldSum
)

func (b *builder) fold(kind foldKind, x, y *node) *fold {
	s := b.reduced(kind, x, y)
	k := foldKey{kind, x, y, s.key()}
	f := b.folds[k]
	if f == nil {
		f = &fold{kind: kind, x: x, y: y, space: s, id: len(b.folds), level: x.level}
		if y != nil {
			f.level = max(f.level, y.level)
		}
		b.folds[k] = f
	}
	return f
}

// reduction builds the value of a reduction.
func (b *builder) reduction(r reducer, s *syntax) *node {
	keywords := r.keywords
	if r.arrays == 1 {
		keywords = append(keywords[:len(keywords):len(keywords)], "axis", "keepdims")
	}
	b.want(s, r.arrays, r.most, keywords)
	args := make([]*node, r.arrays)
	for i := range args {
		args[i] = b.build(s.args[i])
		if !args[i].array {
			b.fail(s.args[i].span, "it is one number already", "%s of what is no array", s.name)
		}
	}
	if s.name == "len" && len(args[0].shape) > 1 {
		b.fail(s.at, "write size(x), or size(x, axis=0) for the length of an axis", "len of an array of %d axes", len(args[0].shape))
	}
	along := b.axesOf(s, args[0])
	// What the arguments reduce is reduced already.
	defer func(axes []int, filter *node) { b.axes, b.filter = axes, filter }(b.axes, b.filter)
	b.at = s.span
	b.axes = along.axes
	b.restrict(s, args)
	made := r.make(b, s, args)
	if made.finish == nil { // known without a look at the elements
		return b.constant(intConstant(big.NewInt(along.reduced(args[0].shape))))
	}
	n := node{op: opValue, dtype: made.typ, name: made.name, reduce: &made, args: args}
	if b.filter != nil {
		n.name += " where"
	}
	if along.axes != nil {
		n.array, n.shape = true, along.result(args[0].shape)
		n.dtype = made.element(args[0])
		n.name += fmt.Sprint(" along ", along)
	}
	value := b.node(n)
	for _, f := range made.folds {
		value.level = max(value.level, f.level+1)
	}
	return value
}

// restrict brings the condition of all reductions, if there is one, to the shape of
// what is reduced, and that of pairs to one shape.
func (b *builder) restrict(s *syntax, args []*node) {
	if len(args) > 1 && !slices.Equal(args[0].shape, args[1].shape) {
		b.fail(s.span, "slice or reduce them to one shape", "%s of the shapes %v and %v", s.name, args[0].shape, args[1].shape)
	}
	b.filter = nil
	if b.where != nil {
		b.filter = b.filtering(s, args[0])
	}
}

// filtering returns the condition of all reductions in the shape of what is reduced.
func (b *builder) filtering(s *syntax, x *node) *node {
	if shape, ok := together(b.where.shape, x.shape); !ok || !slices.Equal(shape, x.shape) {
		b.fail(s.span, "a condition has to go with the shape of what is reduced", "the condition has the shape %v, and what is reduced %v", b.where.shape, x.shape)
	}
	return b.broadcast(b.where, x.shape)
}

// reduced returns the space of a reduction. The places of elements are counted in
// C's order, as NumPy counts them.
func (b *builder) reduced(kind foldKind, x, y *node) space {
	switch {
	case b.axes != nil:
		return along(x.shape, b.axes)
	case kind == foldExtremes:
		return inOrder(x.shape)
	case y != nil:
		return b.flat(x, y)
	}
	return b.flat(x)
}

// number returns an argument that a reduction has beside its arrays: the one at
// that place, or of that name, or otherwise.
func (b *builder) number(s *syntax, place int, name string, otherwise float64) float64 {
	given := b.given(s, place, name)
	if given == nil {
		return otherwise
	}
	n := b.build(given)
	if n.op != opConst || !n.weak {
		b.fail(given.span, "write a number", "%s is no number that is known", name)
	}
	return n.value.float()
}

// given returns the argument at that place, or of that name, nil for none.
func (b *builder) given(s *syntax, place int, name string) *syntax {
	var given *syntax
	if place < len(s.args) {
		given = s.args[place]
	}
	for _, k := range s.keywords {
		if k.name == name {
			if given != nil {
				b.fail(k.at, "", "%s is given twice", name)
			}
			given = k.value
		}
	}
	return given
}

// float and whole are results.
func float(f float64) result         { return result{value: floatConstant(f)} }
func whole(i *big.Int) result        { return result{value: intConstant(i)} }
func counted(n uint64) result        { return whole(new(big.Int).SetUint64(n)) }
func none(msg, remedy string) result { return result{msg: msg, remedy: remedy} }

// nanOf is NaN that n elements made.
func nanOf(n uint64) result { return result{value: floatConstant(math.NaN()), nan: n} }

// selected returns how many elements the filter lets through: parts ends with
// its truth, if there is one.
func selected(parts []any, count uint64) uint64 {
	if t, ok := parts[len(parts)-1].(*kernels.Truth); ok && len(parts) > 1 {
		return t.CountNonzero()
	}
	return count
}

// filtered appends what counts the elements that the filter lets through.
func (b *builder) filtered(folds ...*fold) []*fold {
	if b.filter != nil {
		folds = append(folds, b.fold(foldTruth, b.filter, nil))
	}
	return folds
}

// masked returns x with a number in the place of what the filter leaves out. It
// keeps the lanes and blocks of the others.
func (b *builder) masked(x *node, number constant) *node {
	if b.filter == nil {
		return x
	}
	return where(b, nil, []*node{b.filter, x, b.constant(number)})
}

// withNaN returns x with NaN in the place of what the filter leaves out, which
// reductions pass over.
func (b *builder) withNaN(s *syntax, x *node) *node {
	if b.filter == nil {
		return x
	}
	if !x.isFloat() {
		if x.elem.Size() == 8 {
			b.fail(s.span, "cast it: float64(x)", "%s of 64-bit integers under a condition", s.name)
		}
		x = b.cast(x, kernels.Float64)
	}
	return b.masked(x, floatConstant(math.NaN()))
}

// totalOf returns the total that is in a partial.
func totalOf(part any) *kernels.Total {
	if p, ok := part.(*kernels.Total); ok {
		return p
	}
	return &summaryOf(part).Total
}

// summaryOf returns the summary that is in a partial.
func summaryOf(part any) *kernels.Summary {
	switch p := part.(type) {
	case *kernels.Summary:
		return p
	case *kernels.Moments:
		return &p.Summary
	case *kernels.Norms:
		return &p.Summary
	}
	panic(fmt.Sprintf("expr: a %T is no summary", part))
}

// nanIn returns how many elements that the filter lets through are NaN, of count
// elements of which nan are NaN with those that it leaves out.
func nanIn(parts []any, count, nan uint64) uint64 { return nan - (count - selected(parts, count)) }
