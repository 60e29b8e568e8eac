package supervisor

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
)

// Observer is told what happens in a pool, so that metrics can be made of it, as by
// an adapter to Prometheus or OpenTelemetry: who comes and goes, how long chunks
// take, what goes wrong. Totals, and how much waits, need no observer: see
// [Pool.Counters].
//
// The methods are called one at a time and in order, from a goroutine of the pool's
// that nothing waits for. They may call methods of the pool. A panic is logged and
// goes no further. An observer that falls [MaxReports] behind misses what comes until
// it has caught up, and is told how much by an event of kind [ReportsLost]. When
// Close returns, it has been told all, unless that takes more than a second.
type Observer = engine.Observer

// MaxReports is how many reports wait for an observer at most.
const MaxReports = 1 << 16

// closeTime is how long a pool that is closed waits for its observers.
const closeTime = time.Second

// reports hands on to observers what the engine, which waits for nobody, tells.
type reports struct {
	observers []Observer
	timed     bool          // somebody wants to know how long chunks take
	ended     chan struct{} // all was told

	mu     sync.Mutex
	more   *sync.Cond
	queue  []func(Observer)
	lost   int // since the last that was taken in
	closed bool
}

// timed reports whether somebody wants to know how long chunks take.
func (o *options) timed() bool {
	return slices.ContainsFunc(o.observers, func(o Observer) bool {
		_, events := o.(EventFunc)
		return !events
	})
}

func newReports(observers []Observer, timed bool) *reports {
	r := &reports{observers: observers, timed: timed, ended: make(chan struct{})}
	r.more = sync.NewCond(&r.mu)
	go r.run()
	return r
}

func (r *reports) put(report func(Observer)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) >= MaxReports {
		r.lost++
		return
	}
	if n := r.lost; n > 0 {
		r.lost = 0
		r.queue = append(r.queue, func(o Observer) {
			o.Event(Event{Kind: ReportsLost, Cause: fmt.Sprintf("an observer is too slow: %d reports were lost", n)})
		})
	}
	r.queue = append(r.queue, report)
	r.more.Signal()
}

// run tells the observers what there is, until all is told and the pool closed.
func (r *reports) run() {
	ended := false
	defer func() {
		if ended {
			close(r.ended)
		} else { // an observer called runtime.Goexit
			go r.run()
		}
	}()
	for {
		r.mu.Lock()
		for len(r.queue) == 0 && !r.closed {
			r.more.Wait()
		}
		if len(r.queue) == 0 {
			ended = true
			r.mu.Unlock()
			return
		}
		report := r.queue[0]
		r.queue = r.queue[1:]
		r.mu.Unlock()
		for _, o := range r.observers {
			tell(o, report)
		}
	}
}

func tell(o Observer, report func(Observer)) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("gangsaw: an observer panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	report(o)
}

// close waits until all is told, but not for long.
func (r *reports) close() {
	r.mu.Lock()
	r.closed = true
	r.more.Signal()
	r.mu.Unlock()
	select {
	case <-r.ended:
	case <-time.After(closeTime):
	}
}

// WorkerStarted hands on.
func (r *reports) WorkerStarted(worker uint32, pid int) {
	r.put(func(o Observer) { o.WorkerStarted(worker, pid) })
}

// WorkerEnded hands on.
func (r *reports) WorkerEnded(worker uint32, pid int) {
	r.put(func(o Observer) { o.WorkerEnded(worker, pid) })
}

// ChunkRun hands on what somebody wants to know.
func (r *reports) ChunkRun(c ChunkRun) {
	if r.timed {
		r.put(func(o Observer) { o.ChunkRun(c) })
	}
}

// Event hands on.
func (r *reports) Event(e Event) { r.put(func(o Observer) { o.Event(e) }) }
