package kernels

import (
	"fmt"
	"slices"
)

// Reduction is a named kernel that folds the blocks of an array to a partial.
// Its name travels between processes; both sides look it up with
// [LookupReduction].
type Reduction struct {
	name        string
	partialSize int
	newFolder   func(Type) Folder
	newMerger   func(Type) Merger
}

// Folder folds one chunk, some blocks after others. It is not safe for concurrent use.
type Folder interface {
	// Reset forgets all blocks.
	Reset()
	// Blocks folds the next blocks, that lie one after another: the bytes of BlockLen
	// elements each, of fewer but at least one in the last block of an array, in this
	// machine's byte order and at any address. The slice is not kept. [Together] blocks
	// take less time than as many calls, more of them not.
	Blocks(blocks []byte)
	// Partial writes the chunk's partial to dst[:PartialSize].
	Partial(dst []byte)
}

// Merger combines the partials of chunks, in any order of arrival. It is not
// safe for concurrent use.
type Merger interface {
	// Add takes the encoded partial of one chunk; each chunk comes once.
	// It refuses bytes that the kernel cannot have written.
	Add(chunk uint64, partial []byte) error
}

// Name returns the name under which the reduction is registered.
func (r *Reduction) Name() string { return r.name }

// PartialSize returns the length of an encoded partial in bytes.
func (r *Reduction) PartialSize() int { return r.partialSize }

// NewMerger returns an empty merger for partials of an array of type t. That of
// a reduction whose partial is a P is a *[TreeMerger][P].
func (r *Reduction) NewMerger(t Type) Merger { return r.newMerger(t) }

// NewFolder returns an empty folder of r for elements of type t.
func (r *Reduction) NewFolder(t Type) Folder { return r.newFolder(t) }

// NewFold returns what folds chunks of elements of type t, block by block.
func (r *Reduction) NewFold(t Type) Fold {
	return &reductionFold{r.NewFolder(t), make([]byte, r.partialSize)}
}

// reductionFold is a reduction's [Fold].
type reductionFold struct {
	Folder
	partial []byte
}

func (f *reductionFold) Blocks(blocks []byte) error {
	f.Folder.Blocks(blocks)
	return nil
}

func (f *reductionFold) Result() []byte {
	f.Folder.Partial(f.partial)
	return f.partial
}

// NewRun returns what folds a chunk of elements of type t, where they lie.
func (r *Reduction) NewRun(t Type) Run { return runOf(r.NewFold(t), t, Together) }

// MaxPartial is the most bytes an encoded partial may have, and the parameters
// and the result of a kernel in Go.
const MaxPartial = 256

var reductions = map[string]*Reduction{}

func register(r *Reduction) *Reduction {
	if r.partialSize > MaxPartial {
		panic(fmt.Sprintf("kernels: partial of %q has %d bytes, more than %d", r.name, r.partialSize, MaxPartial))
	}
	if reductions[r.name] != nil {
		panic(fmt.Sprintf("kernels: reduction %q registered twice", r.name))
	}
	reductions[r.name] = r
	return r
}

// LookupReduction returns the reduction of that name.
func LookupReduction(name string) (*Reduction, bool) {
	r, ok := reductions[name]
	return r, ok
}

// partial is what the tree needs to know of a kind of partial.
type partial[P any] struct {
	size  int
	empty func(t Type) P
	fold  func(f *blockFold, p *P, t Type, block []byte) // sets p
	// together, if not nil, makes ready what it can for fold of the blocks that follow,
	// up to Together whole ones. Fold takes each of them next.
	together func(f *blockFold, t Type, blocks []byte)
	// all, if not nil, sets p to the partial of Together blocks that are ready, and
	// reports whether it could: it cannot where a block is not ordinary.
	all    func(f *blockFold, p *P, t Type) bool
	merge  func(left, right *P) // left becomes left combined with right
	encode func(p P, w *words)
	// decode refuses what no partial of elements of type t can be.
	decode func(t Type, r *words) (P, error)
}

// registerTree registers the reduction whose blocks merge on the tree.
func registerTree[P any](name string, p partial[P]) *Reduction {
	return register(&Reduction{
		name:        name,
		partialSize: p.size,
		newFolder:   func(t Type) Folder { return &treeFolder[P]{treeFold: newTreeFold(p, t)} },
		newMerger:   func(t Type) Merger { return newTreeMerger(name, p, t) },
	})
}

// combined is a merge of partials that returns their combination.
func combined[P any](merge func(left, right *P)) func(left, right P) P {
	return func(left, right P) P {
		merge(&left, &right)
		return left
	}
}

// treeFold is what of a chunk is folded: a tree of its blocks' partials.
type treeFold[P any] struct {
	partial[P]
	typ  Type
	tree inOrder[P]
}

func newTreeFold[P any](p partial[P], t Type) treeFold[P] {
	return treeFold[P]{partial: p, typ: t, tree: inOrder[P]{merge: p.merge}}
}

func (f *treeFold[P]) Reset() { f.tree.reset() }

func (f *treeFold[P]) Partial(dst []byte) {
	root, ok := f.tree.root()
	if !ok {
		root = f.empty(f.typ)
	}
	f.encode(root, &words{bytes: dst[:f.size]})
}

type treeFolder[P any] struct {
	treeFold[P]
	scratch blockFold
}

func (f *treeFolder[P]) Blocks(blocks []byte) {
	size := BlockLen * f.typ.Size()
	for some := range slices.Chunk(blocks, Together*size) {
		f.scratch.ready.forget() // whoever was to take it may have been stopped
		if f.together != nil && len(some) >= 2*size {
			f.together(&f.scratch, f.typ, some[:len(some)/size*size])
		}
		if f.all != nil && f.scratch.ready.blocks == Together && f.tree.leaves%Together == 0 && f.all(&f.scratch, &f.tree.leaf, f.typ) {
			f.tree.addNode(&f.tree.leaf, togetherLevel)
			continue
		}
		for block := range slices.Chunk(some, size) {
			f.fold(&f.scratch, f.tree.next(), f.typ, block)
			f.tree.add()
		}
	}
}

// TreeMerger combines partials of type P.
type TreeMerger[P any] struct {
	name    string
	partial partial[P]
	typ     Type
	tree    Tree[P]
}

func newTreeMerger[P any](name string, p partial[P], t Type) *TreeMerger[P] {
	return &TreeMerger[P]{name, p, t, Tree[P]{Merge: combined(p.merge)}}
}

// Add implements [Merger].
func (m *TreeMerger[P]) Add(chunk uint64, partial []byte) error {
	return m.AddNode(Node[[]byte]{0, chunk, partial})
}

// AddNode takes the encoded partial of a subtree of chunks, see [Tree.AddNode]. It
// refuses bytes that the kernel cannot have written.
func (m *TreeMerger[P]) AddNode(n Node[[]byte]) error {
	if len(n.Value) != m.partial.size {
		return fmt.Errorf("%s partial of %d bytes, want %d", m.name, len(n.Value), m.partial.size)
	}
	p, err := m.partial.decode(m.typ, &words{bytes: n.Value})
	if err != nil {
		return fmt.Errorf("%s partial %w", m.name, err)
	}
	m.tree.AddNode(Node[P]{n.Level, n.Index, p})
	return nil
}

// Nodes returns the encoded partials of the largest subtrees all of whose chunks are
// there, see [Tree.Nodes].
func (m *TreeMerger[P]) Nodes() []Node[[]byte] {
	var all []Node[[]byte]
	for _, n := range m.tree.Nodes() {
		b := make([]byte, m.partial.size)
		m.partial.encode(n.Value, &words{bytes: b})
		all = append(all, Node[[]byte]{n.Level, n.Index, b})
	}
	return all
}

// Total returns the partial of all chunks, which must be there without a gap;
// of none, that of an empty array.
func (m *TreeMerger[P]) Total() P {
	root, ok := m.tree.Root()
	if !ok {
		return m.partial.empty(m.typ)
	}
	return root
}
