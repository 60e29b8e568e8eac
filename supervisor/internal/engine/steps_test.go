//go:build !race

package engine

import (
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// A deadline is each step's own, and a step pays only for the memory of a worker
// that did nothing else before.
func TestStepsHaveTheirOwnDeadlineAndMemory(t *testing.T) {
	for name, limit := range map[string]time.Duration{"deadline": 5 * lookTime, "memory": 0} {
		t.Run(name, func(t *testing.T) {
			s, j, _ := newStage(t)
			j.spec.Limit, j.spec.Steps = limit, true
			s.cfg.Memory = 100
			step := func(p *puppet, n int) { wire.BeatOf(p.results).Progress(n * wire.ProgressStep) }
			p := s.puppets[0]
			p.act() // it claims
			last := 0
			for ; j.finished < fuzzChunks-1; last++ {
				step(p, last)
				s.puppets[1].act() // it does all others
				s.turn()
			}
			if p.isKilled() {
				t.Fatal("killed, with a step in less than its limit")
			}
			if limit > 0 {
				for range 4 {
					s.turn()
				}
				if !p.isKilled() {
					t.Fatal("a step beyond its limit goes on")
				}
				s.bury()
				if len(j.quarantined) != 1 || j.quarantined[0].Step != uint32(last-1) {
					t.Errorf("given up: %+v", j.quarantined)
				}
				return
			}
			p.memory.Store(101)
			s.turn()
			if !p.isKilled() {
				t.Fatal("a worker with too much memory goes on")
			}
			s.bury()
			if len(j.quarantined) != 0 {
				t.Fatalf("blamed for the memory of others: %+v", j.quarantined)
			}
			p = s.puppets[len(s.puppets)-1] // a new worker goes on at that step
			p.memory.Store(101)
			p.act()
			for !p.isKilled() {
				step(p, last-1)
				s.turn()
			}
			s.bury()
			if len(j.quarantined) != 1 {
				t.Errorf("given up: %+v", j.quarantined)
			}
		})
	}
}
