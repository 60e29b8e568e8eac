package supervisor

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// replacing returns the run that replaces the elements of an array by what a
// query's only expression is.
func (e *evaluation) replacing(x *Array) (*change, error) {
	at := -1
	for i, a := range e.arrays {
		if a == x {
			at = i
		}
	}
	if at < 0 {
		return nil, fmt.Errorf("array %q is not among those of the query", x.Name)
	}
	if err := e.plan.CheckInPlace(at); err != nil {
		return nil, err
	}
	for _, i := range e.plan.Inputs() {
		if err := e.arrays[i].inPlaceable(); err != nil {
			return nil, err
		}
	}
	x = x.alone()
	pieces, _ := x.several()
	if err := pieces.CheckApart(x.Type); err != nil {
		return nil, x.refuse(err.Error()+": the file is damaged", "write it again")
	}
	for _, i := range e.plan.Inputs() {
		a := e.arrays[i].alone()
		f, changed := a.holder(), x.holder()
		if f != changed && (f.format == arenaFormat || changed.format == arenaFormat || !f.mapping.Same(changed.mapping)) {
			continue
		}
		switch {
		case allApart(a, x):
		case !slices.EqualFunc(a.pieces(), x.pieces(), func(a, b piece) bool { return sameElements(a.Array.Array, b.Array.Array) }):
			return nil, fmt.Errorf("arrays %q and %q overlap, but not element for element: write the result to a new file", a.Name, x.Name)
		case !e.plan.AtOwnPlace(i):
			return nil, fmt.Errorf("array %q is array %q, which cannot be replaced by what slices or broadcasting take from other places of it: write the result to a new file", a.Name, x.Name)
		}
	}
	return &change{}, nil
}

// read notes what the pass that makes the new elements reads.
func (r *change) read(e *evaluation, pass *expr.Pass, text string, replaced *Array) error {
	x, file := replaced.alone(), replaced.holder()
	r.program = journal.Program{Text: text, Code: pass.Program}
	r.binding = &wire.Binding{Program: pass.Program, Replaced: -1}
	for _, n := range pass.Shape {
		r.binding.Shape = append(r.binding.Shape, uint64(n))
	}
	r.program.Shape = r.binding.Shape
	for n, in := range pass.Inputs {
		if in.Table != nil && file.format != arenaFormat {
			// Whoever resumes the run needs them: they go to a file with the journal.
			r.values = append(r.values, values{n, in})
			r.binding.Inputs = append(r.binding.Inputs, wire.Source{})
			r.program.Inputs = append(r.program.Inputs, journal.Input{})
			continue
		}
		of, err := e.array(in)
		if err != nil {
			return err
		}
		a, from := placed(in, of, r.binding.Shape)
		r.binding.Inputs = append(r.binding.Inputs, from)
		if of == replaced {
			r.binding.Replaced = n
			r.program.Inputs = append(r.program.Inputs, journal.Input{Replaced: true, Offset: from.Offset, Strides: from.Strides, Valid: (*journal.Bitmap)(from.Valid)})
			continue
		}
		f := a.holder()
		if f == file && file.format == arenaFormat {
			continue
		}
		if f.format == arenaFormat || file.format == arenaFormat || !f.mapping.Same(file.mapping) {
			r.job.Also = append(r.job.Also, f.mapping)
		}
		if file.format == arenaFormat {
			continue // nobody resumes it
		}
		input, err := inputOf(a, file)
		if err != nil {
			return err
		}
		if input.Offset, input.Strides, input.Valid = from.Offset, from.Strides, (*journal.Bitmap)(from.Valid); from.Pieces != nil {
			input.Along = &journal.Along{Axis: from.Axis, First: int64(in.From[0]), Step: int64(in.Steps[from.Axis])}
		}
		r.program.Inputs = append(r.program.Inputs, input)
	}
	if r.binding.Replaced < 0 {
		return fmt.Errorf("the expression does not read array %q, which it is to replace: add 0*%s to it, or write a new file", x.Name, x.Name)
	}
	return nil
}

// allApart reports whether no byte belongs to elements of both arrays, which lie in one file.
func allApart(a, b *Array) bool {
	others := slices.Clone(b.pieces())
	slices.SortFunc(others, func(p, q piece) int { return cmp.Compare(lowest(p), lowest(q)) })
	for _, p := range a.pieces() {
		from, size := p.Extent()
		// Those of one array that begin before the end, from the last one on: where they
		// do not reach the piece, none before does, since they lie apart.
		end, _ := slices.BinarySearchFunc(others, from+size, func(q piece, at uint64) int { return cmp.Compare(lowest(q), at) })
		for _, q := range slices.Backward(others[:end]) {
			if at, size := q.Extent(); at+size <= from {
				break
			}
			if !apart(p.Array.Array, q.Array.Array) {
				return false
			}
		}
	}
	return true
}

// lowest returns where the first byte of a piece's elements is.
func lowest(p piece) uint64 {
	at, _ := p.Extent()
	return at
}

// apart reports whether no byte belongs to elements of both arrays of a file.
func apart(a, b format.Array) bool {
	aFrom, aSize := a.Extent()
	bFrom, bSize := b.Extent()
	if aFrom >= bFrom+bSize || bFrom >= aFrom+aSize {
		return true
	}
	// Elements may lie between one another, as the fields of records do.
	for _, x := range []format.Array{a, b} {
		for _, stride := range x.ByteStrides() {
			if least := max(stride, -stride); least > 0 && apartIn(a, b, least) {
				return true
			}
		}
	}
	return false
}

// apartIn reports whether arrays whose axes of such a stride and of longer ones repeat
// what lies in a period have different bytes of it.
func apartIn(a, b format.Array, least int64) bool {
	period := uint64(0)
	var places [2]struct{ from, size uint64 }
	for i, x := range []format.Array{a, b} {
		inner := format.Array{Type: x.Type, Offset: x.Offset}
		for axis, stride := range x.ByteStrides() {
			switch magnitude := max(stride, -stride); {
			case magnitude < least:
				inner.Shape, inner.Strides = append(inner.Shape, x.Shape[axis]), append(inner.Strides, stride)
			case x.Shape[axis] > 1:
				period = divisor(period, uint64(magnitude))
			}
		}
		places[i].from, places[i].size = inner.Extent()
	}
	if period == 0 {
		return false
	}
	between := (places[1].from%period + period - places[0].from%period) % period
	return between >= places[0].size && between+places[1].size <= period
}

// divisor returns the greatest that two numbers have in common.
func divisor(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// sameElements reports whether arrays have the same elements at the same places.
func sameElements(a, b format.Array) bool {
	return a.Offset == b.Offset && a.Type.Size() == b.Type.Size() && slices.Equal(a.Shape, b.Shape) && slices.Equal(a.ByteStrides(), b.ByteStrides())
}

// inputOf describes an array that is read while one in a file is changed.
func inputOf(a *Array, changed *File) (journal.Input, error) {
	if a.holder().format == arenaFormat {
		return journal.Input{}, fmt.Errorf("array %q lies in an arena, which is gone when the run is to be resumed: write it to a file first", a.Name)
	}
	stored, f := a.stored(), a.holder()
	id, err := journal.InputOf(f.mapping, a.Array, stored.Pieces)
	if f.mapping.Same(changed.mapping) {
		id = id.Beside() // the rest changes with the run
	}
	return journal.Input{Target: id, Array: stored}, err
}

// expressions opens what the expressions of a run that was interrupted read.
func (r *change) expressions(array format.Array) error {
	if _, err := expr.Decode(r.program.Code); err != nil {
		return r.refuse(err.Error(), "resume with the version of gangsaw that began the run ("+r.journal.Header.Gangsaw+")")
	}
	r.binding = &wire.Binding{Program: r.program.Code, Replaced: -1, Shape: r.program.Shape}
	for n, input := range r.program.Inputs {
		if input.Replaced {
			r.binding.Replaced = n
			input.Array, input.Along = r.journal.Header.Array, &journal.Along{Step: 1}
			a := &Array{array, &File{pool: r.pool, mapping: r.target}, rescaled(input.Array.Scaling)}
			r.binding.Inputs = append(r.binding.Inputs, again(input, a, r.program.Shape))
			continue
		}
		a, err := r.reopenInput(input)
		if err != nil {
			return err
		}
		r.binding.Inputs = append(r.binding.Inputs, again(input, a, r.program.Shape))
	}
	if r.binding.Replaced < 0 {
		return r.refuse("its expressions replace nothing", "abandon it")
	}
	return nil
}

// again returns where the elements of an input of a run that was interrupted lie.
func again(input journal.Input, a *Array, shape []uint64) wire.Source {
	if input.Array.Pieces == nil {
		return wire.Source{Mapping: a.file.number, Type: a.Type, Swapped: a.Swapped, Offset: input.Offset, Strides: input.Strides, Valid: (*wire.Bitmap)(input.Valid), Scaling: a.scaling()}
	}
	in := expr.Operand{From: []int{int(input.Along.First)}, Axes: make([]int, len(shape)), Steps: make([]int, len(shape))}
	for i := range in.Axes {
		in.Axes[i] = -1
	}
	in.Axes[input.Along.Axis], in.Steps[input.Along.Axis] = 0, int(input.Along.Step)
	return sourceOver(in, a.file.lie(format.Column{Array: a.Array, Pieces: input.Array.Pieces}), shape)
}

// reopenInput opens an input of a run that was interrupted.
func (r *change) reopenInput(input journal.Input) (*Array, error) {
	if input.Values {
		return r.reopenValues(input)
	}
	f, err := r.pool.openInput(input.Target.Path)
	if err != nil {
		return nil, err
	}
	r.inputs = append(r.inputs, f)
	a, err := input.Of()
	if err != nil {
		return nil, err
	}
	id, err := journal.InputOf(f.mapping, a, input.Array.Pieces)
	if err != nil {
		return nil, err
	}
	if f.mapping.Same(r.target) {
		id = id.Beside()
	} else {
		r.job.Also = append(r.job.Also, f.mapping)
	}
	if what := id.Differs(input.Target); what != "" {
		return nil, r.refuse(fmt.Sprintf("the file %s, which the run reads, %s", f.Path(), what), "put that file back, or abandon the journal")
	}
	return &Array{Array: a, file: f, scaled: rescaled(input.Array.Scaling)}, nil
}

// bind tells the program what it changes, under which journal.
func (r *change) bind(to *wire.InPlace) (err error) {
	if r.binding == nil {
		r.job.Program.InPlace = to
		return nil
	}
	array := r.job.Plan.Array()
	r.binding.Chunk = r.job.Plan.ChunkBytes() / uint64(array.Type.Size())
	r.binding.InPlace, r.binding.Tile, r.binding.Length = to, 1, uint64(array.Len())
	replaced := &r.binding.Inputs[r.binding.Replaced]
	replaced.Mapping = r.job.Number
	for i := range replaced.Pieces {
		replaced.Pieces[i].Mapping = r.job.Number
	}
	if r.code, err = r.pool.newCode(r.binding.Encode()); err == nil {
		r.job.Program.Code = r.code.program
	}
	return err
}

// release lets go of what the program read.
func (r *change) release() (errs []error) {
	if r.code != nil {
		errs = append(errs, r.code.close())
	}
	for _, f := range r.inputs {
		if err := f.Close(); !errors.Is(err, ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errs
}
