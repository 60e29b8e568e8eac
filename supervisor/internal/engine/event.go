package engine

import "fmt"

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
)

func (k EventKind) String() string {
	return [...]string{"", "worker died", "chunk retried", "chunk quarantined", "worker distrusted", "ring rebuilt", "oversubscribed", "run interrupted"}[k]
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
	case Oversubscribed, RunInterrupted:
		return e.Cause
	case RingRebuilt:
		return fmt.Sprintf("all workers are killed and their chunks run again: %s", e.Cause)
	}
	return fmt.Sprintf("event %d", e.Kind)
}
