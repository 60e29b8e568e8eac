package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// scan is how an array is gone through by a reduction or a survey.
type scan struct {
	array *Array
	plan  partition.Plan
	// view says how workers take the elements block by block; nil where they take
	// them as they lie.
	view *wire.Binding
	typ  kernels.Type
	also []*shm.Mapping // files that elements lie in, too
	// Of what is computed, see evaluation.scan, the array is the one that is cut. places
	// says how many elements are picked before each chunk, nil if all count.
	places []uint64
}

// count returns how many elements are taken of a chunk.
func (r *scan) count(chunk uint64) uint64 {
	if r.places != nil {
		return r.places[chunk+1] - r.places[chunk]
	}
	return r.plan.Chunk(chunk).Count
}

// elements returns how many are taken in all.
func (r *scan) elements() (n uint64) {
	switch {
	case r.places != nil:
		return r.places[len(r.places)-1]
	case r.view != nil:
		return r.view.Length
	}
	return uint64(r.array.Len())
}

// scan cuts an array into chunks: in C order of its axes, or as its elements lie if
// they lie one after another.
func (c cutting) scan(x *Array) scan { return c.scanAs(x, x.scaling()) }

// scanAs is scan of what the elements stand for by a scaling.
func (c cutting) scanAs(x *Array, as *kernels.Scaling) scan {
	r := scan{array: x, typ: x.ValueType(), also: x.file.holders}
	if as != nil {
		r.typ = as.Type
	}
	n := uint64(x.Len())
	if x.file.pieces != nil {
		r.plan = partition.New(x.Array, c.chunk, c.workers)
		r.view = viewOf(x, r.plan, lengthsOf(x.Shape, x.Fortran), allOf(x, x.Fortran))
		return r
	}
	if x.Contiguous() {
		r.plan = partition.New(x.Array, c.chunk, c.workers)
		if as != nil || x.plain() != nil {
			r.view = viewOf(x, r.plan, []uint64{n}, expr.Operand{})
			r.view.Inputs[0].Strides, r.view.Inputs[0].Scaling = nil, as
		}
		return r
	}
	r.plan = partition.Scattered(x.Array, n, c.chunk, c.workers)
	r.view = viewOf(x, r.plan, lengthsOf(x.Shape, false), allOf(x, false))
	r.view.Inputs[0].Scaling = as
	return r
}

// columnTile is how many columns a chunk has at most: their moments fit into a result.
const columnTile = 64

// columns cuts an array of two dimensions into chunks of columns.
func (p *Pool) columns(x *Array) scan {
	n := lengthsOf(x.Shape, true)
	r := scan{array: x, typ: x.ValueType(), also: x.file.holders, plan: partition.Rows(x.Array, n[0], n[1], columnTile, p.options.chunk, p.options.workers)}
	r.view = viewOf(x, r.plan, n, allOf(x, true))
	r.view.Rows, r.view.Length = 1, n[1]
	return r
}

// viewOf binds an array that is gone through along axes of these lengths.
func viewOf(x *Array, plan partition.Plan, shape []uint64, in expr.Operand) *wire.Binding {
	b := &wire.Binding{Shape: shape, Tile: plan.Tile(), Length: uint64(x.Len()), Chunk: plan.ChunkBytes() / uint64(plan.ElementSize())}
	b.Inputs = []wire.Source{sourceOver(in, x, shape)}
	return b
}

// lengthsOf returns a shape as bindings have it, the last axis first if it is reversed.
func lengthsOf(shape []int64, reversed bool) []uint64 {
	all := make([]uint64, len(shape))
	for i, n := range shape {
		all[i] = uint64(n)
	}
	if reversed {
		slices.Reverse(all)
	}
	return all
}

// allOf returns what goes through all of an array, the last axis fastest, or slowest if
// axes are reversed.
func allOf(x *Array, reversed bool) expr.Operand {
	n := len(x.Shape)
	in := expr.Operand{From: make([]int, n), Axes: make([]int, n), Steps: make([]int, n)}
	for i := range n {
		in.Axes[i], in.Steps[i] = i, 1
	}
	if reversed {
		slices.Reverse(in.Axes)
	}
	return in
}

// read runs a program that reduces or surveys an array.
func (p *Pool) read(ctx context.Context, r scan, job engine.Job) error {
	job.Plan, job.Mapping, job.Number, job.Also = r.plan, r.array.file.mapping, r.array.file.number, r.also
	if r.view != nil {
		code, err := p.newCode(r.view.Encode())
		if err != nil {
			return err
		}
		job.Program.View = code.program
		return errors.Join(p.run(ctx, job, readings(r.view)...), code.close())
	}
	return p.run(ctx, job, r.array.reading())
}

// readable reports whether a reduction or a survey can take the array, and finds out
// what has to be known of its numbers before.
func (p *Pool) readable(ctx context.Context, x *Array) error {
	if err := p.owns(x); err != nil {
		return err
	}
	return p.know(ctx, x)
}

// owns reports whether the array lies in a file of the pool's.
func (p *Pool) owns(x *Array) error {
	if x.file.pool != p {
		return fmt.Errorf("%s was opened by another pool", x.file.Path())
	}
	return x.mapped()
}
