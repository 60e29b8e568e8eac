package x86

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	kir "github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// Truth values are mask registers with AVX-512, and with AVX2 vectors of ones
// and zeros as wide as what they were made from.

func (e *emitter) maskReg(width int) reg.Register {
	if e.tier == AVX512 {
		return e.ctx.K()
	}
	return e.sized(e.lanes * width)
}

// kletter is how mask instructions name the number of lanes.
func (e *emitter) kletter() string {
	switch {
	case e.lanes <= 8:
		return "B"
	case e.lanes <= 16:
		return "W"
	case e.lanes <= 32:
		return "D"
	}
	return "Q"
}

func (e *emitter) compare(i int, n kir.Node) {
	a, b := n.Args[0], n.Args[1]
	t := e.k.Nodes[e.root[a]].Type
	if n.Op != kir.IEq && n.Op != kir.ILt && n.Op != kir.ULt {
		t = e.k.Nodes[a].Type
	}
	e.masks[i] = t.Width()
	dst := e.maskReg(t.Width())
	e.regs[i] = dst
	if imm, ok := predicates[n.Op]; ok {
		// Go's order of operands is the reverse, and the immediate comes first.
		e.withImm("VCMPP"+suffix(t), imm, b, e.in(a), dst)
		return
	}
	if e.tier == AVX512 {
		name, imm := "VPCMP"+letter(t), uint64(1)
		switch n.Op {
		case kir.IEq:
			imm = 0
		case kir.ULt:
			name = "VPCMPU" + letter(t)
		}
		e.withImm(name, imm, b, e.in(a), dst)
		return
	}
	switch n.Op {
	case kir.IEq:
		e.op("VPCMPEQ"+letter(t), b, e.in(a), dst)
	case kir.ILt:
		e.op("VPCMPGT"+letter(t), a, e.in(b), dst)
	case kir.ULt:
		// Signed once the sign bit is flipped.
		flip := e.constant(t, 1<<(8*t.Width()-1))
		x, y := e.reg(t), e.reg(t)
		e.do("VPXOR", flip, e.in(a), x)
		e.do("VPXOR", flip, e.in(b), y)
		e.do("VPCMPGT"+letter(t), x, y, dst)
	}
}

// withImm is op for an instruction with an immediate in front.
func (e *emitter) withImm(name string, imm uint64, src2 int, rest ...operand.Op) {
	n := e.k.Nodes[e.root[src2]]
	ops := []operand.Op{operand.Imm(imm)}
	if n.Op == kir.Const && e.tier == AVX512 && n.Type.Width() >= 4 && e.shared == nil {
		name += "_BCST"
		ops = append(ops, e.words("", n.Type.Width(), n.Imm))
	} else {
		ops = append(ops, e.in(src2))
	}
	e.do(name, append(ops, rest...)...)
}

func (e *emitter) logic(i int, n kir.Node) {
	a := n.Args[0]
	w := e.masks[a]
	e.masks[i] = w
	dst := e.maskReg(w)
	e.regs[i] = dst
	if e.tier == AVX512 {
		name := map[kir.Op]string{kir.MAnd: "KAND", kir.MOr: "KOR", kir.MXor: "KXOR", kir.MNot: "KNOT"}[n.Op] + e.kletter()
		if n.Op == kir.MNot {
			e.do(name, e.in(a), dst)
		} else {
			e.do(name, e.in(n.Args[1]), e.in(a), dst)
		}
		return
	}
	if n.Op == kir.MNot {
		ones := e.maskReg(w)
		e.do("VPCMPEQD", ones, ones, ones)
		e.do("VPXOR", ones, e.in(a), dst)
		return
	}
	if e.masks[n.Args[1]] != w {
		panic("masks of different widths")
	}
	name := map[kir.Op]string{kir.MAnd: "VPAND", kir.MOr: "VPOR", kir.MXor: "VPXOR"}[n.Op]
	e.do(name, e.in(n.Args[1]), e.in(a), dst)
}

// choose emits a selection.
func (e *emitter) choose(n kir.Node) reg.Register {
	m, yes, no := n.Args[0], n.Args[1], n.Args[2]
	dst := e.reg(n.Type)
	if e.tier == AVX512 {
		// The first operand where the mask holds.
		switch n.Type.Width() {
		case 8, 4:
			e.op("VBLENDMP"+suffix(n.Type), yes, e.in(no), e.in(m), dst)
		default:
			e.do("VPBLENDM"+letter(n.Type), e.in(yes), e.in(no), e.in(m), dst)
		}
		return dst
	}
	if e.masks[m] != n.Type.Width() {
		panic("mask and values of different widths")
	}
	// The second operand where the mask holds.
	switch n.Type.Width() {
	case 8, 4:
		e.do("VBLENDVP"+suffix(n.Type), e.in(m), e.in(yes), e.in(no), dst)
	default:
		e.do("VPBLENDVB", e.in(m), e.in(yes), e.in(no), dst)
	}
	return dst
}
