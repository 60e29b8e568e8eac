//go:build !race

package engine

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// puppet is a worker that does one thing at a time, when it is told.
type puppet struct {
	fake
	claim  ring.Claim
	holds  bool
	ready  func()
	exited func(proc.Exit)
}

// act has it claim, or finish what it has claimed.
func (p *puppet) act() {
	if p.isKilled() {
		return
	}
	if p.holds {
		p.holds = false
		if !p.work(p.claim) {
			p.Kill() // revoked: it exits
		}
		return
	}
	wire.BeatOf(p.results).Turn()
	p.claim, p.holds = p.claimer.Claim()
}

func (p *puppet) isKilled() bool {
	select {
	case <-p.killed:
		return true
	default:
		return false
	}
}

// stage is an engine whose every step is the test's.
type stage struct {
	*Engine
	puppets []*puppet
	now     time.Time
}

// bury reports the ends of those that were killed.
func (s *stage) bury() {
	var left []*puppet
	dead := s.puppets
	s.puppets = nil
	for _, p := range dead {
		if !p.isKilled() {
			left = append(left, p)
			continue
		}
		// No delays, and no end to the patience: a fuzzer never stops.
		s.health = health{everReady: true}
		p.exited(proc.Exit{Signal: syscall.SIGKILL})
	}
	s.puppets = append(s.puppets, left...)
}

// turn is what whoever drives does.
func (s *stage) turn() {
	s.now = s.now.Add(2 * lookTime)
	s.act(func() {
		s.health = health{everReady: true}
		s.harvest()
		s.refill()
		s.patrol(s.now)
	})
}

const fuzzSlots, fuzzChunks = 8, 24

func newStage(t *testing.T) (*stage, *job, []int) {
	control := make([]byte, wire.ControlSize(fuzzSlots))
	r, err := ring.Format(wire.RingBytes(control), fuzzSlots)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{now: time.Now()}
	s.Engine = New(Config{
		Workers: 3, Retries: 2, Control: control, Ring: r, Limits: Limits{time.Hour, time.Hour, time.Hour, time.Hour},
		Launch: func(incarnation, seat uint32, ready func(), exited func(proc.Exit)) (Worker, error) {
			p := &puppet{ready: ready, exited: exited, fake: fake{
				incarnation: incarnation, ring: r, control: control, claimer: r.NewClaimer(incarnation, seat),
				results: make([]byte, wire.ResultsSize(fuzzSlots)), killed: make(chan struct{}),
			}}
			s.puppets = append(s.puppets, p)
			return p, nil
		},
	})
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, make([]byte, fuzzChunks*kernels.BlockLen), 0o666); err != nil {
		t.Fatal(err)
	}
	m, err := shm.OpenMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	accepted := make([]int, fuzzChunks)
	j, err := newJob(Job{
		Program: fakeProgram, Mapping: m,
		Plan: partition.New(format.Array{Name: "x", Type: kernels.Int8, Shape: []int64{fuzzChunks * kernels.BlockLen}}, 1, 1),
		Accept: func(chunk uint64, partial []byte) error {
			if len(partial) != 8 {
				return errors.New("not a partial")
			}
			accepted[chunk]++
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.submit(j); err != nil {
		t.Fatal(err)
	}
	return s, j, accepted
}

// FuzzRingPage has random bytes written to the shared memory, and workers
// killed, in between the steps of workers and supervisor. Whatever happens, the
// job ends, no chunk counts twice, and all count unless the job says which do
// not.
func FuzzRingPage(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 0, 4, 0, 0, 0, 0, 0})
	f.Add([]byte{0, 0, 0, 2, 1, 200, 4, 0, 0, 3, 0, 0, 4, 0, 0, 5, 1, 9, 6, 2, 0, 4, 0, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		s, j, accepted := newStage(t)
		next := func() byte {
			if len(script) == 0 {
				return 0
			}
			b := script[0]
			script = script[1:]
			return b
		}
		ringBytes := wire.RingBytes(s.cfg.Control)
		for len(script) > 0 {
			switch op, at, value := next(), next(), next(); op % 8 {
			case 0, 1:
				s.puppets[int(at)%len(s.puppets)].act()
			case 2: // any byte of a slot or a bell
				ringBytes[(int(at)<<8|int(value))%len(ringBytes)] = next()
			case 3: // a word that might be legal
				word := s.ring.Load(int(at) % fuzzSlots)
				scribble(s.cfg.Control, int(at)%fuzzSlots, ring.MakeWord(word.Generation(), uint32(next()%8), ring.State(value%6)))
			case 4:
				s.turn()
			case 5: // a program
				s.cfg.Control[int(at)] = value
			case 6: // a result
				p := s.puppets[int(at)%len(s.puppets)]
				p.results[(int(value)<<8|int(next()))%len(p.results)] ^= 1 << (op >> 5)
			case 7:
				s.puppets[int(at)%len(s.puppets)].Kill()
				if value%2 == 0 {
					s.bury()
				}
			}
		}
		for steps := 0; !j.ended; steps++ {
			if steps > 10000 {
				t.Fatalf("the job hangs: %d of %d chunks, slots %+v", j.finished, fuzzChunks, s.slots)
			}
			s.bury()
			for _, p := range s.puppets {
				p.act()
			}
			s.turn()
		}
		missing := map[uint64]bool{}
		var q *QuarantineError
		if errors.As(j.err, &q) {
			for _, c := range q.Chunks {
				missing[c.Chunk] = true
			}
		} else if j.err != nil {
			t.Fatal(j.err)
		}
		for chunk, n := range accepted {
			if want := 1; n != want && !(n == 0 && missing[uint64(chunk)]) {
				t.Errorf("chunk %d was accepted %d times", chunk, n)
			}
		}
		for _, p := range s.puppets {
			p.Kill()
		}
		s.act(func() { s.closing = true })
		s.bury()
	})
}
