package supervisor

import (
	"context"
	"errors"
	"sync"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
)

// Group is the tasks of a [Scope].
type Group struct {
	pool   *Pool
	ctx    context.Context
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	err   error // the first
	tasks map[*engine.Started]bool
	none  *sync.Cond // of tasks
	over  bool
}

// ErrScopeOver is returned by [SubmitTo] once the group's [Scope] has returned.
var ErrScopeOver = errors.New("the scope of the group is over")

// Scope calls f with a group of tasks, waits for those that f submitted to it
// and returns the first error, of f or of a task: that cancels the rest, and so
// does the end of the context. Once Scope has returned, nothing of the group
// runs any more.
func Scope(ctx context.Context, p *Pool, f func(g *Group) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	g := &Group{pool: p, tasks: map[*engine.Started]bool{}}
	g.none = sync.NewCond(&g.mu)
	g.ctx, g.cancel = context.WithCancelCause(ctx)
	defer g.cancel(nil)
	stop := context.AfterFunc(ctx, func() { g.fail(context.Cause(ctx)) })
	defer stop()
	returned := false
	defer func() {
		if !returned { // f panicked
			g.fail(ErrCancelled)
			g.end()
		}
	}()
	err := f(g)
	returned = true
	if err != nil {
		g.fail(err)
	}
	return g.end()
}

// end waits until no task is left and returns the group's error.
func (g *Group) end() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.tasks) > 0 {
		g.none.Wait()
	}
	g.over = true
	return g.err
}

// Context returns a context that ends when the group has failed, or is over.
func (g *Group) Context() context.Context { return g.ctx }

// SubmitTo is [Submit] to a group. Once the group has failed, it returns the
// error that it failed with.
func SubmitTo[R any](g *Group, c kernels.Call[R], x *Array, opts ...TaskOption) (*Future[R], error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.err != nil:
		return nil, g.err
	case g.over:
		return nil, ErrScopeOver
	case g.ctx.Err() != nil:
		return nil, context.Cause(g.ctx)
	}
	f, err := Submit(g.pool, c, x, opts...)
	if err != nil {
		return nil, err
	}
	g.tasks[f.started] = true
	go func() {
		<-f.Done()
		g.ended(f.started)
	}()
	return f, nil
}

// ended takes out a task that has ended.
func (g *Group) ended(s *engine.Started) {
	// Whoever took a task back did not mean the group.
	if err := s.Err(); err != nil && err != ErrCancelled {
		g.fail(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if delete(g.tasks, s); len(g.tasks) == 0 {
		g.none.Broadcast()
	}
}

// fail cancels the group, if it has not failed before.
func (g *Group) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err != nil {
		return
	}
	g.err = err
	g.cancel(err)
	for s := range g.tasks {
		s.Cancel(ErrCancelled)
	}
}
