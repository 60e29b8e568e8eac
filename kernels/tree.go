package kernels

import (
	"cmp"
	"slices"
)

// Tree combines partials on the binary tree over their numbers: node i of
// level k covers leaves i*2^k up to (i+1)*2^k. Leaves may come in any order;
// the order of operations, and so every bit of the result, does not depend on
// it. Siblings are merged as soon as both are there, so that at most a few
// nodes per level wait. The zero Tree is empty and usable once Merge is set.
type Tree[P any] struct {
	// Merge returns left combined with right, the later elements.
	Merge  func(left, right P) P
	levels [][]node[P]
}

type node[P any] struct {
	index uint64
	value P
}

// Node is the partial of a subtree: of the 1<<Level leaves from First on.
type Node[P any] struct {
	Level int
	Index uint64 // among those of its level
	Value P
}

// First returns the first leaf of the node.
func (n Node[P]) First() uint64 { return n.Index << n.Level }

// Add puts in the partial of one leaf. Each leaf is added once.
func (t *Tree[P]) Add(leaf uint64, p P) { t.AddNode(Node[P]{0, leaf, p}) }

// AddNode puts in the partial of a subtree, none of whose leaves is in the tree. It is
// one that [Tree.Nodes] of another tree has returned: what comes out has the same bits
// as if its leaves had been added.
func (t *Tree[P]) AddNode(p Node[P]) {
	n := node[P]{p.Index, p.Value}
	for level := p.Level; ; level++ {
		for level >= len(t.levels) {
			t.levels = append(t.levels, nil)
		}
		sibling, ok := t.take(level, n.index^1)
		if !ok {
			t.levels[level] = append(t.levels[level], n)
			return
		}
		if n.index&1 == 0 {
			n.value = t.Merge(n.value, sibling)
		} else {
			n.value = t.Merge(sibling, n.value)
		}
		n.index >>= 1
	}
}

// take removes and returns the waiting node with that index.
func (t *Tree[P]) take(level int, index uint64) (P, bool) {
	waiting := t.levels[level]
	for i := range waiting {
		if waiting[i].index == index {
			p := waiting[i].value
			last := len(waiting) - 1
			waiting[i] = waiting[last]
			t.levels[level] = waiting[:last]
			return p, true
		}
	}
	var none P
	return none, false
}

// Nodes returns the largest subtrees all of whose leaves are there, in the order of
// these. The tree stays as it is.
func (t *Tree[P]) Nodes() []Node[P] {
	var all []Node[P]
	for level, waiting := range t.levels {
		for _, n := range waiting {
			all = append(all, Node[P]{level, n.index, n.value})
		}
	}
	slices.SortFunc(all, func(a, b Node[P]) int { return cmp.Compare(a.First(), b.First()) })
	return all
}

// Root returns the combination of all leaves, which must be 0 up to some n
// without a gap, and whether there was any. The tree stays as it is.
func (t *Tree[P]) Root() (P, bool) {
	var root P
	found := false
	// Without gaps one node at most waits on each level, those of higher
	// levels to the left of those of lower ones.
	for _, waiting := range t.levels {
		for _, n := range waiting {
			if found {
				root = t.Merge(n.value, root)
			} else {
				root, found = n.value, true
			}
		}
	}
	return root, found
}

// Reset empties the tree and keeps its memory.
func (t *Tree[P]) Reset() {
	for i := range t.levels {
		t.levels[i] = t.levels[i][:0]
	}
}

// inOrder combines partials that come in the order of their leaves as a [Tree] does,
// for less.
type inOrder[P any] struct {
	merge func(left, right *P) // left becomes left combined with right
	// Of each level the node that waits, if its bit is set in the number of leaves.
	levels []P
	leaf   P
	leaves uint64
}

func (o *inOrder[P]) reset() { o.leaves = 0 }

// next returns where the partial of the next leaf goes before add takes it in. Partials
// stay where they are made, as far as they can: many are a hundred bytes.
func (o *inOrder[P]) next() *P {
	if o.leaves&1 == 1 || len(o.levels) == 0 {
		return &o.leaf
	}
	return &o.levels[0]
}

// add takes the leaf in.
func (o *inOrder[P]) add() { o.addNode(o.next(), 0) }

// addNode takes in the partial of the next 1<<level leaves, of which there has been a
// multiple.
func (o *inOrder[P]) addNode(p *P, level int) {
	leaves := uint64(1) << level
	for n := o.leaves >> level; n&1 == 1; n >>= 1 {
		left := &o.levels[level]
		o.merge(left, p)
		p = left
		level++
	}
	for level >= len(o.levels) {
		var none P
		o.levels = append(o.levels, none)
	}
	if to := &o.levels[level]; to != p {
		*to = *p
	}
	o.leaves += leaves
}

// root is [Tree.Root].
func (o *inOrder[P]) root() (root P, found bool) {
	for level := range o.levels {
		switch {
		case o.leaves>>level&1 == 0:
		case found:
			left := o.levels[level]
			o.merge(&left, &root)
			root = left
		default:
			root, found = o.levels[level], true
		}
	}
	return root, found
}
