package x86

import (
	"slices"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	kir "github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// ternary is an operation on the bits of three operands, which AVX-512 has an
// instruction for, whatever the function.
type ternary struct {
	args  [3]int
	table uint64 // bit 4a+2b+c is what the bits a, b and c of the operands make
}

// patterns are of tables: bit 4a+2b+c is that of a, b and c.
var patterns = [3]uint64{0xf0, 0xcc, 0xaa}

// fuse finds operations on bits whose only use is another such operation.
func (e *emitter) fuse() {
	e.within = make([]bool, len(e.k.Nodes))
	e.ternary = map[int]ternary{}
	if e.tier != AVX512 || len(e.states) > 0 {
		return
	}
	isLogic := func(n kir.Node) bool {
		return (n.Op == kir.And || n.Op == kir.Or || n.Op == kir.Xor || n.Op == kir.AndNot) && n.Type.Width() >= 4
	}
	// From the last, so that what is within another is not split itself.
	for i := len(e.k.Nodes) - 1; i >= 0; i-- {
		n := e.k.Nodes[i]
		if e.within[i] || e.root[i] != i || !isLogic(n) {
			continue
		}
		leaves := []int{e.root[n.Args[0]], e.root[n.Args[1]]}
		for _, a := range slices.Clone(leaves) {
			inner := e.k.Nodes[a]
			if !isLogic(inner) || e.uses[a] != 1 {
				continue
			}
			next := slices.DeleteFunc(slices.Clone(leaves), func(l int) bool { return l == a })
			for _, b := range inner.Args[:2] {
				if b = e.root[b]; !slices.Contains(next, b) {
					next = append(next, b)
				}
			}
			if len(next) <= 3 {
				leaves = next
				e.within[a] = true
			}
		}
		if !e.within[e.root[n.Args[0]]] && !e.within[e.root[n.Args[1]]] || len(leaves) != 3 {
			for _, a := range n.Args[:2] {
				e.within[e.root[a]] = false
			}
			continue
		}
		// The first operand is overwritten: best one that is needed no more. The
		// last may lie in memory.
		slices.SortStableFunc(leaves, func(a, b int) int { return e.rank(a) - e.rank(b) })
		t := ternary{args: [3]int(leaves)}
		t.table = e.truth(i, t, true)
		e.ternary[i] = t
	}
	// Operands are used by the whole, once each.
	for i, t := range e.ternary {
		for _, a := range e.k.Nodes[i].Args[:2] {
			a = e.root[a]
			e.uses[a]--
			if e.within[a] {
				for _, b := range e.k.Nodes[a].Args[:2] {
					e.uses[e.root[b]]--
				}
			}
		}
		for _, a := range t.args {
			e.uses[a]++
		}
	}
}

// rank orders operands of a ternary operation.
func (e *emitter) rank(a int) int {
	if e.isConst(a) {
		return 1 << 30
	}
	return e.uses[a]
}

// truth is the table of node i, as far as it is part of t.
func (e *emitter) truth(i int, t ternary, whole bool) uint64 {
	i = e.root[i]
	if at := slices.Index(t.args[:], i); at >= 0 && !whole {
		return patterns[at]
	}
	n := e.k.Nodes[i]
	a, b := e.truth(n.Args[0], t, false), e.truth(n.Args[1], t, false)
	switch n.Op {
	case kir.And:
		return a & b
	case kir.Or:
		return a | b
	case kir.Xor:
		return a ^ b
	}
	return a &^ b
}

// combine emits a ternary operation.
func (e *emitter) combine(i int, n kir.Node, t ternary) reg.Register {
	last := e.last(i, t.args[0])
	e.take(t.args[1])
	e.take(t.args[2])
	dst := e.in(t.args[0])
	if !last && (!e.isConst(t.args[0]) || e.shared != nil) {
		from := dst
		dst = e.reg(n.Type)
		e.do("VMOVDQA64", from, dst)
	}
	name := "VPTERNLOG" + letter(n.Type)
	rest := []operand.Op{e.in(t.args[1]), dst}
	if c := e.k.Nodes[t.args[2]]; c.Op == kir.Const && e.shared == nil {
		e.do(name+"_BCST", append([]operand.Op{operand.Imm(t.table), e.words("", c.Type.Width(), c.Imm)}, rest...)...)
	} else {
		e.do(name, append([]operand.Op{operand.Imm(t.table), e.in(t.args[2])}, rest...)...)
	}
	return dst
}
