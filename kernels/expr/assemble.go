package expr

import (
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
)

// assembler makes the program of a pass, with the values that are known by now.
type assembler struct {
	run   *Run
	prog  *Program
	pass  *Pass
	at    map[*node]operand
	uses  map[*node]int // by what is not assembled yet
	need  map[*node]int // registers to compute it
	roots map[*node]bool
	along []int // axes, in the order in which the pass goes
	free  []int // registers that hold nothing
}

// assemble makes the program of a pass.
func (r *Run) assemble(p passPlan) *Pass {
	a := &assembler{run: r, prog: &Program{}, at: map[*node]operand{}, uses: map[*node]int{}, need: map[*node]int{}, roots: map[*node]bool{}, along: p.order}
	a.pass = &Pass{Outputs: p.outs, Shape: p.dims(), Rows: p.rows, program: a.prog, folds: p.folds}
	var roots []*node
	for _, f := range p.folds {
		roots = append(roots, f.x)
		if f.y != nil {
			roots = append(roots, f.y)
		}
	}
	for _, i := range p.outs {
		roots = append(roots, r.plan.roots[i])
	}
	for _, n := range roots {
		a.roots[n] = true
		a.count(n)
	}
	for _, n := range roots {
		a.emit(n)
	}
	for _, f := range p.folds {
		op := foldOp{kind: f.kind, x: a.at[f.x]}
		if f.y != nil {
			op.y = a.at[f.y]
		}
		a.prog.folds = append(a.prog.folds, op)
	}
	for _, i := range p.outs {
		a.prog.outs = append(a.prog.outs, a.at[r.plan.roots[i]])
	}
	if len(a.prog.ops) > maxOps || a.prog.registers > maxRegisters {
		n := roots[0]
		panic(place{n.at.src, span{0, len(n.at.src)}}.errorf("compute parts of it first", "the expression takes %d operations and %d registers, more than %d and %d",
			len(a.prog.ops), a.prog.registers, maxOps, maxRegisters))
	}
	a.pass.Program = a.prog.encode()
	if err := a.prog.check(); err != nil {
		panic(err) // of the assembler's making
	}
	return a.pass
}

// count counts uses of array nodes, and the registers that they need. It asks
// for the value of each scalar, so that one without a value is an error whether
// it matters or not.
func (a *assembler) count(n *node) {
	a.uses[n]++
	if !n.array {
		a.run.value(n)
	}
	if a.uses[n] > 1 || !n.array || n.op == opInput || n.op == opView || n.op == opValue {
		return
	}
	var needs []int
	for _, arg := range n.args {
		a.count(arg)
		needs = append(needs, a.need[arg])
	}
	slices.Sort(needs)
	slices.Reverse(needs)
	need := 1
	for i, k := range needs {
		need = max(need, k+i)
	}
	a.need[n] = need
}

// emit appends what computes n, and returns where it is.
func (a *assembler) emit(n *node) operand {
	if o, ok := a.at[n]; ok {
		return o
	}
	var o operand
	switch {
	case !n.array:
		return a.constant(a.run.value(n))
	case n.op == opInput || n.op == opView || n.op == opValue:
		o = operand{inputOperand, uint16(len(a.prog.inputs))}
		a.prog.inputs = append(a.prog.inputs, n.elem)
		a.pass.Inputs = append(a.pass.Inputs, a.input(n))
	case n.op == opCompare:
		o = a.compare(n)
	default:
		o = a.kernel(n, n.kernel, n.args)
	}
	a.at[n] = o
	return o
}

// input describes an array that lies in memory, or a view of one.
func (a *assembler) input(n *node) Operand {
	in, of := operandOf(n, a.along), n
	if n.op == opView {
		of = n.args[0]
	}
	if of.op == opValue {
		in.Table = a.run.tables[of]
	}
	return in
}

// operandOf describes how to go over an array that lies in memory, or a view of one,
// in an order of its axes.
func operandOf(n *node, order []int) Operand {
	of, view := n, all(n.shape)
	if n.op == opView {
		of, view = n.args[0], *n.view
	}
	view = view.permuted(order)
	in := Operand{Input: of.input, From: view.from}
	for _, along := range view.axes {
		in.Axes, in.Steps = append(in.Axes, along.axis), append(in.Steps, along.step)
	}
	return in
}

// constant returns where a constant is.
func (a *assembler) constant(c constant) operand {
	c.weak = false
	at := slices.Index(a.prog.constants, c)
	if at < 0 {
		at = len(a.prog.constants)
		a.prog.constants = append(a.prog.constants, c)
	}
	return operand{constantOperand, uint16(at)}
}

// compare compares with an integer, which need not be in range of the elements'
// type.
func (a *assembler) compare(n *node) operand {
	x, y := n.args[0], n.args[1]
	i := a.run.value(y).big
	if lo, hi := bounds(x.elem); i.Cmp(lo) < 0 || i.Cmp(hi) > 0 {
		a.release(x)
		return a.constant(boolConstant(compared(n.name, -i.Sign())))
	}
	k, _ := kernels.LookupElementwise(n.name, x.elem, x.elem)
	known := constant{dtype: strong(x.elem), bits: wrapped(x.elem, i)}
	return a.kernel(n, k, []*node{x, {op: opConst, dtype: known.dtype, value: known}})
}

// kernel appends an operation.
func (a *assembler) kernel(n *node, k *kernels.Elementwise, args []*node) operand {
	operands := make([]operand, len(args))
	for _, i := range a.order(args) {
		operands[i] = a.emit(args[i])
	}
	// A result may replace an operand that is not needed any more, if their
	// elements are of one size.
	for _, arg := range args {
		if arg.elem.Size() == n.elem.Size() {
			a.release(arg)
		}
	}
	dst := a.result(n)
	for _, arg := range args {
		if arg.elem.Size() != n.elem.Size() {
			a.release(arg)
		}
	}
	a.prog.ops = append(a.prog.ops, op{kernel: a.prog.kernel(k), dst: dst, args: operands})
	return dst
}

// order returns the order in which operands take the fewest registers.
func (a *assembler) order(args []*node) []int {
	order := make([]int, len(args))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return a.need[args[j]] - a.need[args[i]] })
	return order
}

// release takes note that one use of n is over.
func (a *assembler) release(n *node) {
	a.uses[n]--
	if o := a.at[n]; a.uses[n] == 0 && o.class == registerOperand && n.array {
		a.free = append(a.free, int(o.index))
	}
}

// result returns where the result of n goes: to a whole block, if a reduction or
// a result takes it.
func (a *assembler) result(n *node) operand {
	if a.roots[n] {
		a.prog.blocks++
		return operand{blockOperand, uint16(a.prog.blocks - 1)}
	}
	if len(a.free) == 0 {
		a.prog.registers++
		return operand{registerOperand, uint16(a.prog.registers - 1)}
	}
	last := len(a.free) - 1
	at := a.free[last]
	a.free = a.free[:last]
	return operand{registerOperand, uint16(at)}
}
