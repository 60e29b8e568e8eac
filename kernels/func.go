package kernels

import (
	"fmt"
	"slices"
)

// Func is a kernel in plain Go: any function of elements, of parameters of type
// P, or of both, with a result of type R.
type Func[T Element, P, R any] struct {
	*Routine
	params plain[P]
	result plain[R]
}

// NewFunc makes f a kernel under a name that no other has. Call it in a
// package-level variable: workers are the same program, started again, and have
// what its initialisation makes.
//
// f gets the elements of what it is submitted for, where they lie: it must not
// write to them, nor keep them. An error, or a panic, is the task's and harms
// nobody else. f runs again if its worker dies, so other effects than its result
// may happen more than once.
//
// P and R are numbers, bools, arrays and structs of them, of at most
// [MaxPartial] bytes; NewFunc panics with the name of what is not.
func NewFunc[T Element, P, R any](name string, f func(x []T, p P) (R, error)) *Func[T, P, R] {
	params, perr := newPlain[P]()
	result, rerr := newPlain[R]()
	prepare := func(bytes []byte) (Run, error) {
		p, err := params.decode(bytes)
		if err != nil {
			return nil, err
		}
		var scratch []T
		return func(_, data []byte, _ func(int)) ([]byte, error) {
			r, err := f(aligned(data, &scratch), p)
			if err != nil {
				return nil, err
			}
			return result.encode(r), nil
		}, nil
	}
	return &Func[T, P, R]{registerRoutine(name, TypeFor[T](), 0, prepare, perr, rerr), params, result}
}

// With returns the kernel with parameters.
func (f *Func[T, P, R]) With(p P) Call[R] { return Call[R]{f.Routine, f.params.encode(p), f.result} }

// Reduce is a reduction in plain Go: of elements and parameters of type P to a
// partial of type R.
type Reduce[T Element, P, R any] struct {
	*Routine
	params plain[P]
	result plain[R]
	merge  func(left, right R) R
}

// NewReduce makes a reduction of fold, which adds the elements of a block to a
// partial that is the zero R before, and of merge, which combines the partials
// of some elements and of those that follow. See [NewFunc] for what holds of
// both.
//
// Blocks have [BlockLen] elements, the last one fewer, and merge on the tree
// over their numbers (see [Tree]): so every result has the same bits for any
// number of workers, if fold and merge do nothing but compute.
func NewReduce[T Element, P, R any](name string, fold func(partial *R, x []T, p P) error, merge func(left, right R) R) *Reduce[T, P, R] {
	params, perr := newPlain[P]()
	result, rerr := newPlain[R]()
	prepareFold := func(bytes []byte) (Fold, error) {
		p, err := params.decode(bytes)
		return &goFold[T, P, R]{fold: fold, params: p, result: result, tree: inOrder[R]{merge: func(left, right *R) { *left = merge(*left, *right) }}}, err
	}
	prepare := func(bytes []byte) (Run, error) {
		f, err := prepareFold(bytes)
		if err != nil {
			return nil, err
		}
		return runOf(f, TypeFor[T](), 1), nil
	}
	r := registerRoutine(name, TypeFor[T](), 0, prepare, perr, rerr)
	r.prepareFold = prepareFold
	return &Reduce[T, P, R]{r, params, result, merge}
}

// goFold is the [Fold] of a reduction in Go.
type goFold[T Element, P, R any] struct {
	fold    func(partial *R, x []T, p P) error
	params  P
	result  plain[R]
	tree    inOrder[R]
	scratch []T
}

func (f *goFold[T, P, R]) Reset() { f.tree.reset() }

func (f *goFold[T, P, R]) Blocks(blocks []byte) error {
	for block := range slices.Chunk(blocks, BlockLen*TypeFor[T]().Size()) {
		var none R
		r := f.tree.next()
		*r = none
		if err := f.fold(r, aligned(block, &f.scratch), f.params); err != nil {
			return err
		}
		f.tree.add()
	}
	return nil
}

func (f *goFold[T, P, R]) Result() []byte {
	root, _ := f.tree.root()
	return f.result.encode(root)
}

// With returns the reduction with parameters.
func (r *Reduce[T, P, R]) With(p P) ReduceCall[R] {
	return ReduceCall[R]{Call[R]{r.Routine, r.params.encode(p), r.result}, r.merge}
}

// ReduceCall is a reduction in Go with its parameters.
type ReduceCall[R any] struct {
	Call[R]
	merge func(left, right R) R
}

// NewTree returns the tree that combines the partials of chunks.
func (c ReduceCall[R]) NewTree() *Tree[R] { return &Tree[R]{Merge: c.merge} }

// Map is a kernel in plain Go that makes elements of others, one of each.
type Map[D, S Element, P any] struct {
	*Routine
	params plain[P]
}

// NewMap makes f, which sets each element of dst from that of src, a kernel. It is
// called for a block of up to [BlockLen] elements at a time; dst and src never
// overlap, also where an array is changed in place, and what dst holds before means
// nothing. See [NewFunc] for the rest.
func NewMap[D, S Element, P any](name string, f func(dst []D, src []S, p P) error) *Map[D, S, P] {
	params, perr := newPlain[P]()
	prepare := func(bytes []byte) (Run, error) {
		p, err := params.decode(bytes)
		if err != nil {
			return nil, err
		}
		var from []S
		var to []D
		in, out := TypeFor[S]().Size(), TypeFor[D]().Size()
		return func(dst, src []byte, progress func(int)) ([]byte, error) {
			if len(src)/in*out != len(dst) {
				return nil, fmt.Errorf("%d bytes are to become %d", len(src), len(dst))
			}
			for at, n := 0, len(src)/in; at < n; {
				k := min(BlockLen, n-at)
				block := dst[at*out : (at+k)*out]
				made := aligned(block, &to)
				if err := f(made, aligned(src[at*in:(at+k)*in], &from), p); err != nil {
					return nil, err
				}
				copy(block, bytesView(made)) // nothing, if they are the same
				at += k
				progress(at * in)
			}
			return nil, nil
		}, nil
	}
	return &Map[D, S, P]{registerRoutine(name, TypeFor[S](), TypeFor[D](), prepare, perr), params}
}

// With returns the kernel with parameters.
func (m *Map[D, S, P]) With(p P) MapCall { return MapCall{m.Routine, m.params.encode(p)} }

// MapCall is a map with its parameters.
type MapCall struct {
	routine *Routine
	params  []byte
}

// Routine returns the kernel.
func (c MapCall) Routine() *Routine { return c.routine }

// Params returns the parameters' bytes.
func (c MapCall) Params() []byte { return c.params }
