package expr

import (
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
)

// Input is an array that expressions may name.
type Input struct {
	Name  string
	Type  kernels.Type
	Shape []int
	// Fortran tells that the first axis varies fastest where the elements lie.
	Fortran bool
}

// Options tell how a plan is made. The zero Options are the usual ones.
type Options struct {
	// Where is a condition, "" for none: a mask that goes with the shapes of what is
	// reduced, to whose elements all reductions are restricted. Indices are still
	// those of all elements.
	Where string
	// Apart computes the results that are arrays in a pass of their own, after
	// all reductions: for a preview, which runs it for some blocks only, and for
	// work in place, which must not change what is still to be read.
	Apart bool
	// As is the type to which results that are arrays are converted, 0 for
	// that which they have. It must be of the same kind or a higher one, and
	// signed if they are, as NumPy wants of a result in place.
	As kernels.Type
	// Order is that in which the elements of results are computed: that of the
	// array which they replace.
	Order Order
	// Pick says how the mask that Where is, in the shape of the results, which is to be
	// the same for all, is made for whoever takes only the elements that it holds for.
	Pick Picking
}

// Picking is what is made of the elements that a condition picks.
type Picking uint8

// Pickings.
const (
	PickNothing  Picking = iota
	PickElements         // all results, and the mask as one more
	PickMask             // the mask alone
)

// Order is how the axes of an array follow one another.
type Order uint8

// Orders.
const (
	AnyOrder     Order = iota // that of the arrays that are read
	COrder                    // the last axis varies fastest
	FortranOrder              // the first axis varies fastest
)

// Result describes the value of one of the expressions.
type Result struct {
	Expr  string // its text
	Name  string // that it is given by name = expression, "" for none
	Array bool   // otherwise it is a scalar
	// Type is that of the elements, or of the scalar: Float64, Int64 or Bool
	// unless it was cast. An integer that only uint64 holds has that type in
	// the end.
	Type  kernels.Type
	Shape []int // of an array
	// Fortran tells that the first axis of the array varies fastest.
	Fortran bool
}

// Plan is what a text of expressions computes, checked. It is not changed by
// runs, of which there may be many at a time.
type Plan struct {
	inputs  []Input
	results []Result
	roots   []*node
	values  []*node         // of reductions
	served  map[*fold]*fold // summaries that other folds contain
	passes  []passPlan
	// quantiles are known before the first pass.
	quantiles []*Quantile
}

// passPlan is what one pass computes.
type passPlan struct {
	space
	level int
	folds []*fold
	outs  []int // results
}

// maxAxes is the most axes an array has, as in NumPy.
const maxAxes = 64

// maxInputs is the most arrays that expressions may use.
const maxInputs = 64

// Compile reads expressions, separated by commas, over some arrays. Errors in a
// text are of type *[Error].
func Compile(text string, inputs []Input, options Options) (plan *Plan, err error) {
	for i, in := range inputs {
		if !in.Type.Valid() {
			return nil, fmt.Errorf("array %q has no element type", in.Name)
		}
		if slices.ContainsFunc(inputs[:i], func(other Input) bool { return other.Name == in.Name }) {
			return nil, fmt.Errorf("two arrays have the name %q", in.Name)
		}
	}
	defer recoverError(&err)
	b := &builder{inputs: inputs, built: map[*syntax]*node{}, known: map[nodeKey]*node{}, views: map[viewKey]*node{}, folds: map[foldKey]*fold{}}
	if options.Where != "" {
		b.where = b.condition(options.Where)
	}
	parsed := b.parse(text)
	p := &Plan{inputs: inputs}
	for _, s := range parsed {
		n := b.build(s)
		if n.array && options.As != 0 {
			n = b.as(s, n, options.As)
		}
		r := Result{Expr: text[s.pos:s.end], Name: b.named(s, n), Array: n.array, Type: n.elem}
		if n.array {
			r.Shape, r.Fortran = n.shape, isReversed(b.resultSpace(n, options.Order).order)
		}
		p.roots = append(p.roots, n)
		p.results = append(p.results, r)
	}
	if options.Pick != PickNothing {
		p.pick(b, options)
	}
	if err := p.arrange(b, options); err != nil {
		return nil, err
	}
	return p, nil
}

// Lengths returns over how many elements each pass goes, those that make results that
// are arrays with or without.
func (p *Plan) Lengths(results bool) (all []uint64) {
	for _, s := range p.passes {
		if results || len(s.outs) == 0 {
			all = append(all, uint64(length(s.shape)))
		}
	}
	return all
}

// Rows reports whether a pass has rows: whether anything is reduced along axes.
func (p *Plan) Rows() bool {
	return slices.ContainsFunc(p.passes, func(s passPlan) bool { return s.rows > 0 })
}

// parse reads a text, which errors are then about.
func (b *builder) parse(text string) []*syntax {
	b.src = source(text)
	parsed, err := parse(text)
	if err != nil {
		panic(err)
	}
	return parsed
}

// condition builds the mask of all reductions.
func (b *builder) condition(text string) *node {
	parsed := b.parse(text)
	if len(parsed) > 1 {
		b.fail(parsed[1].span, "join them by &", "a condition is one expression")
	}
	if parsed[0].given != "" {
		b.fail(span{0, len(b.src)}, "use == to compare", "a condition has no name")
	}
	n := b.build(parsed[0])
	if !n.array || !n.isBool() {
		b.fail(parsed[0].span, "compare: x > 0", "a condition is a mask, not %v", n.dtype)
	}
	return n
}

// named returns the name that an expression is given. That of an array is for what is
// one: x = 3 is meant to compare.
func (b *builder) named(s *syntax, n *node) string {
	if !n.array && slices.ContainsFunc(b.inputs, func(in Input) bool { return in.Name == s.given }) {
		b.fail(s.span, "use == to compare", "%q is an array, and no name for a number", s.given)
	}
	return s.given
}

// pick makes the condition the last result, or the only one.
func (p *Plan) pick(b *builder, o Options) {
	shape := p.results[0].Shape
	for _, r := range p.results {
		whole := span{0, len(b.src)}
		switch {
		case !r.Array:
			b.fail(whole, "leave the condition out", "%s is a scalar, and no array of which a condition picks elements", r.Expr)
		case !slices.Equal(r.Shape, shape):
			b.fail(whole, "ask for one at a time", "%s and %s have different shapes, of which a condition picks different elements", p.results[0].Expr, r.Expr)
		}
	}
	if to, ok := together(b.where.shape, shape); !ok || !slices.Equal(to, shape) {
		b.src = source(o.Where)
		b.fail(span{0, len(b.src)}, "it has to go with the shape of what it picks elements of", "the condition has the shape %v, and the result %v", b.where.shape, shape)
	}
	if o.Pick == PickMask {
		p.roots, p.results = nil, nil
	}
	p.roots = append(p.roots, b.broadcast(b.where, shape))
	p.results = append(p.results, Result{Expr: o.Where, Array: true, Type: b.where.elem, Shape: shape})
}

// as converts a result to the type of where it goes.
func (b *builder) as(s *syntax, n *node, to kernels.Type) *node {
	if n.rank() > strong(to).rank() || n.elem.IsSigned() && strong(to).isInt() && !to.IsSigned() {
		b.fail(s.span, fmt.Sprintf("cast it: %v(...)", to), "%v does not go into an array of %v", n.dtype, to)
	}
	b.at = s.span
	return b.cast(n, to)
}

// resultSpace returns the space in which a result is computed.
func (b *builder) resultSpace(n *node, order Order) space {
	if order == AnyOrder {
		return b.flat(n)
	}
	s := inOrder(n.shape)
	if order == FortranOrder {
		slices.Reverse(s.order)
	}
	return s
}

// isReversed reports whether axes are gone through in Fortran's order.
func isReversed(order []int) bool { return len(order) > 1 && order[0] == len(order)-1 }

// arrange puts folds and results into passes, each into the first that can
// compute it, but results all into the last.
func (p *Plan) arrange(b *builder, options Options) error {
	used := newUsage()
	last := -1 // the pass of the results
	for _, n := range p.roots {
		used.add(n)
		if n.array {
			last = max(last, n.level)
		}
	}
	p.values, p.served = used.values, map[*fold]*fold{}
	for _, n := range p.values {
		if n.reduce.quantile != nil {
			p.quantiles = append(p.quantiles, n.reduce.quantile)
		}
	}
	var folds []*fold
	for f := range used.folds {
		if wider := used.wider(f); wider != nil {
			p.served[f] = wider
			continue
		}
		folds = append(folds, f)
	}
	slices.SortFunc(folds, func(f, g *fold) int { return f.id - g.id })
	for _, f := range folds {
		pass := p.passOf(f.level, f.space)
		pass.folds = append(pass.folds, f)
		if options.Apart && last >= 0 {
			last = max(last, f.level+1)
		}
	}
	for i, n := range p.roots {
		if n.array {
			pass := p.passOf(last, b.resultSpace(n, options.Order))
			pass.outs = append(pass.outs, i)
		}
	}
	slices.SortStableFunc(p.passes, func(a, b passPlan) int { return a.level - b.level })
	return p.check(b, len(used.leaves))
}

// passOf returns a pass, which it makes if there is none yet.
func (p *Plan) passOf(level int, s space) *passPlan {
	for i := range p.passes {
		if p.passes[i].level == level && p.passes[i].key() == s.key() {
			return &p.passes[i]
		}
	}
	p.passes = append(p.passes, passPlan{space: s, level: level})
	return &p.passes[len(p.passes)-1]
}

// check puts folds into their order and refuses more than a program may have.
func (p *Plan) check(b *builder, inputs int) error {
	whole := span{0, len(b.src)}
	if inputs > maxInputs {
		return b.src.errorf(whole, "compute parts of it first", "the expressions use %d arrays, more than %d", inputs, maxInputs)
	}
	of := map[*node]int{}
	for _, q := range p.quantiles {
		x := q.of.args[0]
		if of[x]++; of[x] > kernels.MaxQuantiles {
			return b.src.errorf(whole, "ask for fewer at a time", "the expressions take more than %d quantiles of one array", kernels.MaxQuantiles)
		}
	}
	for i := range p.passes {
		pass := &p.passes[i]
		if len(pass.folds) > maxFolds || len(pass.outs) > maxOuts {
			return b.src.errorf(whole, "ask for fewer at a time", "one pass has %d reductions and %d arrays as results, more than %d and %d",
				len(pass.folds), len(pass.outs), maxFolds, maxOuts)
		}
	}
	return nil
}

// usage gathers what results need.
type usage struct {
	folds  map[*fold]bool
	seen   map[*node]bool
	inputs map[int]bool
	leaves map[*node]bool // arrays in memory, and views of them
	values []*node

	mentioned map[*node]bool
}

func newUsage() *usage {
	return &usage{folds: map[*fold]bool{}, seen: map[*node]bool{}, inputs: map[int]bool{}, leaves: map[*node]bool{}, mentioned: map[*node]bool{}}
}

// containing are the kinds that know what a fold of a kind finds, the first if several
// are used.
var containing = map[foldKind][]foldKind{
	foldSum:     {foldMoments, foldNorms, foldSummary},
	foldSummary: {foldMoments, foldNorms},
}

// wider returns a fold that is used and contains another, nil for none.
func (u *usage) wider(f *fold) *fold {
	for _, kind := range containing[f.kind] {
		for g := range u.folds {
			if g.kind == kind && g.x == f.x && g.key() == f.key() {
				return g
			}
		}
	}
	return nil
}

// mention adds the arrays that n is made of, which the passes need not read.
func (u *usage) mention(n *node) {
	if u.mentioned[n] {
		return
	}
	u.mentioned[n] = true
	if n.op == opInput {
		u.inputs[n.input] = true
	}
	for _, a := range n.args {
		u.mention(a)
	}
}

func (u *usage) add(n *node) {
	if n == nil || u.seen[n] {
		return
	}
	u.seen[n] = true
	switch n.op {
	case opInput:
		u.inputs[n.input], u.leaves[n] = true, true
	case opView:
		u.leaves[n] = true
		if of := n.args[0]; of.op == opInput {
			u.inputs[of.input] = true
		} else {
			u.reduction(of)
		}
		return
	case opValue:
		if n.array {
			u.leaves[n] = true
		}
		u.reduction(n)
		return
	}
	for _, a := range n.args {
		u.add(a)
	}
}

// reduction adds what a reduction needs.
func (u *usage) reduction(n *node) {
	if slices.Contains(u.values, n) {
		return
	}
	u.values = append(u.values, n)
	if n.reduce.quantile != nil {
		u.mention(n.args[0])
	}
	for _, f := range n.reduce.folds {
		u.folds[f] = true
		u.add(f.x)
		u.add(f.y)
	}
}

// Results describes the expressions, in their order.
func (p *Plan) Results() []Result { return p.results }

// Passes returns how many passes over the arrays the plan takes; 0 if the text
// is about scalars only.
func (p *Plan) Passes() int { return len(p.passes) }

// Inputs returns the indices of the arrays that are used, in ascending order.
func (p *Plan) Inputs() []int {
	used := newUsage()
	for _, n := range p.roots {
		used.add(n)
	}
	var all []int
	for i := range p.inputs {
		if used.inputs[i] {
			all = append(all, i)
		}
	}
	return all
}

// CheckInPlace returns why the plan cannot replace the elements of an input, nil
// if it can: it has one result, an array of the input's type and shape, made with
// Options.Apart. Each element of it depends on no element of the input but that at
// its own place, so that blocks may be replaced in any order.
func (p *Plan) CheckInPlace(input int) error {
	in := p.inputs[input]
	switch r := p.results[0]; {
	case len(p.results) != 1 || !r.Array:
		return fmt.Errorf("array %q is replaced by one expression whose value is an array", in.Name)
	case r.Type != in.Type:
		return fmt.Errorf("array %q is of %v and the result of %v: cast it", in.Name, in.Type, r.Type)
	case !slices.Equal(r.Shape, in.Shape):
		return fmt.Errorf("array %q has the shape %v and the result %v", in.Name, in.Shape, r.Shape)
	case len(p.passes[len(p.passes)-1].folds) > 0:
		return fmt.Errorf("array %q is read by the reductions of the same pass: compile with Apart", in.Name)
	case !p.AtOwnPlace(input):
		return fmt.Errorf("array %q cannot be replaced by what slices or broadcasting take from other places of it: write the result to a new file", in.Name)
	}
	return nil
}

// AtOwnPlace reports whether results read an input, but for what they reduce, only
// at the place of the element that they make.
func (p *Plan) AtOwnPlace(input int) bool {
	seen := map[*node]bool{}
	var own func(n *node) bool
	own = func(n *node) bool {
		if seen[n] || n.op == opValue {
			return true
		}
		seen[n] = true
		if n.op == opView {
			return n.args[0].op != opInput || n.args[0].input != input
		}
		return !slices.ContainsFunc(n.args, func(a *node) bool { return !own(a) })
	}
	return !slices.ContainsFunc(p.roots, func(n *node) bool { return !own(n) })
}
