package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Query is expressions over arrays, see package expr for how they are written.
type Query struct {
	Text   string   // expressions, separated by commas
	Where  string   // a mask to whose elements reductions are restricted, or ""
	Arrays []*Array // by their names
	// NullsAreNaN takes elements that are null for NaN. Otherwise an array that has
	// nulls is refused with a [*NullsError].
	NullsAreNaN bool
	// Reads, if not nil, is called before anything is read, with how many bytes are
	// going to be in all passes, about.
	Reads func(bytes uint64)
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
	return p.passes().evaluate(ctx, q, ends)
}

func (p passes) evaluate(ctx context.Context, q Query, ends int) (_ *Answer, err error) {
	// Elements are shown in the order in which NumPy prints them.
	e, err := p.compile(ctx, q, expr.Options{Apart: true, Order: expr.COrder})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	if p.rounds != nil {
		if err := e.shareable(); err != nil {
			return nil, err
		}
	}
	e.foretell(q, false)
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
	for last != nil && ends > 0 {
		if err := e.preview(ctx, last, ends, a); err != nil {
			return nil, err
		}
		// What follows makes arrays of other shapes.
		if err := e.run.Finish(e.run.NewMerger(last, 1)); err != nil {
			return nil, err
		}
		if last, err = e.run.Next(); err != nil {
			return nil, err
		}
	}
	a.Notes = e.run.Notes()
	return a, nil
}

// evaluation is one computation of a query.
type evaluation struct {
	passes
	query   Query
	options expr.Options
	plan    *expr.Plan
	run     *expr.Run
	arrays  []*Array
	orders  []orders
	tables  map[*expr.Table]*Array // in arenas
	arenas  []*Arena
	picks   *shared // the places of what surveys take of each chunk, if they take a part
}

// compile checks a query that a pool computes by itself.
func (p *Pool) compile(ctx context.Context, q Query, o expr.Options) (*evaluation, error) {
	return p.passes().compile(ctx, q, o)
}

// compile checks a query.
func (p passes) compile(ctx context.Context, q Query, o expr.Options) (*evaluation, error) {
	o.Where = q.Where
	inputs, err := p.pool.inputs(q.Arrays)
	if err != nil {
		return nil, err
	}
	plan, err := expr.Compile(q.Text, inputs, o)
	if err != nil {
		return nil, err
	}
	again := false
	for _, i := range plan.Inputs() {
		x := q.Arrays[i]
		if err := p.pool.readable(ctx, x); err != nil {
			return nil, err
		}
		if nulls, _ := x.Nulls(); nulls > 0 && !q.NullsAreNaN {
			return nil, &NullsError{x.file.Path(), x.Name, nulls}
		}
		if p.rounds != nil {
			if err := x.shareable(); err != nil {
				return nil, err
			}
		}
		again = again || x.ValueType() != inputs[i].Type
		inputs[i].Type = x.ValueType()
	}
	if again {
		// Nulls have made integers float64.
		if plan, err = expr.Compile(q.Text, inputs, o); err != nil {
			return nil, err
		}
	}
	e := &evaluation{passes: p, query: q, options: o, plan: plan, run: plan.Start(), arrays: q.Arrays, tables: map[*expr.Table]*Array{}}
	e.order()
	return e, nil
}

// inputs describes arrays, as far as is known before they are read.
func (p *Pool) inputs(arrays []*Array) ([]expr.Input, error) {
	var inputs []expr.Input
	for _, x := range arrays {
		if x.file.pool != p {
			return nil, fmt.Errorf("%s was opened by another pool", x.file.Path())
		}
		shape := make([]int, len(x.Shape))
		for i, n := range x.Shape {
			shape[i] = int(n)
		}
		t := x.ValueType()
		if !t.Valid() {
			t = kernels.Float64 // it is refused if it is used
		}
		inputs = append(inputs, expr.Input{Name: x.Name, Type: t, Shape: shape, Fortran: x.Fortran})
	}
	return inputs, nil
}

// foretell tells who asked a query how many bytes will be read, with or without those
// for results that are arrays.
func (e *evaluation) foretell(q Query, results bool) {
	used := e.plan.Inputs()
	if q.Reads == nil || len(used) == 0 {
		return
	}
	first := e.arrays[used[0]]
	if e.rounds != nil {
		q.Reads(uint64(first.Size()) / uint64(e.rounds.shard.Of)) // in one pass
		return
	}
	bytes := uint64(0)
	for _, o := range e.orders {
		n := uint64(first.Type.Size())
		for _, k := range e.plan.Quantiles()[o.places[0]].Shape {
			n *= uint64(k)
		}
		bytes += 2 * n // the second pass after a sample
	}
	for _, n := range e.plan.Lengths(results) {
		bytes += n * uint64(first.Type.Size())
	}
	q.Reads(bytes)
}

// close frees what the passes have left.
func (e *evaluation) close() error {
	var errs []error
	for _, a := range e.arenas {
		errs = append(errs, a.Close())
	}
	e.arenas = nil
	if e.picks != nil {
		errs = append(errs, e.picks.close())
	}
	return errors.Join(errs...)
}

// reduce finds the quantiles, and runs all passes but one that makes arrays alone,
// which it returns.
func (e *evaluation) reduce(ctx context.Context) (*expr.Pass, error) {
	if err := e.quantiles(ctx); err != nil {
		return nil, err
	}
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

// pass runs a pass over all of its elements, with its outputs bound.
func (e *evaluation) pass(ctx context.Context, pass *expr.Pass, outputs []wire.Source) error {
	job, err := e.job(pass)
	if err != nil {
		return err
	}
	merger := e.run.NewMerger(pass, job.Plan.PerRow())
	if pass.RowCount() > 0 && pass.RowLength() > 0 {
		run := func(accept func(uint64, []byte) error, from, to uint64) error {
			job.Accept, job.From, job.To = accept, from, to
			b, err := e.bind(pass, job.Plan, outputs)
			if err != nil {
				return err
			}
			return e.do(ctx, job, b)
		}
		if e.rounds != nil {
			err = e.fold(pass, job.Plan, merger, run)
		} else {
			err = run(accept(pass, job.Plan, merger), 0, 0)
		}
		if err != nil {
			return err
		}
	}
	return e.run.Finish(merger)
}

// accept returns what takes the partials of the rows of a chunk.
func accept(pass *expr.Pass, plan partition.Plan, merger *expr.Merger) func(uint64, []byte) error {
	size, rows := pass.PartialSize(), pass.RowCount()
	return func(chunk uint64, partials []byte) error {
		first := chunk / plan.PerRow() * plan.Tile()
		count := min(plan.Tile(), rows-first)
		if uint64(len(partials)) != count*uint64(size) {
			return fmt.Errorf("partials of %d bytes of %d rows, want %d of each", len(partials), count, size)
		}
		for i := range count {
			if err := merger.Add(int(first+i), chunk%plan.PerRow(), partials[int(i)*size:int(i+1)*size]); err != nil {
				return err
			}
		}
		return nil
	}
}

// primary returns the array by which a pass is cut into chunks.
func (e *evaluation) primary(pass *expr.Pass) *Array {
	for _, in := range pass.Inputs {
		if in.Table == nil {
			return e.arrays[in.Input]
		}
	}
	return e.arrays[e.plan.Inputs()[0]]
}

// job returns the job of a pass.
func (e *evaluation) job(pass *expr.Pass) (engine.Job, error) {
	plan, err := e.cut(pass)
	if err != nil {
		return engine.Job{}, err
	}
	return e.jobOf(pass, plan), nil
}

// jobOf returns the job of a pass that is cut already.
func (e *evaluation) jobOf(pass *expr.Pass, plan partition.Plan) engine.Job {
	first := e.primary(pass)
	job := engine.Job{
		Program: wire.Program{Type: first.Type},
		Plan:    plan,
		Mapping: first.file.mapping,
		Number:  first.file.number,
	}
	for _, in := range pass.Inputs {
		if in.Table != nil {
			continue
		}
		for _, m := range e.arrays[in.Input].mappings() {
			if m != job.Mapping && !slices.Contains(job.Also, m) {
				job.Also = append(job.Also, m)
			}
		}
	}
	return job
}

// cut cuts a pass into chunks.
func (e *evaluation) cut(pass *expr.Pass) (partition.Plan, error) {
	first := e.primary(pass)
	if size := uint64(pass.PartialSize()); pass.Rows > 0 {
		if size > wire.MaxLong {
			return partition.Plan{}, fmt.Errorf("the reductions along axes of one pass have partials of %d bytes, more than %d: ask for fewer at a time", size, wire.MaxLong)
		}
		return partition.Rows(first.Array, pass.RowCount(), pass.RowLength(), wire.MaxLong/max(1, size), e.chunk, e.workers), nil
	}
	if len(pass.Inputs) > 0 && pass.Inputs[0].Table == nil && first.Contiguous() && uint64(first.Len()) == pass.RowLength() && whole(pass, pass.Inputs[0], first) {
		return partition.New(first.Array, e.chunk, e.workers), nil
	}
	return partition.Scattered(first.Array, pass.RowLength(), e.chunk, e.workers), nil
}

// whole reports whether a pass goes over an array as it lies.
func whole(pass *expr.Pass, in expr.Operand, x *Array) bool {
	strides := stridesOf(in, x.ByteStrides())
	step := int64(x.Type.Size())
	for i, n := range slices.Backward(pass.Shape) {
		if n > 1 && strides[i] != step {
			return false
		}
		step *= int64(n)
	}
	return true
}

// stridesOf returns how a pass goes over an array of such strides.
func stridesOf(in expr.Operand, strides []int64) []int64 {
	out := make([]int64, len(in.Axes))
	for i, axis := range in.Axes {
		if axis >= 0 {
			out[i] = strides[axis] * int64(in.Steps[i])
		}
	}
	return out
}

// bind says where the arrays of a pass lie, and how it goes over them.
func (e *evaluation) bind(pass *expr.Pass, plan partition.Plan, outputs []wire.Source) (*wire.Binding, error) {
	b := &wire.Binding{Rows: pass.Rows, Tile: plan.Tile(), Length: pass.RowLength(), Outputs: outputs, Program: pass.Program}
	b.Chunk = plan.ChunkBytes() / uint64(plan.ElementSize())
	for _, n := range pass.Shape {
		b.Shape = append(b.Shape, uint64(n))
	}
	for _, in := range pass.Inputs {
		x, err := e.array(in)
		if err != nil {
			return nil, err
		}
		b.Inputs = append(b.Inputs, sourceOver(in, x, b.Shape))
	}
	return b, nil
}

// array returns the array that an operand is about.
func (e *evaluation) array(in expr.Operand) (*Array, error) {
	if in.Table == nil {
		return e.arrays[in.Input], nil
	}
	if x := e.tables[in.Table]; x != nil {
		return x, nil
	}
	arena, err := e.pool.Arena(max(1, len(in.Table.Bytes)))
	if err != nil {
		return nil, err
	}
	e.arenas = append(e.arenas, arena)
	copy(arena.memory, in.Table.Bytes)
	x := &Array{Array: tableArray(in.Table), file: arena.file}
	e.tables[in.Table] = x
	return x, nil
}

// tableArray describes the values of a reduction along axes, at the beginning of a
// file.
func tableArray(t *expr.Table) format.Array {
	a := format.Array{Type: t.Type}
	for _, n := range t.Shape {
		a.Shape = append(a.Shape, int64(n))
	}
	return a
}

// sourceOf returns where the elements of an operand lie.
func sourceOf(in expr.Operand, x *Array) wire.Source {
	s := wire.Source{Mapping: x.file.number, Type: x.Type, Swapped: x.Swapped, Offset: uint64(x.Offset), Scaling: x.scaling()}
	strides := x.ByteStrides()
	s.Strides = stridesOf(in, strides)
	for axis, from := range in.From {
		s.Offset += uint64(strides[axis] * int64(from))
	}
	return s
}

// do runs a job whose program is bound.
func (e *evaluation) do(ctx context.Context, job engine.Job, b *wire.Binding) error {
	c, err := e.pool.newCode(b.Encode())
	if err != nil {
		return err
	}
	job.Program.Code = c.program
	return errors.Join(e.pool.run(ctx, job, readings(b)...), c.close())
}

// shared is memory that workers read.
type shared struct {
	pool    *Pool
	number  uint32 // of the mapping
	mapping *shm.Mapping
	free    func() error
}

func (p *Pool) share(bytes []byte) (*shared, error) {
	mapping, memory, free, err := newArenaMemory(len(bytes), false, p.InProcess())
	if err != nil {
		return nil, err
	}
	copy(memory, bytes)
	number, err := p.engine.Attach(mapping)
	if err != nil {
		return nil, errors.Join(err, mapping.Close(), free())
	}
	return &shared{p, number, mapping, free}, nil
}

func (s *shared) close() error {
	if err := s.pool.engine.Detach(s.number); err != nil && !errors.Is(err, ErrClosed) {
		return err
	}
	return errors.Join(s.mapping.Close(), s.free())
}

// boundCode is a binding, or a survey, in memory that workers read.
type boundCode struct {
	*shared
	program *wire.Code
}

func (p *Pool) newCode(bytes []byte) (*boundCode, error) {
	s, err := p.share(bytes)
	if err != nil {
		return nil, err
	}
	return &boundCode{s, &wire.Code{Mapping: s.number, Length: uint32(len(bytes)), Checksum: wire.Sum(bytes)}}, nil
}

// preview computes the ends of the arrays that a pass makes.
func (e *evaluation) preview(ctx context.Context, pass *expr.Pass, ends int, a *Answer) error {
	n := int64(pass.RowLength())
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
	job, err := e.job(pass)
	if err != nil {
		return nil, err
	}
	job.Plan = partition.Scattered(job.Plan.Array(), uint64(count), kernels.BlockLen*8, 1)
	job.Accept = func(uint64, []byte) error { return nil }
	var outputs []wire.Source
	for i, result := range pass.Outputs {
		t := e.plan.Results()[result].Type
		at := i * kernels.BlockLen * 8
		outputs = append(outputs, wire.Source{Mapping: arena.file.number, Type: t, Offset: uint64(at)})
		all = append(all, arena.memory[at:][:int(count)*t.Size()])
	}
	b, err := e.bind(pass, job.Plan, outputs)
	if err != nil {
		return nil, err
	}
	b.First, b.Length = uint64(first), uint64(count)
	if err := e.do(ctx, job, b); err != nil {
		return nil, err
	}
	for i := range all {
		all[i] = slices.Clone(all[i]) // the arena goes
	}
	return all, nil
}
