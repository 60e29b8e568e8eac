package engine

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"
)

// Quarantined is a chunk that was given up.
type Quarantined struct {
	Chunk uint64
	First uint64 // byte in the file
	Last  uint64 // byte in the file, inclusive
	Cause string // how the last worker that tried it ended
	Err   error  // that, a *DeathError, *DeadlineError or *MemoryError
	Step  uint32 // how far the last worker had told it was, in steps of 16 KiB
}

// QuarantineError reports a job of which all is done but some chunks, which
// killed their workers again and again.
type QuarantineError struct {
	File   string // empty: a task of a kernel without a file
	Array  string
	Kernel string
	Chunks []Quarantined
}

// Unwrap returns the error of each chunk.
func (e *QuarantineError) Unwrap() (all []error) {
	for _, c := range e.Chunks {
		all = append(all, c.Err)
	}
	return all
}

func (e *QuarantineError) Error() string {
	if e.File == "" {
		return fmt.Sprintf("task of kernel %q: no result, because its worker %s", e.Kernel, e.Chunks[0].Cause)
	}
	var ranges []string
	for _, c := range e.Chunks {
		ranges = append(ranges, fmt.Sprintf("chunk %d (bytes %d-%d: worker %s)", c.Chunk, c.First, c.Last, c.Cause))
	}
	return fmt.Sprintf("%s: array %q: no result, because workers kept dying in %s", e.File, e.Array, strings.Join(ranges, ", "))
}

// ReadError reports a file that could not be read though it did not shrink.
type ReadError struct {
	Place Place
	What  string
}

func (e *ReadError) Error() string {
	return fmt.Sprintf("%v: %s: check the disk", e.Place, e.What)
}

// DeathError reports a worker that died at a chunk as others had before.
type DeathError struct {
	Place  Place
	Worker uint32         // incarnation
	PID    int            // of the process
	Signal syscall.Signal // that ended it, or 0
	Code   int            // its exit code, if no signal did
	Cause  string
}

func (e *DeathError) Error() string {
	return fmt.Sprintf("%v: worker %d (pid %d) %s", e.Place, e.Worker, e.PID, e.Cause)
}

// DeadlineError reports a worker that was killed because a chunk took longer than
// it may.
type DeadlineError struct {
	Place  Place
	Worker uint32 // incarnation
	PID    int    // of the process
	Limit  time.Duration
}

func (e *DeadlineError) Error() string {
	return fmt.Sprintf("%v: worker %d (pid %d) was killed because it took longer than %v", e.Place, e.Worker, e.PID, e.Limit)
}

// MemoryError reports a worker that was killed because it had more memory of its
// own than it may.
type MemoryError struct {
	Place      Place
	Worker     uint32 // incarnation
	PID        int    // of the process
	Had, Limit uint64 // bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%v: worker %d (pid %d) was killed because it had %d bytes of memory of its own, more than %d",
		e.Place, e.Worker, e.PID, e.Had, e.Limit)
}

// Is makes it a context.DeadlineExceeded.
func (e *DeadlineError) Is(target error) bool { return target == context.DeadlineExceeded }

// PanicError reports a kernel that panicked. Its worker goes on.
type PanicError struct {
	Place Place
	What  string // it panicked with
	Stack string // of the kernel, from the panic down
}

func (e *PanicError) Error() string { return fmt.Sprintf("%v: %s\n%s", e.Place, e.What, e.Stack) }

// TaskError reports a task that a worker refused, or whose kernel returned an
// error.
type TaskError struct {
	Place Place
	What  string
}

func (e *TaskError) Error() string { return fmt.Sprintf("%v: %s", e.Place, e.What) }

// StartError reports that no worker can be started.
type StartError struct {
	Failures int    // workers that ended before they reported for work
	Cause    string // how the last one ended
	Ran      bool   // it ran, so most likely the program lacks the hook
}

func (e *StartError) Error() string {
	s := fmt.Sprintf("no worker came to work (%d tried; the last one %s)", e.Failures, e.Cause)
	if e.Ran {
		s += ": the program's main (or TestMain) must call supervisor.Main first, before anything else"
	}
	return s
}

// CrashLoopError reports workers that die again and again without finishing
// anything.
type CrashLoopError struct {
	Deaths int
	Cause  string
}

func (e *CrashLoopError) Error() string {
	return fmt.Sprintf("gave up after %d deaths of workers without a finished chunk in between (the last one %s)", e.Deaths, e.Cause)
}
