package kernels

import "fmt"

// PairReduction is a named kernel that folds the blocks of two arrays of one
// length, pair by pair, to a partial. Its name travels between processes; both
// sides look it up with [LookupPairReduction].
type PairReduction struct {
	name        string
	partialSize int
	newFolder   func(x, y Type) PairFolder
	newMerger   func() Merger
}

// PairFolder folds one chunk of pairs, block by block. It is not safe for
// concurrent use.
type PairFolder interface {
	// Reset forgets all blocks.
	Reset()
	// Block folds the next block of either array, of as many elements; see
	// [Folder].
	Block(x, y []byte)
	// Partial writes the chunk's partial to dst[:PartialSize].
	Partial(dst []byte)
}

// Name returns the name under which the reduction is registered.
func (r *PairReduction) Name() string { return r.name }

// PartialSize returns the length of an encoded partial in bytes.
func (r *PairReduction) PartialSize() int { return r.partialSize }

// NewMerger returns an empty merger. That of a reduction whose partial is a P is
// a *[TreeMerger][P].
func (r *PairReduction) NewMerger() Merger { return r.newMerger() }

// NewFolder returns an empty folder of r for arrays of these types. Elements of
// other types are rounded to float64 first.
func (r *PairReduction) NewFolder(x, y Type) PairFolder { return r.newFolder(x, y) }

var pairReductions = map[string]*PairReduction{}

// LookupPairReduction returns the reduction of pairs of that name.
func LookupPairReduction(name string) (*PairReduction, bool) {
	r, ok := pairReductions[name]
	return r, ok
}

// pairPartial is what the tree needs to know of a kind of partial of pairs, see
// partial.
type pairPartial[P any] struct {
	size   int
	fold   func(f *pairFold, x, y Type, xs, ys []byte) P
	merge  func(left, right *P)
	encode func(p P, w *words)
	decode func(r *words) (P, error)
}

// registerPairs registers the reduction of pairs whose blocks merge on the tree.
func registerPairs[P any](name string, p pairPartial[P]) *PairReduction {
	if p.size > MaxPartial || pairReductions[name] != nil {
		panic(fmt.Sprintf("kernels: reduction of pairs %q is registered already, or its partial of %d bytes is longer than %d", name, p.size, MaxPartial))
	}
	merging := partial[P]{
		size:   p.size,
		empty:  func(Type) (none P) { return none },
		merge:  p.merge,
		encode: p.encode,
		decode: func(_ Type, r *words) (P, error) { return p.decode(r) },
	}
	r := &PairReduction{
		name:        name,
		partialSize: p.size,
		newFolder: func(x, y Type) PairFolder {
			return &treePairFolder[P]{treeFold: newTreeFold(merging, 0), fold: p.fold, x: x, y: y}
		},
		newMerger: func() Merger { return newTreeMerger(name, merging, 0) },
	}
	pairReductions[name] = r
	return r
}

type treePairFolder[P any] struct {
	treeFold[P]
	fold    func(f *pairFold, x, y Type, xs, ys []byte) P
	x, y    Type
	scratch pairFold
}

func (f *treePairFolder[P]) Block(x, y []byte) {
	*f.tree.next() = f.fold(&f.scratch, f.x, f.y, x, y)
	f.tree.add()
}

// pairFold is the scratch of folding one block of pairs after another.
type pairFold struct {
	blockFold
	second [BlockLen]float64
}

// float64s returns a block of pairs as float64, where it lies if it is that
// already.
func (f *pairFold) float64s(x, y Type, xs, ys []byte) (_, _ []byte) {
	if x != Float64 {
		xs = bytesView(f.asFloat64(f.doubles[:], x, xs))
	}
	if y != Float64 {
		ys = bytesView(f.asFloat64(f.second[:], y, ys))
	}
	return xs, ys
}

// copies returns a block of pairs of float64 where it may be changed.
func (f *pairFold) copies(xs, ys []byte) (_, _ []float64) {
	n := len(xs) / Float64.Size()
	copy(bytesView(f.doubles[:]), xs)
	copy(bytesView(f.second[:]), ys)
	return f.doubles[:n], f.second[:n]
}
