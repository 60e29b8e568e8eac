package engine

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// member is the ledger's entry of a worker.
type member struct {
	incarnation uint32
	handle      Worker
	ready       bool
	late        *time.Timer
	doomed      string // why the supervisor killed it
	innocent    bool   // it was killed for no fault of its own
}

// readyTimeout is how long a worker may take to report for work.
const readyTimeout = 10 * time.Second

// kill ends a worker, if nothing did before, and records why.
func (m *member) kill(why string) {
	if m.doomed == "" {
		m.doomed = why
		m.handle.Kill()
	}
}

// sacrifice ends a worker that did nothing wrong.
func (m *member) sacrifice(why string) {
	m.innocent = true
	m.kill(why)
}

// check kills a worker that cannot be told something. One that has just died
// cannot either; how it died is told by its exit.
func (m *member) check(err error) {
	if err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		m.kill("was killed because of " + err.Error())
	}
}

// launch starts one worker.
func (e *Engine) launch() {
	switch {
	case e.closing || e.broken != nil:
		return
	case e.rebuilding:
		e.deferred++
		return
	case e.nextIncarnation == ring.MaxIncarnation:
		e.fail(fmt.Errorf("all %d incarnations are used up: start a new pool", ring.MaxIncarnation))
		return
	}
	e.nextIncarnation++
	m := &member{incarnation: e.nextIncarnation}
	handle, err := e.cfg.Launch(m.incarnation,
		func() { e.post(func() { e.onReady(m) }) },
		func(exit proc.Exit) { e.post(func() { e.onExit(m, exit) }) })
	if err != nil {
		exit := proc.Exit{Err: err}
		e.observeDeath(m, exit.String(), exit)
		e.replace(m, exit, exit.String())
		return
	}
	m.handle = handle
	e.workers[m.incarnation] = m
	m.late = time.AfterFunc(readyTimeout, func() {
		e.post(func() {
			if !m.ready {
				m.kill(fmt.Sprintf("was killed because it did not report for work within %v", readyTimeout))
			}
		})
	})
	for number, mapping := range e.mappings {
		m.check(handle.Attach(number, mapping))
	}
}

func (e *Engine) onReady(m *member) {
	m.ready = true
	m.late.Stop()
	e.health = e.health.ready()
	e.announceStart()
}

// onExit recovers from the end of a worker, which is reaped: what it finished
// counts, what it had claimed is run again.
func (e *Engine) onExit(m *member, exit proc.Exit) {
	m.late.Stop()
	cause := exit.String()
	if m.doomed != "" && (exit.Signal == syscall.SIGKILL || exit == proc.Exit{}) {
		cause = m.doomed
	}
	e.harvest()
	held := false
	for i := range e.slots {
		if s := &e.slots[i]; s.job != nil && !e.rebuilding {
			// After the harvest a slot with this owner is CLAIMED, or DONE
			// with a result that cannot be.
			w := e.ring.Load(i)
			if w != s.word && w.Incarnation() == m.incarnation && w.Generation() == s.word.Generation() {
				held = true
				e.strike(i, m, cause)
			}
		}
	}
	delete(e.workers, m.incarnation)
	m.handle.Close()
	if !held && !e.closing {
		e.observeDeath(m, cause, exit)
	}
	if e.rebuilding && len(e.workers) == 0 {
		e.rebuild()
	}
	e.replace(m, exit, cause)
}

// observeDeath reports a death that cost no chunk. A start that fails again for
// the same reason is not news.
func (e *Engine) observeDeath(m *member, cause string, exit proc.Exit) {
	if exit.Err != nil {
		if cause == e.startCause {
			return
		}
		e.startCause = cause
	}
	event := Event{Kind: WorkerDied, Worker: m.incarnation, Cause: cause}
	if m.handle != nil {
		event.PID = m.handle.PID()
	}
	e.cfg.Observe(event)
}

// strike deals with a chunk whose worker died: it is run again, or given up
// once it has killed too many.
func (e *Engine) strike(i int, m *member, cause string) {
	s := &e.slots[i]
	j := s.job
	if j.err != nil {
		e.drop(i)
		return
	}
	s.descriptor.Attempt++
	event := Event{
		Kind: ChunkRetried, Worker: m.incarnation, PID: m.handle.PID(), Cause: cause,
		Place: j.place(s.descriptor.Chunk), Attempt: s.descriptor.Attempt,
	}
	if quarantine(s.descriptor.Attempt, e.cfg.Retries) {
		event.Kind = ChunkQuarantined
		e.cfg.Observe(event)
		e.counters.quarantined.Add(1)
		j.quarantined = append(j.quarantined, Quarantined{event.Place.Chunk, event.Place.First, event.Place.Last, cause})
		j.finished++
		e.drop(i)
		return
	}
	e.cfg.Observe(event)
	e.counters.retries.Add(1)
	s.word = e.ring.Publish(i, s.word, s.descriptor)
	e.ring.WakeWorkers()
}

// drop makes a slot FREE whose chunk will not be run, and whose owner was
// reaped.
func (e *Engine) drop(i int) {
	e.slots[i].word = e.ring.Reset(i, e.slots[i].word)
	e.settle(e.release(i))
}

// replace starts a worker for one that is gone, as the policy says.
func (e *Engine) replace(m *member, exit proc.Exit, cause string) {
	if e.closing || e.broken != nil {
		return
	}
	var v verdict
	if !m.innocent {
		e.health, v = e.health.after(death{
			ready:  m.ready,
			killed: exit.Signal != 0 && m.doomed == "",
			others: len(e.workers),
			size:   e.cfg.Workers,
		})
	}
	switch v.action {
	case giveUpStart:
		e.fail(&StartError{Failures: e.health.failedStarts, Cause: cause, Ran: exit.Err == nil && (exit.Signal == 0 || m.doomed != "")})
	case giveUpCrashes:
		e.fail(&CrashLoopError{Deaths: e.health.deaths, Cause: cause})
	case respawn:
		absent := int64(0)
		if exit.Err != nil {
			absent = 1
		}
		e.counters.absent.Add(absent)
		start := func() {
			e.counters.absent.Add(-absent)
			e.counters.respawns.Add(1 - uint64(absent))
			e.launch()
		}
		if v.delay == 0 {
			start()
		} else {
			time.AfterFunc(v.delay, func() { e.post(start) })
		}
	}
}

// distrust kills a worker that broke a rule.
func (e *Engine) distrust(m *member, err error) {
	if m.doomed != "" {
		return
	}
	e.cfg.Observe(Event{Kind: WorkerDistrusted, Worker: m.incarnation, PID: m.handle.PID(), Cause: err.Error()})
	m.kill("was killed because of " + err.Error())
}

// corruptSlot deals with a word that no rule explains.
func (e *Engine) corruptSlot(i int, word ring.Word) {
	e.corrupt(fmt.Sprintf("ring slot %d holds %v where %v was published", i, word, e.slots[i].word))
}

// corrupt deals with shared memory that no rule explains. Nobody can tell who
// wrote it, so all workers are killed; rebuild follows.
func (e *Engine) corrupt(cause string) {
	if e.rebuilding {
		return
	}
	e.rebuilding = true
	e.health = e.health.corrupted()
	e.cfg.Observe(Event{Kind: RingRebuilt, Cause: cause})
	if e.health.hopeless(e.cfg.Workers) {
		e.fail(&CrashLoopError{Deaths: e.health.deaths, Cause: "was killed because " + cause})
	}
	for _, m := range e.workers {
		m.sacrifice("was killed because the ring was corrupted")
	}
	if len(e.workers) == 0 {
		e.rebuild()
	}
}

// rebuild writes the ring anew from the ledger; no worker is left. What was
// touched is run again without blame: nobody knows who did it, and if nothing
// gets finished in between, the policy gives up.
func (e *Engine) rebuild() {
	for _, j := range e.jobs {
		if j.program >= 0 {
			wire.PutProgram(e.cfg.Control, j.program, j.spec.Program)
		}
	}
	for i := range e.slots {
		s := &e.slots[i]
		touched := e.ring.Load(i) != s.word
		switch {
		case s.job == nil:
			s.word = e.ring.Reset(i, s.word)
		case s.job.err != nil:
			e.drop(i)
		default:
			if touched {
				e.counters.retries.Add(1)
			}
			s.word = e.ring.Publish(i, s.word, s.descriptor)
		}
	}
	e.rebuilding = false
	for ; e.deferred > 0; e.deferred-- {
		e.launch()
	}
}

// reap kills the workers that still hold chunks of a job that has failed.
func (e *Engine) reap(j *job) {
	for i := range e.slots {
		if e.slots[i].job != j {
			continue
		}
		if m := e.workers[e.ring.Load(i).Incarnation()]; m != nil {
			m.sacrifice("was killed because its job was cancelled")
		}
	}
}
