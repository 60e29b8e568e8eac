package ring

import "fmt"

// Ring is one process's handle on a ring. Its own methods are the
// supervisor's; a worker takes and completes claims through a [Claimer].
type Ring struct {
	slots      []slot
	workers    bell // rung when something was published
	supervisor bell // rung when something was completed
}

// firstGeneration is close below wrap-around, so that every run crosses it.
const firstGeneration = 1<<32 - 16

// Size returns the bytes a ring of that capacity needs.
func Size(capacity int) int { return headerSize + capacity*slotSize }

// Attach returns a handle on the ring in mem, whose capacity is known to the
// caller. Zeroed memory is an empty ring. It fails when mem is too small or
// not aligned to 8 bytes.
func Attach(mem []byte, capacity int) (*Ring, error) {
	if capacity < 1 || len(mem) < Size(capacity) {
		return nil, fmt.Errorf("ring: %d bytes cannot hold %d slots", len(mem), capacity)
	}
	if !aligned(mem) {
		return nil, fmt.Errorf("ring: memory is not aligned to 8 bytes")
	}
	h, slots := overlay(mem, capacity)
	workers, err := newSleeper()
	if err != nil {
		return nil, err
	}
	supervisor, err := newSleeper()
	if err != nil {
		return nil, err
	}
	return &Ring{slots, bell{&h.workers, workers}, bell{&h.supervisor, supervisor}}, nil
}

// Format makes mem an empty ring; only the supervisor does, before any worker
// attaches.
func Format(mem []byte, capacity int) (*Ring, error) {
	r, err := Attach(mem, capacity)
	if err != nil {
		return nil, err
	}
	for i := range r.slots {
		r.slots[i].word.Store(uint64(MakeWord(firstGeneration, 0, Free)))
	}
	return r, nil
}

// Capacity returns the number of slots.
func (r *Ring) Capacity() int { return len(r.slots) }

// Load returns the word of slot i, loaded once.
func (r *Ring) Load(i int) Word { return Word(r.slots[i].word.Load()) }

// Publish makes slot i READY with descriptor d and returns its new word. w is
// the word the slot holds, which must be the supervisor's: FREE, or DONE and
// accepted, or that of a worker that was reaped. Wake the workers once all that
// is to be published is.
func (r *Ring) Publish(i int, w Word, d Descriptor) Word {
	ready := MakeWord(w.Generation()+1, 0, Ready)
	s := &r.slots[i]
	s.descriptor = d
	// Publishes the descriptor; the slot is any worker's from here on.
	s.word.Store(uint64(ready))
	return ready
}

// Retire takes slot i back from DONE word w; false if the word changed.
func (r *Ring) Retire(i int, w Word) bool {
	// The result was read before; the slot is the supervisor's again.
	return r.slots[i].word.CompareAndSwap(uint64(w), uint64(MakeWord(w.Generation(), 0, Free)))
}

// Reset makes slot i FREE whatever it holds and returns its new word. w is the
// word the supervisor last left in the slot, and whoever may have claimed it
// since was reaped.
func (r *Ring) Reset(i int, w Word) Word {
	free := MakeWord(w.Generation()+1, 0, Free)
	// Nobody else is left to touch the slot.
	r.slots[i].word.Store(uint64(free))
	return free
}

// Cancel takes slot i back from READY word w; false if a worker claimed it
// first.
func (r *Ring) Cancel(i int, w Word) bool {
	// Races with a claim: one of the two wins.
	return r.slots[i].word.CompareAndSwap(uint64(w), uint64(MakeWord(w.Generation(), 0, Free)))
}

// Doom takes the right to complete slot i from the worker that holds it by
// CLAIMED word w; false if the worker was faster. A worker whose claim is
// doomed claims nothing more, so a kill of it hits this task and no other.
func (r *Ring) Doom(i int, w Word) bool {
	// Races with the completion: one of the two wins.
	return w.State() == Claimed && r.slots[i].word.CompareAndSwap(uint64(w), uint64(MakeWord(w.Generation(), w.Incarnation(), Doomed)))
}

// WakeWorkers wakes as many of the workers that wait as n published slots need.
func (r *Ring) WakeWorkers(n int) { r.workers.ring(n) }

// WakeSupervisor wakes the supervisor if it waits.
func (r *Ring) WakeSupervisor() { r.supervisor.ring(1) }
