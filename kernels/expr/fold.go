package expr

import (
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
)

// ofBlocks are the reductions of package kernels that take one array.
var ofBlocks = map[foldKind]*kernels.Reduction{
	foldSummary: kernels.Summarize, foldMoments: kernels.DescribeMoments, foldNorms: kernels.MeasureNorms,
	foldProduct: kernels.Multiply, foldExtremes: kernels.FindExtremes, foldTruth: kernels.CountTruth,
}

// pairSize is the length of the encoded partial of pairs.
var pairSize = len(new(kernels.Pair).Encode())

func (k foldKind) partialSize() int {
	if k == foldPair {
		return pairSize
	}
	return ofBlocks[k].PartialSize()
}

// folder folds the blocks of a chunk.
type folder interface {
	Reset()
	block(x, y []byte)
	Partial(dst []byte)
}

func newFolder(k foldKind, x, y kernels.Type) folder {
	if k == foldPair {
		return pairFolder{kernels.NewPairFolder(x, y)}
	}
	return blockFolder{ofBlocks[k].NewFolder(x)}
}

type blockFolder struct{ kernels.Folder }

func (f blockFolder) block(x, _ []byte) { f.Block(x) }

type pairFolder struct{ *kernels.PairFolder }

func (f pairFolder) block(x, y []byte) { f.Block(x, y) }

func (f pairFolder) Partial(dst []byte) {
	p := f.Pair()
	copy(dst, p.Encode())
}

// merging combines the partials of chunks.
type merging interface {
	Add(chunk uint64, partial []byte) error
	total() any // a pointer to the partial of package kernels
}

func newMerging(k foldKind, t kernels.Type) merging {
	switch k {
	case foldPair:
		return &pairMerger{kernels.Tree[kernels.Pair]{Merge: kernels.MergePairs}}
	case foldSummary:
		return merged[kernels.Summary](t, ofBlocks[k])
	case foldMoments:
		return merged[kernels.Moments](t, ofBlocks[k])
	case foldNorms:
		return merged[kernels.Norms](t, ofBlocks[k])
	case foldProduct:
		return merged[kernels.Product](t, ofBlocks[k])
	case foldExtremes:
		return merged[kernels.Extremes](t, ofBlocks[k])
	}
	return merged[kernels.Truth](t, ofBlocks[k])
}

type treeMerger[P any] struct{ *kernels.TreeMerger[P] }

func merged[P any](t kernels.Type, r *kernels.Reduction) merging {
	return treeMerger[P]{r.NewMerger(t).(*kernels.TreeMerger[P])}
}

func (m treeMerger[P]) total() any {
	p := m.Total()
	return &p
}

type pairMerger struct{ tree kernels.Tree[kernels.Pair] }

func (m *pairMerger) Add(chunk uint64, partial []byte) error {
	p, err := kernels.DecodePair(partial)
	if err == nil {
		m.tree.Add(chunk, p)
	}
	return err
}

func (m *pairMerger) total() any {
	p, _ := m.tree.Root()
	return &p
}

// Merger combines the partials of a pass's chunks, in any order of arrival. It
// is not safe for concurrent use.
type Merger struct {
	pass  *Pass
	folds []merging
}

// NewMerger returns an empty merger of the pass.
func (p *Pass) NewMerger() *Merger {
	m := &Merger{pass: p}
	for _, f := range p.program.folds {
		m.folds = append(m.folds, newMerging(f.kind, p.program.types[f.x]))
	}
	return m
}

// PartialSize returns the length in bytes of the partial of a chunk.
func (p *Pass) PartialSize() int { return p.program.PartialSize() }

// Add takes the partial of one chunk, an aligned subtree of blocks of the size
// that all chunks have; each chunk comes once. It refuses bytes that a worker
// cannot have written, after which the merger is of no more use.
func (m *Merger) Add(chunk uint64, partial []byte) error {
	if want := m.pass.PartialSize(); len(partial) != want {
		return fmt.Errorf("partial of %d bytes, want %d", len(partial), want)
	}
	for i, f := range m.pass.program.folds {
		size := f.kind.partialSize()
		if err := m.folds[i].Add(chunk, partial[:size]); err != nil {
			return err
		}
		partial = partial[size:]
	}
	return nil
}
