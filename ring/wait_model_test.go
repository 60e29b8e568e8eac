package ring

import (
	"fmt"
	"testing"
)

// A step model of the bell: some waiters, some wakers that each make work for
// one, in every interleaving of their steps. The properties: when no waker is
// half-way, there is no work while all waiters sleep; and at any time whoever
// sleeps is marked or about to be woken, so that a waker that comes then finds
// it.

// waitState is the state of everything. It is comparable.
type waitState struct {
	rings, made, standing uint8 // made: marks ever, but see reach
	work                  uint8
	waiters               [3]waiter
	wakers                [2]waker
}

// Where a waiter is.
const (
	loads uint8 = iota // rings
	marks              // leaves a mark
	looks              // for work, and takes it
	calls              // the futex, which compares rings
	asleep
)

type waiter struct{ at, seen uint8 }

// Where a waker is.
const (
	makes   uint8 = iota // work for one
	glances              // at the marks
	takes                // one of them, if they are unchanged
	bumps                // rings
	wakes                // one that sleeps
	clears               // the marks, which are dead, if none came since
)

type waker struct{ at, rounds, made, standing uint8 }

// A planted bug.
type waitBug int

const (
	noBug    waitBug = iota
	silent           // rings does not change
	takesAll         // marks, and puts back those that it does not need
	unversed         // clears the marks though others came since
)

// waitModel explores the model with that many waiters and rounds a waker.
func waitModel(waiters int, rounds [2]uint8, bug waitBug) (states int, broken string) {
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
			s.wakerSteps(i, waiters, bug, reach)
		}
	}
	return len(seen), ""
}

func (s waitState) check(waiters int) string {
	sleep, halfway, wake := 0, false, 0
	for _, w := range s.waiters[:waiters] {
		if w.at == asleep {
			sleep++
		}
	}
	for _, w := range s.wakers {
		halfway = halfway || w.at != makes
		if w.at == bumps || w.at == wakes {
			wake++
		}
	}
	switch {
	case sleep == waiters && s.work > 0 && !halfway:
		return fmt.Sprintf("all sleep and there is work: %+v", s)
	case sleep > int(s.standing)+wake:
		return fmt.Sprintf("somebody sleeps unmarked: %+v", s)
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
		s.made++
		s.standing++
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
	reach(s)
}

func (s waitState) wakerSteps(i, waiters int, bug waitBug, reach func(waitState)) {
	me := &s.wakers[i]
	done := waker{rounds: me.rounds}
	switch me.at {
	case makes:
		if me.rounds == 0 {
			return
		}
		s.work++
		*me = waker{at: glances, rounds: me.rounds - 1}
	case glances:
		me.at, me.made, me.standing = takes, s.made, s.standing
		if s.standing == 0 {
			*me = done
		}
	case takes:
		if s.made != me.made || s.standing != me.standing {
			me.at = glances
			break
		}
		me.standing--
		s.standing--
		if bug == takesAll {
			s.standing = 0
		}
		me.at = bumps
	case bumps:
		if bug != silent {
			s.rings++
		}
		me.at = wakes
	case wakes:
		any := false
		for k := range waiters {
			if s.waiters[k].at == asleep {
				n := s
				n.waiters[k] = waiter{}
				n.wakers[i] = done
				if bug == takesAll {
					n.standing += me.standing
				}
				reach(n)
				any = true
			}
		}
		if any {
			return
		}
		me.at = clears
	case clears:
		if bug == unversed || s.made == me.made && s.standing == me.standing {
			s.standing = 0
		}
		*me = done
	}
	reach(s)
}

func TestWaitModelLosesNoWake(t *testing.T) {
	for _, c := range []struct {
		waiters int
		rounds  [2]uint8
	}{{1, [2]uint8{2, 2}}, {2, [2]uint8{2, 1}}, {3, [2]uint8{1, 1}}} {
		states, broken := waitModel(c.waiters, c.rounds, noBug)
		if broken != "" {
			t.Error(broken)
		}
		t.Logf("%d waiters, rounds of the wakers %v: %d states", c.waiters, c.rounds, states)
	}
}

func TestWaitModelCatchesPlantedBugs(t *testing.T) {
	for name, bug := range map[string]waitBug{"silent": silent, "takes all": takesAll, "clears blindly": unversed} {
		if _, broken := waitModel(3, [2]uint8{1, 2}, bug); broken == "" {
			t.Errorf("%s: not found", name)
		} else {
			t.Logf("%s: %s", name, broken)
		}
	}
}
