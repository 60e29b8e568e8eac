package expr

import (
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
)

// ofBlocks are the reductions of package kernels that take one array.
var ofBlocks = map[foldKind]*kernels.Reduction{
	foldSummary: kernels.Summarize, foldMoments: kernels.DescribeMoments, foldNorms: kernels.MeasureNorms,
	foldProduct: kernels.Multiply, foldExtremes: kernels.FindExtremes, foldTruth: kernels.CountTruth, foldSum: kernels.AddUp,
}

// ofPairs are those that take two.
var ofPairs = map[foldKind]*kernels.PairReduction{foldCovariance: kernels.Covary, foldDot: kernels.SumProducts}

// pairs tells whether a reduction takes two arrays.
func (k foldKind) pairs() bool { return k == foldCovariance || k == foldDot }

func (k foldKind) partialSize() int {
	if k.pairs() {
		return ofPairs[k].PartialSize()
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
	if k.pairs() {
		return pairFolder{ofPairs[k].NewFolder(x, y)}
	}
	return blockFolder{ofBlocks[k].NewFolder(x)}
}

type blockFolder struct{ kernels.Folder }

func (f blockFolder) block(x, _ []byte) { f.Blocks(x) }

type pairFolder struct{ kernels.PairFolder }

func (f pairFolder) block(x, y []byte) { f.Block(x, y) }

// merging combines the partials of chunks.
type merging interface {
	AddNode(n kernels.Node[[]byte]) error
	Nodes() []kernels.Node[[]byte]
	total() any // a pointer to the partial of package kernels
}

func newMerging(k foldKind, t kernels.Type) merging {
	switch k {
	case foldDot:
		return merged[kernels.Dot](ofPairs[k].NewMerger())
	case foldCovariance:
		return merged[kernels.Comoments](ofPairs[k].NewMerger())
	}
	m := ofBlocks[k].NewMerger(t)
	switch k {
	case foldSummary:
		return merged[kernels.Summary](m)
	case foldMoments:
		return merged[kernels.Moments](m)
	case foldNorms:
		return merged[kernels.Norms](m)
	case foldProduct:
		return merged[kernels.Product](m)
	case foldSum:
		return merged[kernels.Total](m)
	case foldExtremes:
		return merged[kernels.Extremes](m)
	}
	return merged[kernels.Truth](m)
}

type treeMerger[P any] struct{ *kernels.TreeMerger[P] }

func merged[P any](m kernels.Merger) merging { return treeMerger[P]{m.(*kernels.TreeMerger[P])} }

func (m treeMerger[P]) total() any {
	p := m.Total()
	return &p
}

// Merger combines the partials of a pass's chunks, in any order of arrival. It
// is not safe for concurrent use.
type Merger struct {
	pass   *Pass
	run    *Run
	level  int
	chunks uint64         // of each row
	rows   map[int]*merge // that are not complete
	values []rowValues
	kept   [][]any // for each fold the totals of all rows, if another pass needs them
	err    error   // of the first row that has no value
	failed int     // that row
}

// merge is what has come of a row.
type merge struct {
	folds []merging
	left  uint64 // chunks
}

// NewMerger returns an empty merger of the pass, whose rows are cut into so many
// chunks each.
func (r *Run) NewMerger(p *Pass, chunks uint64) *Merger {
	m := &Merger{pass: p, run: r, level: r.plan.passes[r.pass].level, chunks: chunks, rows: map[int]*merge{}, kept: make([][]any, len(p.folds))}
	m.plan()
	return m
}

// row returns what is to come of a row.
func (m *Merger) row(i int) *merge {
	row := m.rows[i]
	if row == nil {
		row = &merge{folds: m.pass.mergings(), left: m.chunks}
		m.rows[i] = row
	}
	return row
}

// mergings returns what combines each of the pass's folds, empty.
func (p *Pass) mergings() []merging {
	all := make([]merging, len(p.program.folds))
	for i, f := range p.program.folds {
		all[i] = newMerging(f.kind, p.program.types[f.x])
	}
	return all
}

// addNode adds a partial of all folds of the pass to what combines them.
func (p *Pass) addNode(to []merging, n kernels.Node[[]byte]) error {
	if want := p.PartialSize(); len(n.Value) != want {
		return fmt.Errorf("partial of %d bytes, want %d", len(n.Value), want)
	}
	partial := n.Value
	for i, f := range p.program.folds {
		size := f.kind.partialSize()
		n.Value, partial = partial[:size], partial[size:]
		if err := to[i].AddNode(n); err != nil {
			return err
		}
	}
	return nil
}

// PartialSize returns the length in bytes of the partial of a chunk.
func (p *Pass) PartialSize() int { return p.program.PartialSize() }

// Add takes the partial of one chunk of a row, an aligned subtree of its blocks of
// the size that all chunks have; each chunk comes once. It refuses bytes that a
// worker cannot have written, after which the merger is of no more use.
func (m *Merger) Add(row int, chunk uint64, partial []byte) error {
	return m.AddNode(row, kernels.Node[[]byte]{Level: 0, Index: chunk, Value: partial})
}

// AddNode is [Merger.Add] of the chunks of a subtree, of which there are as many as
// that has: what [Subtrees.Nodes] returned.
func (m *Merger) AddNode(row int, n kernels.Node[[]byte]) error {
	if len(m.pass.folds) == 0 {
		return m.pass.addNode(nil, n)
	}
	r := m.row(row)
	if err := m.pass.addNode(r.folds, n); err != nil {
		return err
	}
	if r.left -= 1 << n.Level; r.left == 0 {
		m.complete(row)
	}
	return nil
}
