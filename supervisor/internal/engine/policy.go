package engine

import "time"

// What to do about deaths, as pure functions.

const (
	// backoffFirst doubles with each further death without progress.
	backoffFirst = 10 * time.Millisecond
	backoffMost  = 500 * time.Millisecond
	// maxFailedStarts is how many workers in a row may end before they report
	// for work; beyond it the pool goes on with the workers it has.
	maxFailedStarts = 3
	// maxIdleDeaths is how many workers in a row may die without a finished
	// chunk in between.
	maxIdleDeaths = 20
)

// health is what is known of the workers' recent past.
type health struct {
	everReady    bool
	failedStarts int // in a row, ended before they were ready
	deaths       int // in a row, without a finished chunk in between
}

func (h health) ready() health    { return health{true, 0, h.deaths} }
func (h health) progress() health { return health{h.everReady, h.failedStarts, 0} }

type action int

const (
	respawn       action = iota
	goOn                 // with fewer workers
	giveUpStart          // no worker can be started
	giveUpCrashes        // workers crash in a loop
)

// verdict says what follows a death.
type verdict struct {
	action action
	delay  time.Duration // before the respawn
}

// death returns the health after the death of a worker that had reported for
// work or not, and what follows. others is how many workers are left.
func (h health) death(wasReady bool, others int) (health, verdict) {
	h.deaths++
	if !wasReady {
		h.failedStarts++
	}
	switch {
	case h.deaths >= maxIdleDeaths:
		return h, verdict{action: giveUpCrashes}
	case !h.everReady && others == 0, h.failedStarts >= maxFailedStarts && others == 0:
		// None was ever ready: the program lacks the hook, and a second try
		// would end like the first.
		return h, verdict{action: giveUpStart}
	case h.failedStarts >= maxFailedStarts:
		return h, verdict{action: goOn}
	case h.deaths == 1:
		return h, verdict{}
	}
	return h, verdict{delay: min(backoffFirst<<(h.deaths-2), backoffMost)}
}

// quarantine reports whether a chunk that has killed that many workers is
// given up.
func quarantine(deaths uint32, retries int) bool { return int64(deaths) > int64(retries) }
