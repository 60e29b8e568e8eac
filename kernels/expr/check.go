package expr

import (
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
)

// check follows the operations and refuses those whose operands are not there or
// not of their kernels' types. What it lets through runs within its memory.
func (p *Program) check() error {
	p.types, p.widest = map[operand]kernels.Type{}, 0
	for i, t := range p.inputs {
		if !t.Valid() {
			return fmt.Errorf("program: input %d is of %v", i, t)
		}
		p.types[operand{inputOperand, uint16(i)}] = t
	}
	for i, c := range p.constants {
		if !c.elem.Valid() {
			return fmt.Errorf("program: constant %d is of %v", i, c.elem)
		}
		p.types[operand{constantOperand, uint16(i)}] = c.elem
	}
	for i, o := range p.ops {
		if err := p.checkOp(o); err != nil {
			return fmt.Errorf("program: operation %d: %w", i, err)
		}
	}
	for i, f := range p.folds {
		if err := p.checkFold(f); err != nil {
			return fmt.Errorf("program: reduction %d: %w", i, err)
		}
	}
	for i, o := range p.outs {
		if err := p.isBlock(o); err != nil {
			return fmt.Errorf("program: result %d: %w", i, err)
		}
	}
	return nil
}

func (p *Program) checkOp(o op) error {
	k := p.kernels[o.kernel]
	size := k.Out().Size()
	for i, t := range k.In() {
		if has, ok := p.types[o.args[i]]; !ok || has != t {
			return fmt.Errorf("operand %d of %v is not there", i, k)
		}
		if o.args[i] == o.dst && t.Size() != size {
			return fmt.Errorf("%v in the place of its operand", k)
		}
	}
	switch {
	case o.dst.class == registerOperand && int(o.dst.index) < p.registers:
		p.widest = max(p.widest, size)
	case o.dst.class == blockOperand && int(o.dst.index) < p.blocks && p.types[o.dst] == 0:
	default:
		return fmt.Errorf("no place for the result of %v", k)
	}
	p.types[o.dst] = k.Out()
	return nil
}

func (p *Program) checkFold(f foldOp) error {
	if f.kind < foldSummary || f.kind > foldSum {
		return fmt.Errorf("of kind %d", f.kind)
	}
	if f.kind.pairs() {
		if err := p.isBlock(f.y); err != nil {
			return err
		}
	}
	return p.isBlock(f.x)
}

// isBlock refuses operands that are no elements of a whole block.
func (p *Program) isBlock(o operand) error {
	if o.class == registerOperand || p.types[o] == 0 {
		return fmt.Errorf("there is no block %d of class %d", o.index, o.class)
	}
	return nil
}

// Inputs returns the types of the blocks that the program takes.
func (p *Program) Inputs() []kernels.Type { return p.inputs }

// Outputs returns the types of the blocks that the program writes.
func (p *Program) Outputs() []kernels.Type {
	types := make([]kernels.Type, len(p.outs))
	for i, o := range p.outs {
		types[i] = p.types[o]
	}
	return types
}

// PartialSize returns the length in bytes of the partial of a chunk.
func (p *Program) PartialSize() int {
	size := 0
	for _, f := range p.folds {
		size += f.kind.partialSize()
	}
	return size
}
