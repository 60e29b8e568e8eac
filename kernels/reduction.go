package kernels

import "fmt"

// Reduction is a named kernel that folds the blocks of an array to a partial.
// Its name travels between processes; both sides look it up with
// [LookupReduction].
type Reduction struct {
	name        string
	partialSize int
	newFolder   func(Type) Folder
	newMerger   func(Type) Merger
}

// Folder folds one chunk, block by block. It is not safe for concurrent use.
type Folder interface {
	// Reset forgets all blocks.
	Reset()
	// Block folds the next block: the bytes of BlockLen elements, of fewer but
	// at least one in the last block of an array, in this machine's byte order
	// and at any address. The slice is not kept.
	Block(block []byte)
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

// NewMerger returns an empty merger for partials of an array of type t.
func (r *Reduction) NewMerger(t Type) Merger { return r.newMerger(t) }

// NewFolder returns an empty folder of r for elements of type t.
func (r *Reduction) NewFolder(t Type) Folder { return r.newFolder(t) }

// MaxPartial is the most bytes an encoded partial may have.
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

// Summarize is the summary reduction: count, NaN, infinities, minimum,
// maximum, sum, mean and variance in one pass. Its merger is a
// [SummaryMerger].
var Summarize = register(&Reduction{
	name:        "summary",
	partialSize: summarySize,
	newFolder: func(t Type) Folder {
		return &summaryFolder{typ: t, tree: Tree[Summary]{Merge: mergeSummaries}}
	},
	newMerger: func(t Type) Merger {
		return &SummaryMerger{typ: t, tree: Tree[Summary]{Merge: mergeSummaries}}
	},
})

type summaryFolder struct {
	typ    Type
	tree   Tree[Summary]
	blocks uint64
	fold   blockFold
}

func (f *summaryFolder) Reset() {
	f.tree.Reset()
	f.blocks = 0
}

func (f *summaryFolder) Block(block []byte) {
	f.tree.Add(f.blocks, f.fold.fold(f.typ, block))
	f.blocks++
}

func (f *summaryFolder) Partial(dst []byte) {
	root, _ := f.tree.Root()
	root.encode(dst[:summarySize])
}

// SummaryMerger combines partials of the summary reduction.
type SummaryMerger struct {
	typ  Type
	tree Tree[Summary]
}

// Add implements [Merger].
func (m *SummaryMerger) Add(chunk uint64, partial []byte) error {
	s, err := DecodeSummary(partial)
	if err != nil {
		return err
	}
	if s.typ != m.typ {
		return fmt.Errorf("summary partial of type %s, want %s", s.typ, m.typ)
	}
	m.tree.Add(chunk, s)
	return nil
}

// Summary returns the summary of all chunks, which must be there without a
// gap; of none, the summary of an empty array.
func (m *SummaryMerger) Summary() Summary {
	root, ok := m.tree.Root()
	if !ok {
		return Summary{typ: m.typ}
	}
	return root
}
