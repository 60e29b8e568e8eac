package x86

import (
	"fmt"
	"go/types"
	"slices"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	kir "github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// stateRegisters is how many registers hold states; the others are for the
// body.
var stateRegisters = map[Tier]int{AVX2: 8, AVX512: 24}

// Folds returns the assembly of folds and their declarations in Go.
func Folds(tier Tier, folds []*kir.Fold) (assembly, stubs []byte, err error) {
	f := newFile(tier)
	for _, fold := range folds {
		if len(fold.In) == 0 {
			f.combine(fold)
		} else {
			f.fold(fold)
		}
		if Combines(tier, fold) {
			f.combined(fold)
		}
	}
	return f.print()
}

// Combines reports whether there is, beside a fold's function, another that combines
// the lanes in the end, as its name says: where the registers hold all lanes. It spares
// the nearest cache the states, whose lines a block has driven out of it.
func Combines(tier Tier, k *kir.Fold) bool {
	return len(k.In) > 0 && k.Combine != nil && group(tier, k) == kir.Lanes*8/tier.Bytes
}

// group returns how many vectors of lanes a fold crosses a block with at once.
func group(tier Tier, k *kir.Fold) int {
	n := 1
	for n*2 <= kir.Lanes*8/tier.Bytes && n*2*len(k.States) <= stateRegisters[tier] {
		n *= 2
	}
	return n
}

// named adds to a panic what was emitted.
func (f *file) named(k *kir.Fold) {
	if p := recover(); p != nil {
		panic(fmt.Sprintf("%s, %s: %v", k.ID(), f.tier.Package, p))
	}
}

// halves are the instructions that swap the halves of a register's parts, from
// the whole down to pairs of lanes.
var halves = map[Tier][]struct {
	name string
	imm  uint64
}{
	AVX2:   {{"VPERM2F128", 0x01}, {"VPERMILPD", 0x5}},
	AVX512: {{"VSHUFF64X2", 0x4e}, {"VSHUFF64X2", 0xb1}, {"VPERMILPD", 0x55}},
}

// combine emits a function that folds lanes: the first half with the second,
// until one is left.
func (f *file) combine(k *kir.Fold) {
	defer f.named(k)
	ctx := f.ctx
	ctx.Function(k.ID())
	ctx.Attributes(attr.NOSPLIT)
	ctx.Pragma("noescape")
	ctx.Signature(gotypes.NewSignature(nil, types.NewSignatureType(nil, nil, nil, types.NewTuple(types.NewParam(0, nil, "state", pointer("uint64"))), nil, false)))
	ctx.Doc(fmt.Sprintf("%s folds the lanes of states into the first.", k.ID()))
	state := ctx.Load(ctx.Param("state"), ctx.GP64())
	at := func(s, v int) operand.Mem {
		return operand.Mem{Base: state, Disp: s*kir.Lanes*8 + v*f.tier.Bytes}
	}
	load := func(s, v int) reg.Register {
		r := f.vector()
		f.do("VMOVUPD", at(s, v), r)
		return r
	}
	first := f.toFirst(k, load, func(s, v int, r reg.Register) { f.do("VMOVUPD", r, at(s, v)) })
	f.putFirst(first, state)
	f.do("VZEROUPPER")
	f.do("RET")
}

// toFirst folds the lanes of all vectors of states into the first lane of registers
// that it returns. get returns a vector of a state, put keeps what one has become.
func (f *file) toFirst(k *kir.Fold, get func(s, v int) reg.Register, put func(s, v int, r reg.Register)) []reg.Register {
	first := make([]reg.Register, len(k.States))
	body := func(other func(s int) reg.Register) {
		e := &emitter{file: f, k: &k.Kernel, lanes: f.tier.Bytes / 8, width: 8, states: slices.Clone(first), other: other, updates: k.Update}
		e.body()
		for s, n := range k.Update {
			first[s] = e.in(n)
		}
	}
	for half := kir.Lanes * 8 / f.tier.Bytes / 2; half > 0; half /= 2 {
		for v := half - 1; v >= 0; v-- {
			for s := range first {
				first[s] = get(s, v)
			}
			body(func(s int) reg.Register { return get(s, v+half) })
			for s, r := range first {
				if half > 1 {
					put(s, v, r)
				}
			}
		}
	}
	// Half of the lanes, then more, are of no use from here on.
	for _, swap := range halves[f.tier] {
		before := slices.Clone(first)
		body(func(s int) reg.Register {
			other := f.vector()
			if swap.name == "VPERMILPD" {
				f.do(swap.name, operand.Imm(swap.imm), before[s], other)
			} else {
				f.do(swap.name, operand.Imm(swap.imm), before[s], before[s], other)
			}
			return other
		})
	}
	return first
}

// putFirst stores the first lane of each state, one after another.
func (f *file) putFirst(first []reg.Register, state reg.Register) {
	for s, r := range first {
		f.do("VMOVQ", r.(reg.Vec).AsX(), operand.Mem{Base: state, Disp: 8 * s})
	}
}

// fold emits a function that sets states to the fold of rows of kir.Lanes elements. It
// sweeps over all rows with as many vectors of lanes as its registers hold, then with
// the next; a block stays in the nearest cache meanwhile.
//
// States begin in registers: vectors that are loaded from where narrower stores have
// just put them wait for everything before.
func (f *file) fold(k *kir.Fold) {
	defer f.named(k)
	p := f.begin(k, k.ID(), fmt.Sprintf("%s folds rows of %d elements.", k.ID(), kir.Lanes), "rows", "u0", "u1")
	vectors, group := kir.Lanes*8/f.tier.Bytes, group(f.tier, k)
	uniform := make([]reg.Register, len(k.Params))
	for i := range k.Params {
		word := f.ctx.Load(f.ctx.Param(fmt.Sprintf("u%d", i)), f.ctx.GP64())
		x := f.ctx.XMM()
		f.do("VMOVQ", word, x)
		uniform[i] = f.vector()
		f.do("VPBROADCASTQ", x, uniform[i])
	}
	rows := f.ctx.Load(f.ctx.Param("rows"), f.ctx.GP64())
	sweeps := f.ctx.GP64()
	if group < vectors {
		f.do("MOVQ", operand.U32(vectors/group), sweeps)
		f.ctx.Label("sweep")
	}
	var ptrs []reg.Register
	for _, base := range p.bases {
		ptr := f.ctx.GP64()
		f.do("MOVQ", base, ptr)
		ptrs = append(ptrs, ptr)
	}
	states := f.rows(k, group, ptrs, uniform, rows)
	for s := range states {
		for v, r := range states[s] {
			f.do("VMOVUPD", r, operand.Mem{Base: p.state, Disp: s*kir.Lanes*8 + v*f.tier.Bytes})
		}
	}
	if group < vectors {
		f.do("ADDQ", operand.U32(group*f.tier.Bytes), p.state)
		for i, in := range k.In {
			f.do("ADDQ", operand.U32(group*f.tier.Bytes/8*in.Size()), p.bases[i])
		}
		f.do("DECQ", sweeps)
		f.do("JNE", operand.LabelRef("sweep"))
	}
	f.do("VZEROUPPER")
	f.do("RET")
}

// combined emits what [Combines] speaks of: it folds blocks, each of so many rows and
// bytes to be skipped behind them, with uniform operands of its own, and puts one word
// for each state of each block one after another.
func (f *file) combined(k *kir.Fold) {
	defer f.named(k)
	name := k.ID() + "Combined"
	p := f.begin(k, name, fmt.Sprintf("%s folds blocks of rows of %d elements, and their lanes.", name, kir.Lanes), "rows", "blocks", "skip")
	ctx := f.ctx
	rows := ctx.Load(ctx.Param("rows"), ctx.GP64())
	blocks := ctx.Load(ctx.Param("blocks"), ctx.GP64())
	skip := ctx.Load(ctx.Param("skip"), ctx.GP64())
	u := ctx.Load(ctx.Param("u"), ctx.GP64())
	ctx.Label("block")
	uniform := make([]reg.Register, len(k.Params))
	for i := range k.Params {
		uniform[i] = f.vector()
		f.do("VPBROADCASTQ", operand.Mem{Base: u, Disp: 8 * i}, uniform[i])
	}
	f.do("ADDQ", operand.U32(8*len(k.Params)), u)
	states := f.rows(k, group(f.tier, k), p.bases, uniform, rows)
	first := f.toFirst(k.Combine, func(s, v int) reg.Register { return states[s][v] }, func(s, v int, r reg.Register) { states[s][v] = r })
	f.putFirst(first, p.state)
	f.do("ADDQ", operand.U32(8*len(first)), p.state)
	for _, base := range p.bases {
		f.do("ADDQ", skip, base)
	}
	f.do("DECQ", blocks)
	f.do("JNE", operand.LabelRef("block"))
	f.do("VZEROUPPER")
	f.do("RET")
}

// places is where a fold's operands and states lie.
type places struct {
	state reg.Register
	bases []reg.Register
}

// begin begins a function of a fold. All of them have one signature, whether they use
// all of it or not.
func (f *file) begin(k *kir.Fold, name, doc string, words ...string) places {
	second := "byte"
	if len(k.In) == 2 {
		second = k.In[1].GoType()
	}
	params := []*types.Var{
		types.NewParam(0, nil, "state", pointer("uint64")),
		types.NewParam(0, nil, "a", pointer(k.In[0].GoType())), types.NewParam(0, nil, "b", pointer(second)),
	}
	for _, w := range words {
		t := types.Typ[types.Int]
		if w[0] == 'u' {
			t = types.Typ[types.Uint64]
		}
		params = append(params, types.NewParam(0, nil, w, t))
	}
	if words[1] == "blocks" {
		params = append(params, types.NewParam(0, nil, "u", pointer("uint64")))
	}
	ctx := f.ctx
	ctx.Function(name)
	ctx.Attributes(attr.NOSPLIT)
	ctx.Pragma("noescape")
	ctx.Signature(gotypes.NewSignature(nil, types.NewSignatureType(nil, nil, nil, types.NewTuple(params...), nil, false)))
	ctx.Doc(doc)
	p := places{state: ctx.Load(ctx.Param("state"), ctx.GP64())}
	for i := range k.In {
		p.bases = append(p.bases, ctx.Load(ctx.Param(operands[i]), ctx.GP64()))
	}
	return p
}

// rows emits the loop over rows, which moves the pointers on, and returns the registers
// of the states' first vectors.
func (f *file) rows(k *kir.Fold, group int, ptrs, uniform []reg.Register, rows reg.Register) [][]reg.Register {
	lanes := f.tier.Bytes / 8
	states := make([][]reg.Register, len(k.States))
	for s := range k.States {
		for range group {
			states[s] = append(states[s], f.filled(k.Start[s]))
		}
	}
	left := f.ctx.GP64()
	f.do("MOVQ", rows, left)
	f.ctx.Label("row")
	for v := range group {
		e := &emitter{file: f, k: &k.Kernel, lanes: lanes, width: 8, uniform: uniform, updates: k.Update, excess: excess(k.Nodes)}
		for s := range k.States {
			e.states = append(e.states, states[s][v])
		}
		for i, in := range k.In {
			e.ins = append(e.ins, input{ptr: ptrs[i], disp: v * lanes * in.Size()})
		}
		e.body()
		for s, n := range k.Update {
			if from := e.in(n); from != states[s][v] {
				f.do("VMOVAPD", from, states[s][v])
			}
		}
	}
	for i, in := range k.In {
		f.do("ADDQ", operand.U32(kir.Lanes*in.Size()), ptrs[i])
	}
	f.do("DECQ", left)
	f.do("JNE", operand.LabelRef("row"))
	return states
}

// filled returns a register with these bits in all lanes.
func (f *file) filled(bits uint64) reg.Register {
	r := f.vector()
	switch {
	case bits != 0:
		f.do("VPBROADCASTQ", f.words("", 8, bits), r)
	case f.tier == AVX512:
		f.do("VPXORQ", r, r, r)
	default:
		f.do("VPXOR", r, r, r)
	}
	return r
}

// vector returns a whole register of the tier.
func (f *file) vector() reg.Register {
	if f.tier == AVX512 {
		return f.ctx.ZMM()
	}
	return f.ctx.YMM()
}

func newFile(tier Tier) *file {
	ctx := build.NewContext()
	ctx.ConstraintExpr("amd64")
	return &file{ctx: ctx, tier: tier, data: map[string]operand.Mem{}, bounds: map[string]float64{}}
}
