package engine

import "time"

// What to do about deaths, as pure functions.

const (
	// backoffFirst doubles with each further death without progress.
	backoffFirst = 10 * time.Millisecond
	backoffMost  = 500 * time.Millisecond
	// maxFirstStarts is how many workers of a new pool may be killed, by
	// somebody else, before one reports for work.
	maxFirstStarts = 3
	// maxIdleDeaths is how many workers in a row may die without a finished
	// chunk in between, and two more for every worker of the pool: all of them
	// may be killed at once.
	maxIdleDeaths = 20
)

// health is what is known of the workers' recent past.
type health struct {
	everReady    bool
	failedStarts int // in a row, ended before they reported for work
	deaths       int // in a row, without a finished chunk in between
}

func (h health) ready() health    { return health{true, 0, h.deaths} }
func (h health) progress() health { return health{h.everReady, h.failedStarts, 0} }

type action int

const (
	respawn       action = iota
	giveUpStart          // no worker can be started
	giveUpCrashes        // workers crash in a loop
)

// verdict says what follows a death.
type verdict struct {
	action action
	delay  time.Duration // before the respawn
}

// death is what is known of a worker's end.
type death struct {
	ready  bool // it had reported for work
	killed bool // by a signal from elsewhere
	others int  // workers that are left
	size   int  // of the pool
}

// after returns the health after a death and what follows.
func (h health) after(d death) (health, verdict) {
	h.deaths++
	if !d.ready {
		h.failedStarts++
	}
	switch {
	case h.hopeless(d.size):
		return h, verdict{action: giveUpCrashes}
	case h.everReady:
		return h, verdict{delay: backoff(max(h.deaths, h.failedStarts))}
	case d.others > 0:
		// Most likely the program lacks the hook: see how the others end.
		return h, verdict{delay: backoffMost}
	case d.killed && h.failedStarts < maxFirstStarts:
		return h, verdict{delay: backoff(h.failedStarts)}
	}
	return h, verdict{action: giveUpStart}
}

// corrupted returns the health after the ring was found corrupted, which
// counts as one death, however many workers are killed for it.
func (h health) corrupted() health { return health{h.everReady, h.failedStarts, h.deaths + 1} }

// hopeless reports whether a pool of that size crashes in a loop.
func (h health) hopeless(size int) bool { return h.deaths >= maxIdleDeaths+2*size }

// backoff returns the delay before the respawn after the n-th death in a row.
func backoff(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	return min(backoffFirst<<min(n-2, 20), backoffMost)
}

// crew is who works, and who could.
type crew struct {
	size, spares int  // of the pool
	onDemand     bool // workers are started when there is work for them
	work         int  // chunks that are not finished; those beyond size do not matter
	active       int  // workers that claim, or will
	standby      int  // that were started, and do not
	coming       int  // that are to be started after a delay
}

// wanted returns how many workers should claim. One stays without work: whatever
// is wrong with the next start, the pool goes on.
func (c crew) wanted() int {
	if !c.onDemand {
		return c.size
	}
	return min(c.size, max(1, c.work, c.active))
}

// promote reports whether one that stands by is to claim.
func (c crew) promote() bool { return c.standby > 0 && c.active < c.wanted() }

// start reports whether one more worker is to be started.
func (c crew) start() bool { return c.active+c.standby+c.coming < c.wanted()+c.spares }

// lateness is what is known of a chunk that was past its deadline.
type lateness struct {
	step  uint32 // at the last time
	times int    // in a row at that step
}

// after returns the lateness after one more time at a step, and whether the chunk is
// given up.
func (l lateness) after(step uint32, retries int) (lateness, bool) {
	if step != l.step {
		l = lateness{step: step}
	}
	l.times++
	return l, l.times > retries
}

// maxDeaths is how many workers a chunk may kill wherever they were, so that no
// worker that lies about its progress keeps a job from ending.
const maxDeaths = 100

// blame is what is known of the deaths of a chunk's workers.
type blame struct {
	place   uint32 // progress at the last one
	strikes int    // in a row at that place
	deaths  int
}

// after returns the blame after a death at a place, and whether the chunk is
// given up. A chunk that kills does so at one place again and again; a death
// elsewhere is somebody else's doing, and no strike.
func (b blame) after(place uint32, retries int) (blame, bool) {
	b.deaths++
	if place != b.place {
		b.place, b.strikes = place, 0
	}
	b.strikes++
	return b, b.strikes > retries || b.deaths >= max(maxDeaths, retries)
}
