package engine

import "slices"

// Started is a job that nobody need wait for.
type Started struct {
	engine *Engine
	job    *job
}

// Start starts a job.
func (e *Engine) Start(spec Job) (*Started, error) {
	j, err := newJob(spec)
	if err != nil {
		return nil, err
	}
	if err := e.submit(j); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.attended {
		e.attended = true
		go e.attend()
	}
	return &Started{e, j}, nil
}

// attend drives until no job is left.
func (e *Engine) attend() {
	e.driver <- struct{}{}
	e.drive(func() bool {
		e.attended = e.jobs.Len() > 0
		return !e.attended
	})
	<-e.driver
}

// Done is closed when the job has ended and nothing of it runs any more.
func (s *Started) Done() <-chan struct{} { return s.job.done }

// Err returns why the job failed, see [Engine.Run]; only once Done is closed.
func (s *Started) Err() error { return s.job.err }

// Cancel fails the job with a cause: what no worker has yet is taken back, what
// is in work is killed if it goes on for long.
func (s *Started) Cancel(cause error) { s.engine.cancel(s.job, cause) }

// Withdraw fails a job of one chunk with a cause, unless a worker has come to
// it, and reports whether it did.
func (s *Started) Withdraw(cause error) (done bool) {
	e, j := s.engine, s.job
	e.act(func() {
		if j.ended || j.begun {
			return
		}
		if i := e.slotOf(j); i >= 0 {
			if !e.ring.Cancel(i, e.slots[i].word) {
				return
			}
			e.release(i)
		}
		j.err = cause
		e.settle(j)
		done = true
	})
	return done
}

// Claimed reports whether a worker has come to a job of one chunk.
func (s *Started) Claimed() bool {
	e, j := s.engine, s.job
	e.mu.Lock()
	defer e.mu.Unlock()
	if !j.begun && !j.ended {
		i := e.slotOf(j)
		return i >= 0 && e.ring.Load(i) != e.slots[i].word
	}
	return j.begun
}

// slotOf returns a slot that a job's chunk is in, -1 if none is.
func (e *Engine) slotOf(j *job) int {
	return slices.IndexFunc(e.slots, func(s slot) bool { return s.job == j })
}
