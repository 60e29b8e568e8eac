package supervisor

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// TaskOption is an option of a call of a kernel.
type TaskOption func(*taskOptions)

type taskOptions struct {
	limit    time.Duration
	late     int // how often what is past it is run again
	inFlight int
	chunk    int // parameters of a task of a stream

	journalDir string // of runs in place
	linked     bool   // their files may have several names
	anyBuild   bool   // of this program may have begun them
	backup     bool   // is made before
	begins     func(Change)
}

// Deadline sets how long the execution of a chunk may take. Then its worker is
// killed, and the chunk is given up with a [*DeadlineError], unless
// [DeadlineRetries] says otherwise: the kill hits this
// chunk and no other. The time begins when a worker has claimed the chunk, and
// is seen to have to some 10 ms. Goroutines cannot be killed: see [InProcess].
func Deadline(d time.Duration) TaskOption { return func(o *taskOptions) { o.limit = d } }

// DeadlineRetries sets how often a chunk that was killed at its [Deadline] is run
// again, with all of its time, before it is given up; the default is 0. Such a kill is
// no death that [Retries] counts.
func DeadlineRetries(n int) TaskOption { return func(o *taskOptions) { o.late = n } }

func taskOptionsOf(opts []TaskOption) (o taskOptions) {
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// job returns the job of a kernel in Go over an array, which is nil for none.
func (p *Pool) job(r *kernels.Routine, params []byte, x *Array, o taskOptions) (engine.Job, error) {
	if err := r.Check(); err != nil {
		return engine.Job{}, err
	}
	job := engine.Job{
		Program: wire.Program{Kernel: r.Name(), Type: r.Type(), Params: string(params)},
		Plan:    partition.Whole(format.Array{Type: r.Type(), Shape: []int64{0}}),
		Number:  wire.NoMapping,
		Limit:   o.limit,
		Late:    o.late,
	}
	if x == nil {
		return job, nil
	}
	if err := x.plain(); err != nil {
		return job, err
	}
	if err := p.takes(r, x); err != nil {
		return job, err
	}
	if x.Len() > 0 {
		job.Plan, job.Mapping, job.Number = partition.Whole(x.Array), x.file.mapping, x.file.number
	}
	return job, nil
}

// takes reports whether a kernel in Go takes the elements of an array.
func (p *Pool) takes(r *kernels.Routine, x *Array) error {
	if err := p.owns(x); err != nil {
		return err
	}
	if t := x.ValueType(); t != r.Type() {
		return fmt.Errorf("%s: array %q has elements of type %v, and kernel %q takes %v", x.file.Path(), x.Name, t, r.Name(), r.Type())
	}
	return nil
}

// Reduce computes a reduction in Go over an array of one of the pool's open
// files, in chunks. Elements that lie apart, or are big-endian, are gathered block by
// block, in C order of the array's axes, or as they lie if nothing is between them.
// When it returns, nothing of it runs any more. The zero R is
// the result of no elements.
func Reduce[R any](ctx context.Context, p *Pool, c kernels.ReduceCall[R], x *Array, opts ...TaskOption) (R, error) {
	var none R
	job, err := p.job(c.Routine(), c.Params(), nil, taskOptionsOf(opts))
	if err != nil {
		return none, err
	}
	if x == nil {
		return none, nil
	}
	if err := p.readable(ctx, x); err != nil {
		return none, err
	}
	if err := p.takes(c.Routine(), x); err != nil || x.Len() == 0 {
		return none, err
	}
	r := p.passes().scan(x)
	partials := make([]R, r.plan.Chunks())
	job.Accept = func(chunk uint64, partial []byte) (err error) {
		partials[chunk], err = c.Decode(partial)
		return err
	}
	if err := p.read(ctx, r, job); err != nil {
		return none, err
	}
	return merge(c, partials, engine.Place{File: x.file.Path(), Array: x.Name, Kernel: c.Routine().Name()})
}

// merge combines the partials of chunks. It runs the user's code in the goroutine
// that asked for it, where nothing of the pool waits.
func merge[R any](c kernels.ReduceCall[R], partials []R, place engine.Place) (total R, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Place: place, What: fmt.Sprintf("panic while merging: %v", p), Stack: string(debug.Stack())}
		}
	}()
	tree := c.NewTree()
	for chunk, r := range partials {
		tree.Add(uint64(chunk), r)
	}
	total, _ = tree.Root()
	return total, nil
}

// Apply has a map set each element of dst from that of src, in chunks. dst lies in
// an arena with [Output]; src in a file or an arena, and not where dst does. When
// Apply returns, nothing of it runs any more; after an error, dst holds results in
// some places and anything in others.
func (p *Pool) Apply(ctx context.Context, c kernels.MapCall, dst, src *Array, opts ...TaskOption) error {
	if err := p.readable(ctx, src); err != nil {
		return err
	}
	job, err := p.mapJob(c, dst, src, taskOptionsOf(opts))
	if err != nil || src.Len() == 0 {
		return err
	}
	return p.run(ctx, job, src.reading())
}

// mapJob returns the job of a map.
func (p *Pool) mapJob(c kernels.MapCall, dst, src *Array, o taskOptions) (engine.Job, error) {
	job, err := p.job(c.Routine(), c.Params(), src, o)
	if err != nil {
		return job, err
	}
	out, _ := c.Routine().Out()
	switch {
	case dst.file.pool != p:
		return job, fmt.Errorf("%s belongs to another pool", dst.file.Path())
	case !dst.file.mapping.Writable():
		return job, fmt.Errorf("%s: array %q is not for writing: make it in an arena with supervisor.Output", dst.file.Path(), dst.Name)
	case dst.Type != out:
		return job, fmt.Errorf("%s: array %q has elements of type %v, and kernel %q makes %v", dst.file.Path(), dst.Name, dst.Type, c.Routine().Name(), out)
	case dst.plain() != nil:
		return job, dst.plain()
	case dst.Len() != src.Len():
		return job, fmt.Errorf("%s: array %q has %d elements, array %q %d", dst.file.Path(), dst.Name, dst.Len(), src.Name, src.Len())
	case dst.file == src.file && dst.Offset < src.Offset+src.Size() && src.Offset < dst.Offset+dst.Size():
		return job, fmt.Errorf("%s: arrays %q and %q overlap: a map needs another array for its results", dst.file.Path(), dst.Name, src.Name)
	}
	job.Program.Target = &wire.Target{Mapping: dst.file.number, Source: uint64(src.Offset), Destination: uint64(dst.Offset)}
	job.Plan = partition.New(src.Array, p.options.chunk, p.options.workers)
	job.Accept = func(_ uint64, result []byte) error {
		if len(result) > 0 {
			return fmt.Errorf("%d bytes from a map", len(result))
		}
		return nil
	}
	return job, nil
}
