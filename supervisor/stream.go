package supervisor

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/gangsaw/gangsaw/kernels"
)

// InFlight sets how many tasks [Map] and [MapUnordered] have out at most, results
// that nobody has taken among them; the default is four for each worker.
func InFlight(n int) TaskOption { return func(o *taskOptions) { o.inFlight = n } }

// Map runs a kernel in Go, over no elements, for each of its parameters and
// yields the results in that order. It is a stage of a pipeline: no more
// parameters are pulled than may be in flight, so they may be without end. Each
// task's error comes in its place. If the context ends, the last pair has its
// cause. When the loop is over, even by a break, nothing of it runs any more: what
// was left is cancelled.
func Map[T kernels.Element, P, R any](ctx context.Context, p *Pool, f *kernels.Func[T, P, R], params iter.Seq[P], opts ...TaskOption) iter.Seq2[R, error] {
	return stream(ctx, p, f, params, func() window[R] { return &inOrder[R]{} }, opts)
}

// MapUnordered is [Map], but yields results as they come.
func MapUnordered[T kernels.Element, P, R any](ctx context.Context, p *Pool, f *kernels.Func[T, P, R], params iter.Seq[P], opts ...TaskOption) iter.Seq2[R, error] {
	return stream(ctx, p, f, params, func() window[R] { return &asTheyCome[R]{out: map[*Future[R]]bool{}, more: make(chan struct{}, 1)} }, opts)
}

// inFlight returns how many tasks of a stream are out at once.
func (p *Pool) inFlight(opts []TaskOption) int {
	if n := taskOptionsOf(opts).inFlight; n > 0 {
		return n
	}
	return 4 * p.options.workers
}

// window holds the tasks of a stream that are out.
type window[R any] interface {
	add(*Future[R])
	// next waits for the task whose result comes next, and takes it out; nil if
	// the context ends first.
	next(ctx context.Context) *Future[R]
	// rest takes out all.
	rest() []*Future[R]
	len() int
}

func stream[T kernels.Element, P, R any](ctx context.Context, p *Pool, f *kernels.Func[T, P, R], params iter.Seq[P], newWindow func() window[R], opts []TaskOption) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		out := newWindow()
		defer func() {
			rest := out.rest()
			for _, f := range rest {
				f.started.Cancel(ErrCancelled)
			}
			for _, f := range rest {
				<-f.Done()
			}
		}()
		var none R
		one := func() bool {
			f := out.next(ctx)
			if f == nil {
				yield(none, context.Cause(ctx))
				return false
			}
			return yield(f.Result(context.Background())) // it is there
		}
		for v := range params {
			if ctx.Err() != nil {
				yield(none, context.Cause(ctx))
				return
			}
			next, err := Submit(p, f.With(v), nil, opts...)
			if err != nil {
				for out.len() > 0 {
					if !one() {
						return
					}
				}
				yield(none, err)
				return
			}
			out.add(next)
			if out.len() == p.inFlight(opts) && !one() {
				return
			}
		}
		for out.len() > 0 {
			if !one() {
				return
			}
		}
	}
}

// inOrder is a queue.
type inOrder[R any] struct{ queue []*Future[R] }

func (w *inOrder[R]) add(f *Future[R])   { w.queue = append(w.queue, f) }
func (w *inOrder[R]) rest() []*Future[R] { return w.queue }
func (w *inOrder[R]) len() int           { return len(w.queue) }

func (w *inOrder[R]) next(ctx context.Context) *Future[R] {
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
	out map[*Future[R]]bool

	mu    sync.Mutex
	ended []*Future[R]
	more  chan struct{} // there may be one more that has ended
}

func (w *asTheyCome[R]) rest() []*Future[R] { return slices.Collect(maps.Keys(w.out)) }
func (w *asTheyCome[R]) len() int           { return len(w.out) }

func (w *asTheyCome[R]) add(f *Future[R]) {
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

func (w *asTheyCome[R]) next(ctx context.Context) *Future[R] {
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
