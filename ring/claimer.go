package ring

// Claimer is one worker's handle on a ring, for one incarnation.
type Claimer struct {
	ring        *Ring
	incarnation uint32
	next        int // slot to look at first
}

// NewClaimer returns the handle of the worker of that incarnation.
func (r *Ring) NewClaimer(incarnation uint32) *Claimer {
	// Workers begin far from one another, so that they seldom want one slot:
	// multiples of the golden ratio are spread evenly.
	const golden = 2654435769
	start := uint64(incarnation*golden) * uint64(len(r.slots)) >> 32
	return &Claimer{r, incarnation, int(start)}
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
