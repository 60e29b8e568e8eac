package supervisor

import (
	"errors"
	"fmt"

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
		a := e.arrays[i]
		if a.file != x.file && (a.file.format == arenaFormat || x.file.format == arenaFormat || !a.file.mapping.Same(x.file.mapping)) {
			continue
		}
		apart := a.Offset >= x.Offset+x.Size() || x.Offset >= a.Offset+a.Size()
		if !apart && (a.Offset != x.Offset || a.Size() != x.Size()) {
			return nil, fmt.Errorf("arrays %q and %q overlap, but not element for element: write the result to a new file", a.Name, x.Name)
		}
	}
	return &change{}, nil
}

// read notes what the pass that makes the new elements reads.
func (r *change) read(e *evaluation, pass *expr.Pass, text string, x *Array) error {
	r.program = journal.Program{Text: text, Code: pass.Program}
	r.binding = &wire.Binding{Program: pass.Program, Replaced: -1}
	for n, i := range pass.Inputs {
		a := e.arrays[i]
		r.binding.Inputs = append(r.binding.Inputs, source(a))
		if a == x {
			r.binding.Replaced = n
			r.program.Inputs = append(r.program.Inputs, journal.Input{Replaced: true})
			continue
		}
		if a.file == x.file && x.file.format == arenaFormat {
			continue
		}
		if a.file.format == arenaFormat || x.file.format == arenaFormat || !a.file.mapping.Same(x.file.mapping) {
			r.job.Also = append(r.job.Also, a.file.mapping)
		}
		if x.file.format == arenaFormat {
			continue // nobody resumes it
		}
		input, err := inputOf(a, x.file)
		if err != nil {
			return err
		}
		r.program.Inputs = append(r.program.Inputs, input)
	}
	if r.binding.Replaced < 0 {
		return fmt.Errorf("the expression does not read array %q, which it is to replace: add 0*%s to it, or write a new file", x.Name, x.Name)
	}
	return nil
}

// source returns where the elements of an array lie.
func source(x *Array) wire.Source {
	return wire.Source{Mapping: x.file.number, Type: x.Type, Offset: uint64(x.Offset)}
}

// inputOf describes an array that is read while one in a file is changed.
func inputOf(a *Array, changed *File) (journal.Input, error) {
	if a.file.format == arenaFormat {
		return journal.Input{}, fmt.Errorf("array %q lies in an arena, which is gone when the run is to be resumed: write it to a file first", a.Name)
	}
	id, err := journal.InputOf(a.file.mapping, a.Array)
	if a.file.mapping.Same(changed.mapping) {
		id = id.Beside() // the rest changes with the run
	}
	return journal.Input{Target: id, Array: journal.ArrayOf(a.Array)}, err
}

// expressions opens what the expressions of a run that was interrupted read.
func (r *change) expressions(array format.Array) error {
	if _, err := expr.Decode(r.program.Code); err != nil {
		return r.refuse(err.Error(), "resume with the version of gangsaw that began the run ("+r.journal.Header.Gangsaw+")")
	}
	r.binding = &wire.Binding{Program: r.program.Code, Replaced: -1}
	for n, input := range r.program.Inputs {
		if input.Replaced {
			r.binding.Replaced = n
			r.binding.Inputs = append(r.binding.Inputs, wire.Source{Type: array.Type, Offset: uint64(array.Offset)})
			continue
		}
		a, err := r.reopenInput(input)
		if err != nil {
			return err
		}
		r.binding.Inputs = append(r.binding.Inputs, source(a))
	}
	if r.binding.Replaced < 0 {
		return r.refuse("its expressions replace nothing", "abandon it")
	}
	return nil
}

// reopenInput opens an input of a run that was interrupted.
func (r *change) reopenInput(input journal.Input) (*Array, error) {
	f, err := r.pool.openInput(input.Target.Path)
	if err != nil {
		return nil, err
	}
	r.inputs = append(r.inputs, f)
	a, err := input.Of()
	if err != nil {
		return nil, err
	}
	id, err := journal.InputOf(f.mapping, a)
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
	return &Array{a, f}, nil
}

// bind tells the program what it changes, under which journal.
func (r *change) bind(to *wire.InPlace) (err error) {
	if r.binding == nil {
		r.job.Program.InPlace = to
		return nil
	}
	array := r.job.Plan.Array()
	r.binding.Chunk = r.job.Plan.ChunkBytes() / uint64(array.Type.Size())
	r.binding.InPlace = to
	r.binding.Inputs[r.binding.Replaced].Mapping = r.job.Number
	if r.code, err = r.pool.newCode(r.binding); err == nil {
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
