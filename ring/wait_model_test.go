package ring

import (
	"fmt"
	"testing"
)

// A step model of waiting: some waiters, some wakers, in every interleaving of
// the steps of wait and wake. The property: when no wake is under way, whoever
// sleeps has left its mark, so that the next wake finds it.

// waitState is the state of everything. It is comparable.
type waitState struct {
	count, idle uint8
	waiters     [2]waiter
	wakers      [2]waker
}

type waiter struct {
	at   uint8 // 0 loads count, 1 leaves the mark, 2 calls futexWait, 3 sleeps
	seen uint8
}

type waker struct {
	at     uint8 // 0 changes count, 1 loads the mark, 2 takes it, 3 changes count, 4 calls futexWake
	rounds uint8
}

// waitModel explores the model. plainStore is a deliberate bug: the mark is
// cleared without a look at what it was, and count stays as it is.
func waitModel(rounds uint8, plainStore bool) (states int, broken string) {
	start := waitState{wakers: [2]waker{{rounds: rounds}, {rounds: rounds}}}
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
		quiet := s.wakers[0].at == 0 && s.wakers[1].at == 0
		for i, w := range s.waiters {
			if w.at == 3 && quiet && s.idle == 0 {
				return len(seen), fmt.Sprintf("waiter %d sleeps unmarked: %+v", i, s)
			}
			n := s
			me := &n.waiters[i]
			switch w.at {
			case 0:
				me.seen, me.at = s.count, 1
			case 1:
				n.idle, me.at = 1, 2
			case 2:
				me.at = 0
				if s.count == w.seen {
					me.at = 3
				}
			}
			reach(n)
		}
		for i, w := range s.wakers {
			n := s
			me := &n.wakers[i]
			switch {
			case w.at == 0 && w.rounds > 0:
				n.count++
				me.at, me.rounds = 1, w.rounds-1
			case w.at == 1 && s.idle == 0:
				me.at = 0
			case w.at == 1:
				me.at = 2
			case w.at == 2 && plainStore:
				n.idle, me.at = 0, 4
			case w.at == 2 && s.idle == 0:
				me.at = 0
			case w.at == 2:
				n.idle, me.at = 0, 3
			case w.at == 3:
				n.count++
				me.at = 4
			case w.at == 4:
				me.at = 0
				for k := range n.waiters {
					if n.waiters[k].at == 3 {
						n.waiters[k].at = 0
					}
				}
			}
			reach(n)
		}
	}
	return len(seen), ""
}

func TestWaitModelLosesNoWake(t *testing.T) {
	states, broken := waitModel(3, false)
	if broken != "" {
		t.Error(broken)
	}
	t.Logf("%d states", states)
}

func TestWaitModelCatchesAMarkClearedBlindly(t *testing.T) {
	if _, broken := waitModel(2, true); broken == "" {
		t.Error("the bug was not found")
	} else {
		t.Log(broken)
	}
}
