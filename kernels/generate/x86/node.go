package x86

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	kir "github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// floats are the two-operand float instructions, without the type's suffix.
var floats = map[kir.Op]string{
	kir.FAdd: "VADDP", kir.FSub: "VSUBP", kir.FMul: "VMULP", kir.FDiv: "VDIVP",
	kir.FMin: "VMINP", kir.FMax: "VMAXP",
}

var fused = map[kir.Op]string{kir.FMA: "VFMADD", kir.FNMA: "VFNMADD", kir.FMS: "VFMSUB"}

// parts are the instructions of the parts of lanes, whose operands lie in registers.
var parts = map[kir.Op]string{
	kir.SumBytes: "VPSADBW", kir.DotWords: "VPMADDWD", kir.AddHalves: "VPADDD", kir.MulWords: "VPMULLW",
	kir.MinBytes: "VPMINUB", kir.MaxBytes: "VPMAXUB", kir.MinWords: "VPMINSW", kir.MaxWords: "VPMAXSW",
}

var rounding = map[kir.Op]uint64{kir.Rint: 8, kir.Floor: 9, kir.Ceil: 10, kir.Trunc: 11}

// predicates are VCMPPD's.
var predicates = map[kir.Op]uint64{kir.FEq: 0, kir.FLt: 17, kir.FLe: 18, kir.FNe: 4}

func suffix(t kir.Type) string {
	if t.Width() == 8 {
		return "D"
	}
	return "S"
}

// letter is how integer instructions name a width.
func letter(t kir.Type) string {
	return map[int]string{1: "B", 2: "W", 4: "D", 8: "Q"}[t.Width()]
}

// node emits node i into its register.
func (e *emitter) node(i int, n kir.Node) {
	switch n.Op {
	case kir.Load:
		in := e.ins[n.Imm]
		e.regs[i] = e.load(e.k.In[n.Imm], operand.Mem{Base: in.ptr, Disp: in.disp})
		e.masks[i] = e.width
		return
	case kir.State:
		e.regs[i] = e.states[n.Imm]
		return
	case kir.Other:
		e.regs[i] = e.other(int(n.Imm))
		return
	case kir.Param:
		e.regs[i] = e.uniform[n.Imm]
		e.uses[i] = math.MaxInt // never to be overwritten
		return
	}
	if fused[n.Op] != "" {
		e.regs[i] = e.fma(i, n)
		return
	}
	if e.excess > 1 && e.addByProduct(i, n) {
		return
	}
	if t, ok := e.ternary[i]; ok {
		e.regs[i] = e.combine(i, n, t)
		return
	}
	switch n.Op {
	case kir.FEq, kir.FNe, kir.FLt, kir.FLe, kir.IEq, kir.ILt, kir.ULt:
		e.compare(i, n)
	case kir.MAnd, kir.MOr, kir.MXor, kir.MNot:
		e.logic(i, n)
	case kir.Select:
		e.regs[i] = e.choose(n)
	default:
		e.regs[i] = e.destination(i, n)
		e.plain(n, e.regs[i])
	}
	for _, a := range n.Args {
		if a >= 0 {
			e.take(a)
		}
	}
}

// inPlace are operations of one instruction, which may write what they read.
var inPlace = map[kir.Op]bool{
	kir.FAdd: true, kir.FSub: true, kir.FMul: true, kir.FMin: true, kir.FMax: true,
	kir.IAdd: true, kir.ISub: true, kir.And: true, kir.Or: true, kir.Xor: true,
	kir.AddHalves: true, kir.MinBytes: true, kir.MaxBytes: true, kir.MinWords: true, kir.MaxWords: true,
}

// destination returns the register of node i: that of the state whose new
// value it is, once nothing else needs the old one.
func (e *emitter) destination(i int, n kir.Node) reg.Register {
	for s, u := range e.updates {
		if u != i || len(e.states) == 0 || !inPlace[n.Op] {
			continue
		}
		needed := 0
		for j, m := range e.k.Nodes {
			if m.Op == kir.State && int(m.Imm) == s {
				needed = e.uses[j]
				for _, a := range n.Args {
					if a >= 0 && e.root[a] == j {
						needed--
					}
				}
			}
		}
		if needed == 0 {
			return e.states[s]
		}
	}
	return e.reg(n.Type)
}

// fma overwrites one of its operands, one that is not needed any more if there
// is one.
func (e *emitter) fma(i int, n kir.Node) reg.Register {
	a, b, c := n.Args[0], n.Args[1], n.Args[2]
	name := fused[n.Op]
	lastA, lastB, lastC := e.last(i, a), e.last(i, b), e.last(i, c)
	// A register that two operands share cannot be overwritten early.
	same := func(x, y int) bool { return e.root[x] == e.root[y] }
	if lastC && !same(c, a) && !same(c, b) {
		if e.isConst(a) {
			a, b = b, a
		}
		dst := e.regs[e.root[c]]
		e.op(name+"231P"+suffix(n.Type), b, e.in(a), dst)
		return dst
	}
	if lastB && !lastA || e.isConst(a) {
		a, b, lastA = b, a, lastB
	}
	dst := e.regs[e.root[a]]
	if !lastA || same(a, b) || same(a, c) {
		from := e.in(a)
		dst = e.reg(n.Type)
		e.do("VMOVAP"+suffix(n.Type), from, dst)
	}
	e.op(name+"213P"+suffix(n.Type), c, e.in(b), dst)
	return dst
}

// last counts node i's use of operand a and reports whether node i may
// overwrite it. A state makes room for nothing but its own new value.
func (e *emitter) last(i, a int) bool {
	last := e.take(a)
	if n := e.k.Nodes[e.root[a]]; n.Op == kir.State {
		return last && e.updates[n.Imm] == i
	}
	return last
}

// plain emits what works alike on both tiers, and leaves the rest.
func (e *emitter) plain(n kir.Node, dst reg.Register) {
	a, b := n.Args[0], n.Args[1]
	t := n.Type
	if name := floats[n.Op]; name != "" {
		e.op(name+suffix(t), b, e.in(a), dst)
		return
	}
	if name := parts[n.Op]; name != "" {
		e.do(name, e.in(b), e.in(a), dst)
		return
	}
	if imm, ok := rounding[n.Op]; ok {
		name := "VROUNDP"
		if e.tier == AVX512 {
			name = "VRNDSCALEP"
		}
		e.do(name+suffix(t), operand.Imm(imm), e.in(a), dst)
		return
	}
	switch n.Op {
	case kir.LowBytes:
		e.do("VPSLLW", operand.Imm(8), e.in(a), dst)
		e.do("VPSRAW", operand.Imm(8), dst, dst)
	case kir.HighBytes:
		e.do("VPSRAW", operand.Imm(8), e.in(a), dst)
	case kir.FSqrt:
		e.do("VSQRTP"+suffix(t), e.in(a), dst)
	case kir.And, kir.Or, kir.Xor, kir.AndNot:
		e.bitwise(n, dst)
	case kir.IAdd:
		e.op("VPADD"+letter(t), b, e.in(a), dst)
	case kir.ISub:
		e.op("VPSUB"+letter(t), b, e.in(a), dst)
	case kir.IMul:
		e.multiply(n, dst)
	case kir.Swap:
		e.swap(n, dst)
	case kir.ShlI, kir.ShrI, kir.SarI:
		e.shift(n, dst)
	case kir.Shl, kir.Shr, kir.Sar:
		e.shiftBy(n, dst)
	case kir.Widen:
		e.do("VCVTPS2PD", e.in(a), dst)
	case kir.Narrow:
		name := "VCVTPD2PS"
		if e.tier == AVX2 {
			name = "VCVTPD2PSY"
		}
		e.do(name, e.in(a), dst)
	case kir.Ldexp:
		e.ldexp(n, dst)
	case kir.Lookup:
		e.lookup(n, dst)
	case kir.Exponent:
		e.exponent(n, dst)
	case kir.Significand:
		e.significand(n, dst)
	case kir.FromInt:
		e.fromInt(n, dst)
	case kir.ToInt:
		e.toInt(n, dst)
	case kir.Sext, kir.Zext:
		e.widen(n, dst)
	case kir.Cut:
		e.cut(n, dst)
	default:
		panic(fmt.Sprintf("operation %d", n.Op))
	}
}

func (e *emitter) bitwise(n kir.Node, dst reg.Register) {
	a, b := n.Args[0], n.Args[1]
	name := map[kir.Op]string{kir.And: "VPAND", kir.Or: "VPOR", kir.Xor: "VPXOR", kir.AndNot: "VPANDN"}[n.Op]
	if n.Op == kir.AndNot {
		a, b = b, a // the instruction inverts its first source
	}
	if e.tier == AVX512 {
		w := n.Type
		if w.Width() < 4 {
			w = kir.I32
		}
		name += letter(w)
	}
	e.op(name, b, e.in(a), dst)
}

func (e *emitter) shift(n kir.Node, dst reg.Register) {
	a, t, imm := n.Args[0], n.Type, operand.Imm(n.Imm)
	w := 8 * t.Width()
	if t.Width() == 1 {
		panic("shift of bytes")
	}
	switch {
	case n.Op == kir.ShlI:
		e.do("VPSLL"+letter(t), imm, e.in(a), dst)
	case n.Op == kir.ShrI:
		e.do("VPSRL"+letter(t), imm, e.in(a), dst)
	case w < 64 || e.tier == AVX512:
		e.do("VPSRA"+letter(t), imm, e.in(a), dst)
	default:
		// No arithmetic shift of 64 bits: shift the magnitude bits in and put
		// copies of the sign in front.
		x, sign := e.in(a), e.reg(t)
		e.do("VPXOR", sign, sign, sign)
		e.do("VPCMPGTQ", x, sign, sign)
		e.do("VPSLLQ", operand.Imm(uint64(w)-n.Imm), sign, sign)
		e.do("VPSRLQ", imm, x, dst)
		e.do("VPOR", sign, dst, dst)
	}
}

// swap reverses the bytes of each lane.
func (e *emitter) swap(n kir.Node, dst reg.Register) {
	w := n.Type.Width()
	// Within each 16 bytes, byte i comes from where it is mirrored in its lane.
	words := make([]uint64, 2)
	for i := range 16 {
		words[i/8] |= uint64(i/w*w+w-1-i%w) << (8 * (i % 8))
	}
	order := e.reg(n.Type)
	name := "VBROADCASTI128"
	if e.tier == AVX512 {
		name = "VBROADCASTI64X2"
	}
	e.do(name, e.words("", 8, words...), order)
	e.do("VPSHUFB", order, e.in(n.Args[0]), dst)
}

func (e *emitter) shiftBy(n kir.Node, dst reg.Register) {
	a, b, t := n.Args[0], n.Args[1], n.Type
	name := map[kir.Op]string{kir.Shl: "VPSLLV", kir.Shr: "VPSRLV", kir.Sar: "VPSRAV"}[n.Op]
	switch {
	case t.Width() == 4, t.Width() == 8 && (n.Op != kir.Sar || e.tier == AVX512), t.Width() == 2 && e.tier == AVX512:
		e.do(name+letter(t), e.in(b), e.in(a), dst)
	case t.Width() == 8:
		// (x>>s) | sign<<(64-s), see shift; a shift by 64 gives 0.
		x, by, sign, rest := e.in(a), e.in(b), e.reg(t), e.reg(t)
		e.do("VPXOR", sign, sign, sign)
		e.do("VPCMPGTQ", x, sign, sign)
		// s beyond 64 leaves nothing of x, and sign shifted by less than 0.
		e.do("VPSRLVQ", by, sign, rest)
		e.do("VPXOR", sign, rest, rest)
		e.do("VPSRLVQ", by, x, dst)
		e.do("VPOR", rest, dst, dst)
	default:
		panic("shift by lanes of " + t.String())
	}
}

// multiply emits the low halves of products.
func (e *emitter) multiply(n kir.Node, dst reg.Register) {
	a, b, t := n.Args[0], n.Args[1], n.Type
	switch {
	case t.Width() == 2, t.Width() == 4, t.Width() == 8 && e.tier == AVX512:
		e.op("VPMULL"+letter(t), b, e.in(a), dst)
	case t.Width() == 8:
		// lo*lo + (hi*lo + lo*hi)<<32
		x, y := e.in(a), e.in(b)
		p, q := e.reg(t), e.reg(t)
		e.do("VPSRLQ", operand.Imm(32), x, p)
		e.do("VPMULUDQ", y, p, p)
		e.do("VPSRLQ", operand.Imm(32), y, q)
		e.do("VPMULUDQ", x, q, q)
		e.do("VPADDQ", p, q, q)
		e.do("VPSLLQ", operand.Imm(32), q, q)
		e.do("VPMULUDQ", x, y, p)
		e.do("VPADDQ", p, q, dst)
	default:
		// Odd and even bytes as 16-bit products.
		x, y := e.in(a), e.in(b)
		p, q, m := e.reg(t), e.reg(t), e.reg(t)
		e.do("VPBROADCASTD", e.words("", 4, 0x00ff00ff), m)
		e.do("VPSRLW", operand.Imm(8), x, p)
		e.do("VPSRLW", operand.Imm(8), y, q)
		e.do("VPMULLW", p, q, p)
		e.do("VPSLLW", operand.Imm(8), p, p)
		e.do("VPMULLW", x, y, q)
		and, or := "VPAND", "VPOR"
		if e.tier == AVX512 {
			and, or = "VPANDD", "VPORD"
		}
		e.do(and, m, q, q)
		e.do(or, p, q, dst)
	}
}

// ldexp multiplies by a power of two with one rounding.
func (e *emitter) ldexp(n kir.Node, dst reg.Register) {
	x, by := e.in(n.Args[0]), e.in(n.Args[1])
	if e.tier == AVX512 {
		e.do("VSCALEFPD", by, x, dst)
		return
	}
	// In two steps, of which the first is exact. Adding magic leaves a biased
	// exponent in the low bits.
	half, rest := e.reg(kir.F64), e.reg(kir.F64)
	magic := e.constant(kir.F64, LdexpMagic)
	e.do("VMULPD", e.constant(kir.F64, 0x3fe0000000000000), by, half)
	e.do("VROUNDPD", operand.Imm(8), half, half)
	e.do("VSUBPD", half, by, rest)
	e.do("VADDPD", magic, half, half)
	e.do("VADDPD", magic, rest, rest)
	e.do("VPSLLQ", operand.Imm(52), half, half)
	e.do("VPSLLQ", operand.Imm(52), rest, rest)
	e.do("VMULPD", half, x, dst)
	e.do("VMULPD", rest, dst, dst)
}

// LdexpMagic is the bits of 1.5*2^52 + 1023.
const LdexpMagic = 0x43380000000003ff

// lookup emits a table's entries.
func (e *emitter) lookup(n kir.Node, dst reg.Register) {
	entries := n.Table.Entries
	table := e.words(n.Table.Name, 8, entries...)
	index := e.in(n.Args[0])
	if e.tier == AVX512 && len(entries) <= 16 {
		if len(entries) == 8 {
			e.do("VPERMPD", table, index, dst)
			return
		}
		low, upper := e.part(table, 0), e.part(table, 64)
		e.do("VMOVDQA64", index, dst)
		e.do("VPERMI2PD", upper, low, dst)
		return
	}
	base := e.ctx.GP64()
	e.do("LEAQ", table, base)
	masked := e.masked(n.Args[0], len(entries))
	if e.tier == AVX512 {
		k := e.ctx.K()
		e.do("KXNORB", k, k, k)
		e.do("VGATHERQPD", operand.Mem{Base: base, Index: masked, Scale: 8}, k, dst)
		return
	}
	ones := e.reg(kir.F64)
	e.do("VPCMPEQD", ones, ones, ones)
	e.do("VGATHERQPD", ones, operand.Mem{Base: base, Index: masked, Scale: 8}, dst)
}

// masked returns the low bits of index a that name one of the entries, the same
// register for tables of the same length.
func (e *emitter) masked(a, entries int) reg.Register {
	key := [2]int{e.root[a], entries}
	if r, ok := e.indices[key]; ok {
		return r
	}
	r := e.reg(kir.I64)
	and := "VPAND"
	if e.tier == AVX512 {
		and = "VPANDQ"
	}
	e.do(and, e.constant(kir.I64, uint64(entries-1)), e.in(a), r)
	if e.indices == nil {
		e.indices = map[[2]int]reg.Register{}
	}
	e.indices[key] = r
	return r
}

// part returns a vector of a table, in a register if it is shared or asked for.
func (e *emitter) part(table operand.Mem, disp int) operand.Op {
	table.Disp += disp
	if e.shared == nil && disp > 0 {
		return table
	}
	key := table.Asm()
	if r, ok := e.shared[key]; ok {
		return r
	}
	r := e.reg(kir.F64)
	e.do("VMOVUPD", table, r)
	if e.shared != nil {
		e.shared[key] = r
	}
	return r
}

// exponent emits the exponents of floats.
func (e *emitter) exponent(n kir.Node, dst reg.Register) {
	if e.tier == AVX512 {
		e.do("VGETEXPPD", e.in(n.Args[0]), dst)
		return
	}
	// A small integer in the low bits of 2^52 is that much more.
	const zero = 0x4330000000000000
	s := e.scaled(n)
	e.do("VPSRLQ", operand.Imm(52), s.x, dst)
	e.do("VPOR", e.constant(kir.I64, zero), dst, dst)
	e.do("VSUBPD", e.constant(kir.F64, zero+1023), dst, dst)
	if s.small != nil {
		more := e.constant(kir.F64, math.Float64bits(54))
		e.do("VPAND", s.small, more, more)
		e.do("VSUBPD", more, dst, dst)
	}
}

func (e *emitter) significand(n kir.Node, dst reg.Register) {
	if e.tier == AVX512 {
		e.do("VGETMANTPD", operand.Imm(0), e.in(n.Args[0]), dst)
		return
	}
	e.do("VPAND", e.constant(kir.I64, 1<<52-1), e.scaled(n).x, dst)
	e.do("VPOR", e.constant(kir.I64, 1023<<52), dst, dst)
}

// scaled is a float times 2^54 where it is subnormal.
type scaled struct{ x, small reg.Register }

// scaled returns the operand of an Exponent or a Significand, scaled once for
// both.
func (e *emitter) scaled(n kir.Node) scaled {
	a := e.root[n.Args[0]]
	x := e.in(a)
	if n.Imm == 1 {
		return scaled{x: x}
	}
	if s, ok := e.normals[a]; ok {
		return s
	}
	s := scaled{e.reg(kir.F64), e.maskReg(8)}
	e.do("VCMPPD", operand.Imm(17), e.constant(kir.F64, 1<<52), x, s.small)
	// By 2^54 or 1, which takes less than a selection.
	const one = 1023 << 52
	e.do("VPAND", s.small, e.constant(kir.I64, (1023+54)<<52-one), s.x)
	e.do("VPADDQ", e.constant(kir.I64, one), s.x, s.x)
	e.do("VMULPD", x, s.x, s.x)
	if e.normals == nil {
		e.normals = map[int]scaled{}
	}
	e.normals[a] = s
	return s
}

// fromInt emits conversions of signed integers.
func (e *emitter) fromInt(n kir.Node, dst reg.Register) {
	from := e.k.Nodes[n.Args[0]].Type
	switch {
	case from == kir.I32 && n.Type == kir.F32:
		e.do("VCVTDQ2PS", e.in(n.Args[0]), dst)
	case from == kir.I32:
		e.do("VCVTDQ2PD", e.in(n.Args[0]), dst)
	case e.tier == AVX512 && n.Type == kir.F64:
		e.do("VCVTQQ2PD", e.in(n.Args[0]), dst)
	default:
		panic("conversion of " + from.String())
	}
}

// toInt emits conversions to 32 bits, which cut off.
func (e *emitter) toInt(n kir.Node, dst reg.Register) {
	from := e.k.Nodes[n.Args[0]].Type
	switch {
	case n.Type == kir.I32 && from == kir.F32:
		e.do("VCVTTPS2DQ", e.in(n.Args[0]), dst)
	case n.Type == kir.I32 && e.tier == AVX2:
		e.do("VCVTTPD2DQY", e.in(n.Args[0]), dst)
	case n.Type == kir.I32:
		e.do("VCVTTPD2DQ", e.in(n.Args[0]), dst)
	default:
		panic("conversion to " + n.Type.String())
	}
}
