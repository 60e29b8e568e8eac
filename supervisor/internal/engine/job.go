package engine

import (
	"container/list"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Job is one program over all chunks of one array.
type Job struct {
	Program wire.Program
	Plan    partition.Plan
	From    uint64         // the first chunk of the plan that is run
	To      uint64         // and the one after the last; 0: all are run
	Mapping *shm.Mapping   // nil: there is no array, and one chunk without elements
	Number  uint32         // of the mapping, from Attach
	Also    []*shm.Mapping // other files that are read
	Limit   time.Duration  // that a chunk may take, then its worker is killed; 0: none
	Late    int            // how often a chunk, or a step, that is past Limit is run again
	Steps   bool           // Limit is for each step of the progress that the worker tells, which is one task to the user
	Held    bool           // a Hold lets it come to a pool that drains
	// Accept takes the partial of a chunk, once per chunk, from the loop. An
	// error means that the kernel cannot have written this, or, if it is a
	// *JobError, that the job has failed.
	Accept func(chunk uint64, partial []byte) error
	// Repair makes whole what the worker of a seat, which is reaped, left half
	// done; nil if there is nothing that could be. It is called under the engine's
	// lock. An error fails the job.
	Repair func(seat uint32) error
	// Lost, if not nil, is set when a worker that holds a chunk was killed and is
	// not gone when the job ends.
	Lost *atomic.Bool
	// Supply, if not nil, says how many chunks of the plan, from its first on, may be
	// handed out by now. It is called under the engine's lock; [Engine.Supplied] has it asked
	// again.
	Supply func() uint64
	// Finished, if not nil, is told of each chunk that no worker will come to any
	// more, once, under the engine's lock.
	Finished func(chunk uint64)
}

// JobError is an error that ends a job.
type JobError struct{ Err error }

func (e *JobError) Error() string { return e.Err.Error() }

// Unwrap returns the error.
func (e *JobError) Unwrap() error { return e.Err }

// job is the ledger's entry of a job.
type job struct {
	spec        Job
	record      wire.Record
	checksum    uint32 // of record
	program     int    // index of its program record, -1 before it has one
	issued      uint64 // the next chunk to be handed out for the first time
	finished    uint64 // chunks that are accepted or quarantined
	outstanding int    // slots
	quarantined []Quarantined
	err         error         // why the job failed; the caller's once done is closed
	ended       bool          // done is closed
	begun       bool          // a worker has come to it
	place       *list.Element // in the engine's jobs
	done        chan struct{}
}

func newJob(spec Job) (*job, error) {
	record, err := spec.Program.Record()
	if err != nil {
		return nil, err
	}
	if spec.To == 0 {
		spec.To = spec.Plan.Chunks()
	}
	return &job{spec: spec, record: record, checksum: record.Checksum(), program: -1, issued: spec.From, done: make(chan struct{})}, nil
}

// Run runs a job. The error is a *QuarantineError when all but some chunks are
// done, a *shm.ChangedError when the file changed meanwhile, a *ReadError when
// it could not be read, or the context's cause. When it returns, nothing of
// the job runs any more.
func (e *Engine) Run(ctx context.Context, spec Job) error {
	j, err := newJob(spec)
	if err != nil {
		return err
	}
	if err := e.submit(j); err != nil {
		return err
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { e.cancel(j, context.Cause(ctx)) })
		defer stop()
	}
	select {
	case <-j.done:
	case e.driver <- struct{}{}:
		e.drive(func() bool { return j.ended })
		<-e.driver
		<-j.done
	}
	return j.err
}

// submit takes a job in and publishes what there is room for.
func (e *Engine) submit(j *job) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.broken != nil {
		return e.broken
	}
	if e.draining && !j.spec.Held || e.dismissed {
		return ErrClosed
	}
	if j.spec.Limit == 0 {
		j.spec.Limit, j.spec.Late = e.cfg.Limit, e.cfg.Late
	}
	j.place = e.jobs.PushBack(j)
	e.counters.pending.Add(int64(j.chunks()))
	e.settle(j)
	e.refill()
	if e.cfg.OnDemand {
		e.staff()
	}
	return nil
}

// cancel fails a job. Its chunks in work may go on for a moment.
func (e *Engine) cancel(j *job, cause error) {
	e.act(func() {
		e.failJob(j, cause)
		e.settle(j)
	})
	e.after(e.cfg.Limits.Grace, func() {
		for i := range e.slots {
			if e.slots[i].job == j {
				e.aim(i, "was killed because its job was cancelled")
			}
		}
	})
}

// chunks returns how many chunks the job has.
func (j *job) chunks() uint64 { return j.spec.To - j.spec.From }

// pending reports whether the job has chunks that were never handed out.
func (j *job) pending() bool { return j.err == nil && j.issued < j.spec.To }

// supplied reports whether the next chunk may be handed out.
func (j *job) supplied() bool {
	return j.pending() && (j.spec.Supply == nil || j.issued < j.spec.Supply())
}

// finish notes that no worker will come to a chunk any more.
func (j *job) finish(chunk uint64) {
	j.finished++
	if j.spec.Finished != nil {
		j.spec.Finished(chunk)
	}
}

// Supplied has whoever drives look for chunks that may be handed out by now.
func (e *Engine) Supplied() { e.act(func() {}) }

// next returns the descriptor of the next chunk.
func (j *job) next(task uint64) ring.Descriptor {
	c := j.spec.Plan.Chunk(j.issued)
	j.issued++
	return ring.Descriptor{
		Program: wire.ProgramOffset(j.program),
		Mapping: j.spec.Number,
		Task:    task,
		Chunk:   c.Index,
		Offset:  c.Offset,
		Count:   c.Count,
	}
}

// accept takes the partial of a chunk.
func (j *job) accept(r wire.Result) error {
	if j.err == nil {
		if err := j.spec.Accept(r.Descriptor.Chunk, r.Payload); err != nil {
			return err
		}
	}
	j.finish(r.Descriptor.Chunk)
	return nil
}

// taskError returns the error of a task that did not succeed. Whatever a
// worker met in a file that changed comes from the change.
func (j *job) taskError(r wire.Result) error {
	if err := j.changed(); err != nil {
		return err
	}
	return ErrorAt(j.at(r.Descriptor.Chunk), r.Status, r.Payload)
}

// ErrorAt returns the error that a worker reports of a task that did not succeed.
func ErrorAt(place Place, status wire.Status, payload []byte) error {
	what := printable(string(payload))
	switch status {
	case wire.Faulted:
		return &ReadError{place, what}
	case wire.Panicked:
		what, stack, _ := strings.Cut(string(payload), "\x00")
		return &PanicError{place, printable(what), printable(stack)}
	}
	return &TaskError{place, what}
}

// printable returns a worker's words without what a terminal would obey.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) || c == '\n' || c == '\t' {
			return c
		}
		return unicode.ReplacementChar
	}, s)
}

// changed returns a *shm.ChangedError if one of the job's files, if it has any,
// changed.
func (j *job) changed() error {
	if j.spec.Mapping == nil {
		return nil
	}
	for _, m := range append([]*shm.Mapping{j.spec.Mapping}, j.spec.Also...) {
		if err := m.Changed(); err != nil {
			return err
		}
	}
	return nil
}

func (j *job) at(chunk uint64) Place {
	p := Place{Kernel: j.spec.Program.Kernel}
	if j.spec.Mapping != nil {
		c := j.spec.Plan.Chunk(chunk)
		p.File, p.Array, p.Chunk = j.spec.Mapping.Path(), j.spec.Plan.Array().Name, chunk
		p.First, p.Last = c.Offset, c.Offset+c.Extent-1
	}
	return p
}

// lose notes that a chunk's holder may go on when the job has ended.
func (j *job) lose() {
	if j.spec.Lost != nil {
		j.spec.Lost.Store(true)
	}
}

// failJob ends a job with an error; its chunks that no worker has yet are
// taken back, the others are waited for.
func (e *Engine) failJob(j *job, err error) {
	if j.ended {
		return
	}
	if j.err == nil {
		j.err = err
	}
	for i := range e.slots {
		if s := &e.slots[i]; s.job == j && e.ring.Cancel(i, s.word) {
			e.release(i)
		}
	}
}

// settle ends a job if nothing of it is left to do.
func (e *Engine) settle(j *job) {
	if j.outstanding > 0 || j.err == nil && j.finished < j.chunks() {
		return
	}
	if j.ended {
		return
	}
	e.jobs.Remove(j.place)
	e.counters.pending.Add(int64(j.finished) - int64(j.chunks()))
	if j.program >= 0 {
		e.programs[j.program] = false
	}
	if j.err == nil {
		j.err = j.changed()
	}
	if j.err == nil && len(j.quarantined) > 0 {
		p := j.at(0)
		j.err = &QuarantineError{File: p.File, Array: p.Array, Kernel: p.Kernel, Chunks: j.quarantined}
	}
	j.ended = true
	close(j.done)
	e.settleDrain()
}

// fail ends all jobs, present and future, with an error.
func (e *Engine) fail(err error) {
	if e.broken == nil {
		e.broken = err
	}
	for _, j := range e.allJobs() {
		e.failJob(j, err)
		e.settle(j)
	}
	e.announceStart()
}

// allJobs returns the jobs that have not ended, of which any may end meanwhile.
func (e *Engine) allJobs() (all []*job) {
	for at := e.jobs.Front(); at != nil; at = at.Next() {
		all = append(all, at.Value.(*job))
	}
	return all
}

// announceStart lets Started return.
func (e *Engine) announceStart() {
	select {
	case <-e.started:
	default:
		close(e.started)
	}
}

// Place is a chunk in a file, or, if File is empty, a task of a kernel without
// one.
type Place struct {
	File   string
	Array  string
	Kernel string
	Chunk  uint64
	First  uint64 // byte in the file
	Last   uint64 // byte in the file, inclusive
}

func (p Place) String() string {
	if p.File == "" {
		return fmt.Sprintf("task of kernel %q", p.Kernel)
	}
	return fmt.Sprintf("%s: array %q: chunk %d (bytes %d-%d)", p.File, p.Array, p.Chunk, p.First, p.Last)
}
