package supervisor

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/gangsaw/gangsaw/kernels"
)

// InFlight sets how many tasks [Map] and [MapUnordered] have out at most, results
// that nobody has taken among them; the default is four for each worker.
func InFlight(n int) TaskOption { return func(o *taskOptions) { o.inFlight = n } }

// ChunkSize has [Map] and [MapUnordered] make one task of n parameters, 1 to
// [MaxChunkSize], for functions that take a few microseconds: what it costs to hand
// out a task is then shared. It changes no result. An error or a panic is that of
// its parameter alone; after a death only the parameter in hand is run again, or
// blamed, and a [Deadline] is for each. A worker that goes mad can spoil the results
// of others, as it can with [Output].
//
// [InFlight] still counts tasks: with as many as that out, n times as many
// parameters are pulled, and n more once the results of a task are taken. A task
// waits until it has its n parameters, or there are no more.
func ChunkSize(n int) TaskOption { return func(o *taskOptions) { o.chunk = n } }

// MaxChunkSize is the most parameters of a task.
const MaxChunkSize = 1 << 16

// Map runs a kernel in Go, over no elements, for each of its parameters and
// yields the results in that order. It is a stage of a pipeline: no more
// parameters are pulled than may be in flight, so they may be without end. Each
// task's error comes in its place. If the context ends, the last pair has its
// cause. When the loop is over, even by a break, nothing of it runs any more: what
// was left is cancelled.
func Map[T kernels.Element, P, R any](ctx context.Context, p *Pool, f *kernels.Func[T, P, R], params iter.Seq[P], opts ...TaskOption) iter.Seq2[R, error] {
	return stream(ctx, p, f, params, func() window[R] { return &inOrder[R]{} }, taskOptionsOf(opts))
}

// MapUnordered is [Map], but yields results as they come.
func MapUnordered[T kernels.Element, P, R any](ctx context.Context, p *Pool, f *kernels.Func[T, P, R], params iter.Seq[P], opts ...TaskOption) iter.Seq2[R, error] {
	return stream(ctx, p, f, params, func() window[R] { return &asTheyCome[R]{out: map[parcel[R]]bool{}, more: make(chan struct{}, 1)} }, taskOptionsOf(opts))
}

// inFlight returns how many tasks of a stream are out at once.
func (p *Pool) inFlight(o taskOptions) int {
	if o.inFlight > 0 {
		return o.inFlight
	}
	return 4 * p.options.workers
}

// parcel is one task of a stream.
type parcel[R any] interface {
	Done() <-chan struct{}
	// cancel ends what is in work.
	cancel()
	// take yields the results, once they are there, and reports whether there may
	// be more.
	take(ctx context.Context, yield func(R, error) bool) bool
}

// sender makes parcels of parameters.
type sender[P, R any] interface {
	// send takes parameters in, and returns the parcel that they fill, if they do.
	send(v P) (parcel[R], error)
	// rest returns the parcel of what is left, nil if nothing is.
	rest() (parcel[R], error)
	// close frees what no parcel uses any more.
	close()
}

// window holds the parcels of a stream that are out.
type window[R any] interface {
	add(parcel[R])
	// next waits for the parcel whose results come next, and takes it out; nil if
	// the context ends first.
	next(ctx context.Context) parcel[R]
	// rest takes out all.
	rest() []parcel[R]
	len() int
}

func stream[T kernels.Element, P, R any](ctx context.Context, p *Pool, f *kernels.Func[T, P, R], params iter.Seq[P], newWindow func() window[R], o taskOptions) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var none R
		if o.chunk > MaxChunkSize {
			yield(none, fmt.Errorf("kernel %q: a task of %d parameters: make it %d at most", f.Name(), o.chunk, MaxChunkSize))
			return
		}
		var to sender[P, R] = &singles[T, P, R]{p, f, o}
		if o.chunk > 1 {
			to = &chunks[T, P, R]{pool: p, f: f, options: o}
		}
		out := newWindow()
		defer func() {
			rest := out.rest()
			for _, f := range rest {
				f.cancel()
			}
			for _, f := range rest {
				<-f.Done()
			}
			to.close()
		}()
		first := func() bool {
			f := out.next(ctx)
			if f == nil {
				yield(none, context.Cause(ctx))
				return false
			}
			return f.take(ctx, yield)
		}
		all := func() bool {
			for out.len() > 0 {
				if !first() {
					return false
				}
			}
			return true
		}
		for v := range params {
			if ctx.Err() != nil {
				yield(none, context.Cause(ctx))
				return
			}
			next, err := to.send(v)
			if err != nil {
				if all() {
					yield(none, err)
				}
				return
			}
			if next == nil {
				continue
			}
			out.add(next)
			if out.len() == p.inFlight(o) && !first() {
				return
			}
		}
		if ctx.Err() != nil { // which may be why there is no more
			yield(none, context.Cause(ctx))
			return
		}
		last, err := to.rest()
		if last != nil {
			out.add(last)
		}
		if all() && err != nil {
			yield(none, err)
		}
	}
}

// singles sends each parameter as a task of its own.
type singles[T kernels.Element, P, R any] struct {
	pool    *Pool
	f       *kernels.Func[T, P, R]
	options taskOptions
}

func (s *singles[T, P, R]) send(v P) (parcel[R], error) {
	f, err := submitTask(s.pool, s.f.With(v), nil, s.options)
	if err != nil {
		return nil, err // and no typed nil
	}
	return f, nil
}

func (s *singles[T, P, R]) rest() (parcel[R], error) { return nil, nil }
func (s *singles[T, P, R]) close()                   {}

func (f *Future[R]) cancel() { f.started.Cancel(ErrCancelled) }

func (f *Future[R]) take(_ context.Context, yield func(R, error) bool) bool {
	return yield(f.Result(context.Background()))
}

// inOrder is a queue.
type inOrder[R any] struct{ queue []parcel[R] }

func (w *inOrder[R]) add(f parcel[R])   { w.queue = append(w.queue, f) }
func (w *inOrder[R]) rest() []parcel[R] { return w.queue }
func (w *inOrder[R]) len() int          { return len(w.queue) }

func (w *inOrder[R]) next(ctx context.Context) parcel[R] {
	f := w.queue[0]
	if ctx.Err() != nil {
		return nil
	}
	select {
	case <-f.Done():
		w.queue = w.queue[1:]
		return f
	case <-ctx.Done():
		return nil
	}
}

// asTheyCome is a set.
type asTheyCome[R any] struct {
	out map[parcel[R]]bool

	mu    sync.Mutex
	ended []parcel[R]
	more  chan struct{} // there may be one more that has ended
}

func (w *asTheyCome[R]) rest() []parcel[R] { return slices.Collect(maps.Keys(w.out)) }
func (w *asTheyCome[R]) len() int          { return len(w.out) }

func (w *asTheyCome[R]) add(f parcel[R]) {
	w.out[f] = true
	go func() {
		<-f.Done()
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = append(w.ended, f)
		select {
		case w.more <- struct{}{}:
		default:
		}
	}()
}

func (w *asTheyCome[R]) next(ctx context.Context) parcel[R] {
	for ctx.Err() == nil {
		w.mu.Lock()
		if len(w.ended) > 0 {
			f := w.ended[0]
			w.ended = w.ended[1:]
			w.mu.Unlock()
			delete(w.out, f)
			return f
		}
		w.mu.Unlock()
		select {
		case <-w.more:
		case <-ctx.Done():
		}
	}
	return nil
}
