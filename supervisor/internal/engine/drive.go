package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// slot is the ledger's entry of one ring slot.
type slot struct {
	word       ring.Word         // FREE, or READY as it was published
	job        *job              // nil while FREE
	doomed     bool              // the supervisor doomed it
	excused    bool              // it was doomed, and is run again without blame
	lost       bool              // its owner was killed and does not go away; job is nil
	fatal      func(Event) error // why it was doomed, which gives up its chunk unless it is excused
	descriptor ring.Descriptor
	blame      blame
	late       lateness
	watch      watch
	begin      uint32 // progress that the attempt begins with, of a job with steps
}

// pollTime bounds a sleep that missed its wake, and is the time between two
// patrols.
const pollTime = 10 * time.Millisecond

// drive looks after the ring until ended, asked under the lock, says so. One
// goroutine at a time does, one of those that wait for a job, if any does: so a
// result crosses no goroutine on its way.
func (e *Engine) drive(ended func() bool) {
	e.waiter.Found()
	for {
		e.mu.Lock()
		if e.closed {
			e.mu.Unlock()
			return // all jobs have ended
		}
		found := e.harvest()
		e.refill()
		end, out := ended(), e.outstanding
		e.mu.Unlock()
		if end {
			return
		}
		if 8*found < len(e.slots) && 2*out > len(e.slots) {
			e.waiter.Rest()
		}
		slept := false
		if found > 0 {
			e.waiter.Found()
		} else {
			slept = e.waiter.Pause()
		}
		if e.turns++; slept || e.turns%patrolTurns == 0 {
			e.mu.Lock()
			e.patrol(time.Now())
			e.mu.Unlock()
		}
	}
}

// patrolTurns is how many turns may pass without a look at the clock.
const patrolTurns = 1 << 10

// refill publishes chunks of waiting jobs into free slots, in the order of
// submission, and wakes workers for them.
func (e *Engine) refill() {
	if e.rebuilding || e.closing {
		return
	}
	published := 0
	for at := e.jobs.Front(); at != nil && e.outstanding < len(e.slots); at = at.Next() {
		j := at.Value.(*job)
		if e.outstanding == 0 {
			e.spread(j)
		}
		for j.supplied() && e.outstanding < len(e.slots) && e.assignProgram(j) {
			i := e.freeSlot()
			s := &e.slots[i]
			s.job, s.descriptor, s.blame = j, j.next(e.nextTask), blame{}
			e.nextTask++
			// Rung half-way through what is out, so that there is more before
			// the workers run dry, and at the end of a job.
			if e.nextTask%uint64(max(1, len(e.slots)/2)) == 0 || !j.supplied() {
				s.descriptor.Bell = 1
			}
			s.word = e.ring.Publish(i, s.word, s.descriptor)
			e.outstanding++
			j.outstanding++
			published++
		}
	}
	e.ring.WakeWorkers(published)
}

// spread lays the chunks of a job that finds the ring empty out over all of it, each
// where it was the last time: so workers, which begin at places of their own, come
// to the same parts of an array again, whose pages they have mapped and whose lines
// are in their caches.
func (e *Engine) spread(j *job) {
	e.next, e.stride = 0, max(1, len(e.slots)/int(min(j.chunks(), uint64(len(e.slots)))))
}

// freeSlot returns a free slot; there must be one. It goes round the ring as
// workers do.
func (e *Engine) freeSlot() int {
	i := e.next
	for e.slots[i].job != nil || e.slots[i].lost {
		i = (i + 1) % len(e.slots)
	}
	e.next = (i + e.stride) % len(e.slots)
	return i
}

// assignProgram gives a job its program record; false when none is free.
func (e *Engine) assignProgram(j *job) bool {
	if j.program >= 0 {
		return true
	}
	for i := range e.programs {
		if !e.programs[i] {
			wire.PutRecord(e.cfg.Control, i, j.record)
			e.programs[i] = true
			j.program = i
			return true
		}
	}
	return false
}

// harvest takes in every slot that is DONE and returns how many there were.
func (e *Engine) harvest() (found int) {
	for i := range e.slots {
		if e.slots[i].job != nil && !e.rebuilding && e.inspect(i) {
			found++
		}
	}
	return found
}

// inspect looks at one slot that is out and reports whether it was DONE.
func (e *Engine) inspect(i int) bool {
	s := &e.slots[i]
	word := e.ring.Load(i)
	if word == s.word {
		return false
	}
	worker := e.workers[word.Incarnation()]
	switch {
	case word.Generation() != s.word.Generation() || worker == nil:
		e.corruptSlot(i, word)
	case word.State() == ring.Claimed && !s.doomed, word.State() == ring.Doomed && s.doomed:
		e.works(worker)
	case word.State() == ring.Done && !s.doomed:
		e.works(worker)
		return e.finish(i, word, worker)
	default:
		e.corruptSlot(i, word)
	}
	return false
}

// finish takes in the result of a DONE slot.
func (e *Engine) finish(i int, word ring.Word, worker *member) bool {
	s := &e.slots[i]
	result, err := wire.GetResult(worker.handle.Results(), i, &e.scratch)
	claimed := ring.MakeWord(word.Generation(), word.Incarnation(), ring.Claimed)
	if err == nil && (result.Word != claimed || result.Descriptor != s.descriptor) {
		err = fmt.Errorf("it is of %v, %+v", result.Word, result.Descriptor)
	}
	if err == nil && result.Program != s.job.checksum {
		if record, _ := wire.GetRecord(e.cfg.Control, s.descriptor.Program); record != s.job.record {
			// The worker did as it was told, by a program somebody scribbled on.
			e.corrupt(fmt.Sprintf("the program at offset %d is not the one that was written", s.descriptor.Program))
			return false
		}
		err = fmt.Errorf("it is of a program with checksum %#x, not %#x", result.Program, s.job.checksum)
	}
	if err == nil && result.Status == wire.OK {
		err = s.job.accept(result)
	}
	if failed := (*JobError)(nil); errors.As(err, &failed) {
		e.failJob(s.job, failed.Err)
		err = nil
	}
	if err != nil {
		e.distrust(worker, fmt.Errorf("a result that cannot be: %w", err))
		return false
	}
	s.job.begun = true
	j := e.release(i)
	if !e.ring.Retire(i, word) {
		e.corruptSlot(i, e.ring.Load(i))
	}
	e.health = e.health.progress()
	e.recycle(worker)
	bytes := j.spec.Plan.Chunk(result.Descriptor.Chunk).Bytes
	if e.cfg.Observer != nil {
		e.cfg.Observer.ChunkRun(ChunkRun{
			worker.incarnation, j.spec.Program.Kernel, bytes, result.Duration, result.Descriptor.Attempt + 1, result.Status != wire.OK,
		})
	}
	if result.Status == wire.OK {
		e.counters.chunks.Add(1)
		e.counters.bytes.Add(bytes)
		e.counters.pending.Add(-1)
	} else {
		e.counters.failed.Add(1)
		e.failJob(j, j.taskError(result))
	}
	e.settle(j)
	return true
}

// release makes slot i FREE in the ledger; the ring's word is FREE already.
func (e *Engine) release(i int) *job {
	s := &e.slots[i]
	j := s.job
	*s = slot{word: ring.MakeWord(s.word.Generation(), 0, ring.Free)}
	e.outstanding--
	j.outstanding--
	return j
}
