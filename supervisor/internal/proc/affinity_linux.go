package proc

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// maxCPUs is how many CPUs a unix.CPUSet knows.
const maxCPUs = 1024

// usableCPUs lists the CPUs that this process may run on, in their order.
func usableCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("sched_getaffinity: %w", err)
	}
	var cpus []int
	for cpu := range maxCPUs {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// bound runs f on this thread while it is bound to a CPU: a process that f starts
// is, with all its threads, from its first instruction on. The thread is locked.
func bound(cpu int, f func() error) error {
	var before, set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("sched_getaffinity: %w", err)
	}
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("binding a worker to CPU %d: sched_setaffinity: %w: start the pool without pinning", cpu, err)
	}
	err := f()
	if rerr := unix.SchedSetaffinity(0, &before); err == nil && rerr != nil {
		return fmt.Errorf("sched_setaffinity: %w", rerr)
	}
	return err
}

// Binder deals out CPUs to bind workers to.
type Binder struct {
	cpus []int

	mu    sync.Mutex
	taken []int // how often each is
}

// NewBinder returns a binder to the CPUs that this process may run on.
func NewBinder() (*Binder, error) {
	cpus, err := usableCPUs()
	return &Binder{cpus: cpus, taken: make([]int, len(cpus))}, err
}

// Take returns the first CPU of those that are taken least often, and what gives it
// back.
func (s *Binder) Take() (cpu int, free func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := 0
	for at, n := range s.taken {
		if n < s.taken[i] {
			i = at
		}
	}
	s.taken[i]++
	return s.cpus[i], sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken[i]--
	})
}
