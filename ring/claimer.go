package ring

import "math/bits"

// Claimer is one worker's handle on a ring, for one incarnation.
type Claimer struct {
	ring        *Ring
	incarnation uint32
	home        int // slot to look at first after nothing was found
	next        int // slot to look at first
}

// NewClaimer returns the handle of the worker of that incarnation, which has that
// seat among the workers, from 0.
func (r *Ring) NewClaimer(incarnation, seat uint32) *Claimer {
	// Workers begin far from one another, so that they seldom want one slot: at
	// 0, 1/2, 1/4, 3/4, 1/8, ... of the ring.
	home := int(uint64(bits.Reverse32(seat)) * uint64(len(r.slots)) >> 32)
	return &Claimer{r, incarnation, home, home}
}

// Claim is a worker's hold on one slot.
type Claim struct {
	Slot       int
	Word       Word // CLAIMED, with this worker's incarnation
	Descriptor Descriptor
}

// Claim takes a READY slot; false when there is none.
func (c *Claimer) Claim() (Claim, bool) {
	slots := c.ring.slots
	i := c.next
	for range slots {
		if i >= len(slots) {
			i = 0
		}
		if w := Word(slots[i].word.Load()); w.State() == Ready {
			if claim, ok := c.take(i, w); ok {
				c.next = i + 1
				return claim, true
			}
		}
		i++
	}
	// What comes next is looked for from home: a job that is run again is shared
	// out as it was, and each worker meets the pages and cache lines it knows.
	c.next = c.home
	return Claim{}, false
}

// take claims slot i if it still holds READY word w.
func (c *Claimer) take(i int, w Word) (Claim, bool) {
	s := &c.ring.slots[i]
	mine := MakeWord(w.Generation(), c.incarnation, Claimed)
	// Takes the slot and records its owner in one step; from here on the
	// descriptor is this worker's to read.
	if !s.word.CompareAndSwap(uint64(w), uint64(mine)) {
		return Claim{}, false
	}
	return Claim{i, mine, s.descriptor}, true
}

// Complete makes a claimed slot DONE. False means that the supervisor took
// the claim away: the worker must exit and touch nothing more.
func (c *Claimer) Complete(claim Claim) bool {
	done := MakeWord(claim.Word.Generation(), claim.Word.Incarnation(), Done)
	// Publishes the worker's result; the slot is the supervisor's.
	return c.ring.slots[claim.Slot].word.CompareAndSwap(uint64(claim.Word), uint64(done))
}
