package supervisor

import (
	"log/slog"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Option is an option of [Start].
type Option func(*options)

type options struct {
	workers   int
	chunk     uint64
	retries   int
	inProcess bool
	mode      Mode
	standby   int
	pin       bool
	recycle   Recycle
	memory    uint64
	decode    int64
	limit     time.Duration
	late      int
	init      *wire.Program // nil: none
	initErr   error
	observers []Observer

	limits engine.Limits
	slots  int  // of the ring; 0 chooses by the number of workers
	asleep bool // workers sleep at once when they find nothing
}

// DefaultRetries is how often a chunk is run again whose workers die at one
// place in it: with the third death in a row there it is quarantined.
const DefaultRetries = 2

// MaxWorkers is the largest number of workers of a pool.
const MaxWorkers = 1024

func defaults() options {
	return options{workers: min(proc.CPUs(), MaxWorkers), retries: DefaultRetries, decode: DefaultDecodeMemory, limits: engine.DefaultLimits}
}

// Workers sets the number of workers; the default is the number of CPUs that
// affinity and the quota of the cgroup, and of those around it, leave to this
// process. More than that help nobody: an [Oversubscribed] event says so.
func Workers(n int) Option { return func(o *options) { o.workers = n } }

// ChunkBytes sets the size of a chunk, rounded down to a power of two of
// blocks of 4,096 elements, at least one block. 0 chooses by the array's size.
// No size changes a result.
func ChunkBytes(n uint64) Option { return func(o *options) { o.chunk = n } }

// Retries sets how often a chunk is run again whose workers die at one and the
// same place in it, to 16 KiB, before it is quarantined. Deaths in other places
// are taken for somebody else's doing and do not count; a hundred in one chunk
// do.
func Retries(n int) Option { return func(o *options) { o.retries = n } }

// RecycleWorkers replaces each worker by a new one when it is time, between two
// chunks: nothing waits for it, and nothing is lost.
func RecycleWorkers(r Recycle) Option { return func(o *options) { o.recycle = r } }

// Init has each worker call a kernel in Go, over no elements, before its first
// task, for as long as that takes. Start fails with a [*StartError] if that does.
func Init[R any](c kernels.Call[R]) Option {
	r := c.Routine()
	return func(o *options) {
		o.init, o.initErr = &wire.Program{Kernel: r.Name(), Type: r.Type(), Params: string(c.Params())}, r.Check()
	}
}

// MemoryLimit sets how many bytes of memory of its own a worker process may have,
// of files and segments that it maps none; a new one of this program has some 10
// MiB. One that has more after a chunk is replaced. One that has more while a
// chunk is in work, of which the pool takes a look ten times a second, is killed:
// the chunk is given up with a [*MemoryError] if it was the worker's first, and run
// again if the memory may be that of chunks before it.
func MemoryLimit(bytes uint64) Option { return func(o *options) { o.memory = bytes } }

// DecodeMemory sets how many bytes the elements of files that have to be decoded
// take at once, in one pass; the default is [DefaultDecodeMemory]. What a decoder has
// to hold as a whole, such as a page or a record batch, may take as much again.
func DecodeMemory(bytes int64) Option { return func(o *options) { o.decode = bytes } }

// ChunkDeadline gives each chunk, and each task, that has no [Deadline] of its own
// this one, with so many [DeadlineRetries]. It is how what the pool computes itself,
// by [Pool.Stat] and [Pool.Evaluate] say, comes to one.
func ChunkDeadline(d time.Duration, retries int) Option {
	return func(o *options) { o.limit, o.late = d, retries }
}

// InProcess runs the workers as goroutines of this process: for debugging, and
// where processes cannot be started. A crash of one is a crash of all, and none can
// be killed: what would kill a process waits for its chunk, 10 s at the most; then
// the chunk is given up, and the goroutine goes on with it. Outside Linux it is
// always so.
func InProcess() Option { return func(o *options) { o.inProcess = true } }

// Mode says when a pool starts its workers.
type Mode int

// When workers are started.
const (
	// Eager starts all in Start, which is the default: the first task finds them.
	Eager Mode = iota
	// OnDemand starts one in Start, and another whenever more tasks wait than
	// workers are idle, up to the number that [Workers] says. None ends for want of
	// work. It suits programs whose work may stay small.
	OnDemand
)

// StartMode sets when workers are started. Start waits for the first of them in any
// mode, so that what is wrong with all of them is its error.
func StartMode(m Mode) Option { return func(o *options) { o.mode = m } }

// Standby has n more workers started, which take no task until one of those that do
// is gone, or with [OnDemand] is not enough. Then one takes that place, without the
// milliseconds that a start and an initialiser take, and a new one is started behind
// it. Each costs its memory, some 10 MiB and what [Init] takes.
func Standby(n int) Option { return func(o *options) { o.standby = n } }

// Pin binds each worker process, with all its threads, to one of the CPUs that this
// process may use, each to the one that the fewest workers are bound to. It helps
// where nothing else runs: two pools that pin begin with the same CPUs, and a worker
// whose CPU is busy waits for it while others idle. Goroutines are not bound, nor
// are workers outside Linux.
func Pin() Option { return func(o *options) { o.pin = true } }

// Observe has an [Observer] told what happens. Of several each is.
func Observe(o Observer) Option {
	return func(all *options) {
		if o != nil {
			all.observers = append(all.observers, o)
		}
	}
}

// Log has every [Event] logged as a warning.
func Log(l *slog.Logger) Option {
	return Observe(EventFunc(func(e Event) {
		args := []any{"kind", e.Kind.String(), "cause", e.Cause}
		if e.Worker != 0 {
			args = append(args, "worker", e.Worker, "pid", e.PID)
		}
		if e.Attempt != 0 {
			args = append(args, "place", e.Place.String(), "attempt", e.Attempt)
		}
		l.Warn("gangsaw: "+e.String(), args...)
	}))
}

// The pool's events and errors, see their fields.
type (
	// Event is something that went wrong and was dealt with.
	Event = engine.Event
	// ChunkRun is one chunk, or task, that a worker has run.
	ChunkRun = engine.ChunkRun
	// EventFunc is an [Observer] that is interested in events alone.
	EventFunc = engine.EventFunc
	// EventKind is the kind of an Event.
	EventKind = engine.EventKind
	// Place is a chunk in a file.
	Place = engine.Place
	// QuarantineError reports chunks that killed their workers again and again.
	QuarantineError = engine.QuarantineError
	// Quarantined is one such chunk.
	Quarantined = engine.Quarantined
	// ReadError reports a file that could not be read.
	ReadError = engine.ReadError
	// TaskError reports a task that a worker refused, or whose kernel returned an
	// error.
	TaskError = engine.TaskError
	// PanicError reports a kernel that panicked.
	PanicError = engine.PanicError
	// DeathError reports a worker that died at a chunk as others had before.
	DeathError = engine.DeathError
	// Recycle says when a worker is replaced by a new one.
	Recycle = engine.Recycle
	// MemoryError reports a worker that had more memory than [MemoryLimit] lets it.
	MemoryError = engine.MemoryError
	// DeadlineError reports a worker that was killed because a chunk took longer
	// than [Deadline] lets it.
	DeadlineError = engine.DeadlineError
	// StartError reports that no worker can be started.
	StartError = engine.StartError
	// CrashLoopError reports workers that die without finishing anything.
	CrashLoopError = engine.CrashLoopError
	// Counters are a pool's totals since its start.
	Counters = engine.Counters
)

// The kinds of events.
const (
	WorkerDied       = engine.WorkerDied
	ChunkRetried     = engine.ChunkRetried
	ChunkQuarantined = engine.ChunkQuarantined
	WorkerDistrusted = engine.WorkerDistrusted
	RingRebuilt      = engine.RingRebuilt
	Oversubscribed   = engine.Oversubscribed
	RunInterrupted   = engine.RunInterrupted
	ReportsLost      = engine.ReportsLost
	FileDecoded      = engine.FileDecoded
)

// ErrClosed is returned for work given to a pool that is closed.
var ErrClosed = engine.ErrClosed
