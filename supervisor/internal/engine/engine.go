package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Config says how an engine runs.
type Config struct {
	Workers int
	Retries int         // how often a chunk is run again after a death
	Control []byte      // control segment
	Ring    *ring.Ring  // in it, empty
	Launch  Launcher    // starts one worker
	Observe func(Event) // called from the loop; must not block
}

// Launcher starts the worker of that incarnation. The engine is told by ready
// that it is at work and by exited, once and last, that it is gone for good.
type Launcher func(incarnation uint32, ready func(), exited func(proc.Exit)) (Worker, error)

// Worker is what the engine needs of a running worker.
type Worker interface {
	PID() int
	// Results returns the worker's results segment.
	Results() []byte
	// Attach and Detach tell the worker of mappings.
	Attach(number uint32, m *shm.Mapping) error
	Detach(number uint32) error
	// Kill ends the worker at once; exited follows.
	Kill()
	// Close frees the worker's segment after exited.
	Close()
}

// ErrClosed is returned for work given to a pool that is closed.
var ErrClosed = errors.New("the pool is closed")

// Engine runs jobs over workers.
type Engine struct {
	cfg  Config
	ring *ring.Ring

	inbox struct {
		sync.Mutex
		posts  []func()
		closed bool // the loop has ended, the ring may be gone
		wake   chan struct{}
	}
	started  chan struct{} // closed when the first worker is ready, or none ever will be
	stopped  chan struct{} // closed when the loop has ended
	counters counters

	// Below here the loop's alone.
	slots       []slot
	outstanding int // slots that are not FREE
	jobs        []*job
	programs    [wire.Programs]bool // in use
	nextTask    uint64

	workers         map[uint32]*member
	nextIncarnation uint32
	health          health
	startCause      string // why a worker could not be started, last time
	rebuilding      bool   // all workers are being killed
	deferred        int    // launches put off until the rebuild
	mappings        map[uint32]*shm.Mapping
	nextMapping     uint32

	closing bool
	broken  error // why no job can run any more
}

type counters struct {
	chunks, bytes, retries, respawns, quarantined atomic.Uint64
	absent                                        atomic.Int64 // workers that could not be started
}

// Counters are an engine's totals since its start.
type Counters struct {
	Workers                                       int // now, less those that cannot be started
	Chunks, Bytes, Retries, Respawns, Quarantined uint64
}

// New starts an engine and its workers.
func New(cfg Config) *Engine {
	e := &Engine{
		cfg: cfg, ring: cfg.Ring,
		started: make(chan struct{}), stopped: make(chan struct{}),
		slots:    make([]slot, cfg.Ring.Capacity()),
		workers:  map[uint32]*member{},
		mappings: map[uint32]*shm.Mapping{},
	}
	for i := range e.slots {
		e.slots[i].word = cfg.Ring.Load(i)
	}
	e.inbox.wake = make(chan struct{}, 1)
	e.post(func() {
		for i := 0; i < cfg.Workers && e.broken == nil; i++ {
			e.launch()
		}
	})
	go e.loop()
	return e
}

// Started waits until the first worker is at work and returns why none ever
// will be.
func (e *Engine) Started(ctx context.Context) error {
	select {
	case <-e.started:
	case <-ctx.Done():
		return ctx.Err()
	}
	return e.do(func() error { return e.broken })
}

// Attach makes a mapping known to all workers, present and future, and
// returns its number.
func (e *Engine) Attach(m *shm.Mapping) (number uint32, err error) {
	err = e.do(func() error {
		number = e.nextMapping
		e.nextMapping++
		e.mappings[number] = m
		for _, w := range e.workers {
			w.check(w.handle.Attach(number, m))
		}
		return nil
	})
	return number, err
}

// Detach makes workers forget a mapping that no running job uses.
func (e *Engine) Detach(number uint32) error {
	return e.do(func() error {
		delete(e.mappings, number)
		for _, w := range e.workers {
			w.check(w.handle.Detach(number))
		}
		return nil
	})
}

// Counters returns the totals so far.
func (e *Engine) Counters() Counters {
	c := &e.counters
	return Counters{e.cfg.Workers - int(c.absent.Load()), c.chunks.Load(), c.bytes.Load(), c.retries.Load(), c.respawns.Load(), c.quarantined.Load()}
}

// Close kills the workers, fails what jobs are left with ErrClosed and
// returns when every worker is reaped.
func (e *Engine) Close() {
	e.post(func() {
		if e.closing {
			return
		}
		e.closing = true
		e.fail(ErrClosed)
		for _, w := range e.workers {
			w.kill("was killed because the pool was closed")
		}
	})
	<-e.stopped
}

// post has the loop run f.
func (e *Engine) post(f func()) {
	e.inbox.Lock()
	defer e.inbox.Unlock()
	if e.inbox.closed {
		return
	}
	e.inbox.posts = append(e.inbox.posts, f)
	select {
	case e.inbox.wake <- struct{}{}:
	default:
	}
	e.ring.Nudge()
}

// do has the loop run f and waits for it.
func (e *Engine) do(f func() error) error {
	done := make(chan error, 1)
	e.post(func() { done <- f() })
	select {
	case err := <-done:
		return err
	case <-e.stopped:
		return ErrClosed
	}
}
