package expr

import (
	"fmt"
	"math"
	"math/big"

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
	parts  map[*fold]any
	notes  []Note
}

// Start returns a run that is at its first pass.
func (p *Plan) Start() *Run {
	return &Run{plan: p, values: map[*node]constant{}, parts: map[*fold]any{}}
}

// Pass is one pass over the arrays.
type Pass struct {
	// Program is what workers run, see [Decode].
	Program []byte
	// Inputs are the indices of the arrays in the order in which the program
	// takes their blocks, Outputs those of the results whose blocks it writes.
	Inputs, Outputs []int

	program *Program
	folds   []*fold
}

// Next returns the next pass, nil when there is none left. It panics if the pass
// before was not finished.
func (r *Run) Next() (pass *Pass, err error) {
	if r.open {
		panic("expr: Next before Finish")
	}
	if r.pass == len(r.plan.passes) {
		return nil, nil
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
	for i, f := range m.pass.folds {
		r.parts[f] = m.folds[i].total()
	}
	r.open = false
	r.pass++
	for _, n := range r.plan.values {
		if n.level == r.pass {
			r.value(n)
		}
	}
	return nil
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
	for i, f := range n.reduce.folds {
		if wider := r.plan.served[f]; wider != nil {
			f = wider
		}
		parts[i] = r.parts[f]
	}
	res := n.reduce.finish(parts)
	if res.msg != "" {
		panic(n.at.errorf(res.remedy, "%s", res.msg))
	}
	if res.nan > 0 {
		r.notes = append(r.notes, Note{Expr: string(n.at.src[n.at.pos:n.at.end]), NaN: res.nan, Variant: n.reduce.variant})
	}
	return res.value
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
	if n.array || n.level > r.pass {
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
