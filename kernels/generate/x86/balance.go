package x86

import (
	"math"

	"github.com/mmcloughlin/avo/reg"

	kir "github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// AMD's cores since Zen add in other pipes than they multiply in, and the additions of
// a compensated sum leave the multipliers idle. So some become multiply-adds, by 1,
// whose bits are the same: nothing is rounded but the sum. Intel's cores do both in the
// same pipes and lose nothing.

// excess returns by how many the operations of the adders outnumber those of the
// multipliers.
func excess(nodes []kir.Node) int {
	n := 0
	for _, node := range nodes {
		switch node.Op {
		case kir.FAdd, kir.FSub, kir.FMin, kir.FMax:
			n++
		case kir.FMul, kir.FMA, kir.FNMA, kir.FMS:
			n--
		}
	}
	return n
}

// addByProduct emits node i as a multiply-add if it is an addition one of whose
// operands it may overwrite, and reports whether it did.
func (e *emitter) addByProduct(i int, n kir.Node) bool {
	if n.Op != kir.FAdd && n.Op != kir.FSub {
		return false
	}
	a, b := n.Args[0], n.Args[1]
	var name string
	var dst, other reg.Register
	switch {
	case e.isConst(a) || e.isConst(b) || e.root[a] == e.root[b]:
		return false
	case e.free(i, b) && (e.isState(b) || !e.free(i, a)):
		name, dst, other = "VFMADD132P", e.in(b), e.in(a)
		if n.Op == kir.FSub {
			name = "VFNMADD132P"
		}
	case e.free(i, a):
		name, dst, other = "VFMADD132P", e.in(a), e.in(b)
		if n.Op == kir.FSub {
			name = "VFMSUB132P"
		}
	default:
		return false
	}
	bits := math.Float64bits(1)
	if n.Type.Width() == 4 {
		bits = uint64(math.Float32bits(1))
	}
	e.opConst(name+suffix(n.Type), n.Type, bits, other, dst)
	e.regs[i] = dst
	e.take(a)
	e.take(b)
	e.excess -= 2
	return true
}

func (e *emitter) isState(a int) bool { return e.k.Nodes[e.root[a]].Op == kir.State }

// free reports whether node i may overwrite operand a, see last.
func (e *emitter) free(i, a int) bool {
	n := e.k.Nodes[e.root[a]]
	return e.uses[e.root[a]] == 1 && n.Op != kir.Const && (n.Op != kir.State || e.updates[n.Imm] == i)
}
