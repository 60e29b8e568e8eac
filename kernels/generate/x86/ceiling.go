package x86

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Ceiling returns the assembly of the simplest loops there are, of which the
// best is what a machine can do at most: a pure load and a pure copy, for both
// tiers; and of chains of dependent operations, by which cycles are counted.
func Ceiling() (assembly, stubs []byte, err error) {
	f := newFile(AVX2)
	for _, tier := range []Tier{AVX2, AVX512} {
		f.tier = tier
		f.pureLoad()
		f.pureCopy()
		f.chain()
	}
	f.tier.Package = "ceiling"
	return f.print()
}

const unroll = 4

func (f *file) title(name string) string {
	return name + map[Tier]string{AVX2: "AVX2", AVX512: "AVX512"}[f.tier]
}

func (f *file) pureLoad() {
	ctx, step := f.ctx, unroll*f.tier.Bytes
	ctx.Function(f.title("load"))
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(src *byte, n int) uint64")
	ctx.Pragma("noescape")
	ctx.Doc(fmt.Sprintf("%s combines n bytes, a multiple of %d, by or.", f.title("load"), step))
	src, n := ctx.Load(ctx.Param("src"), ctx.GP64()), ctx.Load(ctx.Param("n"), ctx.GP64())
	or, zero := "VPOR", "VPXOR"
	if f.tier == AVX512 {
		or, zero = "VPORQ", "VPXORQ"
	}
	sums := make([]reg.Register, unroll)
	for i := range sums {
		sums[i] = f.vector()
		f.do(zero, sums[i], sums[i], sums[i])
	}
	ctx.Label(f.title("load"))
	for i, s := range sums {
		f.do(or, operand.Mem{Base: src, Disp: i * f.tier.Bytes}, s, s)
	}
	f.do("ADDQ", operand.U32(step), src)
	f.do("SUBQ", operand.U32(step), n)
	f.do("JNE", operand.LabelRef(f.title("load")))
	for _, s := range sums[1:] {
		f.do(or, s, sums[0], sums[0])
	}
	f.do("VMOVQ", half(sums[0]), n)
	f.do("VZEROUPPER")
	ctx.Store(n, ctx.ReturnIndex(0))
	f.do("RET")
}

func (f *file) pureCopy() {
	ctx, step := f.ctx, unroll*f.tier.Bytes
	ctx.Function(f.title("copy"))
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(dst, src *byte, n int)")
	ctx.Pragma("noescape")
	ctx.Doc(fmt.Sprintf("%s copies n bytes, a multiple of %d.", f.title("copy"), step))
	dst, src := ctx.Load(ctx.Param("dst"), ctx.GP64()), ctx.Load(ctx.Param("src"), ctx.GP64())
	n := ctx.Load(ctx.Param("n"), ctx.GP64())
	ctx.Label(f.title("copy"))
	for i := range unroll {
		r := f.vector()
		f.do("VMOVUPD", operand.Mem{Base: src, Disp: i * f.tier.Bytes}, r)
		f.do("VMOVUPD", r, operand.Mem{Base: dst, Disp: i * f.tier.Bytes})
	}
	f.do("ADDQ", operand.U32(step), src)
	f.do("ADDQ", operand.U32(step), dst)
	f.do("SUBQ", operand.U32(step), n)
	f.do("JNE", operand.LabelRef(f.title("copy")))
	f.do("VZEROUPPER")
	f.do("RET")
}

// chain emits chains that multiply and add, each step of which waits for the one
// before. Several of them keep the core as busy, and its clock as low, as kernels
// do.
func (f *file) chain() {
	ctx := f.ctx
	ctx.Function(f.title("chain"))
	ctx.Attributes(attr.NOSPLIT)
	ctx.SignatureExpr("func(n int)")
	ctx.Doc(fmt.Sprintf("%s does n steps, n > 0, of chains of multiply-adds.", f.title("chain")))
	n := ctx.Load(ctx.Param("n"), ctx.GP64())
	chains := make([]reg.Register, 2*unroll)
	for i := range chains {
		chains[i] = f.vector()
		zero := "VPXOR"
		if f.tier == AVX512 {
			zero = "VPXORQ"
		}
		f.do(zero, chains[i], chains[i], chains[i])
	}
	ctx.Label(f.title("chain"))
	for _, c := range chains {
		f.do("VFMADD231PD", c, c, c)
	}
	f.do("DECQ", n)
	f.do("JNE", operand.LabelRef(f.title("chain")))
	f.do("VZEROUPPER")
	f.do("RET")
}
