package supervisor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Pool is a set of workers. Its methods may be called from any goroutine.
type Pool struct {
	options  options
	launcher launcher
	engine   *engine.Engine
	tier     kernels.Tier
	reports  *reports // nil: nobody observes
	close    func() error
	decoded  sync.Map // of numbers of mappings to *File whose arrays are decoded
}

// launcher starts a pool's workers. Goroutines are one kind, processes, where
// there are any, the other.
type launcher interface {
	// control returns the control segment, which lives until close.
	control() []byte
	// ring returns the ring in it.
	ring() *ring.Ring
	// launch is the engine's Launcher.
	launch(incarnation, seat uint32, ready func(), exited func(proc.Exit)) (engine.Worker, error)
	inProcess() bool
	// close frees everything, after the last worker is gone.
	close() error
}

// ErrInWorker is returned by [Start] in a worker process: a pool inside a
// worker of another has no CPUs of its own.
var ErrInWorker = errors.New("this process is a worker of a pool and cannot start another")

// ErrNoMain is returned by [Start] in a process that was started as a worker
// but did not begin with [Main].
var ErrNoMain = errors.New("this process was started as a worker, but its main did not call supervisor.Main: " +
	"call it first in main (or TestMain), before anything else")

// Start starts a pool and returns when its first worker is at work, whatever
// [StartMode] says of the others. A
// *StartError tells why none is.
//
// Worker processes need Linux. On any other system every pool is [InProcess],
// asked for or not: results have the same bits, but a crash in a worker is the
// program's.
func Start(ctx context.Context, opts ...Option) (*Pool, error) {
	if err := mayStart(); err != nil {
		return nil, err
	}
	if err := kernels.CheckTierVariable(); err != nil {
		return nil, err
	}
	o := defaults()
	for _, opt := range opts {
		opt(&o)
	}
	if o.workers < 1 || o.workers > MaxWorkers {
		return nil, fmt.Errorf("a pool has 1 to %d workers, not %d", MaxWorkers, o.workers)
	}
	if o.standby < 0 || o.standby > MaxWorkers {
		return nil, fmt.Errorf("0 to %d workers stand by, not %d", MaxWorkers, o.standby)
	}
	if o.mode != Eager && o.mode != OnDemand {
		return nil, fmt.Errorf("there is no start mode %d: use Eager or OnDemand", o.mode)
	}
	if o.decode < 1 {
		return nil, fmt.Errorf("decoded numbers cannot take %d bytes of memory", o.decode)
	}
	if o.retries < 0 {
		return nil, fmt.Errorf("chunks cannot be run again %d times", o.retries)
	}
	if o.limit < 0 || o.late < 0 {
		return nil, fmt.Errorf("no chunk has a deadline of %v and %d retries", o.limit, o.late)
	}
	if o.initErr != nil {
		return nil, o.initErr
	}
	if o.slots == 0 {
		o.slots = ringSlots(o.workers)
	}
	// With more workers than CPUs, who spins keeps another from working.
	spin := o.workers <= runtime.GOMAXPROCS(0) && !o.asleep
	l, err := newLauncher(o.slots, spin, o)
	if err != nil {
		return nil, err
	}
	p := &Pool{options: o, launcher: l, tier: kernels.CurrentTier()}
	var observer engine.Observer
	if len(o.observers) > 0 {
		p.reports = newReports(o.observers, o.timed())
		observer = p.reports
	}
	if cpus := proc.CPUs(); p.reports != nil && o.workers > cpus {
		p.reports.Event(Event{Kind: Oversubscribed, Cause: fmt.Sprintf("%d workers share %d CPUs, which are all that this process may use: more workers than CPUs help nobody", o.workers, cpus)})
	}
	p.close = sync.OnceValue(p.shut)
	p.engine = engine.New(engine.Config{
		Ring:     l.ring(),
		Workers:  o.workers,
		OnDemand: o.mode == OnDemand,
		Standby:  o.standby,
		Retries:  o.retries,
		Control:  l.control(),
		Launch:   l.launch,
		Observer: observer,
		Limits:   o.limits,
		Init:     o.init,
		Recycle:  o.recycle,
		Memory:   o.memory,
		Limit:    o.limit,
		Late:     o.late,
	})
	if err := p.engine.Started(ctx); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// ringSlots returns how many chunks are out at once: enough that a worker
// never waits for the supervisor to wake up, and that each of the two has cache
// lines to itself while the other works on others.
func ringSlots(workers int) int { return max(256, 2*workers) }

// Workers returns the number of workers the pool may have at work.
func (p *Pool) Workers() int { return p.options.workers }

// InProcess reports whether the workers are goroutines of this process, as
// option [InProcess] makes them, and as they always are outside Linux.
func (p *Pool) InProcess() bool { return p.launcher.inProcess() }

// ISA names the instruction set that the pool's kernels run on, see
// [kernels.CurrentTier].
func (p *Pool) ISA() string { return p.tier.String() }

// Counters returns the pool's totals so far.
func (p *Pool) Counters() Counters { return p.engine.Counters() }

// Close waits for what was submitted, ends the workers and frees everything.
// What comes later fails with [ErrClosed]. Close the files first. It may be called
// more than once.
func (p *Pool) Close() error {
	p.engine.Drain(false)
	return p.close()
}

// Cancel is [Pool.Close], but takes back what no worker has come to yet, which
// fails with [ErrClosed].
func (p *Pool) Cancel() error {
	p.engine.Drain(true)
	return p.close()
}

// Kill is [Pool.Close], but waits for nothing: it kills the workers, and what is
// not done fails with [ErrClosed]. Goroutines cannot be killed: see [InProcess].
func (p *Pool) Kill() error { return p.close() }

func (p *Pool) shut() error {
	p.engine.Close()
	err := p.launcher.close()
	if p.reports != nil {
		p.reports.close()
	}
	return err
}

// Stat computes the summary of an array of one of the pool's open files: see
// package kernels for what it holds and how exactly.
func (p *Pool) Stat(ctx context.Context, x *Array) (kernels.Summary, error) {
	if err := p.readable(ctx, x); err != nil {
		return kernels.Summary{}, err
	}
	merger := kernels.Summarize.NewMerger(x.ValueType()).(*kernels.TreeMerger[kernels.Summary])
	err := p.read(ctx, p.passes().scan(x), engine.Job{
		Program: wire.Program{Kernel: kernels.Summarize.Name(), Type: x.ValueType()},
		Accept:  merger.Add,
	})
	if err != nil {
		return kernels.Summary{}, err
	}
	return merger.Total(), nil
}
