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
}

// Options tell how a plan is made. The zero Options are the usual ones.
type Options struct {
	// Where is a condition, "" for none: a mask of the arrays' shape, to whose
	// elements all reductions are restricted. Indices are still those of all
	// elements.
	Where string
	// Apart computes the results that are arrays in a pass of their own, after
	// all reductions: for a preview, which runs it for some blocks only, and for
	// work in place, which must not change what is still to be read.
	Apart bool
	// As is the type to which results that are arrays are converted, 0 for
	// that which they have. It must be of the same kind or a higher one, and
	// signed if they are, as NumPy wants of a result in place.
	As kernels.Type
}

// Result describes the value of one of the expressions.
type Result struct {
	Expr  string // its text
	Array bool   // otherwise it is a scalar
	// Type is that of the elements, or of the scalar: Float64, Int64 or Bool
	// unless it was cast. An integer that only uint64 holds has that type in
	// the end.
	Type  kernels.Type
	Shape []int // of an array
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
}

// passPlan is what one pass computes.
type passPlan struct {
	folds []*fold
	outs  []int // results
}

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
	b := &builder{inputs: inputs, built: map[*syntax]*node{}, known: map[nodeKey]*node{}, folds: map[foldKey]*fold{}}
	if options.Where != "" {
		b.filter = b.condition(options.Where)
	}
	parsed := b.parse(text)
	p := &Plan{inputs: inputs}
	for _, s := range parsed {
		n := b.build(s)
		if n.array && options.As != 0 {
			n = b.as(s, n, options.As)
		}
		r := Result{Expr: text[s.pos:s.end], Array: n.array, Type: n.elem}
		if n.array {
			r.Shape = b.shape
		}
		p.roots = append(p.roots, n)
		p.results = append(p.results, r)
	}
	if err := p.arrange(b, options.Apart); err != nil {
		return nil, err
	}
	return p, nil
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
	n := b.build(parsed[0])
	if !n.array || !n.isBool() {
		b.fail(parsed[0].span, "compare: x > 0", "a condition is a mask, not %v", n.dtype)
	}
	return n
}

// as converts a result to the type of where it goes.
func (b *builder) as(s *syntax, n *node, to kernels.Type) *node {
	if n.rank() > strong(to).rank() || n.elem.IsSigned() && strong(to).isInt() && !to.IsSigned() {
		b.fail(s.span, fmt.Sprintf("cast it: %v(...)", to), "%v does not go into an array of %v", n.dtype, to)
	}
	b.at = s.span
	return b.cast(n, to)
}

// arrange puts folds and results into passes, each into the first that can
// compute it, but results all into one.
func (p *Plan) arrange(b *builder, apart bool) error {
	used := newUsage()
	last := -1 // the pass of the results
	for _, n := range p.roots {
		used.add(n)
		if n.array {
			last = max(last, n.level)
		}
	}
	p.values, p.served = used.values, map[*fold]*fold{}
	for f := range used.folds {
		if wider := used.wider(f); wider != nil {
			p.served[f] = wider
			continue
		}
		pass := p.passAt(f.level)
		pass.folds = append(pass.folds, f)
	}
	if apart && last >= 0 {
		last = max(last, len(p.passes))
	}
	for i, n := range p.roots {
		if n.array {
			pass := p.passAt(last)
			pass.outs = append(pass.outs, i)
		}
	}
	return p.check(b, len(used.inputs))
}

// passAt returns a pass, which it makes if there is none yet.
func (p *Plan) passAt(level int) *passPlan {
	for level >= len(p.passes) {
		p.passes = append(p.passes, passPlan{})
	}
	return &p.passes[level]
}

// check puts folds into their order and refuses more than a program may have.
func (p *Plan) check(b *builder, inputs int) error {
	whole := span{0, len(b.src)}
	if inputs > maxInputs {
		return b.src.errorf(whole, "compute parts of it first", "the expressions use %d arrays, more than %d", inputs, maxInputs)
	}
	for i := range p.passes {
		pass := &p.passes[i]
		slices.SortFunc(pass.folds, func(f, g *fold) int { return f.id - g.id })
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
	values []*node
}

func newUsage() *usage {
	return &usage{folds: map[*fold]bool{}, seen: map[*node]bool{}, inputs: map[int]bool{}}
}

// wider returns a fold that is used and contains a summary, nil for none.
func (u *usage) wider(f *fold) *fold {
	if f.kind != foldSummary {
		return nil
	}
	for g := range u.folds {
		if g.x == f.x && (g.kind == foldMoments || g.kind == foldNorms && !u.moments(f.x)) {
			return g
		}
	}
	return nil
}

func (u *usage) moments(x *node) bool {
	for g := range u.folds {
		if g.x == x && g.kind == foldMoments {
			return true
		}
	}
	return false
}

func (u *usage) add(n *node) {
	if n == nil || u.seen[n] {
		return
	}
	u.seen[n] = true
	switch n.op {
	case opInput:
		u.inputs[n.input] = true
	case opValue:
		u.values = append(u.values, n)
		for _, f := range n.reduce.folds {
			u.folds[f] = true
			u.add(f.x)
			u.add(f.y)
		}
		return
	}
	for _, a := range n.args {
		u.add(a)
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
// Options.Apart. Each element of it depends on the elements at its own place
// alone, so that blocks may be replaced in any order.
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
	}
	return nil
}
