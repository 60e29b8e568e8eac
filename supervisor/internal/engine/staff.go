package engine

import (
	"cmp"
	"slices"
	"time"
)

// staff has those that stand by come to work, and workers be started, as the policy
// says.
func (e *Engine) staff() {
	for !e.closing && e.broken == nil && !e.rebuilding {
		switch c := e.crew(); {
		case c.promote():
			e.promote()
		case c.start():
			e.launch()
		default:
			return
		}
	}
}

func (e *Engine) crew() crew {
	c := crew{e.cfg.Workers, e.cfg.Standby, e.cfg.OnDemand, 0, e.active, e.standby, e.coming}
	if !c.onDemand || c.active >= c.size {
		return c
	}
	c.work = e.outstanding
	for at := e.jobs.Front(); at != nil && c.work < c.size; at = at.Next() {
		if j := at.Value.(*job); j.pending() {
			c.work += int(min(uint64(c.size), j.spec.To-j.issued))
		}
	}
	return c
}

// promote has one that stands by come to work, the oldest of those that are ready, if
// any is.
func (e *Engine) promote() {
	var best *member
	for _, m := range e.workers {
		if m.begun || m.stuck {
			continue
		}
		if best == nil || m.ready && !best.ready || m.ready == best.ready && m.incarnation < best.incarnation {
			best = m
		}
	}
	best.begun = true
	best.age.born = time.Now()
	if best.ready {
		e.announceStart()
	}
	e.count(1, -1)
	e.check(best, best.handle.Begin())
}

// Member is a worker of the pool.
type Member struct {
	Incarnation uint32
	Worker      Worker
}

// Members returns the workers that are ready, in the order of their incarnations.
func (e *Engine) Members() (all []Member, err error) {
	err = e.act(func() {
		e.harvest() // whoever works is ready
		for _, m := range e.workers {
			if m.ready && !m.stuck && m.doomed == "" {
				all = append(all, Member{m.incarnation, m.handle})
			}
		}
	})
	slices.SortFunc(all, func(a, b Member) int { return cmp.Compare(a.Incarnation, b.Incarnation) })
	return all, err
}

// leave notes that a worker is gone, or as good as that.
func (e *Engine) leave(m *member) {
	if m.begun {
		e.count(-1, 0)
	} else {
		e.count(0, -1)
	}
}

func (e *Engine) count(active, standby int) {
	e.active += active
	e.standby += standby
	e.counters.active.Store(int64(e.active))
	e.counters.standby.Store(int64(e.standby))
}
