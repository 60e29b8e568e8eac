package expr

import (
	"fmt"
	"math"
	"math/big"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
)

// Run is one computation of a plan, on the side that hands out the work. Its
// passes come one after another: the program of each holds the values that the
// earlier ones found. It is not safe for concurrent use.
type Run struct {
	plan   *Plan
	pass   int
	open   bool // Next has returned a pass that is not finished
	values map[*node]constant
	parts  map[*fold]any   // of all elements
	rows   map[*fold][]any // along axes, where values need those of other passes too
	tables map[*node]*Table
	notes  []Note
}

// Start returns a run that is at its first pass.
func (p *Plan) Start() *Run {
	return &Run{plan: p, values: map[*node]constant{}, parts: map[*fold]any{}, rows: map[*fold][]any{}, tables: map[*node]*Table{}}
}

// Pass is one pass over the arrays.
type Pass struct {
	// Program is what workers run, see [Decode].
	Program []byte
	// Shape are the lengths of the axes that the pass goes over, the last fastest.
	// Of the first Rows of them each place is a row, an array that is folded by
	// itself; without such axes all is one row. Rows do not write.
	Shape []int
	Rows  int
	// Inputs are the arrays in the order in which the program takes their blocks,
	// Outputs the indices of the results whose blocks it writes.
	Inputs  []Operand
	Outputs []int

	program *Program
	folds   []*fold
}

// Operand is an array that a program takes, and how a pass goes over it: the first
// element is at From, on each axis of the array, and the next along axis i of the
// pass Steps[i] on, along axis Axes[i] of the array; if that is -1, it is the same
// element.
type Operand struct {
	Input int    // the index of the array
	Table *Table // if not nil, the array is this one
	From  []int
	Axes  []int
	Steps []int
}

// Whole reports whether the pass goes over all of an array of a shape, each element
// at its own place, in one order or another.
func (o Operand) Whole(pass *Pass, shape []int) bool {
	if len(o.Axes) != len(shape) {
		return false
	}
	for i, axis := range o.Axes {
		if axis < 0 || o.Steps[i] != 1 || o.From[axis] != 0 || pass.Shape[i] != shape[axis] {
			return false
		}
	}
	return slices.IsSorted(o.Axes) || isReversed(o.Axes)
}

// RowCount returns how many rows the pass folds.
func (p *Pass) RowCount() uint64 { return uint64(length(p.Shape[:p.Rows])) }

// RowLength returns how many elements each row has.
func (p *Pass) RowLength() uint64 { return uint64(length(p.Shape[p.Rows:])) }

// Next returns the next pass, nil when there is none left. It panics if the pass
// before was not finished, or the quantiles of the plan are not known.
func (r *Run) Next() (pass *Pass, err error) {
	if r.open {
		panic("expr: Next before Finish")
	}
	if r.pass == len(r.plan.passes) {
		return nil, nil
	}
	if len(r.plan.quantiles) > 0 && len(r.values) == 0 {
		panic("expr: Next before Know")
	}
	defer recoverError(&err)
	pass = r.assemble(r.plan.passes[r.pass])
	r.open = true
	return pass, nil
}

// recoverError makes an error of a panic with one.
func recoverError(err *error) {
	switch e := recover().(type) {
	case nil:
	case *Error:
		*err = e
	default:
		panic(e)
	}
}

// Finish takes the partials of all chunks of the pass that Next returned, and
// computes the reductions that it completes. It returns an *[Error] where one
// has no value: an integer sum that does not fit, the minimum of no elements.
func (r *Run) Finish(m *Merger) (err error) {
	if !r.open {
		panic("expr: Finish before Next")
	}
	defer recoverError(&err)
	m.finish()
	if m.err != nil {
		return m.err
	}
	r.open = false
	r.pass++
	if level := m.level; r.pass == len(r.plan.passes) || r.plan.passes[r.pass].level > level {
		for _, n := range r.plan.values {
			switch {
			case n.level != level+1:
			case n.array && r.tables[n] == nil:
				r.table(n)
			case !n.array:
				r.value(n)
			}
		}
	}
	return nil
}

// level returns the pass by whose place reductions are known.
func (r *Run) level() int {
	if r.pass == len(r.plan.passes) {
		return math.MaxInt
	}
	return r.plan.passes[r.pass].level
}

// value returns the value of a scalar. It panics with an *Error where it has
// none.
func (r *Run) value(n *node) constant {
	if n.op == opConst {
		return n.value
	}
	if c, ok := r.values[n]; ok {
		return c
	}
	var c constant
	if n.op == opValue {
		c = r.reduced(n)
	} else {
		args := make([]constant, len(n.args))
		for i, a := range n.args {
			args[i] = r.value(a)
		}
		c = evaluate(n, args)
	}
	r.values[n] = c
	return c
}

// reduced returns the value of a reduction, all of whose folds are there.
func (r *Run) reduced(n *node) constant {
	parts := make([]any, len(n.reduce.folds))
	for i, f := range r.foldsOf(n) {
		parts[i] = r.parts[f]
	}
	res := n.reduce.finish(parts)
	if res.msg != "" {
		panic(n.at.errorf(res.remedy, "%s", res.msg))
	}
	r.note(n, res.nan)
	return res.value
}

// foldsOf returns what a reduction is made of.
func (r *Run) foldsOf(n *node) []*fold {
	folds := slices.Clone(n.reduce.folds)
	for i, f := range folds {
		if wider := r.plan.served[f]; wider != nil {
			folds[i] = wider
		}
	}
	return folds
}

// note notes that a reduction is NaN because of so many elements.
func (r *Run) note(n *node, nan uint64) {
	if nan > 0 {
		r.notes = append(r.notes, Note{Expr: string(n.at.src[n.at.pos:n.at.end]), NaN: nan, Variant: n.reduce.variant})
	}
}

// Note tells that a reduction is NaN because elements are.
type Note struct {
	Expr    string // the reduction
	NaN     uint64 // how many elements are NaN
	Variant string // the function that leaves them out, "" if there is none
}

// Notes returns the notes of the passes that are finished.
func (r *Run) Notes() []Note { return r.notes }

// Value is a scalar in full precision.
type Value struct {
	typ   kernels.Type
	float float64
	int   *big.Int
	truth bool
}

// Value returns the value of an expression that is a scalar, once its passes are
// finished. It returns an *[Error] where there is none: an integer that is
// divided by 0, or does not fit 64 bits.
func (r *Run) Value(result int) (v Value, err error) {
	n := r.plan.roots[result]
	if n.array || n.level > r.level() {
		panic(fmt.Sprintf("expr: result %d is no scalar that is known", result))
	}
	defer recoverError(&err)
	c := r.value(n)
	switch {
	case c.isBool():
		return Value{typ: c.elem, truth: c.bits != 0}, nil
	case c.isFloat():
		wide := constant{dtype: c.dtype, bits: c.bits}
		for wide.elem != kernels.Float64 {
			wide = widened(wide)
		}
		return Value{typ: c.elem, float: math.Float64frombits(wide.bits)}, nil
	case !c.weak:
		return Value{typ: c.elem, int: elementInteger(c)}, nil
	case holds(kernels.Int64, c.big):
		return Value{typ: kernels.Int64, int: c.big}, nil
	case holds(kernels.Uint64, c.big):
		return Value{typ: kernels.Uint64, int: c.big}, nil
	}
	panic(n.at.errorf("write float64(...)", "the integer %s does not fit 64 bits", shown(c.big)))
}

// widened returns a float as one of the next wider type.
func widened(c constant) constant {
	to := kernels.Float64
	if c.is16() {
		to = kernels.Float32
	}
	k, _ := kernels.LookupCast("cast", c.elem, to)
	return elementOf(&node{op: opKernel, dtype: strong(to), kernel: k}, []constant{c})
}

// Type returns the value's type, see [Result].
func (v Value) Type() kernels.Type { return v.typ }

// Float64 returns the value as a float64, rounded if it is an integer; 1 or 0 of
// a truth value.
func (v Value) Float64() float64 {
	switch {
	case v.typ.IsFloat():
		return v.float
	case v.int != nil:
		f, _ := new(big.Float).SetInt(v.int).Float64()
		return f
	case v.truth:
		return 1
	}
	return 0
}

// Big returns the value if it is an integer, nil otherwise.
func (v Value) Big() *big.Int { return v.int }

// Bool returns the value if it is a truth value, and whether it is one.
func (v Value) Bool() (truth, ok bool) { return v.truth, v.typ == kernels.Bool }

// String returns the shortest text that reads back to the same bits; of a value
// in less than 64 bits, to the same float64.
func (v Value) String() string {
	switch {
	case v.typ == kernels.Bool && v.truth:
		return "True"
	case v.typ == kernels.Bool:
		return "False"
	case v.int != nil:
		return v.int.String()
	}
	return kernels.FormatFloat(v.float)
}
