package engine

import (
	"fmt"
	"strings"
)

// Quarantined is a chunk that was given up.
type Quarantined struct {
	Chunk uint64
	First uint64 // byte in the file
	Last  uint64 // byte in the file, inclusive
	Cause string // how the last worker that tried it ended
}

// QuarantineError reports a job of which all is done but some chunks, which
// killed their workers again and again.
type QuarantineError struct {
	File   string
	Array  string
	Chunks []Quarantined
}

func (e *QuarantineError) Error() string {
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

// TaskError reports a task that a worker refused.
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
