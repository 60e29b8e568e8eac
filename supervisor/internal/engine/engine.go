package engine

import (
	"container/list"
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Config says how an engine runs.
type Config struct {
	Workers  int
	OnDemand bool       // they are started when there is work for them
	Standby  int        // workers beside them that wait for one to die
	Retries  int        // deaths of a chunk at one place after which it is run again
	Control  []byte     // control segment
	Ring     *ring.Ring // in it, empty
	Launch   Launcher   // starts one worker
	Observer Observer   // called under the engine's lock; must not block; nil: none
	Limits   Limits
	Init     *wire.Program // a worker runs before it comes to work, nil: none
	Recycle  Recycle
	Memory   uint64        // bytes of its own that a worker may have, then it is killed; 0: any
	Limit    time.Duration // of jobs that have none, with Late; 0: none
	Late     int
}

// Limits are the times after which the engine loses patience.
type Limits struct {
	Ready time.Duration // a worker may take to report for work
	Stop  time.Duration // a worker that holds a chunk may stay stopped
	Reap  time.Duration // a killed worker may take to be gone
	Grace time.Duration // chunks in work may go on after a cancellation
}

// DefaultLimits are fit for people and machines.
var DefaultLimits = Limits{Ready: 10 * time.Second, Stop: 5 * time.Second, Reap: 10 * time.Second, Grace: 250 * time.Millisecond}

// Launcher starts the worker of that incarnation, with a seat that no other has
// until it is gone. The engine is told by ready that it is at work and by exited,
// once and last, that it is gone for good. Both are called from goroutines of
// their own.
type Launcher func(incarnation, seat uint32, ready func(), exited func(proc.Exit)) (Worker, error)

// Worker is what the engine needs of a running worker.
type Worker interface {
	PID() int
	// Results returns the worker's results segment.
	Results() []byte
	// Attach and Detach tell the worker of mappings.
	Attach(number uint32, m *shm.Mapping) error
	Detach(number uint32) error
	// Begin tells the worker that it knows all mappings and may claim.
	Begin() error
	// Stopped reports whether the worker is stopped by a signal.
	Stopped() bool
	// Memory returns the bytes of memory that are the worker's own, 0 if that is
	// not known.
	Memory() uint64
	// Retire ends the worker after the chunk in hand, with exit status 0.
	Retire() error
	// Kill ends the worker at once; exited follows.
	Kill()
	// Close frees the worker's segment after exited.
	Close()
}

// ErrClosed is returned for work given to a pool that is closed.
var ErrClosed = errors.New("the pool is closed")

// Engine runs jobs over workers.
type Engine struct {
	cfg      Config
	ring     *ring.Ring
	started  chan struct{} // closed when the first worker is ready, or none ever will be
	gone     chan struct{} // closed when the engine is closed and no worker is left
	drained  chan struct{} // closed when the engine is draining and no job is left
	driver   chan struct{} // whoever has put a token into it drives
	waiter   *ring.Waiter  // the driver's
	turns    int           // the driver's
	counters counters

	mu          sync.Mutex // guards all below
	slots       []slot
	next        int                 // slot to look at first for a free one
	stride      int                 // from there to the one to look at then
	outstanding int                 // slots that are not FREE
	jobs        *list.List          // of *job, in the order of submission
	attended    bool                // attend drives, or is about to
	programs    [wire.Programs]bool // in use
	nextTask    uint64
	scratch     wire.Scratch
	patrolled   time.Time

	workers         map[uint32]*member
	nextIncarnation uint32
	health          health
	startCause      string // why a worker could not be started, last time
	rebuilding      bool   // all workers are being killed
	active, standby int    // workers, less those that are stuck: see crew
	coming          int    // launches after a delay
	vacant          int    // deaths whose worker was not replaced yet
	mappings        map[uint32]*shm.Mapping
	nextMapping     uint32

	draining  bool // no new jobs, but those that are held
	dismissed bool // not even those
	holds     int
	closing   bool
	closed    bool  // the ring may be gone
	broken    error // why no job can run any more
}

type counters struct {
	chunks, bytes, retries, respawns, quarantined, recycled atomic.Uint64
	failed                                                  atomic.Uint64
	pending                                                 atomic.Int64 // chunks
	absent                                                  atomic.Int64 // workers that could not be started
	active, standby                                         atomic.Int64 // the engine's, to be read without its lock
}

// Counters are an engine's totals since its start.
type Counters struct {
	Workers                                       int // now, less those that cannot be started, or need not be yet
	Standby                                       int // workers that wait for one of those to die
	Chunks, Bytes, Retries, Respawns, Quarantined uint64
	Recycled                                      uint64 // workers that were replaced as planned
	Failed                                        uint64 // chunks whose kernel returned an error or panicked
	Pending                                       uint64 // chunks now that were submitted and are not finished
}

// New starts an engine and its workers.
func New(cfg Config) *Engine {
	e := &Engine{
		cfg: cfg, ring: cfg.Ring,
		started: make(chan struct{}), gone: make(chan struct{}), drained: make(chan struct{}), driver: make(chan struct{}, 1),
		waiter:   cfg.Ring.NewSupervisorWaiter(ring.SpinTime, pollTime),
		slots:    make([]slot, cfg.Ring.Capacity()),
		jobs:     list.New(),
		workers:  map[uint32]*member{},
		mappings: map[uint32]*shm.Mapping{},
	}
	for i := range e.slots {
		e.slots[i].word = cfg.Ring.Load(i)
	}
	e.putInit()
	e.act(e.staff)
	return e
}

// act runs f under the lock, unless the engine is closed, and has whoever
// drives look at what it changed.
func (e *Engine) act(f func()) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return ErrClosed
	}
	f()
	if !e.closed {
		e.ring.WakeSupervisor()
	}
	return nil
}

// after has f run under the lock after a time.
func (e *Engine) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { e.act(f) })
}

// Started waits until the first worker is at work and returns why none ever
// will be.
func (e *Engine) Started(ctx context.Context) error {
	select {
	case <-e.started:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.broken
}

// Attach makes a mapping known to all workers, present and future, and
// returns its number.
func (e *Engine) Attach(m *shm.Mapping) (number uint32, err error) {
	err = e.act(func() {
		number = e.nextMapping
		e.nextMapping++
		e.mappings[number] = m
		for _, w := range e.workers {
			e.check(w, w.handle.Attach(number, m))
		}
	})
	return number, err
}

// Detach makes workers forget a mapping that no running job uses.
func (e *Engine) Detach(number uint32) error {
	return e.act(func() {
		delete(e.mappings, number)
		for _, w := range e.workers {
			e.check(w, w.handle.Detach(number))
		}
	})
}

// Tell has an event observed that is not the engine's.
func (e *Engine) Tell(v Event) { e.act(func() { e.observe(v) }) }

// Counters returns the totals so far.
func (e *Engine) Counters() Counters {
	c := &e.counters
	workers := e.cfg.Workers - int(c.absent.Load())
	if e.cfg.OnDemand {
		workers = int(c.active.Load())
	}
	return Counters{workers, int(c.standby.Load()), c.chunks.Load(), c.bytes.Load(), c.retries.Load(), c.respawns.Load(), c.quarantined.Load(), c.recycled.Load(), c.failed.Load(), uint64(max(0, c.pending.Load()))}
}

// Close kills the workers, fails what jobs are left with ErrClosed and returns
// when every worker is reaped, or is stuck in the kernel: what one of those
// still maps, it keeps.
func (e *Engine) Close() {
	e.act(func() {
		if !e.closing {
			e.closing = true
			e.fail(ErrClosed)
			for _, m := range e.workers {
				e.kill(m, "was killed because the pool was closed")
			}
		}
		e.ring.WakeWorkers(math.MaxInt32)
		e.settleClose()
	})
	<-e.gone
	// Whoever drives has looked at the ring for the last time.
	e.driver <- struct{}{}
	<-e.driver
}

// settleClose ends the engine once it is closing and nothing of it runs any
// more.
func (e *Engine) settleClose() {
	if !e.closing || e.closed {
		return
	}
	for _, m := range e.workers {
		if !m.stuck {
			return
		}
	}
	e.abandon()
	e.ring.WakeSupervisor()
	// From here on nobody touches the ring.
	e.closed = true
	close(e.gone)
}
