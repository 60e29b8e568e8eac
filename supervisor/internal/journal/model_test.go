package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/gangsaw/gangsaw/shm"
)

// A step model of the commit: workers that compute, arm, store and mark, word by
// word, any of which may die at any step (as one does whose store faults); a supervisor that repairs, step by step,
// and may die with all of them. Every interleaving is walked.

const (
	mChunks, mUnits, mWords, mWorkers = 2, 2, 2, 2

	// deaths bounds how often a worker may die, and the supervisor with all.
	mDeaths, mRestarts = 3, 2
)

// The steps of a worker, and of the repair of its area.
const (
	idle = iota
	compute0
	compute1
	arm
	store0
	store1
	mark
	dead
	repairCheck
	repair0
	repair1
	repairMark
)

type mWorker struct{ step, chunk, unit uint8 }

type mState struct {
	data      [mChunks][mUnits][mWords]uint8 // how often the change was applied
	marks     [mChunks]uint8
	taken     [mChunks]bool // by a worker that lives, or is not repaired
	armed     [mWorkers]uint8
	scratch   [mWorkers][mWords]uint8
	workers   [mWorkers]mWorker
	restoring uint8 // areas that a supervisor who was started anew has to repair yet
	deaths    uint8
	restarts  uint8
}

// bug is a mistake that the model must find.
type bug int

const (
	none bug = iota
	armsFirst
	marksBeforeItStores
	repairsBlindly
	handsOutBeforeRepair
	repairDisarmsFirst
	faultIsSurvived
)

// next returns the states that follow, by one step of anybody.
func (s mState) next(b bug) (all []mState) {
	add := func(f func(t *mState)) {
		t := s
		f(&t)
		all = append(all, t)
	}
	for i := range s.workers {
		w := s.workers[i]
		switch {
		case w.step == idle:
			if s.restoring > 0 {
				continue
			}
			for c := range s.marks {
				if !s.taken[c] && s.marks[c] < mUnits {
					add(func(t *mState) {
						t.taken[c] = true
						t.workers[i] = mWorker{first(b), uint8(c), t.marks[c]}
					})
				}
			}
			continue
		case w.step < dead:
			add(func(t *mState) { t.work(i, b) })
			if b == faultIsSurvived && (w.step == store0 || w.step == store1) {
				// The job has failed, and nobody else gets the chunk in this run.
				add(func(t *mState) { t.workers[i] = mWorker{} })
			}
			if s.deaths < mDeaths {
				add(func(t *mState) {
					t.deaths++
					t.workers[i].step = dead
					if b == handsOutBeforeRepair {
						t.taken[w.chunk] = false
					}
				})
			}
		case s.restoring == 0 || int(s.restoring) == mWorkers-i:
			add(func(t *mState) { t.repair(i, b) })
		}
	}
	if s.restarts < mRestarts {
		add(func(t *mState) {
			t.restarts++
			t.taken = [mChunks]bool{}
			t.restoring = mWorkers
			for i := range t.workers {
				t.workers[i] = mWorker{step: dead}
			}
		})
	}
	return all
}

func first(b bug) uint8 {
	if b == armsFirst {
		return arm
	}
	return compute0
}

// work is the next step of worker i.
func (s *mState) work(i int, b bug) {
	w := &s.workers[i]
	unit := &s.data[w.chunk][w.unit]
	switch step := w.step; step {
	case compute0, compute1:
		s.scratch[i][step-compute0] = unit[step-compute0] + 1
		if w.step++; b == armsFirst && w.step == arm {
			w.step = store0
		}
	case arm:
		s.armed[i] = 1 + w.chunk*mUnits + w.unit
		switch b {
		case armsFirst:
			w.step = compute0
		case marksBeforeItStores:
			s.marks[w.chunk] = w.unit + 1
			w.step = store0
		default:
			w.step = store0
		}
	case store0, store1:
		unit[step-store0] = s.scratch[i][step-store0]
		w.step++
	case mark:
		s.marks[w.chunk] = w.unit + 1
		if w.unit++; w.unit < mUnits {
			w.step = first(b)
			return
		}
		s.taken[w.chunk] = false
		*w = mWorker{}
	}
}

// repair is the next step of the repair of area i, whose worker is reaped.
func (s *mState) repair(i int, b bug) {
	w := &s.workers[i]
	chunk, unit := (s.armed[i]-1)/mUnits, (s.armed[i]-1)%mUnits
	switch step := w.step; step {
	case dead:
		w.step = repairCheck
	case repairCheck:
		if s.armed[i] == 0 || s.marks[chunk] != unit && b != repairsBlindly {
			s.repaired(i)
			return
		}
		if w.step = repair0; b == repairDisarmsFirst {
			s.marks[chunk] = unit + 1
		}
	case repair0, repair1:
		s.data[chunk][unit][step-repair0] = s.scratch[i][step-repair0]
		w.step++
	case repairMark:
		s.marks[chunk] = unit + 1
		s.repaired(i)
	}
}

func (s *mState) repaired(i int) {
	if s.restoring > 0 {
		s.restoring--
	} else {
		s.taken[s.workers[i].chunk] = false
	}
	s.workers[i] = mWorker{}
}

// wrong returns what must not be, "" if all is well.
func (s *mState) wrong() string {
	for c, units := range s.data {
		for u, words := range units {
			for _, times := range words {
				switch {
				case times > 1:
					return "applied twice"
				case s.marks[c] > uint8(u) && times == 0:
					return "said to be finished, and is not"
				case s.marks[c] <= uint8(u) && times == 1 && !s.taken[c] && s.restoring == 0:
					return "half applied, and nobody knows"
				}
			}
		}
	}
	return ""
}

// walk visits every state and returns the first that is wrong, nil if none is.
func walk(b bug, visit func(mState)) (wrong string, states int) {
	seen := map[mState]bool{{}: true}
	for queue := []mState{{}}; len(queue) > 0; {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if w := s.wrong(); w != "" {
			return w, len(seen)
		}
		if visit != nil {
			visit(s)
		}
		following := s.next(b)
		if len(following) == 0 {
			if s.marks != [mChunks]uint8{mUnits, mUnits} && b != faultIsSurvived { // which ends the job
				return "nothing more happens, and not all is done", len(seen)
			}
		}
		for _, t := range following {
			if !seen[t] {
				seen[t] = true
				queue = append(queue, t)
			}
		}
	}
	return "", len(seen)
}

func TestModelOfTheCommitFindsNoWrongState(t *testing.T) {
	wrong, states := walk(none, nil)
	t.Logf("%d states", states)
	if wrong != "" || states < 10000 {
		t.Errorf("%s, %d states", wrong, states)
	}
}

func TestModelOfTheCommitFindsPlantedBugs(t *testing.T) {
	for b := armsFirst; b <= faultIsSurvived; b++ {
		wrong, states := walk(b, nil)
		t.Logf("bug %d: %q after %d states", b, wrong, states)
		if wrong == "" {
			t.Errorf("bug %d was not found in %d states", b, states)
		}
	}
}

// replay is a journal and a target in the state of the model: each unit has two
// words of 8 bytes.
type replay struct {
	journal *Journal
	target  *shm.Mapping
}

func newReplay(t *testing.T) *replay {
	t.Helper()
	g := Geometry{Bytes: mChunks * mUnits * mWords * 8, Chunk: mUnits * mWords * 8, Unit: mWords * 8}
	memory := shm.HeapMapping("journal", MemorySize(g, mWorkers), true)
	j, err := InMemory(memory, g, mWorkers, 8)
	if err != nil {
		t.Fatal(err)
	}
	return &replay{j, shm.HeapMapping("data", int(g.Bytes)+16, true)}
}

func (r *replay) set(s mState) {
	le, log, l := binary.LittleEndian, r.journal.mapping.Bytes(), r.journal.layout
	for c, units := range s.data {
		le.PutUint64(log[l.mark(uint64(c)):], uint64(s.marks[c]))
		for u, words := range units {
			for w, times := range words {
				le.PutUint64(r.target.Bytes()[8+8*((c*mUnits+u)*mWords+w):], uint64(times))
			}
		}
	}
	for a := range s.armed {
		armed := uint64(0)
		if s.armed[a] > 0 {
			armed = armedWord(uint64(s.armed[a]-1)/mUnits, uint64(s.armed[a]-1)%mUnits)
		}
		le.PutUint64(log[l.armed(uint32(a)):], armed)
		for w, times := range s.scratch[a] {
			le.PutUint64(log[l.scratch(uint32(a))+8*uint64(w):], uint64(times))
		}
	}
}

// The real repair does what the model's does, in every state in which it may begin;
// and the real pen, from every state in which it may begin.
func TestRealJournalReplaysTheModel(t *testing.T) {
	got, want := newReplay(t), newReplay(t)
	repairs, runs := 0, 0
	same := func(s mState, what string) {
		if !bytes.Equal(got.journal.mapping.Bytes(), want.journal.mapping.Bytes()) || !bytes.Equal(got.target.Bytes(), want.target.Bytes()) {
			t.Fatalf("%s in %+v differs from the model", what, s)
		}
	}
	increment := func(limit int) func(dst, src []byte, at int) error {
		return func(dst, src []byte, _ int) error {
			if limit--; limit < 0 {
				return errors.New("enough")
			}
			for at := 0; at < len(src); at += 8 {
				binary.LittleEndian.PutUint64(dst[at:], binary.LittleEndian.Uint64(src[at:])+1)
			}
			return nil
		}
	}
	walk(none, func(s mState) {
		for i := range s.workers {
			switch s.workers[i].step {
			case dead, repair0, repair1:
				got.set(s)
				if err := got.journal.Repair(uint32(i), got.target); err != nil {
					t.Fatal(err)
				}
				after := s
				for after.workers[i].step = dead; after.workers[i].step != idle; {
					after.repair(i, none)
				}
				want.set(after)
				same(s, "a repair")
				repairs++
			case compute0:
				got.set(s)
				c := s.workers[i].chunk
				size := mUnits * mWords * 8
				pen, err := got.journal.layout.NewPen(got.journal.mapping.Bytes(), uint32(i), uint64(c), got.target.Bytes()[8+int(c)*size:][:size])
				if err != nil {
					t.Fatal(err)
				}
				// One unit, then an error that leaves the next as it was.
				left := int(mUnits - s.workers[i].unit)
				if err := pen.Run(increment(1), func(int) {}); (err == nil) != (left == 1) {
					t.Fatal(err)
				}
				after := s
				for range mark {
					after.work(i, none)
				}
				want.set(after)
				same(s, "a commit")
				runs++
			}
		}
	})
	t.Logf("%d repairs, %d commits", repairs, runs)
	if repairs < 1000 || runs < 1000 {
		t.Errorf("%d repairs, %d commits: this test looks in the wrong place", repairs, runs)
	}
}
