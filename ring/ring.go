package ring

import "fmt"

// Ring is one process's handle on a ring.
type Ring struct {
	header *header
	slots  []slot
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
	return &Ring{h, slots}, nil
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

// Publish makes slot i READY with descriptor d and returns its new word.
// Supervisor only; w is the word the supervisor last left in the slot, which
// must be its own: FREE, or CLAIMED or DONE by a worker that was reaped.
func (r *Ring) Publish(i int, w Word, d Descriptor) Word {
	ready := MakeWord(w.Generation()+1, 0, Ready)
	s := &r.slots[i]
	s.descriptor = d
	// Publishes the descriptor; the slot is any worker's from here on.
	s.word.Store(uint64(ready))
	r.header.published.Add(1)
	return ready
}

// Retire takes slot i back from DONE word w; false if the word changed.
// Supervisor only.
func (r *Ring) Retire(i int, w Word) bool {
	// The result was read before; the slot is the supervisor's again.
	return r.slots[i].word.CompareAndSwap(uint64(w), uint64(MakeWord(w.Generation(), 0, Free)))
}

// Reset makes slot i FREE whatever it holds and returns its new word.
// Supervisor only; w is the word the supervisor last left in the slot, and
// whoever may have claimed it since was reaped.
func (r *Ring) Reset(i int, w Word) Word {
	free := MakeWord(w.Generation()+1, 0, Free)
	// Nobody else is left to touch the slot.
	r.slots[i].word.Store(uint64(free))
	return free
}

// Cancel takes slot i back from READY word w; false if a worker claimed it
// first. Supervisor only.
func (r *Ring) Cancel(i int, w Word) bool {
	// Races with a claim: one of the two wins.
	return r.slots[i].word.CompareAndSwap(uint64(w), uint64(MakeWord(w.Generation(), 0, Free)))
}

// Claim is a worker's hold on one slot.
type Claim struct {
	Slot       int
	Word       Word // CLAIMED, with this worker's incarnation
	Descriptor Descriptor
}

// Claim takes a READY slot for the worker of that incarnation; false when
// there is none.
func (r *Ring) Claim(incarnation uint32) (Claim, bool) {
	n := len(r.slots)
	start := int(r.header.claimHint.Load()) % n
	for k := range n {
		i := start + k
		if i >= n {
			i -= n
		}
		w := r.Load(i)
		if w.State() != Ready {
			continue
		}
		if c, ok := r.take(i, w, incarnation); ok {
			r.header.claimHint.Store(uint32(i + 1))
			return c, true
		}
	}
	return Claim{}, false
}

// take claims slot i if it still holds READY word w.
func (r *Ring) take(i int, w Word, incarnation uint32) (Claim, bool) {
	s := &r.slots[i]
	mine := MakeWord(w.Generation(), incarnation, Claimed)
	// Takes the slot and records its owner in one step; from here on the
	// descriptor is this worker's to read.
	if !s.word.CompareAndSwap(uint64(w), uint64(mine)) {
		return Claim{}, false
	}
	return Claim{i, mine, s.descriptor}, true
}

// Complete makes a claimed slot DONE. False means that the supervisor took
// the claim away: the worker must exit and touch nothing more.
func (r *Ring) Complete(c Claim) bool {
	done := MakeWord(c.Word.Generation(), c.Word.Incarnation(), Done)
	// Publishes the worker's result; the slot is the supervisor's.
	if !r.slots[c.Slot].word.CompareAndSwap(uint64(c.Word), uint64(done)) {
		return false
	}
	r.header.completed.Add(1)
	return true
}
