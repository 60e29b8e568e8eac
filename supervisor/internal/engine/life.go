package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Recycle says when a worker is replaced by a new one, between two chunks.
// Zeros mean never.
type Recycle struct {
	Chunks uint64        // it has finished
	Age    time.Duration // since it came to work
	Memory uint64        // bytes of its own, looked at now and then
}

// age is what is known of a worker's life.
type age struct {
	born    time.Time // as a worker that is ready
	chunks  uint64    // finished
	looked  time.Time // at its memory, last
	retired bool      // it was told to end
}

// putInit writes the initialiser as program 0, which no job gets then.
func (e *Engine) putInit() {
	if e.cfg.Init == nil {
		return
	}
	e.programs[0] = true
	record, err := e.cfg.Init.Record()
	if err != nil {
		panic(err) // its size was checked when it was made
	}
	wire.PutRecord(e.cfg.Control, 0, record)
}

// initError returns why a worker's initialiser failed, "" if it did not.
func (e *Engine) initError(m *member) string {
	if m.ready || e.cfg.Init == nil {
		return ""
	}
	result, err := wire.GetResult(m.handle.Results(), 0, &e.scratch)
	if err != nil || result.Word != wire.InitWord || result.Status == wire.OK {
		return ""
	}
	what, stack, _ := strings.Cut(string(result.Payload), "\x00")
	return strings.TrimSpace(fmt.Sprintf("ended because its initialiser, kernel %q, failed: %s\n%s", e.cfg.Init.Kernel, printable(what), printable(stack)))
}

// recycle tells a worker that has finished a chunk to end, if it is time.
func (e *Engine) recycle(m *member) {
	r, a := e.cfg.Recycle, &m.age
	a.chunks++
	if a.retired {
		return
	}
	// Before the next chunk, which has no part in it.
	if e.cfg.Memory > 0 && m.handle.Memory() > e.cfg.Memory {
		a.retired = true
		e.check(m, m.handle.Retire())
		return
	}
	if r.Chunks > 0 && a.chunks >= r.Chunks {
		a.retired = true // it counts too, and ends by itself
		return
	}
	if r.Age == 0 && r.Memory == 0 {
		return
	}
	now := time.Now()
	old := r.Age > 0 && now.Sub(a.born) >= r.Age
	if r.Memory > 0 && now.Sub(a.looked) >= lookTime {
		a.looked = now
		old = old || m.handle.Memory() > r.Memory
	}
	if old {
		a.retired = true
		e.check(m, m.handle.Retire())
	}
}

// Hold keeps Drain from returning until it is released: jobs will follow, with
// Held, that belong to what was submitted before.
func (e *Engine) Hold() (release func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.broken != nil:
		return nil, e.broken
	case e.draining:
		return nil, ErrClosed
	}
	e.holds++
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.holds--
		e.settleDrain()
	}, nil
}

// Drain takes no new jobs and returns when those there are have ended. With
// dismiss, those of which something is left that no worker has come to fail with
// ErrClosed.
func (e *Engine) Drain(dismiss bool) {
	e.act(func() {
		e.draining = true
		if dismiss {
			e.dismissed = true
			e.dismiss()
		}
		e.settleDrain()
	})
	select {
	case <-e.drained:
	case <-e.gone:
	}
}

// settleDrain lets Drain return once no job is left.
func (e *Engine) settleDrain() {
	if !e.draining || e.jobs.Len() > 0 || e.holds > 0 {
		return
	}
	select {
	case <-e.drained:
	default:
		close(e.drained)
	}
}

func (e *Engine) dismiss() {
	for _, j := range e.allJobs() {
		if j.pending() {
			e.failJob(j, ErrClosed)
		}
		for i := range e.slots {
			// What a worker comes to meanwhile goes on.
			if s := &e.slots[i]; s.job == j && e.ring.Cancel(i, s.word) {
				e.release(i)
				e.failJob(j, ErrClosed)
			}
		}
		e.settle(j)
	}
}
