package ring

import (
	"sync/atomic"
	"time"
)

// futex sleeps on the shared word itself.
type futex struct{}

func newSleeper() (sleeper, error) { return futex{}, nil }

func (futex) sleep(rings *atomic.Uint32, seen uint32, timeout time.Duration) {
	futexWait(rings, seen, timeout)
}

func (futex) wake(rings *atomic.Uint32, n int) int { return futexWake(rings, n) }
