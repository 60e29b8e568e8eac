package supervisor

import (
	"context"
	"fmt"
	"iter"
)

// Task is a future of any result.
type Task interface {
	// Done is closed when the task has ended.
	Done() <-chan struct{}
	// Err returns the task's error, nil if it has none or has not ended.
	Err() error
}

// Until tells when [Wait] returns.
type Until int

// When Wait returns.
const (
	AllCompleted   Until = iota // every task has ended
	FirstCompleted              // one has
	FirstError                  // one has failed, or all have ended
)

// UnfinishedError reports tasks that had not ended when a context did. They go
// on.
type UnfinishedError struct {
	Unfinished, Total int
	Cause             error // of the context
}

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("%d of %d tasks are not finished: %v", e.Unfinished, e.Total, e.Cause)
}

// Unwrap returns the context's cause.
func (e *UnfinishedError) Unwrap() error { return e.Cause }

// Wait waits until so many of the tasks have ended, and returns those that have,
// in the order in which they did, and the rest. Who is named twice counts once.
// If the context ends first, the error is an [*UnfinishedError].
func Wait(ctx context.Context, until Until, tasks ...Task) (done, rest []Task, err error) {
	pending := map[Task]bool{}
	for _, t := range tasks {
		pending[t] = true
	}
	for t, e := range AsCompleted(ctx, tasks...) {
		if e != nil {
			err = e
			break
		}
		done = append(done, t)
		delete(pending, t)
		if until == FirstCompleted || until == FirstError && t.Err() != nil {
			break
		}
	}
	for _, t := range tasks {
		if pending[t] {
			rest = append(rest, t)
			delete(pending, t)
		}
	}
	return done, rest, err
}

// AsCompleted yields tasks as they end, those first that have ended already. Who
// is named twice comes once. If the context ends before all have, the last pair
// has an [*UnfinishedError].
func AsCompleted[T Task](ctx context.Context, tasks ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var waiting []T
		known := map[Task]bool{}
		for _, t := range tasks {
			if known[t] {
				continue
			}
			known[t] = true
			select {
			case <-t.Done():
				if !yield(t, nil) {
					return
				}
			default:
				waiting = append(waiting, t)
			}
		}
		ended := make(chan T, len(waiting))
		stop := make(chan struct{})
		defer close(stop)
		for _, t := range waiting {
			go func() {
				select {
				case <-t.Done():
					ended <- t
				case <-stop:
				}
			}()
		}
		yielded := map[Task]bool{}
		for len(yielded) < len(waiting) {
			select {
			case t := <-ended:
				if yielded[t] = true; !yield(t, nil) {
					return
				}
			case <-ctx.Done():
				// First those that ended in time.
				unfinished := 0
				for _, t := range waiting {
					select {
					case <-t.Done():
						if !yielded[t] && !yield(t, nil) {
							return
						}
					default:
						unfinished++
					}
				}
				if unfinished > 0 {
					var none T
					yield(none, &UnfinishedError{unfinished, len(known), context.Cause(ctx)})
				}
				return
			}
		}
	}
}
