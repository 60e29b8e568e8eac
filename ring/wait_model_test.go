package ring

import (
	"fmt"
	"testing"
)

// A step model of the bell: some waiters, some wakers that each make work for
// one, in every interleaving of their steps. The property: when no waker is
// half-way, there is no work while all waiters sleep, and whoever sleeps is
// counted.

// waitState is the state of everything. It is comparable.
type waitState struct {
	rings, sleepers, work uint8
	waiters               [3]waiter
	wakers                [2]waker
}

// Where a waiter is.
const (
	loads uint8 = iota // rings
	marks              // itself as a sleeper
	looks              // for work, and takes it
	calls              // the futex, which compares rings
	asleep
)

type waiter struct{ at, seen uint8 }

// Where a waker is.
const (
	makes    uint8 = iota // work for one
	glances               // at sleepers
	takes                 // sleepers, leaves 0
	bumps                 // rings
	wakes                 // one that sleeps
	putsBack              // the sleepers that were not needed
)

type waker struct {
	at, rounds, marked uint8
	woke               bool
}

// waitModel explores the model with that many waiters and rounds a waker.
// silent is a deliberate bug: rings does not change.
func waitModel(waiters int, rounds [2]uint8, silent bool) (states int, broken string) {
	start := waitState{wakers: [2]waker{{rounds: rounds[0]}, {rounds: rounds[1]}}}
	seen := map[waitState]bool{start: true}
	open := []waitState{start}
	reach := func(s waitState) {
		if !seen[s] {
			seen[s] = true
			open = append(open, s)
		}
	}
	for len(open) > 0 {
		s := open[len(open)-1]
		open = open[:len(open)-1]
		if broken := s.check(waiters); broken != "" {
			return len(seen), broken
		}
		for i := range waiters {
			s.waiterSteps(i, waiters, reach)
		}
		for i := range s.wakers {
			s.wakerSteps(i, waiters, silent, reach)
		}
	}
	return len(seen), ""
}

func (s waitState) check(waiters int) string {
	for _, w := range s.wakers {
		if w.at != makes {
			return ""
		}
	}
	sleep := 0
	for _, w := range s.waiters[:waiters] {
		if w.at == asleep {
			sleep++
		}
	}
	switch {
	case sleep == waiters && s.work > 0:
		return fmt.Sprintf("all sleep and there is work: %+v", s)
	case sleep > int(s.sleepers):
		return fmt.Sprintf("more sleep than are counted: %+v", s)
	}
	return ""
}

func (s waitState) waiterSteps(i, waiters int, reach func(waitState)) {
	me := &s.waiters[i]
	switch me.at {
	case looks:
		me.at = calls
		if s.work > 0 {
			s.work--
			*me = waiter{}
		}
	case loads:
		me.seen, me.at = s.rings, marks
	case marks:
		s.sleepers++
		me.at = looks
	case calls:
		if s.rings == me.seen {
			me.at = asleep
		} else {
			*me = waiter{}
		}
	case asleep:
		return
	}
	// Too high by one stands for too high by more: the model must end.
	s.sleepers = min(s.sleepers, uint8(waiters)+1)
	reach(s)
}

func (s waitState) wakerSteps(i, waiters int, silent bool, reach func(waitState)) {
	me := &s.wakers[i]
	switch me.at {
	case makes:
		if me.rounds == 0 {
			return
		}
		s.work++
		*me = waker{at: glances, rounds: me.rounds - 1}
	case glances:
		me.at = takes
		if s.sleepers == 0 {
			me.at = makes
		}
	case takes:
		me.marked, s.sleepers = s.sleepers, 0
		me.at = bumps
		if me.marked == 0 {
			me.at = makes
		}
	case bumps:
		if !silent {
			s.rings++
		}
		me.at = wakes
	case wakes:
		me.at = putsBack
		any := false
		for k := range waiters {
			if s.waiters[k].at == asleep {
				n := s
				n.waiters[k] = waiter{}
				n.wakers[i].woke = true
				reach(n)
				any = true
			}
		}
		if any {
			return
		}
	case putsBack:
		if me.woke && me.marked > 1 {
			s.sleepers += me.marked - 1
		}
		*me = waker{rounds: me.rounds}
	}
	reach(s)
}

func TestWaitModelLosesNoWake(t *testing.T) {
	for _, c := range []struct {
		waiters int
		rounds  [2]uint8
	}{{1, [2]uint8{2, 2}}, {2, [2]uint8{2, 1}}, {3, [2]uint8{1, 1}}} {
		states, broken := waitModel(c.waiters, c.rounds, false)
		if broken != "" {
			t.Error(broken)
		}
		t.Logf("%d waiters, rounds of the wakers %v: %d states", c.waiters, c.rounds, states)
	}
}

func TestWaitModelCatchesARingThatChangesNothing(t *testing.T) {
	if _, broken := waitModel(2, [2]uint8{1, 1}, true); broken == "" {
		t.Error("the bug was not found")
	} else {
		t.Log(broken)
	}
}
