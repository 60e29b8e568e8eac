package supervisor

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
)

// ErrCancelled is the error of a future that was cancelled, and of one whose
// group failed.
var ErrCancelled = errors.New("the task was cancelled")

// State tells how far a future is.
type State int

// The states of a future, in their order.
const (
	Pending   State = iota // no worker has come to it
	Running                // a worker has
	Finished               // with a result or an error
	Cancelled              // before a worker came to it
)

func (s State) String() string { return [...]string{"pending", "running", "finished", "cancelled"}[s] }

// Future is the result of a task that need not be there yet. Its methods may be
// called from any goroutine.
type Future[R any] struct {
	started *engine.Started
	result  R // once done

	mu        sync.Mutex
	callbacks []func(*Future[R])
	calling   bool // a goroutine will call them
}

// Submit has one worker run a kernel in Go over a whole array of one of the
// pool's open files, or, with a nil x, over no elements. The error tells why it
// cannot be run at all; all others are the future's.
func Submit[R any](p *Pool, c kernels.Call[R], x *Array, opts ...TaskOption) (*Future[R], error) {
	return submitTask(p, c, x, taskOptionsOf(opts))
}

func submitTask[R any](p *Pool, c kernels.Call[R], x *Array, o taskOptions) (*Future[R], error) {
	if x != nil {
		if err := p.readable(context.Background(), x); err != nil {
			return nil, err
		}
	}
	job, err := p.job(c.Routine(), c.Params(), x, o)
	if err == nil && x != nil {
		err = x.whole()
	}
	if err != nil {
		return nil, err
	}
	f := &Future[R]{}
	job.Accept = func(_ uint64, result []byte) (err error) {
		f.result, err = c.Decode(result)
		return err
	}
	f.started, err = p.engine.Start(job)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Done is closed when the task has ended.
func (f *Future[R]) Done() <-chan struct{} { return f.started.Done() }

// Result waits for the task and returns its result or its error: a [*TaskError],
// [*PanicError] or [*ReadError]; a [*QuarantineError], which wraps a [*DeathError]
// or a [*DeadlineError]; [ErrCancelled]; [ErrClosed]. If the context ends first,
// its cause is returned, and the task goes on.
func (f *Future[R]) Result(ctx context.Context) (R, error) {
	var none R
	select {
	case <-f.Done():
	default:
		select {
		case <-f.Done():
		case <-ctx.Done():
			return none, context.Cause(ctx)
		}
	}
	if err := f.started.Err(); err != nil {
		return none, err
	}
	return f.result, nil
}

// Err returns the task's error, nil if it has none or has not ended.
func (f *Future[R]) Err() error {
	select {
	case <-f.Done():
		return f.started.Err()
	default:
		return nil
	}
}

// State tells how far the task is.
func (f *Future[R]) State() State {
	claimed := f.started.Claimed()
	select {
	case <-f.Done():
		// Asked again, for it may have ended in between.
		if f.started.Err() == ErrCancelled && !f.started.Claimed() {
			return Cancelled
		}
		return Finished
	default:
	}
	if claimed {
		return Running
	}
	return Pending
}

// Cancel takes the task back if no worker has come to it yet, and reports whether
// it did. Otherwise nothing changes: what ends a running task is a [Deadline].
func (f *Future[R]) Cancel() bool { return f.started.Withdraw(ErrCancelled) }

// OnDone has f called once the task has ended, at once if it has; callbacks of a
// future are called one after another, in a goroutine of their own. A panic of
// one is logged and goes no further.
func (f *Future[R]) OnDone(callback func(*Future[R])) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.callbacks = append(f.callbacks, callback)
	if !f.calling {
		f.calling = true
		go f.call()
	}
}

// call calls what callbacks there are.
func (f *Future[R]) call() {
	<-f.Done()
	ended := false
	defer func() {
		if !ended { // by runtime.Goexit, of this callback alone
			go f.call()
		}
	}()
	for {
		f.mu.Lock()
		if len(f.callbacks) == 0 {
			f.calling, ended = false, true
			f.mu.Unlock()
			return
		}
		next := f.callbacks[0]
		f.callbacks = f.callbacks[1:]
		f.mu.Unlock()
		func() {
			defer func() {
				if p := recover(); p != nil {
					slog.Error("gangsaw: a callback panicked", "panic", p, "stack", string(debug.Stack()))
				}
			}()
			next(f)
		}()
	}
}
