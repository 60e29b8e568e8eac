package engine

import (
	"fmt"
	"time"
)

// Observer is told what happens.
type Observer interface {
	// WorkerStarted is told of each worker process, or goroutine, that is ready to
	// work, WorkerEnded of each such that is gone, in whatever way.
	WorkerStarted(worker uint32, pid int)
	WorkerEnded(worker uint32, pid int)
	// ChunkRun is told of each chunk, or task, that a worker came to the end of.
	ChunkRun(ChunkRun)
	// Event is told of what went wrong.
	Event(Event)
}

// ChunkRun is one chunk that a worker has run.
type ChunkRun struct {
	Worker   uint32        // incarnation
	Kernel   string        // its name
	Bytes    uint64        // that the kernel was given
	Duration time.Duration // that it took, as the worker measured it
	Attempt  uint32        // from 1
	Failed   bool          // the kernel returned an error or panicked
}

// EventFunc is an Observer that is interested in events alone.
type EventFunc func(Event)

// WorkerStarted does nothing.
func (EventFunc) WorkerStarted(uint32, int) {}

// WorkerEnded does nothing.
func (EventFunc) WorkerEnded(uint32, int) {}

// ChunkRun does nothing.
func (EventFunc) ChunkRun(ChunkRun) {}

// Event calls f.
func (f EventFunc) Event(e Event) { f(e) }

// observe reports an event, if anybody listens.
func (e *Engine) observe(v Event) {
	if e.cfg.Observer != nil {
		e.cfg.Observer.Event(v)
	}
}

// EventKind is the kind of an event.
type EventKind int

// The kinds of events.
const (
	WorkerDied       EventKind = 1 + iota // Worker, PID and Cause
	ChunkRetried                          // also Place and Attempt
	ChunkQuarantined                      // also Place and Attempt
	WorkerDistrusted                      // Worker, PID and Cause: it is killed
	RingRebuilt                           // Cause: all workers are killed
	Oversubscribed                        // Cause: more workers than CPUs
	RunInterrupted                        // Cause: a file that is read is changed in part
	ReportsLost                           // Cause: the observer is too slow
	FileDecoded                           // Cause: a file that cannot be mapped
)

func (k EventKind) String() string {
	return [...]string{"", "worker died", "chunk retried", "chunk quarantined", "worker distrusted", "ring rebuilt", "oversubscribed", "run interrupted", "reports lost", "file decoded"}[k]
}

// Event is something that went wrong and was dealt with.
type Event struct {
	Kind    EventKind
	Worker  uint32 // incarnation
	PID     int    // 0: it never ran
	Cause   string
	Place   Place
	Attempt uint32 // of the attempt that failed, from 1
}

func (e Event) String() string {
	who := fmt.Sprintf("worker %d", e.Worker)
	if e.PID != 0 {
		who += fmt.Sprintf(" (pid %d)", e.PID)
	}
	switch e.Kind {
	case WorkerDied:
		return fmt.Sprintf("%s %s", who, e.Cause)
	case ChunkRetried:
		return fmt.Sprintf("%v: %s %s in attempt %d: retrying", e.Place, who, e.Cause, e.Attempt)
	case ChunkQuarantined:
		return fmt.Sprintf("%v: %s %s in attempt %d: quarantined", e.Place, who, e.Cause, e.Attempt)
	case WorkerDistrusted:
		return fmt.Sprintf("%s is killed: %s", who, e.Cause)
	case Oversubscribed, RunInterrupted, ReportsLost, FileDecoded:
		return e.Cause
	case RingRebuilt:
		return fmt.Sprintf("all workers are killed and their chunks run again: %s", e.Cause)
	}
	return fmt.Sprintf("event %d", e.Kind)
}
