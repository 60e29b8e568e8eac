package expr

import (
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
)

// Subtrees combines the partials of some of a pass's chunks, those of a shard, as far
// as they make subtrees by themselves. The pass has one row. It is not safe for
// concurrent use.
type Subtrees struct {
	pass  *Pass
	folds []merging
}

// NewSubtrees returns an empty one.
func (p *Pass) NewSubtrees() *Subtrees {
	return &Subtrees{p, p.mergings()}
}

// Add takes the partial of a chunk, see [Merger.Add].
func (s *Subtrees) Add(chunk uint64, partial []byte) error {
	return s.pass.addNode(s.folds, kernels.Node[[]byte]{Level: 0, Index: chunk, Value: partial})
}

// Nodes returns the largest subtrees of chunks that are there, in their order, for
// [Merger.AddNode].
func (s *Subtrees) Nodes() []kernels.Node[[]byte] {
	var all []kernels.Node[[]byte]
	for i, f := range s.folds {
		nodes := f.Nodes() // the same ones of each fold
		if i == 0 {
			all = nodes
			continue
		}
		for k, n := range nodes {
			all[k].Value = slices.Concat(all[k].Value, n.Value)
		}
	}
	return all
}
