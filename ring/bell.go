package ring

import (
	"runtime"
	"sync/atomic"
	"time"
)

// bellWords are a bell's words in shared memory.
type bellWords struct {
	marks atomic.Uint64 // number of marks ever made << 32 | marks that stand
	rings atomic.Uint32 // changes with every ring that somebody may hear
}

const oneMark = 1<<32 | 1

// standing is how many marks stand: at least as many as sleep.
func standing(marks uint64) int { return int(uint32(marks)) }

// bell lets one side of the ring sleep until the other has something for it.
//
// Whoever is about to sleep loads rings, leaves a mark, looks for work once
// more, and sleeps only while rings is unchanged. Whoever has made work looks
// at the marks afterwards. One of the two sees the other. A waker takes no more
// marks than it wakes sleepers, so another that comes meanwhile finds the rest.
// Marks may outnumber the sleepers, because who wakes by itself, or is killed,
// does not take its mark along: that costs calls that find nobody, the first of
// which sets it right.
type bell struct {
	*bellWords
	sleeper
}

// sleeper is how this platform sleeps and wakes.
type sleeper interface {
	// sleep returns when *rings is no longer seen, when it is woken, or after
	// the timeout, and may return for no reason.
	sleep(rings *atomic.Uint32, seen uint32, timeout time.Duration)
	// wake wakes at most n that sleep on rings and returns how many it did.
	wake(rings *atomic.Uint32, n int) int
}

// ring wakes at most n sleepers.
func (b *bell) ring(n int) {
	var left uint64
	for {
		// The load keeps the line shared while nobody sleeps.
		marks := b.marks.Load()
		n = min(n, standing(marks))
		if n <= 0 {
			return
		}
		left = marks - uint64(n)
		if b.marks.CompareAndSwap(marks, left) {
			break
		}
	}
	// Whoever is marked and not asleep yet does not fall asleep.
	b.rings.Add(1)
	if b.wake(&b.rings, n) < n {
		// So nobody who was marked by then sleeps; a mark that came since
		// makes this fail.
		b.marks.CompareAndSwap(left, left&^(1<<32-1))
	}
}

// Waiter paces one side's looking for work: a time-bounded spin, a yield, then
// sleep.
type Waiter struct {
	bell    *bell
	spin    time.Duration
	timeout time.Duration
	begin   time.Time // of the spin
	phase   phase
	seen    uint32
}

type phase uint8

const (
	busy     phase = iota // the last look found something
	spinning              // since begin
	marked                // as about to sleep
)

// SpinTime is how long a side that found nothing looks again and again before
// it sleeps, if there are CPUs to spare.
const SpinTime = 20 * time.Microsecond

// NewWorkerWaiter returns what paces a worker that finds nothing to claim. A
// sleep ends after the timeout at the latest: a wake can be lost with whoever
// was killed.
func (r *Ring) NewWorkerWaiter(spin, timeout time.Duration) *Waiter {
	return &Waiter{bell: &r.workers, spin: spin, timeout: timeout}
}

// NewSupervisorWaiter returns what paces the supervisor.
func (r *Ring) NewSupervisorWaiter(spin, timeout time.Duration) *Waiter {
	return &Waiter{bell: &r.supervisor, spin: spin, timeout: timeout}
}

// restTime is long enough for some dozens of claims and completions.
const restTime = 2 * time.Microsecond

// Rest lets a moment pass without a look at the slots. While the other side
// has plenty to do, a look at what it is about to write costs both of them a
// cache miss; after a rest there is more to find at once.
func (w *Waiter) Rest() {
	for begin := time.Now(); time.Since(begin) < restTime; {
	}
}

// Found is to be called after a look that found something.
func (w *Waiter) Found() { w.phase = busy }

// Pause is to be called after a look that found nothing, before the next. It
// returns when it is time to look again, and reports whether it slept.
func (w *Waiter) Pause() (slept bool) {
	switch w.phase {
	case busy:
		w.begin, w.phase = time.Now(), spinning
	case spinning:
		if time.Since(w.begin) < w.spin {
			return false
		}
		runtime.Gosched()
		w.seen, w.phase = w.bell.rings.Load(), marked
		// Whoever makes work after this sees it; what was made before is found
		// by the caller's next look.
		w.bell.marks.Add(oneMark)
	case marked:
		w.bell.sleep(&w.bell.rings, w.seen, w.timeout)
		w.phase = spinning // whose time is over: one look, then marked again
		return true
	}
	return false
}
