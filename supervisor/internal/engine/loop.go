package engine

import (
	"fmt"
	"time"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// slot is the ledger's entry of one ring slot.
type slot struct {
	word       ring.Word // FREE, or READY as it was published
	job        *job      // nil while FREE
	descriptor ring.Descriptor
}

// pollTimeout bounds a sleep that missed its wake.
const pollTimeout = 10 * time.Millisecond

func (e *Engine) loop() {
	defer close(e.stopped)
	for {
		// Loaded before everything is looked at, so that what happens in
		// between ends the wait.
		seen := e.ring.Completed()
		e.drainInbox()
		if e.closing && len(e.workers) == 0 {
			e.inbox.Lock()
			e.inbox.closed = true
			e.inbox.Unlock()
			return
		}
		progress := e.harvest()
		if e.refill() {
			e.ring.WakeWorkers()
		}
		switch {
		case progress:
		case e.outstanding == 0:
			<-e.inbox.wake
		default:
			e.ring.WaitCompleted(seen, pollTimeout)
		}
	}
}

func (e *Engine) drainInbox() {
	e.inbox.Lock()
	posts := e.inbox.posts
	e.inbox.posts = nil
	e.inbox.Unlock()
	for _, f := range posts {
		f()
	}
}

// refill publishes chunks of waiting jobs into free slots, in the order of
// submission, and reports whether it published any.
func (e *Engine) refill() (published bool) {
	if e.rebuilding {
		return false
	}
	free := 0
	for _, j := range e.jobs {
		for j.pending() && e.outstanding < len(e.slots) {
			for e.slots[free].job != nil {
				free++
			}
			if !e.assignProgram(j) {
				break
			}
			s := &e.slots[free]
			s.job, s.descriptor = j, j.next(e.nextTask)
			s.word = e.ring.Publish(free, s.word, s.descriptor)
			e.nextTask++
			e.outstanding++
			j.outstanding++
			published = true
		}
	}
	return published
}

// assignProgram gives a job its program record; false when none is free.
func (e *Engine) assignProgram(j *job) bool {
	if j.program >= 0 {
		return true
	}
	for i := range e.programs {
		if !e.programs[i] {
			wire.PutProgram(e.cfg.Control, i, j.spec.Program)
			e.programs[i] = true
			j.program = i
			return true
		}
	}
	return false
}

// harvest takes in every slot that is DONE and reports whether there was any.
func (e *Engine) harvest() (progress bool) {
	for i := range e.slots {
		if e.slots[i].job != nil && !e.rebuilding && e.inspect(i) {
			progress = true
		}
	}
	return progress
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
	case word.State() == ring.Claimed:
	case word.State() == ring.Done:
		return e.finish(i, word, worker)
	default:
		e.corruptSlot(i, word)
	}
	return false
}

// finish takes in the result of a DONE slot.
func (e *Engine) finish(i int, word ring.Word, worker *member) bool {
	s := &e.slots[i]
	result, err := wire.GetResult(worker.handle.Results(), i)
	claimed := ring.MakeWord(word.Generation(), word.Incarnation(), ring.Claimed)
	if err == nil && (result.Word != claimed || result.Descriptor != s.descriptor) {
		err = fmt.Errorf("it is of %v, %+v", result.Word, result.Descriptor)
	}
	if err == nil && result.Status == wire.OK {
		err = s.job.accept(result)
	}
	if (err != nil || result.Status != wire.OK) && !e.programIntact(s) {
		// The worker did as it was told, by a program somebody scribbled on.
		e.corrupt(fmt.Sprintf("the program at offset %d is not the one that was written", s.descriptor.Program))
		return false
	}
	if err != nil {
		e.distrust(worker, fmt.Errorf("a result that cannot be: %w", err))
		return false
	}
	j := e.release(i)
	if !e.ring.Retire(i, word) {
		e.corruptSlot(i, e.ring.Load(i))
	}
	e.health = e.health.progress()
	if result.Status == wire.OK {
		c := j.spec.Plan.Chunk(result.Descriptor.Chunk)
		e.counters.chunks.Add(1)
		e.counters.bytes.Add(c.Bytes)
	} else {
		e.failJob(j, j.taskError(result))
	}
	e.settle(j)
	return true
}

// programIntact reports whether a slot's program is still the one that was
// written.
func (e *Engine) programIntact(s *slot) bool {
	program, err := wire.GetProgram(e.cfg.Control, s.descriptor.Program)
	return err == nil && program == s.job.spec.Program
}

// release makes slot i FREE in the ledger; the ring's word is FREE already.
func (e *Engine) release(i int) *job {
	s := &e.slots[i]
	j := s.job
	s.word = ring.MakeWord(s.word.Generation(), 0, ring.Free)
	s.job = nil
	e.outstanding--
	j.outstanding--
	return j
}
