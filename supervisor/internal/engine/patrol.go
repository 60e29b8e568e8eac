package engine

import (
	"fmt"
	"time"

	"github.com/gangsaw/gangsaw/ring"
)

// watch is what was seen of a slot that stays CLAIMED.
type watch struct {
	word    ring.Word // CLAIMED
	turns   uint32    // of its owner, when it was first seen
	step    uint32    // that its owner is at, of a job with steps
	since   time.Time // it was first seen, at that step
	looked  time.Time // at the owner's state, last
	stopped time.Time // since when the owner is stopped, as far as it was seen
}

// lookTime is the time between two looks at the state of a process.
const lookTime = 100 * time.Millisecond

// patrol looks for what no event tells: work whose wake was lost with a killed
// worker, claims that nobody holds, holders that stay stopped.
func (e *Engine) patrol(now time.Time) {
	if e.closed || e.rebuilding || now.Sub(e.patrolled) < pollTime {
		return
	}
	e.patrolled = now
	ready := 0
	for i := range e.slots {
		s := &e.slots[i]
		if s.job == nil || s.doomed {
			continue
		}
		if e.ring.Load(i) == s.word {
			ready++
			continue
		}
		e.watchClaim(i, now)
		if e.rebuilding {
			return
		}
	}
	e.ring.WakeWorkers(ready)
}

// watchClaim looks after a slot that is CLAIMED. Its owner is known: inspect
// has judged the word.
func (e *Engine) watchClaim(i int, now time.Time) {
	s := &e.slots[i]
	word := s.watch.word
	m := e.workers[word.Incarnation()]
	if m == nil || word.State() != ring.Claimed {
		m = nil
	}
	var turns, progress uint32
	if m != nil {
		// Before the word: if that is still the same, the claim was held all the
		// time, if it ever was.
		turns, progress = m.beat.Load()
	}
	if current := e.ring.Load(i); current != word || m == nil {
		s.watch = watch{}
		if m = e.workers[current.Incarnation()]; m != nil && current.State() == ring.Claimed {
			s.watch.word, s.watch.since, s.watch.looked = current, now, now
			s.watch.turns, s.watch.step = m.beat.Load()
		}
		return
	}
	if s.job.spec.Steps && progress != s.watch.step {
		s.watch.step, s.watch.since = progress, now
	}
	switch {
	case turns != s.watch.turns:
		e.corrupt(fmt.Sprintf("ring slot %d holds %v, but that worker looks for other work", i, word))
	case s.job.spec.Limit > 0 && now.Sub(s.watch.since) >= s.job.spec.Limit:
		limit := s.job.spec.Limit
		if e.aim(i, fmt.Sprintf("was killed because its chunk took longer than %v", limit)) {
			s.fatal = func(v Event) error { return &DeadlineError{v.Place, v.Worker, v.PID, limit} }
			var up bool
			s.late, up = s.late.after(s.step(), s.job.spec.Late)
			s.excused = !up
		}
	case now.Sub(s.watch.looked) >= lookTime:
		s.watch.looked = now
		switch {
		case e.tooLarge(i, m):
		case !m.handle.Stopped():
			s.watch.stopped = time.Time{}
		case s.watch.stopped.IsZero():
			s.watch.stopped = now
		case now.Sub(s.watch.stopped) >= e.cfg.Limits.Stop:
			e.aim(i, fmt.Sprintf("was killed because it stayed stopped for %v with a chunk in hand", e.cfg.Limits.Stop))
		}
	}
}

// step returns the step that a slot's owner was seen at, 0 of a job without steps.
func (s *slot) step() uint32 {
	if !s.job.spec.Steps {
		return 0
	}
	return s.watch.step
}

// tooLarge kills the worker that holds slot i if it has more memory than it may,
// and reports whether it did.
func (e *Engine) tooLarge(i int, m *member) bool {
	may := e.cfg.Memory
	if may == 0 {
		return false
	}
	has := m.handle.Memory()
	if has <= may || !e.aim(i, fmt.Sprintf("was killed because it had %d bytes of memory of its own, more than %d", has, may)) {
		return false
	}
	_, progress := m.beat.Load()
	if s := &e.slots[i]; m.age.chunks > 0 || s.job.spec.Steps && progress != s.begin {
		s.excused = true // what a chunk, or a step, finds is not its own doing
	} else {
		s.fatal = func(v Event) error { return &MemoryError{v.Place, v.Worker, v.PID, has, may} }
	}
	return true
}

// aim kills the worker that holds slot i, if it still does: the kill hits this
// task and no other. It reports whether it did.
func (e *Engine) aim(i int, why string) bool {
	s := &e.slots[i]
	word := e.ring.Load(i)
	m := e.workers[word.Incarnation()]
	if m == nil || s.doomed || word.Generation() != s.word.Generation() || !e.ring.Doom(i, word) {
		return false
	}
	s.doomed = true
	m.innocent = true
	e.kill(m, why)
	return true
}
