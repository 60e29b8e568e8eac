package expr

import (
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
)

// Runner runs a program block by block, on the side of the work. It is not safe
// for concurrent use.
type Runner struct {
	prog      *Program
	tile      int    // elements
	registers []byte // a tile of the widest elements each
	blocks    [][]byte
	constants [][]byte
	fills     map[operand][]byte // constants that are taken as blocks
	groups    [][]folder         // of the program's reductions: of several rows, each its own
	folders   []folder           // those in hand
	direct    []int              // for each result the block that is made in its place, -1 for none
}

// cached is how many bytes of registers are to stay in the cache next to the
// core, with the tiles of inputs.
const cached = 64 << 10

// smallestTile is the fewest elements of a tile: with less, calls cost more than
// caches save.
const smallestTile = 512

// NewRunner returns a runner, which holds the memory that blocks need.
func (p *Program) NewRunner() *Runner {
	tile := kernels.BlockLen
	for tile > smallestTile && tile*p.registers*p.widest > cached {
		tile /= 2
	}
	return p.newRunner(tile)
}

// newRunner returns a runner that crosses as many elements at once, a divisor of
// a block's. No result depends on it.
func (p *Program) newRunner(tile int) *Runner {
	r := &Runner{prog: p, tile: tile, registers: make([]byte, p.registers*tile*p.widest), blocks: make([][]byte, p.blocks), fills: map[operand][]byte{}}
	for _, c := range p.constants {
		r.constants = append(r.constants, c.element())
	}
	made := make([]bool, p.blocks) // in the place of a result
	for _, o := range p.outs {
		at := -1
		if o.class == blockOperand && !made[o.index] {
			at, made[o.index] = int(o.index), true
		}
		r.direct = append(r.direct, at)
		r.fill(o)
	}
	for i := range r.blocks {
		if t := p.types[operand{blockOperand, uint16(i)}]; t != 0 && !made[i] {
			r.blocks[i] = make([]byte, kernels.BlockLen*t.Size())
		}
	}
	for _, f := range p.folds {
		r.fill(f.x)
		if f.kind.pairs() {
			r.fill(f.y)
		}
	}
	r.Select(0)
	return r
}

// Select has the blocks that follow, and Reset and Partial, belong to one of several
// rows that are gone through at a time, from 0 on.
func (r *Runner) Select(row int) {
	for len(r.groups) <= row {
		group := make([]folder, 0, len(r.prog.folds))
		for _, f := range r.prog.folds {
			group = append(group, newFolder(f.kind, r.prog.types[f.x], r.prog.types[f.y]))
		}
		r.groups = append(r.groups, group)
	}
	r.folders = r.groups[row]
}

// fill makes a block of a constant that is taken as one.
func (r *Runner) fill(o operand) {
	if o.class != constantOperand || r.fills[o] != nil {
		return
	}
	element := r.constants[o.index]
	for range kernels.BlockLen {
		r.fills[o] = append(r.fills[o], element...)
	}
}

// Reset begins a chunk: it forgets what was folded.
func (r *Runner) Reset() {
	for _, f := range r.folders {
		f.Reset()
	}
}

// Most returns how many elements Block takes at a time, a multiple of BlockLen: more
// than that where nothing is done but folding inputs.
func (r *Runner) Most() int {
	for _, f := range r.prog.folds {
		if f.kind.pairs() || f.x.class != inputOperand {
			return kernels.BlockLen
		}
	}
	if len(r.prog.ops)+len(r.prog.outs) > 0 {
		return kernels.BlockLen
	}
	return kernels.Together * kernels.BlockLen
}

// Block runs the program for the next blocks of a chunk, of n elements in all: up to
// Most, a multiple of BlockLen but at the end of an array. src are the elements of
// the program's inputs, in this machine's byte order and at any address; dst
// are those of its outputs, which do not overlap them, nor one another. None is
// kept. It panics if there are not as many, or not as long, as they should be.
func (r *Runner) Block(n int, dst, src [][]byte) {
	r.checkBlocks(n, dst, src)
	for i, at := range r.direct {
		if at >= 0 {
			r.blocks[at] = dst[i]
		}
	}
	for from := 0; from < n; from += r.tile {
		r.runTile(src, from, min(n, from+r.tile))
	}
	for i, f := range r.prog.folds {
		var y []byte
		if f.kind.pairs() {
			y = r.whole(f.y, n, src)
		}
		r.folders[i].block(r.whole(f.x, n, src), y)
	}
	for i, o := range r.prog.outs {
		if r.direct[i] < 0 {
			copy(dst[i], r.whole(o, n, src))
		}
	}
}

func (r *Runner) checkBlocks(n int, dst, src [][]byte) {
	p := r.prog
	if n < 1 || n > r.Most() || len(dst) != len(p.outs) || len(src) != len(p.inputs) {
		panic(fmt.Sprintf("expr: a block of %d elements, %d inputs and %d outputs; the program has %d and %d", n, len(src), len(dst), len(p.inputs), len(p.outs)))
	}
	for i, t := range p.inputs {
		if len(src[i]) != n*t.Size() {
			panic(fmt.Sprintf("expr: %d elements of %v in %d bytes", n, t, len(src[i])))
		}
	}
	for i, o := range p.outs {
		if t := p.types[o]; len(dst[i]) != n*t.Size() {
			panic(fmt.Sprintf("expr: %d elements of %v for %d bytes", n, t, len(dst[i])))
		}
	}
}

// runTile runs the operations for the elements from up to to.
func (r *Runner) runTile(src [][]byte, from, to int) {
	for i := range r.prog.ops {
		o := &r.prog.ops[i]
		k := r.prog.kernels[o.kernel]
		var args [3][]byte
		for j, t := range k.In() {
			args[j] = r.tileOf(o.args[j], t, src, from, to)
		}
		k.Run(r.tileOf(o.dst, k.Out(), src, from, to), args[0], args[1], args[2])
	}
}

// tileOf returns the elements from up to to of an operand.
func (r *Runner) tileOf(o operand, t kernels.Type, src [][]byte, from, to int) []byte {
	size := t.Size()
	switch o.class {
	case inputOperand:
		return src[o.index][from*size : to*size]
	case constantOperand:
		return r.constants[o.index]
	case registerOperand:
		at := int(o.index) * r.tile * r.prog.widest
		return r.registers[at : at+(to-from)*size]
	}
	return r.blocks[o.index][from*size : to*size]
}

// whole returns the n elements of a block.
func (r *Runner) whole(o operand, n int, src [][]byte) []byte {
	if o.class == inputOperand {
		return src[o.index]
	}
	bytes := n * r.prog.types[o].Size()
	if o.class == constantOperand {
		return r.fills[o][:bytes]
	}
	return r.blocks[o.index][:bytes]
}

// Partial writes the partial of the blocks since Reset to dst[:PartialSize].
func (r *Runner) Partial(dst []byte) {
	for i, f := range r.prog.folds {
		r.folders[i].Partial(dst)
		dst = dst[f.kind.partialSize():]
	}
}
