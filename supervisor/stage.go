package supervisor

import (
	"context"
	"errors"
	"iter"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
)

// Stage applies a map to batches as they come and yields the results in that
// order: a stage of a pipeline, whose batches may be without end. The workers
// share each batch. No more batches are pulled than [InFlight] says, 4 if it says
// nothing, and as many buffers of shared memory are used again and again; each
// batch is copied into one.
//
// What is yielded is valid until the loop goes on. A batch that fails comes as its
// error, in its place. If the context ends, the last pair has its cause. When the
// loop is over, even by a break, nothing of it runs any more. [FromChannel] and
// [ToChannel] put it between two channels.
func Stage[D, S kernels.Element, P any](ctx context.Context, p *Pool, m *kernels.Map[D, S, P], params P, in iter.Seq[[]S], opts ...TaskOption) iter.Seq2[[]D, error] {
	o := taskOptionsOf(opts)
	if o.inFlight < 1 {
		o.inFlight = 4
	}
	return func(yield func([]D, error) bool) {
		free := make([]*buffer[D, S], o.inFlight)
		for i := range free {
			free[i] = &buffer[D, S]{pool: p}
		}
		all := append([]*buffer[D, S](nil), free...)
		var out []*buffer[D, S] // in order
		defer func() {
			for _, b := range out {
				b.cancel()
			}
			for _, b := range all {
				b.close()
			}
		}()
		first := func() bool {
			b := out[0]
			result, err := b.wait(ctx)
			if ctx.Err() != nil && err != nil {
				yield(nil, context.Cause(ctx))
				return false
			}
			out = out[1:]
			more := yield(result, err)
			free = append(free, b)
			return more
		}
		for batch := range in {
			b := free[len(free)-1]
			free = free[:len(free)-1]
			b.start(m.With(params), batch, o)
			out = append(out, b)
			if len(out) == o.inFlight && !first() {
				return
			}
		}
		if ctx.Err() != nil { // which may be why there is no more
			yield(nil, context.Cause(ctx))
			return
		}
		for len(out) > 0 {
			if !first() {
				return
			}
		}
	}
}

// buffer is memory for one batch and its results.
type buffer[D, S kernels.Element] struct {
	pool    *Pool
	in, out *Arena // of equal numbers of elements, or nil
	n       int    // elements of the present batch
	started *engine.Started
	err     error // why it was not started
}

// start begins with a batch.
func (b *buffer[D, S]) start(c kernels.MapCall, batch []S, o taskOptions) {
	b.n, b.started, b.err = len(batch), nil, nil
	if b.err = b.room(); b.err != nil || b.n == 0 {
		return
	}
	copy(b.in.memory, shm.Bytes(batch))
	src, err := b.in.Array("batch", kernels.TypeFor[S](), b.in.memory[:b.n*kernels.TypeFor[S]().Size()])
	if err != nil {
		b.err = err
		return
	}
	dst, err := b.out.Array("result", kernels.TypeFor[D](), b.out.memory[:b.n*kernels.TypeFor[D]().Size()])
	if err != nil {
		b.err = err
		return
	}
	job, err := b.pool.mapJob(c, dst, src, o)
	if err == nil {
		b.started, err = b.pool.engine.Start(job)
	}
	b.err = err
}

// room makes room for the present batch.
func (b *buffer[D, S]) room() (err error) {
	in, out := b.n*kernels.TypeFor[S]().Size(), b.n*kernels.TypeFor[D]().Size()
	if b.n == 0 || b.in != nil && in <= len(b.in.memory) && out <= len(b.out.memory) {
		return nil
	}
	if err := b.close(); err != nil {
		return err
	}
	if b.in, err = b.pool.Arena(in); err != nil {
		return err
	}
	b.out, err = b.pool.Arena(out, Output())
	return err
}

// wait returns the results of the present batch, or why there are none, which is
// the context's cause if it ends first.
func (b *buffer[D, S]) wait(ctx context.Context) ([]D, error) {
	if b.err != nil || b.started == nil {
		return nil, b.err
	}
	select {
	case <-b.started.Done():
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := b.started.Err(); err != nil {
		// A worker that was given up, and could not be killed, may still write.
		if cerr := b.close(); cerr != nil {
			err = errors.Join(err, cerr)
		}
		return nil, err
	}
	return shm.View[D](b.out.memory[:b.n*kernels.TypeFor[D]().Size()])
}

// cancel ends what is in work, and waits for it.
func (b *buffer[D, S]) cancel() {
	if b.started != nil {
		b.started.Cancel(ErrCancelled)
		<-b.started.Done()
	}
}

// close frees the memory, which nothing uses any more.
func (b *buffer[D, S]) close() (err error) {
	for _, a := range []**Arena{&b.in, &b.out} {
		if *a != nil {
			err = errors.Join(err, (*a).Close())
			*a = nil
		}
	}
	return err
}
