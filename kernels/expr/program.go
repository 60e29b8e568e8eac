package expr

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
)

// Limits of a program, which bound the memory that it makes a worker use.
const (
	maxConstants = 2048
	maxKernels   = 1024
	maxOps       = 8192
	maxRegisters = 1024
	maxFolds     = 64
	maxOuts      = 64
	maxBlocks    = 2*maxFolds + maxOuts
)

// MaxProgram is the most bytes that a program has.
const MaxProgram = 1 << 17

// magic begins every program; its last byte is the version of the layout.
const magic = "GSX\x01"

// headerSize is the length of what stands before the inputs.
const headerSize = 20

// Program is what a pass computes for each block, checked. It is not changed by
// runs, of which there may be many at a time.
type Program struct {
	inputs    []kernels.Type
	constants []constant // none of them weak
	kernels   []*kernels.Elementwise
	ops       []op
	registers int // of a tile each
	blocks    int // of a whole block each, written once
	folds     []foldOp
	outs      []operand

	// What check finds.
	types  map[operand]kernels.Type // of inputs, constants and blocks
	widest int                      // bytes of the largest element in a register
}

// op computes dst by a kernel.
type op struct {
	kernel uint16
	dst    operand
	args   []operand
}

// foldOp folds blocks of x, of pairs those of y too.
type foldOp struct {
	kind foldKind
	x, y operand
}

// operand says where elements are.
type operand struct {
	class operandClass
	index uint16
}

type operandClass uint8

const (
	inputOperand    operandClass = iota // a block of an array
	constantOperand                     // one element that serves for all
	registerOperand                     // a tile
	blockOperand                        // a block that operations make
)

// An operand takes two bytes: the class stands above the index.
const (
	indexBits = 14
	noOperand = 0xffff
)

func (o operand) encode() uint16 { return uint16(o.class)<<indexBits | o.index }

func decodeOperand(w uint16) operand {
	return operand{operandClass(w >> indexBits), w & (1<<indexBits - 1)}
}

// kernel returns the index of a kernel, which it adds if it is new.
func (p *Program) kernel(k *kernels.Elementwise) uint16 {
	same := func(other *kernels.Elementwise) bool {
		return other.Name() == k.Name() && other.Out() == k.Out() && slices.Equal(other.In(), k.In())
	}
	at := slices.IndexFunc(p.kernels, same)
	if at < 0 {
		at = len(p.kernels)
		p.kernels = append(p.kernels, k)
	}
	return uint16(at)
}

// encode returns the program's bytes, see the package doc.
func (p *Program) encode() []byte {
	b := []byte(magic)
	word := func(v int) { b = binary.LittleEndian.AppendUint16(b, uint16(v)) }
	for _, n := range []int{len(p.inputs), len(p.constants), len(p.kernels), len(p.ops), p.registers, p.blocks, len(p.folds), len(p.outs)} {
		word(n)
	}
	for _, t := range p.inputs {
		b = append(b, byte(t))
	}
	for _, c := range p.constants {
		b = binary.LittleEndian.AppendUint64(append(b, byte(c.elem)), c.bits)
	}
	for _, k := range p.kernels {
		var in [3]byte
		for i, t := range k.In() {
			in[i] = byte(t)
		}
		b = append(b, byte(k.Out()), in[0], in[1], in[2], byte(len(k.Name())))
		b = append(b, k.Name()...)
	}
	for _, o := range p.ops {
		word(int(o.kernel))
		word(int(o.dst.encode()))
		for i := range 3 {
			if i < len(o.args) {
				word(int(o.args[i].encode()))
			} else {
				word(noOperand)
			}
		}
	}
	for _, f := range p.folds {
		b = append(b, byte(f.kind))
		word(int(f.x.encode()))
		if f.kind.pairs() {
			word(int(f.y.encode()))
		} else {
			word(noOperand)
		}
	}
	for _, o := range p.outs {
		word(int(o.encode()))
	}
	return b
}

// errShort is what is wrong with a program that ends too early.
var errShort = errors.New("program: too short")

// reader takes bytes off a program's front. After its end all are 0.
type reader struct {
	bytes []byte
	short bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.bytes) {
		r.short = true
		return make([]byte, n)
	}
	b := r.bytes[:n]
	r.bytes = r.bytes[n:]
	return b
}

func (r *reader) byte() byte   { return r.take(1)[0] }
func (r *reader) word() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }

// Decode reads a program, which may be any bytes: it refuses what is no program
// that this package makes sense of. The bytes are not kept.
func Decode(b []byte) (*Program, error) {
	r := &reader{bytes: b}
	switch {
	case len(b) < headerSize:
		return nil, errShort
	case len(b) > MaxProgram:
		return nil, fmt.Errorf("program: %d bytes, more than %d", len(b), MaxProgram)
	case string(r.take(len(magic))) != magic:
		return nil, errors.New("program: not one of this version")
	}
	var n [8]int
	for i, most := range [...]int{maxInputs, maxConstants, maxKernels, maxOps, maxRegisters, maxBlocks, maxFolds, maxOuts} {
		if n[i] = int(r.word()); n[i] > most {
			return nil, fmt.Errorf("program: count %d is %d, more than %d", i, n[i], most)
		}
	}
	p := &Program{registers: n[4], blocks: n[5]}
	for range n[0] {
		p.inputs = append(p.inputs, kernels.Type(r.byte()))
	}
	for range n[1] {
		p.constants = append(p.constants, constant{dtype: strong(kernels.Type(r.byte())), bits: binary.LittleEndian.Uint64(r.take(8))})
	}
	for range n[2] {
		if err := p.readKernel(r); err != nil {
			return nil, err
		}
	}
	for range n[3] {
		if err := p.readOp(r); err != nil {
			return nil, err
		}
	}
	for range n[6] {
		p.folds = append(p.folds, foldOp{foldKind(r.byte()), decodeOperand(r.word()), decodeOperand(r.word())})
	}
	for range n[7] {
		p.outs = append(p.outs, decodeOperand(r.word()))
	}
	switch {
	case r.short:
		return nil, errShort
	case len(r.bytes) > 0:
		return nil, fmt.Errorf("program: %d bytes too long", len(r.bytes))
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Program) readKernel(r *reader) error {
	types := r.take(4)
	name := string(r.take(int(r.byte())))
	if r.short {
		return errShort
	}
	out := kernels.Type(types[0])
	var in []kernels.Type
	for _, t := range types[1:] {
		if t != 0 {
			in = append(in, kernels.Type(t))
		}
	}
	k, ok := kernels.LookupElementwise(name, in...)
	if len(in) == 1 && (name == "cast" || name == "saturate") {
		k, ok = kernels.LookupCast(name, in[0], out)
	}
	if !ok || k.Out() != out {
		return fmt.Errorf("program: there is no kernel %q of %v to %v", name, in, out)
	}
	p.kernels = append(p.kernels, k)
	return nil
}

func (p *Program) readOp(r *reader) error {
	o := op{kernel: r.word(), dst: decodeOperand(r.word())}
	if int(o.kernel) >= len(p.kernels) {
		return fmt.Errorf("program: operation of kernel %d", o.kernel)
	}
	for i := range 3 {
		switch w := r.word(); {
		case i < len(p.kernels[o.kernel].In()):
			o.args = append(o.args, decodeOperand(w))
		case w != noOperand:
			return fmt.Errorf("program: kernel %d has an operand too many", o.kernel)
		}
	}
	p.ops = append(p.ops, o)
	return nil
}
