package supervisor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/feather"
	"github.com/gangsaw/gangsaw/shm/format/npy"
	"github.com/gangsaw/gangsaw/shm/format/npz"
	"github.com/gangsaw/gangsaw/shm/format/safetensors"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// EvalTo writes the arrays that a query's expressions are to a new file, in as few
// passes as it takes. The end of the file's name says how: .npy and, with any other
// ending, bare numbers take one array; .npz, .safetensors, .arrow and .feather take
// several, called by the names that they are given or else by their expressions. With
// a condition it writes only the elements that this holds for, in their order, of arrays
// of one axis; reductions in the expressions are then over those alone. The file is there
// once it is complete; one of that name is replaced only with overwrite. It returns what
// is in it, in the order of the expressions.
func (p *Pool) EvalTo(ctx context.Context, q Query, path string, overwrite bool) (_ []format.Array, _ []expr.Note, err error) {
	to := formatOf(path)
	o := expr.Options{Order: to.order}
	if q.Where != "" {
		o.Pick = expr.PickElements
	}
	e, err := p.compile(ctx, q, o)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	results := e.plan.Results()
	if q.Where != "" {
		results = results[:len(results)-1] // the mask
	}
	arrays, err := to.arrays(path, results)
	if err != nil {
		return nil, nil, err
	}
	e.foretell(q, true)
	write := e.write
	if q.Where != "" {
		places, err := p.placesFor(ctx, q, e, path, arrays)
		if err != nil {
			return nil, nil, err
		}
		for i := range arrays {
			arrays[i].Shape = []int64{int64(places[len(places)-1])}
		}
		write = func(ctx context.Context, outputs []wire.Source) error { return e.writePicked(ctx, places, outputs) }
	}
	d, err := to.draft(arrays)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := p.create(path, overwrite, d, func(outputs []wire.Source) error { return write(ctx, outputs) }); err != nil {
		return nil, e.run.Notes(), err
	}
	return d.Arrays, e.run.Notes(), nil
}

// outputFormat is how arrays are written to a new file.
type outputFormat struct {
	several bool // or one
	order   expr.Order
	draft   func([]format.Array) (*format.Draft, error)
}

var outputFormats = map[string]outputFormat{
	".npy": {draft: func(arrays []format.Array) (*format.Draft, error) {
		header, err := npy.Header(arrays[0])
		return alone(header, arrays[0]), err
	}},
	".npz":         {several: true, draft: npz.Draft},
	".safetensors": {several: true, order: expr.COrder, draft: safetensors.Draft},
	".arrow":       {several: true, order: expr.COrder, draft: feather.Draft},
	".feather":     {several: true, order: expr.COrder, draft: feather.Draft},
}

// formatOf returns how arrays are written to a file of that name.
func formatOf(path string) outputFormat {
	if f, ok := outputFormats[strings.ToLower(filepath.Ext(path))]; ok {
		return f
	}
	return outputFormat{draft: func(arrays []format.Array) (*format.Draft, error) { return alone(nil, arrays[0]), nil }}
}

// alone is a file of one array behind its header.
func alone(header []byte, a format.Array) *format.Draft {
	a.Offset = int64(len(header))
	d := &format.Draft{Arrays: []format.Array{a}, Size: a.Offset + a.Size()}
	if len(header) > 0 {
		d.Fixed = []format.Patch{{Bytes: header}}
	}
	return d
}

// arrays describes the results that go to a file.
func (f outputFormat) arrays(path string, results []expr.Result) ([]format.Array, error) {
	if len(results) > 1 && !f.several {
		return nil, fmt.Errorf("%s: %d expressions do not fit into one file of this kind: give one, or a name that ends in .npz, .safetensors, .arrow or .feather", path, len(results))
	}
	var all []format.Array
	for _, r := range results {
		a := format.Array{Name: r.Name, Type: r.Type, Fortran: r.Fortran}
		if a.Name == "" {
			a.Name = r.Expr
		}
		switch {
		case !r.Array:
			return nil, fmt.Errorf("%s is a scalar, and no array to write to a file", r.Expr)
		case slices.ContainsFunc(all, func(b format.Array) bool { return a.Name == b.Name }):
			return nil, fmt.Errorf("two results are called %s: name them, such as a = %s, b = %s", a.Name, r.Expr, r.Expr)
		}
		for _, n := range r.Shape {
			a.Shape = append(a.Shape, int64(n))
		}
		all = append(all, a)
	}
	return all, nil
}

// placesFor returns where what is picked goes, see places, of arrays that are written to
// such a file.
func (p *Pool) placesFor(ctx context.Context, q Query, e *evaluation, path string, arrays []format.Array) ([]uint64, error) {
	for i, a := range arrays {
		if len(a.Shape) != 1 {
			return nil, fmt.Errorf("%s has %d axes, and a condition picks elements of an array with one: use where(...), which keeps the shape", e.plan.Results()[i].Expr, len(a.Shape))
		}
	}
	d, err := formatOf(path).draft(arrays)
	if err == nil && d.Bits && slices.ContainsFunc(arrays, func(a format.Array) bool { return a.Type == kernels.Bool }) {
		err = errors.New("elements of a mask that are picked do not go to where each takes a bit: cast it, by uint8(...) say, or write another kind of file")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p.places(ctx, q, e, e.chunkLen(p.options.chunk))
}

// write writes all results to outputs.
func (e *evaluation) write(ctx context.Context, outputs []wire.Source) error {
	pass, err := e.reduce(ctx)
	for ; pass != nil && err == nil; pass, err = e.run.Next() {
		var to []wire.Source
		if outputs != nil {
			for _, result := range pass.Outputs {
				to = append(to, outputs[result])
			}
		}
		if err := e.pass(ctx, pass, to); err != nil {
			return err
		}
	}
	return err
}

// create makes a file whose elements fill has workers write: to outputs, one for each
// array, which are nil if the file is empty.
func (p *Pool) create(path string, overwrite bool, d *format.Draft, fill func(outputs []wire.Source) error) (err error) {
	out, err := shm.CreateOutput(path, overwrite)
	if err != nil {
		return err
	}
	defer out.Discard()
	if err := out.Reserve(d.Size); err != nil {
		return err
	}
	if err := patch(out, d.Fixed); err != nil {
		return err
	}
	if err := p.fill(out, d, fill); err != nil {
		return err
	}
	for _, a := range d.Arrays {
		sums, err := format.Sums(out, a)
		if err == nil {
			err = patch(out, sums)
		}
		if err != nil {
			return err
		}
	}
	return out.Commit()
}

// patch writes what stands around elements.
func patch(out *shm.Output, all []format.Patch) error {
	for _, b := range all {
		if _, err := out.WriteAt(b.Bytes, b.Offset); err != nil {
			return err
		}
	}
	return nil
}

// fill makes the file known to the workers meanwhile.
func (p *Pool) fill(out *shm.Output, d *format.Draft, fill func(outputs []wire.Source) error) (err error) {
	if d.Size == 0 {
		return fill(nil)
	}
	mapping, number, err := p.writable(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.engine.Detach(number), mapping.Close()) }()
	var outputs []wire.Source
	for i, a := range d.Arrays {
		s := wire.Source{Mapping: number, Type: a.Type, Offset: uint64(a.Offset), Bits: d.Bits && a.Type == kernels.Bool}
		if b := d.Batches; b != nil {
			s.Batches = &wire.Batches{Length: uint64(b.Length), Stride: uint64(b.Stride), Count: uint64(b.Count), Rest: uint64(b.Rest[i])}
		}
		outputs = append(outputs, s)
	}
	return fill(outputs)
}

// writable makes a file in the making known to the workers.
func (p *Pool) writable(out *shm.Output) (*shm.Mapping, uint32, error) {
	mapping, err := out.Mapping()
	if err != nil {
		return nil, 0, err
	}
	number, err := p.engine.Attach(mapping)
	if err != nil {
		return nil, 0, errors.Join(err, mapping.Close())
	}
	return mapping, number, nil
}
