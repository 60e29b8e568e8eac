package supervisor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/npy"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Query is expressions over arrays, see package expr for how they are written.
type Query struct {
	Text   string   // expressions, separated by commas
	Where  string   // a mask to whose elements reductions are restricted, or ""
	Arrays []*Array // by their names; all those that are used have one shape
}

// Named returns the array under another name, for a [Query].
func (x *Array) Named(name string) *Array {
	renamed := *x
	renamed.Name = name
	return &renamed
}

// Answer is what expressions are found to be.
type Answer struct {
	Results []Evaluated
	Notes   []expr.Note // about NaN
}

// Evaluated is the value of one expression.
type Evaluated struct {
	expr.Result
	Scalar expr.Value // if it is no array
	// Head and Tail are the first and the last elements of an array, as bytes of
	// its type in this machine's order; all are in Head if there are few.
	Head, Tail []byte
}

// Eval computes expressions whose values are scalars, such as "mean(x), std(x)",
// each over whole arrays, in as few passes over them as it takes. A mistake in the
// text is an [*expr.Error].
func (p *Pool) Eval(ctx context.Context, text string, arrays ...*Array) ([]expr.Value, error) {
	a, err := p.Evaluate(ctx, Query{Text: text, Arrays: arrays}, 0)
	if err != nil {
		return nil, err
	}
	var values []expr.Value
	for _, r := range a.Results {
		if r.Array {
			return nil, fmt.Errorf("%s is an array: write it to a file by EvalTo, or reduce it, by mean(...) say", r.Expr)
		}
		values = append(values, r.Scalar)
	}
	return values, nil
}

// Evaluate computes the scalars among the expressions of a query, and of those
// that are arrays so many elements at either end, for which no others are computed.
func (p *Pool) Evaluate(ctx context.Context, q Query, ends int) (*Answer, error) {
	e, err := p.compile(q, expr.Options{Apart: true})
	if err != nil {
		return nil, err
	}
	last, err := e.reduce(ctx)
	if err != nil {
		return nil, err
	}
	a := &Answer{}
	for i, r := range e.plan.Results() {
		v := Evaluated{Result: r}
		if !r.Array {
			if v.Scalar, err = e.run.Value(i); err != nil {
				return nil, err
			}
		}
		a.Results = append(a.Results, v)
	}
	if last != nil && ends > 0 {
		if err := e.preview(ctx, last, ends, a); err != nil {
			return nil, err
		}
	}
	a.Notes = e.run.Notes()
	return a, nil
}

// EvalTo writes the array that a query's only expression is to a new file: .npy, or,
// with any other ending, bare numbers. It is there once it is complete; one of that
// name is replaced only with overwrite. It returns what is in it.
func (p *Pool) EvalTo(ctx context.Context, q Query, path string, overwrite bool) (format.Array, []expr.Note, error) {
	var none format.Array
	e, err := p.compile(q, expr.Options{})
	if err != nil {
		return none, nil, err
	}
	switch r := e.plan.Results(); {
	case len(r) != 1:
		return none, nil, fmt.Errorf("%d expressions do not fit into one file: give one", len(r))
	case !r[0].Array:
		return none, nil, fmt.Errorf("%s is a scalar, and no array to write to a file", r[0].Expr)
	case q.Where != "":
		return none, nil, errors.New("a condition restricts reductions: an array is written whole, use where(...)")
	}
	a, err := e.write(ctx, path, overwrite)
	return a, e.run.Notes(), err
}

// evaluation is one computation of a query.
type evaluation struct {
	pool   *Pool
	plan   *expr.Plan
	run    *expr.Run
	arrays []*Array
}

// compile checks a query.
func (p *Pool) compile(q Query, o expr.Options) (*evaluation, error) {
	var inputs []expr.Input
	for _, x := range q.Arrays {
		if x.file.pool != p {
			return nil, fmt.Errorf("%s was opened by another pool", x.file.Path())
		}
		shape := make([]int, len(x.Shape))
		for i, n := range x.Shape {
			shape[i] = int(n)
		}
		inputs = append(inputs, expr.Input{Name: x.Name, Type: x.Type, Shape: shape})
	}
	o.Where = q.Where
	plan, err := expr.Compile(q.Text, inputs, o)
	if err != nil {
		return nil, err
	}
	e := &evaluation{p, plan, plan.Start(), q.Arrays}
	used := plan.Inputs()
	for _, i := range used {
		if a, b := q.Arrays[used[0]], q.Arrays[i]; a.Fortran != b.Fortran && len(a.Shape) > 1 {
			return nil, fmt.Errorf("arrays %q and %q lie in C and in Fortran order, and cannot be combined yet: write one in the other's order", a.Name, b.Name)
		}
	}
	return e, nil
}

// reduce runs all passes but one that makes arrays alone, which it returns.
func (e *evaluation) reduce(ctx context.Context) (*expr.Pass, error) {
	for {
		pass, err := e.run.Next()
		if pass == nil || err != nil || len(pass.Outputs) > 0 {
			return pass, err
		}
		if err := e.pass(ctx, pass, nil); err != nil {
			return nil, err
		}
	}
}

// pass runs a pass over the whole arrays, with its outputs bound.
func (e *evaluation) pass(ctx context.Context, pass *expr.Pass, outputs []wire.Source) error {
	merger := pass.NewMerger()
	if first := e.primary(pass); first.Len() > 0 {
		job := e.job(pass, partition.New(first.Array, e.pool.options.chunk, e.pool.options.workers))
		job.Accept = merger.Add
		if err := e.do(ctx, job, e.bind(pass, job, outputs)); err != nil {
			return err
		}
	}
	return e.run.Finish(merger)
}

// primary returns the array by which a pass is cut into chunks.
func (e *evaluation) primary(pass *expr.Pass) *Array {
	return e.arrays[append(pass.Inputs[:len(pass.Inputs):len(pass.Inputs)], e.plan.Inputs()...)[0]]
}

// job returns the job of a pass over the arrays, cut as the plan for its first
// says.
func (e *evaluation) job(pass *expr.Pass, plan partition.Plan) engine.Job {
	first := e.primary(pass)
	job := engine.Job{
		Program: wire.Program{Type: first.Type},
		Plan:    plan,
		Mapping: first.file.mapping,
		Number:  first.file.number,
	}
	for _, i := range pass.Inputs {
		if m := e.arrays[i].file.mapping; m != job.Mapping && !slices.Contains(job.Also, m) {
			job.Also = append(job.Also, m)
		}
	}
	return job
}

// bind says where the arrays of a pass lie.
func (e *evaluation) bind(pass *expr.Pass, job engine.Job, outputs []wire.Source) *wire.Binding {
	array := job.Plan.Array()
	b := &wire.Binding{Chunk: job.Plan.ChunkBytes() / uint64(array.Type.Size()), Outputs: outputs, Program: pass.Program}
	for _, i := range pass.Inputs {
		b.Inputs = append(b.Inputs, source(e.arrays[i]))
	}
	return b
}

// do runs a job whose program is bound.
func (e *evaluation) do(ctx context.Context, job engine.Job, b *wire.Binding) error {
	c, err := e.pool.newCode(b)
	if err != nil {
		return err
	}
	job.Program.Code = c.program
	return errors.Join(e.pool.engine.Run(ctx, job), c.close())
}

// boundCode is a binding in memory that workers read.
type boundCode struct {
	pool    *Pool
	program *wire.Code
	mapping *shm.Mapping
	free    func() error
}

func (p *Pool) newCode(b *wire.Binding) (*boundCode, error) {
	bytes := b.Encode()
	mapping, memory, free, err := newArenaMemory(len(bytes), false, p.InProcess())
	if err != nil {
		return nil, err
	}
	copy(memory, bytes)
	number, err := p.engine.Attach(mapping)
	if err != nil {
		return nil, errors.Join(err, mapping.Close(), free())
	}
	return &boundCode{p, &wire.Code{Mapping: number, Length: uint32(len(bytes)), Checksum: wire.Sum(bytes)}, mapping, free}, nil
}

func (c *boundCode) close() error {
	if err := c.pool.engine.Detach(c.program.Mapping); err != nil && !errors.Is(err, ErrClosed) {
		return err
	}
	return errors.Join(c.mapping.Close(), c.free())
}

// preview computes the ends of the arrays that a pass makes.
func (e *evaluation) preview(ctx context.Context, pass *expr.Pass, ends int, a *Answer) error {
	n := e.primary(pass).Len()
	k := min(int64(min(ends, kernels.BlockLen)), n)
	if n <= 2*k && n <= kernels.BlockLen {
		k = n // all of it
	}
	head, err := e.part(ctx, pass, 0, k)
	if err != nil {
		return err
	}
	tail := make([][]byte, len(pass.Outputs))
	if k < n {
		if tail, err = e.part(ctx, pass, max(k, n-k), n-max(k, n-k)); err != nil {
			return err
		}
	}
	for i, result := range pass.Outputs {
		a.Results[result].Head, a.Results[result].Tail = head[i], tail[i]
	}
	return nil
}

// part computes count elements of the arrays that a pass makes, from the first on.
func (e *evaluation) part(ctx context.Context, pass *expr.Pass, first, count int64) (all [][]byte, err error) {
	if count == 0 {
		return make([][]byte, len(pass.Outputs)), nil
	}
	arena, err := e.pool.Arena(len(pass.Outputs)*kernels.BlockLen*8, Output())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, arena.Close()) }()
	some := e.primary(pass).Array
	some.Shape, some.Offset = []int64{count}, some.Offset+first*int64(some.Type.Size())
	job := e.job(pass, partition.Whole(some))
	job.Accept = func(uint64, []byte) error { return nil }
	var outputs []wire.Source
	for i, result := range pass.Outputs {
		t := e.plan.Results()[result].Type
		at := i * kernels.BlockLen * 8
		outputs = append(outputs, wire.Source{Mapping: arena.file.number, Type: t, Offset: uint64(at)})
		all = append(all, arena.memory[at:][:int(count)*t.Size()])
	}
	b := e.bind(pass, job, outputs)
	for i := range b.Inputs {
		b.Inputs[i].Offset += uint64(first) * uint64(b.Inputs[i].Type.Size())
	}
	if err := e.do(ctx, job, b); err != nil {
		return nil, err
	}
	for i := range all {
		all[i] = slices.Clone(all[i]) // the arena goes
	}
	return all, nil
}

// write writes the only result to a new file.
func (e *evaluation) write(ctx context.Context, path string, overwrite bool) (format.Array, error) {
	r := e.plan.Results()[0]
	like := e.arrays[e.plan.Inputs()[0]]
	made := format.Array{Type: r.Type, Shape: like.Shape, Fortran: like.Fortran}
	var header []byte
	if filepath.Ext(path) == ".npy" {
		var err error
		if header, err = npy.Header(made); err != nil {
			return made, fmt.Errorf("%s: %w", path, err)
		}
	}
	made.Offset = int64(len(header))
	out, err := shm.CreateOutput(path, overwrite)
	if err != nil {
		return made, err
	}
	defer out.Discard()
	if err := out.Reserve(made.Offset + made.Size()); err != nil {
		return made, err
	}
	if _, err := out.WriteAt(header, 0); err != nil {
		return made, err
	}
	if err := e.fill(ctx, out, made); err != nil {
		return made, err
	}
	return made, out.Commit()
}

// fill has workers write the elements of the array to a file.
func (e *evaluation) fill(ctx context.Context, out *shm.Output, made format.Array) (err error) {
	var outputs []wire.Source
	if made.Size() > 0 {
		mapping, number, err := e.pool.writable(out)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, e.pool.engine.Detach(number), mapping.Close()) }()
		outputs = []wire.Source{{Mapping: number, Type: made.Type, Offset: uint64(made.Offset)}}
	}
	pass, err := e.reduce(ctx)
	if err != nil {
		return err
	}
	return e.pass(ctx, pass, outputs)
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
