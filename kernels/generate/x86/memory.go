package x86

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	kir "github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// load emits the lanes of a vector of elements.
func (e *emitter) load(elem kir.Elem, mem operand.Mem) reg.Register {
	switch elem {
	case kir.Float16:
		r := e.reg(kir.F32)
		e.do("VCVTPH2PS", mem, r)
		return r
	case kir.BFloat16:
		r := e.reg(kir.F32)
		e.do("VPMOVZXWD", mem, r)
		e.do("VPSLLD", operand.Imm(16), r, r)
		return r
	case kir.Bool:
		return e.loadBool(mem)
	}
	r := e.reg(elem.Lane())
	e.move(e.lanes*elem.Size(), mem, r)
	return r
}

// move copies bytes between memory and a register.
func (e *emitter) move(bytes int, from, to operand.Op) {
	switch bytes {
	case 4:
		e.do("VMOVD", from, to)
	case 8:
		e.do("VMOVQ", from, to)
	case 16, 32, 64:
		e.do("VMOVUPD", from, to)
	default:
		panic("odd size")
	}
}

// loadBool emits a mask of the bytes that are not 0.
func (e *emitter) loadBool(mem operand.Mem) reg.Register {
	w := e.width
	if e.tier == AVX512 {
		bytes := e.sized(e.lanes)
		e.move(e.lanes, mem, bytes)
		k := e.ctx.K()
		e.do("VPTESTMB", bytes, bytes, k)
		return k
	}
	r := e.maskReg(w)
	zero := e.maskReg(w)
	switch w {
	case 8:
		e.do("VPMOVZXBQ", mem, r)
	case 4:
		e.do("VPMOVZXBD", mem, r)
	case 2:
		e.do("VPMOVZXBW", mem, r)
	case 1:
		e.move(e.lanes, mem, r)
	}
	e.do("VPXOR", zero, zero, zero)
	l := map[int]string{1: "B", 2: "W", 4: "D", 8: "Q"}[w]
	e.do("VPCMPEQ"+l, zero, r, r)
	e.do("VPCMPEQ"+l, zero, r, r)
	return r
}

// store emits a vector of elements into memory.
func (e *emitter) store(elem kir.Elem, r reg.Register, mem operand.Mem) {
	switch elem {
	case kir.Float16:
		e.storeFloat16(r, mem)
	case kir.BFloat16:
		e.storeBFloat16(r, mem)
	case kir.Bool:
		e.storeBool(r, mem)
	default:
		e.move(e.lanes*elem.Size(), r, mem)
	}
}

func (e *emitter) storeFloat16(r reg.Register, mem operand.Mem) {
	e.do("VCVTPS2PH", operand.Imm(0), r, mem)
}

// storeBFloat16 rounds to nearest, ties to even: NaN is canonical by now.
func (e *emitter) storeBFloat16(r reg.Register, mem operand.Mem) {
	odd := e.reg(kir.I32)
	e.do("VPSRLD", operand.Imm(16), r, odd)
	if e.tier == AVX512 {
		e.do("VPANDD_BCST", e.words("", 4, 1), odd, odd)
	} else {
		e.do("VPAND", e.constant(kir.I32, 1), odd, odd)
	}
	sum := e.reg(kir.I32)
	e.do("VPADDD", odd, r, sum)
	e.do("VPADDD", e.constant(kir.I32, 0x7fff), sum, sum)
	e.do("VPSRLD", operand.Imm(16), sum, sum)
	if e.tier == AVX512 {
		e.do("VPMOVDW", sum, mem)
		return
	}
	e.do("VPACKUSDW", sum, sum, sum)
	if r.Size() == 16 {
		e.do("VMOVQ", sum, mem)
		return
	}
	e.do("VPERMQ", operand.Imm(0x08), sum, sum)
	e.do("VMOVUPD", half(sum), mem)
}

func half(r reg.Register) reg.Register { return r.(reg.VecVirtual).AsX() }

// storeBool emits bytes 0 and 1.
func (e *emitter) storeBool(r reg.Register, mem operand.Mem) {
	if e.tier == AVX512 {
		bytes := e.sized(e.lanes)
		e.do("VMOVDQU8_Z", e.ones(e.sized(e.lanes)), r, bytes)
		e.move(e.lanes, bytes, mem)
		return
	}
	v := r.(reg.VecVirtual)
	x := v.AsX()
	if w := e.width; w > 1 {
		high := e.ctx.XMM()
		e.do("VEXTRACTI128", operand.Imm(1), v.AsY(), high)
		y := e.ctx.XMM()
		if w > 2 {
			e.do("VPACKSSDW", high, x, y)
		} else {
			e.do("VPACKSSWB", high, x, y)
		}
		if w == 8 {
			e.do("VPACKSSDW", y, y, y)
		}
		if w > 2 {
			e.do("VPACKSSWB", y, y, y)
		}
		x = y
		e.do("VPAND", e.ones(e.ctx.XMM()), x, x)
		e.move(e.lanes, x, mem)
		return
	}
	y := e.ctx.YMM()
	e.do("VPAND", e.ones(e.ctx.YMM()), v.AsY(), y)
	e.move(e.lanes, y, mem)
}

// ones fills r with bytes 1.
func (e *emitter) ones(r reg.Register) reg.Register {
	e.do("VPBROADCASTD", e.words("", 4, 0x01010101), r)
	return r
}

// widen emits wider integers.
func (e *emitter) widen(n kir.Node, dst reg.Register) {
	from := e.k.Nodes[e.root[n.Args[0]]].Type
	name := map[kir.Op]string{kir.Sext: "VPMOVSX", kir.Zext: "VPMOVZX"}[n.Op]
	e.do(name+letter(from)+letter(n.Type), e.in(n.Args[0]), dst)
}

// cut emits the low bits of integers.
func (e *emitter) cut(n kir.Node, dst reg.Register) {
	from := e.k.Nodes[e.root[n.Args[0]]].Type
	r := e.in(n.Args[0])
	if e.tier == AVX512 {
		e.do("VPMOV"+letter(from)+letter(n.Type), r, dst)
		return
	}
	for t := from; t != n.Type; {
		v := r.(reg.VecVirtual)
		var low, high, to reg.Register = v.AsX(), e.ctx.XMM(), e.ctx.XMM()
		full := e.lanes*t.Width() > 16
		if full {
			e.do("VEXTRACTI128", operand.Imm(1), v.AsY(), high)
		} else {
			high = low
		}
		if t == kir.I64 {
			e.do("VSHUFPS", operand.Imm(0x88), high, low, to)
			t = kir.I32
		} else {
			// Packing saturates: leave nothing to saturate.
			next := map[kir.Type]kir.Type{kir.I32: kir.I16, kir.I16: kir.I8}[t]
			m, a := e.ctx.XMM(), e.ctx.XMM()
			e.do("VPBROADCASTD", e.words("", 4, map[kir.Type]uint64{kir.I32: 0x0000ffff, kir.I16: 0x00ff00ff}[t]), m)
			e.do("VPAND", m, low, a)
			b := a
			if full {
				b = e.ctx.XMM()
				e.do("VPAND", m, high, b)
			}
			e.do(map[kir.Type]string{kir.I32: "VPACKUSDW", kir.I16: "VPACKUSWB"}[t], b, a, to)
			t = next
		}
		r = to
	}
	e.do("VMOVDQA", r, dst)
}
