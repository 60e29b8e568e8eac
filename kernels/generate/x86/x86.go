// Package x86 writes kernels as assembly for AVX2 and AVX-512, by avo.
//
// A kernel's function crosses whole vectors while there are any, and stops in
// front of a vector with a lane that bails; it returns how many elements it
// did. What it leaves, tails included, is for the portable loop.
package x86

import (
	"fmt"
	"go/types"
	"reflect"
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"

	kir "github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// Tier is an instruction set.
type Tier struct {
	Package string
	Bytes   int // of a vector
}

// The tiers.
var (
	AVX2   = Tier{"avx2", 32}
	AVX512 = Tier{"avx512", 64}
)

// File returns the assembly of kernels and their declarations in Go.
//
// bounds are the cycles per element that no processor of the model can beat.
func File(tier Tier, kernels []*kir.Kernel) (assembly, stubs []byte, bounds map[string]float64, err error) {
	f := newFile(tier)
	for _, k := range kernels {
		f.function(k)
	}
	assembly, stubs, err = f.print()
	return assembly, stubs, f.bounds, err
}

// print returns the file's assembly and its declarations in Go.
func (f *file) print() (assembly, stubs []byte, err error) {
	parsed, err := f.ctx.Result()
	if err != nil {
		return nil, nil, err
	}
	for _, fn := range parsed.Functions() {
		freeBlends(fn.Instructions())
	}
	if err := pass.Compile.Execute(parsed); err != nil {
		return nil, nil, err
	}
	cfg := printer.Config{Name: "kernels/generate", Pkg: f.tier.Package, Argv: []string{"kernels/generate"}}
	if assembly, err = printer.NewGoAsm(cfg).Print(parsed); err != nil {
		return nil, nil, err
	}
	if stubs, err = printer.NewStubs(cfg).Print(parsed); err != nil {
		return nil, nil, err
	}
	return assembly, stubs, nil
}

// freeBlends tells avo that blends do not read their destination, as instructions
// with a mask do otherwise: it would keep a register for each over a whole loop.
func freeBlends(instructions []*ir.Instruction) {
	for _, i := range instructions {
		if !strings.HasPrefix(i.Opcode, "VBLENDM") && !strings.HasPrefix(i.Opcode, "VPBLENDM") {
			continue
		}
		last := len(i.Operands) - 1
		if sources := i.Operands[:last]; !slices.Contains(sources, i.Operands[last]) {
			i.Inputs = slices.Clone(sources)
		}
	}
}

// file is a file under construction.
type file struct {
	ctx  *build.Context
	tier Tier
	data map[string]operand.Mem // constants by their bytes

	cost   Cost               // of what was emitted last
	bounds map[string]float64 // cycles per element, by function
}

// do adds an instruction by its name. The last operand is the destination.
func (f *file) do(name string, ops ...operand.Op) {
	method := reflect.ValueOf(f.ctx).MethodByName(name)
	if !method.IsValid() {
		panic("no instruction " + name)
	}
	args := make([]reflect.Value, len(ops))
	for i, op := range ops {
		args[i] = reflect.ValueOf(&op).Elem()
	}
	method.Call(args)
	f.cost.count(name, ops)
	if _, err := f.ctx.Result(); err != nil {
		panic(fmt.Sprintf("%s %v: %v", name, ops, err))
	}
}

// words returns read-only memory that holds these words of size bytes.
func (f *file) words(name string, size int, words ...uint64) operand.Mem {
	key := fmt.Sprint(size, words)
	if mem, ok := f.data[key]; ok {
		return mem
	}
	if name == "" {
		name = fmt.Sprintf("const%d", len(f.data))
	}
	mem := f.ctx.StaticGlobal(name)
	f.ctx.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, w := range words {
		switch size {
		case 8:
			f.ctx.AddDatum(8*i, operand.U64(w))
		case 4:
			f.ctx.AddDatum(4*i, operand.U32(w))
		}
	}
	f.data[key] = mem
	return mem
}

// emitter is a kernel under construction.
type emitter struct {
	*file
	k     *kir.Kernel
	lanes int
	width int   // bytes of a lane
	root  []int // nodes whose register a node shares
	uses  []int // of a root's register that are still to come
	regs  []reg.Register
	ins   []input
	masks []int // AVX2: bytes of a mask's lane

	normals map[int]scaled          // AVX2: of scaled, by operand
	indices map[[2]int]reg.Register // of masked, by index and table length

	// AVX-512: operations on bits that are part of another's instruction, and
	// those instructions.
	within  []bool
	ternary map[int]ternary

	bailTo string // the label
	// shared are registers of constants and tables that vectors of one turn
	// share, by the address; nil if there is one vector.
	shared map[string]reg.Register

	// Of folds: registers of states and of uniform operands, what brings a state
	// of the later lanes into one, and the nodes of the states' new values.
	states, uniform []reg.Register
	other           func(state int) reg.Register
	updates         []int
	// By how many the additions of a fold outnumber the multiplications, see addByProduct.
	excess int
}

// input is where a vector of an operand begins.
type input struct {
	ptr, step reg.Register
	disp      int
}

func pointer(t string) types.Type {
	return types.NewPointer(types.Universe.Lookup(t).Type())
}

func (f *file) emitter(k *kir.Kernel) *emitter {
	return &emitter{file: f, k: k, lanes: f.tier.Bytes / k.Width(), width: k.Width(), updates: []int{k.Result}, bailTo: "done"}
}

func (f *file) function(k *kir.Kernel) {
	defer func() {
		if p := recover(); p != nil {
			panic(fmt.Sprintf("%s, %s: %v", k.ID(), f.tier.Package, p))
		}
	}()
	e := f.emitter(k)
	params := []*types.Var{types.NewParam(0, nil, "dst", pointer(k.Out.GoType()))}
	for i, in := range k.In {
		params = append(params, types.NewParam(0, nil, operands[i], pointer(in.GoType())))
	}
	for i := range k.In {
		params = append(params, types.NewParam(0, nil, operands[i]+"Step", types.Typ[types.Int]))
	}
	params = append(params, types.NewParam(0, nil, "n", types.Typ[types.Int]))
	results := []*types.Var{types.NewParam(0, nil, "done", types.Typ[types.Int])}
	f.ctx.Function(k.ID())
	f.ctx.Attributes(attr.NOSPLIT)
	f.ctx.Pragma("noescape")
	f.ctx.Signature(gotypes.NewSignature(nil, types.NewSignatureType(nil, nil, nil, types.NewTuple(params...), types.NewTuple(results...), false)))
	f.ctx.Doc(fmt.Sprintf("%s does whole vectors of %d and returns how many elements it did.", k.ID(), e.lanes))

	dst := f.ctx.Load(f.ctx.Param("dst"), f.ctx.GP64())
	for i := range k.In {
		e.ins = append(e.ins, input{
			ptr:  f.ctx.Load(f.ctx.Param(operands[i]), f.ctx.GP64()),
			step: f.ctx.Load(f.ctx.Param(operands[i]+"Step"), f.ctx.GP64()),
		})
	}
	n := f.ctx.Load(f.ctx.Param("n"), f.ctx.GP64())
	left := f.ctx.GP64()
	f.do("MOVQ", n, left)
	unrolled := f.tier == AVX512 && k.Unroll > 1
	if unrolled {
		f.unrolled(e, dst, left)
	}
	f.do("SUBQ", operand.Imm(uint64(e.lanes)), left)
	f.do("JLT", operand.LabelRef("done"))
	f.ctx.Label("loop")
	if !unrolled {
		f.cost = Cost{}
	}
	e.body()
	e.store(k.Out, e.regs[e.root[k.Result]], operand.Mem{Base: dst})
	f.do("ADDQ", operand.Imm(uint64(e.lanes*k.Out.Size())), dst)
	for line := 0; k.Ahead > 0 && line < e.lanes*k.In[0].Size(); line += 64 {
		// Beyond the end of memory it does nothing.
		f.do("PREFETCHT0", operand.Mem{Base: e.ins[0].ptr, Disp: k.Ahead + line})
	}
	for _, in := range e.ins {
		f.do("ADDQ", in.step, in.ptr)
	}
	f.do("SUBQ", operand.Imm(uint64(e.lanes)), left)
	f.do("JGE", operand.LabelRef("loop"))
	if !unrolled {
		f.bounds[k.ID()] = f.cost.Cycles(f.tier) / float64(e.lanes)
	}
	f.ctx.Label("done")
	f.do("ADDQ", operand.Imm(uint64(e.lanes)), left)
	f.do("SUBQ", left, n)
	f.do("VZEROUPPER")
	f.ctx.Store(n, f.ctx.Return("done"))
	f.do("RET")
}

// unrolled emits a loop of several vectors a turn. One that bails is left to the
// loop of single vectors.
func (f *file) unrolled(e *emitter, dst, left reg.Register) {
	k := e.k
	turn := uint64(k.Unroll * e.lanes)
	f.do("SUBQ", operand.Imm(turn), left)
	f.do("JLT", operand.LabelRef("rest"))
	f.ctx.Label("turn")
	f.cost = Cost{}
	all := make([]*emitter, k.Unroll)
	for i := range all {
		all[i] = f.emitter(k)
		all[i].bailTo = "rest"
		for _, in := range e.ins {
			if i > 0 {
				// The step is 0 for operands that are one vector of copies.
				next := f.ctx.GP64()
				f.do("LEAQ", operand.Mem{Base: all[i-1].ins[len(all[i].ins)].ptr, Index: in.step, Scale: 1}, next)
				in.ptr = next
			}
			all[i].ins = append(all[i].ins, in)
		}
		all[i].begin()
	}
	for i := range k.Nodes {
		shared := map[string]reg.Register{}
		for _, one := range all {
			one.shared = shared
			one.step(i)
		}
	}
	for i, one := range all {
		one.store(k.Out, one.regs[one.root[k.Result]], operand.Mem{Base: dst, Disp: i * e.lanes * k.Out.Size()})
	}
	f.do("ADDQ", operand.U32(turn*uint64(k.Out.Size())), dst)
	for i, in := range all[len(all)-1].ins {
		f.do("LEAQ", operand.Mem{Base: in.ptr, Index: in.step, Scale: 1}, e.ins[i].ptr)
	}
	f.do("SUBQ", operand.Imm(turn), left)
	f.do("JGE", operand.LabelRef("turn"))
	f.bounds[k.ID()] = f.cost.Cycles(f.tier) / float64(turn)
	f.ctx.Label("rest")
	f.do("ADDQ", operand.Imm(turn), left)
}

var operands = []string{"a", "b", "c"}

// body emits the straight line for one vector.
func (e *emitter) body() {
	e.begin()
	for i := range e.k.Nodes {
		e.step(i)
	}
}

// begin counts the uses of nodes.
func (e *emitter) begin() {
	e.root = make([]int, len(e.k.Nodes))
	e.uses = make([]int, len(e.k.Nodes))
	e.regs = make([]reg.Register, len(e.k.Nodes))
	e.masks = make([]int, len(e.k.Nodes))
	for i, n := range e.k.Nodes {
		e.root[i] = i
		if n.Op == kir.ToBits || n.Op == kir.FromBits {
			e.root[i] = e.root[n.Args[0]]
			continue
		}
		for _, a := range n.Args {
			if a >= 0 {
				e.uses[e.root[a]]++
			}
		}
	}
	for _, u := range e.updates {
		e.uses[e.root[u]]++
	}
	if e.k.Bail >= 0 {
		e.uses[e.root[e.k.Bail]]++
	}
	e.fuse()
}

// step emits node i.
func (e *emitter) step(i int) {
	n := e.k.Nodes[i]
	if e.root[i] != i || n.Op == kir.Const || e.within[i] {
		return
	}
	e.node(i, n)
	if i == e.k.Bail {
		e.bail(i)
	}
}

// reg returns a new register for a value of type t.
func (e *emitter) reg(t kir.Type) reg.Register { return e.sized(e.lanes * t.Width()) }

func (e *emitter) sized(bytes int) reg.Register {
	switch {
	case bytes > 32:
		return e.ctx.ZMM()
	case bytes > 16:
		return e.ctx.YMM()
	}
	return e.ctx.XMM()
}

// isConst tells whether node a, seen through changes of type, is a constant.
func (e *emitter) isConst(a int) bool { return e.k.Nodes[e.root[a]].Op == kir.Const }

// in returns operand a in a register.
func (e *emitter) in(a int) reg.Register {
	a = e.root[a]
	if e.k.Nodes[a].Op != kir.Const {
		return e.regs[a]
	}
	n := e.k.Nodes[a]
	return e.constant(n.Type, n.Imm)
}

// constant returns a constant in a new register.
func (e *emitter) constant(t kir.Type, bits uint64) reg.Register {
	key := fmt.Sprint(t, bits)
	if r, ok := e.shared[key]; ok {
		return r
	}
	r := e.reg(t)
	if e.shared != nil {
		e.shared[key] = r
	}
	if t.Width() < 4 {
		for w := 8 * t.Width(); w < 32; w *= 2 {
			bits |= bits << w
		}
		e.do("VPBROADCASTD", e.words("", 4, bits), r)
	} else {
		e.do(map[int]string{8: "VPBROADCASTQ", 4: "VPBROADCASTD"}[t.Width()], e.words("", t.Width(), bits), r)
	}
	return r
}

// take counts a use of operand a and reports whether it was the last of a
// register that may be overwritten.
func (e *emitter) take(a int) bool {
	a = e.root[a]
	e.uses[a]--
	return e.uses[a] == 0 && e.k.Nodes[a].Op != kir.Const
}

// op emits an instruction whose first operand, the second source of Intel's
// order, may lie in memory.
func (e *emitter) op(name string, src2 int, rest ...operand.Op) {
	n := e.k.Nodes[e.root[src2]]
	switch {
	case n.Op != kir.Const:
		e.do(name, append([]operand.Op{e.regs[e.root[src2]]}, rest...)...)
	case n.Type.Width() < 4 || e.shared != nil:
		e.do(name, append([]operand.Op{e.in(src2)}, rest...)...)
	default:
		e.opConst(name, n.Type, n.Imm, rest...)
	}
}

// opConst is op of a constant in memory.
func (e *emitter) opConst(name string, t kir.Type, bits uint64, rest ...operand.Op) {
	if e.tier == AVX512 {
		e.do(name+"_BCST", append([]operand.Op{e.words("", t.Width(), bits)}, rest...)...)
		return
	}
	count := e.lanes
	if count*t.Width() < 16 {
		panic("constant of less than a register")
	}
	words := make([]uint64, count)
	for i := range words {
		words[i] = bits
	}
	e.do(name, append([]operand.Op{e.words("", t.Width(), words...)}, rest...)...)
}

// bail leaves the loop if any lane of mask i holds.
func (e *emitter) bail(i int) {
	if e.tier == AVX512 {
		switch {
		case e.lanes <= 8:
			e.do("KORTESTB", e.regs[i], e.regs[i])
		case e.lanes <= 16:
			e.do("KORTESTW", e.regs[i], e.regs[i])
		default:
			panic("bail of narrow lanes")
		}
	} else {
		e.do("VPTEST", e.regs[i], e.regs[i])
	}
	e.do("JNE", operand.LabelRef(e.bailTo))
	e.take(i)
}
