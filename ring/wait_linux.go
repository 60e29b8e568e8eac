package ring

import (
	"runtime"
	"sync/atomic"
	"time"
)

// Waiting is a time-bounded spin, then a futex with a timeout. The timeout
// bounds what a wake that was lost with a killed waiter can cost.
const (
	spinTime = 20 * time.Microsecond
	spinTurn = 64 // loads between two looks at the clock
)

// Published returns the publish count, to be loaded before a scan for READY
// slots that may end in [Ring.WaitPublished].
func (r *Ring) Published() uint32 { return r.header.published.Load() }

// WaitPublished returns when the publish count is no longer seen, when
// [Ring.NudgeWorkers] is called, or after the timeout.
func (r *Ring) WaitPublished(seen uint32, timeout time.Duration) {
	wait(&r.header.published, &r.header.workersIdle, seen, timeout)
}

// WakeWorkers wakes the workers that wait for published slots, if any.
func (r *Ring) WakeWorkers() { wake(&r.header.published, &r.header.workersIdle) }

// Completed returns the done count, to be loaded before a scan for DONE slots
// that may end in [Ring.WaitCompleted].
func (r *Ring) Completed() uint32 { return r.header.completed.Load() }

// WaitCompleted returns when the done count is no longer seen, when
// [Ring.WakeSupervisor] or [Ring.Nudge] is called, or after the timeout.
func (r *Ring) WaitCompleted(seen uint32, timeout time.Duration) {
	wait(&r.header.completed, &r.header.supervisorIdle, seen, timeout)
}

// WakeSupervisor wakes the supervisor if it waits for completed slots.
func (r *Ring) WakeSupervisor() { wake(&r.header.completed, &r.header.supervisorIdle) }

// Nudge makes the supervisor look around even if no slot was completed.
func (r *Ring) Nudge() {
	r.header.completed.Add(1)
	r.WakeSupervisor()
}

// NudgeWorkers makes the waiting workers look around even if no slot was
// published.
func (r *Ring) NudgeWorkers() {
	r.header.published.Add(1)
	r.WakeWorkers()
}

func wait(count, idle *atomic.Uint32, seen uint32, timeout time.Duration) {
	for start := time.Now(); time.Since(start) < spinTime; {
		for range spinTurn {
			if count.Load() != seen {
				return
			}
		}
	}
	runtime.Gosched()
	// Announces the sleep. Whoever takes the mark away changes count before it
	// wakes, so that a waiter that is not asleep yet does not fall asleep.
	idle.Store(1)
	futexWait(count, seen, timeout)
}

func wake(count, idle *atomic.Uint32) {
	// The load keeps the line shared while nobody sleeps.
	if idle.Load() != 0 && idle.Swap(0) != 0 {
		count.Add(1)
		futexWake(count)
	}
}
