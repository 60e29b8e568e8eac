package kernels

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// expr returns how the tree must combine leaves lo to hi-1: split at the
// largest power of two below their number.
func expr(lo, hi int) string {
	if hi-lo == 1 {
		return fmt.Sprint(lo)
	}
	half := 1
	for 2*half < hi-lo {
		half *= 2
	}
	return "(" + expr(lo, lo+half) + " " + expr(lo+half, hi) + ")"
}

func TestTreeHasOneShapeForAnyOrderOfLeaves(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	tree := Tree[string]{Merge: func(l, r string) string { return "(" + l + " " + r + ")" }}
	if _, ok := tree.Root(); ok {
		t.Error("an empty tree has a root")
	}
	for n := 1; n <= 70; n++ {
		tree.Reset()
		for _, leaf := range r.Perm(n) {
			tree.Add(uint64(leaf), fmt.Sprint(leaf))
		}
		if got, ok := tree.Root(); !ok || got != expr(0, n) {
			t.Fatalf("%d leaves: %s, want %s", n, got, expr(0, n))
		}
	}
}

func TestLeavesInOrderMakeTheSameTree(t *testing.T) {
	o := inOrder[string]{merge: func(l, r *string) { *l = "(" + *l + " " + *r + ")" }}
	for n := 0; n <= 70; n++ {
		o.reset()
		for leaf := range n {
			*o.next() = fmt.Sprint(leaf)
			o.add()
		}
		got, ok := o.root()
		if ok != (n > 0) || ok && got != expr(0, n) {
			t.Fatalf("%d leaves: %s, %v, want %s", n, got, ok, expr(0, n))
		}
	}
}

func TestTreeKeepsFewNodes(t *testing.T) {
	tree := Tree[int]{Merge: func(l, r int) int { return l + r }}
	const leaves = 1 << 16
	// One leaf comes late, as when a worker is stopped in a chunk.
	for i := range uint64(leaves) {
		if i != 12345 {
			tree.Add(i, 1)
		}
	}
	waiting := 0
	for _, l := range tree.levels {
		waiting += len(l)
	}
	if waiting > 20 {
		t.Errorf("%d nodes wait for one leaf", waiting)
	}
	tree.Add(12345, 1)
	if sum, _ := tree.Root(); sum != leaves {
		t.Errorf("root %d, want %d", sum, leaves)
	}
}

func TestSubtreesOfPartsMakeTheSameTree(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	empty := func() *Tree[string] {
		return &Tree[string]{Merge: func(l, r string) string { return "(" + l + " " + r + ")" }}
	}
	for n := 1; n <= 70; n++ {
		whole, parts := empty(), 1+r.IntN(8)
		var nodes []Node[string]
		for i := range parts {
			part := empty()
			from, to := i*n/parts, (i+1)*n/parts
			for _, leaf := range r.Perm(to - from) {
				part.Add(uint64(from+leaf), fmt.Sprint(from+leaf))
			}
			at := uint64(from)
			for _, node := range part.Nodes() {
				if node.First() != at || node.Value != expr(int(at), int(at)+1<<node.Level) {
					t.Fatalf("leaves %d to %d: node %+v at leaf %d", from, to, node, at)
				}
				at += 1 << node.Level
				nodes = append(nodes, node)
			}
			if at != uint64(to) {
				t.Fatalf("leaves %d to %d: nodes up to %d", from, to, at)
			}
		}
		for _, i := range r.Perm(len(nodes)) {
			whole.AddNode(nodes[i])
		}
		if got, _ := whole.Root(); got != expr(0, n) {
			t.Fatalf("%d leaves in %d parts: %s, want %s", n, parts, got, expr(0, n))
		}
	}
}
