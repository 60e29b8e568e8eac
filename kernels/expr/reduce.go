package expr

import (
	"fmt"
	"math"
	"math/big"

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
}

// result is what a reduction gives: a value, or why there is none.
type result struct {
	value       constant
	nan         uint64 // elements that are NaN, if the value is NaN because of them
	msg, remedy string
}

// foldKey is a reduction of package kernels with its operands.
type foldKey struct {
	kind foldKind
	x, y *node // y of pairs only
}

// fold is what a pass folds. Several reductions may share it.
type fold struct {
	foldKey
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
	foldPair
)

func (b *builder) fold(kind foldKind, x, y *node) *fold {
	k := foldKey{kind, x, y}
	f := b.folds[k]
	if f == nil {
		f = &fold{foldKey: k, id: len(b.folds), level: x.level}
		if y != nil {
			f.level = max(f.level, y.level)
		}
		b.folds[k] = f
	}
	return f
}

// reduction builds the value of a reduction.
func (b *builder) reduction(r reducer, s *syntax) *node {
	b.want(s, r.arrays, r.most, r.keywords)
	args := make([]*node, r.arrays)
	for i := range args {
		args[i] = b.build(s.args[i])
		if !args[i].array {
			b.fail(s.args[i].span, "it is one number already", "%s of what is no array", s.name)
		}
	}
	b.at = s.span
	made := r.make(b, s, args)
	if made.finish == nil { // known without a look at the elements
		return b.constant(intConstant(big.NewInt(b.length())))
	}
	name := made.name
	if b.filter != nil {
		name += " where"
	}
	n := b.node(node{op: opValue, dtype: made.typ, name: name, reduce: &made, args: args})
	for _, f := range made.folds {
		n.level = max(n.level, f.level+1)
	}
	return n
}

// length returns how many elements arrays have.
func (b *builder) length() int64 {
	length := int64(1)
	for _, k := range b.shape {
		length *= int64(k)
	}
	return length
}

// number returns an argument that a reduction has beside its arrays: the one at
// that place, or of that name, or otherwise.
func (b *builder) number(s *syntax, place int, name string, otherwise float64) float64 {
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
	if given == nil {
		return otherwise
	}
	n := b.build(given)
	if n.op != opConst || !n.weak {
		b.fail(given.span, "write a number", "%s is no number that is known", name)
	}
	return n.value.float()
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
