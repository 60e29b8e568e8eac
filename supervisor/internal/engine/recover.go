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
	age         age
	incarnation uint32
	seat        uint32 // no other living worker has it
	handle      Worker
	beat        wire.Beat
	ready       bool
	begun       bool // it was told to claim; until then it stands by
	late        *time.Timer
	doomed      string // why the supervisor killed it
	innocent    bool   // it was killed for no fault of its own
	overdue     *time.Timer
	stuck       bool // it was killed and does not go away

	uninitialised bool // its initialiser failed
}

// kill ends a worker, if nothing did before, and records why.
func (e *Engine) kill(m *member, why string) {
	if m.doomed != "" {
		return
	}
	m.doomed = why
	m.overdue = e.after(e.cfg.Limits.Reap, func() { e.onStuck(m) })
	m.handle.Kill()
}

// check kills a worker that cannot be told something. One that has just died
// cannot either; how it died is told by its exit.
func (e *Engine) check(m *member, err error) {
	if err != nil && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		e.kill(m, "was killed because of "+err.Error())
	}
}

// launch starts one worker, which stands by at first.
func (e *Engine) launch() {
	if e.nextIncarnation == ring.MaxIncarnation {
		e.fail(fmt.Errorf("all %d incarnations are used up: start a new pool", ring.MaxIncarnation))
		return
	}
	seat, ok := e.freeSeat()
	if !ok {
		e.fail(fmt.Errorf("%d workers were killed and are not gone: start a new pool", maxStuck))
		return
	}
	e.nextIncarnation++
	if e.vacant > 0 {
		e.vacant--
		e.counters.respawns.Add(1)
	}
	m := &member{incarnation: e.nextIncarnation, seat: seat}
	handle, err := e.cfg.Launch(m.incarnation, seat,
		func() { e.act(func() { e.onReady(m) }) },
		func(exit proc.Exit) {
			if e.act(func() { e.onExit(m, exit) }) != nil {
				m.handle.Close() // it was stuck when the engine was closed
			}
		})
	if err != nil {
		exit := proc.Exit{Err: err}
		e.observeDeath(m, exit.String(), exit)
		e.replace(m, exit, exit.String())
		return
	}
	m.handle, m.beat = handle, wire.BeatOf(handle.Results())
	e.workers[m.incarnation] = m
	e.count(0, 1)
	if e.cfg.Init == nil { // which may take any time
		m.late = e.after(e.cfg.Limits.Ready, func() {
			if !m.ready {
				e.kill(m, fmt.Sprintf("was killed because it did not report for work within %v", e.cfg.Limits.Ready))
			}
		})
	}
	for number, mapping := range e.mappings {
		e.check(m, handle.Attach(number, mapping))
	}
}

// maxStuck is how many workers may be killed and not be gone at a time.
const maxStuck = 16

// Seats returns how many seats the workers of a pool have, those that stand by
// among them.
func Seats(workers int) uint32 { return uint32(workers + maxStuck) }

// freeSeat returns a seat that no worker has which is not reaped; false if there
// is none.
func (e *Engine) freeSeat() (uint32, bool) {
	taken := map[uint32]bool{}
	for _, m := range e.workers {
		taken[m.seat] = true
	}
	for seat := range Seats(e.cfg.Workers + e.cfg.Standby) {
		if !taken[seat] {
			return seat, true
		}
	}
	return 0, false
}

func (e *Engine) onReady(m *member) {
	if m.doomed != "" || m.ready {
		return // it comes too late
	}
	e.welcome(m)
}

// works notes that a worker has something in work: its report may still be on the way,
// and come after its end.
func (e *Engine) works(m *member) {
	if !m.ready {
		e.welcome(m)
	}
}

// welcome notes that a worker is ready to work.
func (e *Engine) welcome(m *member) {
	m.ready = true
	m.age.born = time.Now()
	if m.late != nil {
		m.late.Stop()
	}
	e.health = e.health.ready()
	if e.cfg.Observer != nil {
		e.cfg.Observer.WorkerStarted(m.incarnation, m.handle.PID())
	}
	if m.begun {
		e.announceStart()
	}
}

// onExit recovers from the end of a worker, which is reaped: what it finished
// counts, what it had claimed is run again.
func (e *Engine) onExit(m *member, exit proc.Exit) {
	if m.late != nil {
		m.late.Stop()
	}
	if m.overdue != nil {
		m.overdue.Stop()
	}
	cause := exit.String()
	if m.doomed != "" && (exit.Signal == syscall.SIGKILL || exit == proc.Exit{}) {
		cause = m.doomed
	}
	if text := e.initError(m); text != "" {
		m.uninitialised, cause = true, text
	}
	e.repair(m)
	e.harvest()
	held := false
	for i := range e.slots {
		s := &e.slots[i]
		if e.rebuilding || s.job == nil && !s.lost {
			continue
		}
		// After the harvest a slot with this owner is CLAIMED, DOOMED, or DONE
		// with a result that cannot be.
		w := e.ring.Load(i)
		if w == s.word || w.Incarnation() != m.incarnation || w.Generation() != s.word.Generation() {
			continue
		}
		if s.lost {
			e.outstanding--
			*s = slot{word: e.ring.Reset(i, s.word)}
			continue
		}
		held = true
		e.strike(i, m, exit, cause)
	}
	delete(e.workers, m.incarnation)
	if !m.stuck {
		e.leave(m)
	}
	if m.ready && e.cfg.Observer != nil {
		e.cfg.Observer.WorkerEnded(m.incarnation, m.handle.PID())
	}
	m.handle.Close()
	planned := m.age.retired && !held && !m.stuck && exit == proc.Exit{}
	if !held && !e.closing && !planned {
		e.observeDeath(m, cause, exit)
	}
	if e.rebuilding && e.allGone() {
		e.rebuild()
	}
	switch {
	case planned:
		e.counters.recycled.Add(1)
		e.staff()
	case !m.stuck:
		e.replace(m, exit, cause)
	}
	// A wake that the dead took along is given to others.
	e.refill()
	e.patrolled = time.Time{}
	e.patrol(time.Now())
	e.settleClose()
}

// repair makes whole what a worker that is reaped may have left half done, before
// another gets its chunk or its seat.
func (e *Engine) repair(m *member) {
	for _, j := range e.allJobs() {
		if j.spec.Repair == nil {
			continue
		}
		if err := j.spec.Repair(m.seat); err != nil {
			if changed := j.changed(); changed != nil {
				err = changed
			}
			e.failJob(j, err)
			e.settle(j)
		}
	}
}

// onStuck deals with a worker that was killed and is not gone: it may hang in
// the kernel, and could still write until it is reaped. What it holds is given
// up, never handed on, and another takes its place.
func (e *Engine) onStuck(m *member) {
	if e.workers[m.incarnation] != m {
		return
	}
	m.stuck = true
	e.leave(m)
	cause := fmt.Sprintf("%s, and is not gone after %v", m.doomed, e.cfg.Limits.Reap)
	e.harvest()
	held := false
	for i := range e.slots {
		s := &e.slots[i]
		if w := e.ring.Load(i); s.job != nil && w != s.word && w.Incarnation() == m.incarnation {
			held = true
			e.giveUp(i, m, cause)
		}
	}
	if !held {
		e.observe(Event{Kind: WorkerDied, Worker: m.incarnation, PID: m.handle.PID(), Cause: cause})
	}
	if e.rebuilding {
		// It could still write to a ring made anew.
		e.fail(fmt.Errorf("the ring is corrupted, and worker %d (pid %d) %s: start a new pool", m.incarnation, m.handle.PID(), cause))
		e.abandon()
	}
	e.replace(m, proc.Exit{Signal: syscall.SIGKILL}, cause)
	e.settleClose()
}

// abandon ends all jobs, which have failed, though some of their chunks may still
// be in work: their slots are out of use.
func (e *Engine) abandon() {
	for i := range e.slots {
		s := &e.slots[i]
		if j := s.job; j != nil {
			s.job, s.lost = nil, true
			j.lose()
			j.begun = true
			j.outstanding--
			e.settle(j)
		}
	}
}

// giveUp quarantines the chunk of a worker that is stuck and takes its slot out
// of use until the worker is gone.
func (e *Engine) giveUp(i int, m *member, cause string) {
	s := &e.slots[i]
	j := s.job
	if j.err == nil {
		event := Event{
			Kind: ChunkQuarantined, Worker: m.incarnation, PID: m.handle.PID(), Cause: cause,
			Place: j.at(s.descriptor.Chunk), Attempt: s.descriptor.Attempt + 1,
		}
		_, progress := m.beat.Load()
		e.quarantine(j, event, progress, s.errorOf(event, proc.Exit{}))
	}
	s.job, s.lost = nil, true
	j.lose()
	j.begun = true
	j.outstanding--
	e.settle(j)
}

// allGone reports whether no worker is left that could write to the ring.
func (e *Engine) allGone() bool { return len(e.workers) == 0 }

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
	e.observe(event)
}

// strike deals with a chunk whose worker died: it is run again, or given up
// once it has killed too many.
func (e *Engine) strike(i int, m *member, exit proc.Exit, cause string) {
	s := &e.slots[i]
	j := s.job
	j.begun = true
	if j.err != nil {
		e.drop(i)
		return
	}
	_, progress := m.beat.Load()
	quarantined := s.fatal != nil && !s.excused
	if !m.innocent || s.doomed && !quarantined && !s.excused {
		s.blame, quarantined = s.blame.after(progress, e.cfg.Retries)
	}
	s.descriptor.Attempt++
	s.descriptor.Bell = 1
	event := Event{
		Kind: ChunkRetried, Worker: m.incarnation, PID: m.handle.PID(), Cause: cause,
		Place: j.at(s.descriptor.Chunk), Attempt: s.descriptor.Attempt,
	}
	if quarantined {
		event.Kind = ChunkQuarantined
		e.quarantine(j, event, progress, s.errorOf(event, exit))
		e.drop(i)
		return
	}
	e.observe(event)
	e.counters.retries.Add(1)
	s.doomed, s.excused, s.fatal, s.watch, s.begin = false, false, nil, watch{}, progress
	s.word = e.ring.Publish(i, s.word, s.descriptor)
	e.ring.WakeWorkers(1)
}

// errorOf returns why the slot's chunk is given up.
func (s *slot) errorOf(v Event, exit proc.Exit) error {
	if s.fatal != nil {
		return s.fatal(v)
	}
	return &DeathError{v.Place, v.Worker, v.PID, exit.Signal, exit.Code, v.Cause}
}

// quarantine gives up a chunk whose last worker had come that far.
func (e *Engine) quarantine(j *job, event Event, progress uint32, err error) {
	e.observe(event)
	e.counters.quarantined.Add(1)
	e.counters.pending.Add(-1)
	j.quarantined = append(j.quarantined, Quarantined{event.Place.Chunk, event.Place.First, event.Place.Last, event.Cause, err, progress})
	j.finish(event.Place.Chunk)
}

// drop makes a slot FREE whose chunk will not be run, and whose owner was
// reaped.
func (e *Engine) drop(i int) {
	word := e.ring.Reset(i, e.slots[i].word)
	j := e.release(i)
	e.slots[i].word = word
	e.settle(j)
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
			others: e.active + e.standby,
			size:   e.cfg.Workers + e.cfg.Standby,
		})
	}
	switch v.action {
	case giveUpStart:
		e.fail(&StartError{Failures: e.health.failedStarts, Cause: cause, Ran: exit.Err == nil && (exit.Signal == 0 || m.doomed != "") && !m.uninitialised})
	case giveUpCrashes:
		e.fail(&CrashLoopError{Deaths: e.health.deaths, Cause: cause})
	case respawn:
		absent := int64(0)
		if exit.Err != nil {
			absent = 1
		}
		if exit.Err == nil {
			e.vacant++
		}
		if v.delay == 0 {
			e.staff()
			return
		}
		e.counters.absent.Add(absent)
		e.coming++
		e.staff() // one that stands by need not wait
		e.after(v.delay, func() {
			e.counters.absent.Add(-absent)
			e.coming--
			e.staff()
		})
	}
}

// distrust kills a worker that broke a rule.
func (e *Engine) distrust(m *member, err error) {
	if m.doomed != "" {
		return
	}
	e.observe(Event{Kind: WorkerDistrusted, Worker: m.incarnation, PID: m.handle.PID(), Cause: err.Error()})
	e.kill(m, "was killed because of "+err.Error())
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
	e.observe(Event{Kind: RingRebuilt, Cause: cause})
	if e.health.hopeless(e.cfg.Workers + e.cfg.Standby) {
		e.fail(&CrashLoopError{Deaths: e.health.deaths, Cause: "was killed because " + cause})
	}
	for _, m := range e.workers {
		m.innocent = true
		e.kill(m, "was killed because the ring was corrupted")
	}
	if e.allGone() {
		e.rebuild()
	}
}

// rebuild writes the ring anew from the ledger; no worker is left. What was
// touched is run again without blame: nobody knows who did it, and if nothing
// gets finished in between, the policy gives up.
func (e *Engine) rebuild() {
	e.putInit()
	for _, j := range e.allJobs() {
		if j.program >= 0 {
			wire.PutRecord(e.cfg.Control, j.program, j.record)
		}
	}
	for i := range e.slots {
		s := &e.slots[i]
		touched := e.ring.Load(i) != s.word
		s.doomed, s.excused, s.fatal, s.watch = false, false, nil, watch{}
		if touched && s.job != nil {
			s.job.begun = true
		}
		switch {
		case s.lost:
			e.outstanding--
			*s = slot{word: e.ring.Reset(i, s.word)}
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
	e.staff()
}
