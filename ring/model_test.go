package ring

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
)

// A step model of the ring and its recovery: one supervisor, a few workers, a
// small ring and a few tasks, in every interleaving of their steps, each of
// which touches shared memory at most once. A worker may die at any step and
// stop at any step for any time: any other process may always run instead, and
// the end is asked for without a further step of any one worker. The real ring is held against the model in TestRealRingFollowsTheModel.

const (
	maxSlots   = 2
	maxWorkers = 3
	maxTasks   = 4
)

// bounds is a model's size.
type bounds struct {
	slots, workers, tasks, deaths int
	generations                   uint8 // generations wrap around at this
	cancels                       bool  // the supervisor may take back what is READY
	// Deliberate bugs.
	lateOwner bool // the owner is stored after the claim
	blindKill bool // a kill that is aimed at one task does not doom it first
}

// mword is a slot's word in the model.
type mword struct {
	generation, incarnation uint8
	state                   State
}

// mslot is a slot: shared memory.
type mslot struct {
	word mword
	task int8 // the descriptor
}

// Where a worker is: the step it takes next.
type workerAt uint8

const (
	gone        workerAt = iota // reaped, to be started again
	idle                        // loads the word of some slot
	loaded                      // tries the CAS that claims
	owning                      // lateOwner only: stores the owner
	claimed                     // reads the descriptor
	working                     // writes the result
	written                     // tries the CAS that completes
	deadUnnamed                 // dead, not yet reaped
)

// mworker is a worker: its private memory and its results segment.
type mworker struct {
	at          workerAt
	incarnation uint8
	slot        int8
	word        mword // as it was loaded, then as it was claimed
	task        int8
	// What its results segment says of each slot.
	resultWord [maxSlots]mword
	resultTask [maxSlots]int8
}

// mledger is the supervisor's entry of a slot.
type mledger struct {
	task int8 // -1: free
	word mword
}

// Where the supervisor is.
type supervisorAt uint8

const (
	looking    supervisorAt = iota // free to do anything
	publishing                     // descriptor is written, the word is not
	retiring                       // result is accepted, the word is still DONE
	repairing                      // looks at slots for a reaped worker's claims
	aiming                         // loaded a CLAIMED word, tries the CAS that dooms
	killing                        // kills the worker whose claim is doomed
)

// mstate is the state of everything. It is comparable.
type mstate struct {
	slots    [maxSlots]mslot
	workers  [maxWorkers]mworker
	ledger   [maxSlots]mledger
	accepted [maxTasks]uint8
	waiting  [maxTasks]bool // to be published
	at       supervisorAt
	slot     int8  // the supervisor works on
	word     mword // as it was loaded to aim
	next     int8  // first slot still to be repaired
	dead     int8  // worker whose claims are repaired
	nextInc  uint8
	deaths   int8
	broken   string // a property that does not hold
}

func (b bounds) start() mstate {
	var s mstate
	for i := range b.slots {
		s.slots[i].word.generation = b.generations - 1
		s.ledger[i] = mledger{task: -1, word: s.slots[i].word}
	}
	for t := range b.tasks {
		s.waiting[t] = true
	}
	for w := range b.workers {
		s.nextInc++
		s.workers[w] = mworker{at: idle, incarnation: s.nextInc}
	}
	return s
}

// step is one step: who does what with which slot.
type step struct {
	who  int8 // worker, or -1 for the supervisor
	what string
	slot int8
	task int8
}

func (b bounds) after(w mword) uint8 { return (w.generation + 1) % b.generations }

// steps calls yield with every step that can be taken and the state after it.
func (b bounds) steps(s mstate, yield func(step, mstate)) {
	for w := range b.workers {
		b.workerSteps(s, int8(w), yield)
	}
	switch s.at {
	case looking:
		b.supervisorSteps(s, yield)
	case publishing:
		n := s
		l := &n.ledger[s.slot]
		l.word = mword{b.after(l.word), 0, Ready}
		n.slots[s.slot].word = l.word
		n.at = looking
		yield(step{-1, "publish", s.slot, l.task}, n)
	case retiring:
		n := s
		task := n.ledger[s.slot].task
		n.ledger[s.slot] = mledger{-1, mword{s.slots[s.slot].word.generation, 0, Free}}
		n.slots[s.slot].word = n.ledger[s.slot].word
		n.at = looking
		yield(step{-1, "retire", s.slot, task}, n)
	case repairing:
		b.repairStep(s, yield)
	case aiming:
		n := s
		n.at, n.word = looking, mword{}
		if b.blindKill || s.slots[s.slot].word == s.word {
			n.at = killing
			if !b.blindKill {
				n.slots[s.slot].word.state = Doomed
			}
		}
		yield(step{-1, "doom", s.slot, 0}, n)
	case killing:
		b.killStep(s, yield)
	}
}

// workerSteps are the steps of one worker.
func (b bounds) workerSteps(s mstate, w int8, yield func(step, mstate)) {
	me := s.workers[w]
	do := func(what string, slot int8, change func(n *mstate, me *mworker)) {
		n := s
		change(&n, &n.workers[w])
		yield(step{w, what, slot, n.workers[w].task}, n)
	}
	switch me.at {
	case gone, deadUnnamed:
		return
	case idle:
		for i := range int8(b.slots) {
			if s.slots[i].word.state == Ready {
				do("load", i, func(n *mstate, me *mworker) { me.at, me.slot, me.word = loaded, i, s.slots[i].word })
			}
		}
	case loaded:
		do("claim", me.slot, func(n *mstate, me *mworker) {
			slot := &n.slots[me.slot]
			if slot.word != me.word {
				me.at = idle
				return
			}
			me.word = mword{me.word.generation, me.incarnation, Claimed}
			me.at, slot.word = claimed, me.word
			if b.lateOwner {
				me.at, slot.word.incarnation = owning, 0
			}
		})
	case owning:
		do("own", me.slot, func(n *mstate, me *mworker) { me.at, n.slots[me.slot].word = claimed, me.word })
	case claimed:
		do("read", me.slot, func(n *mstate, me *mworker) { me.at, me.task = working, n.slots[me.slot].task })
	case working:
		do("write", me.slot, func(n *mstate, me *mworker) {
			me.at = written
			me.resultWord[me.slot], me.resultTask[me.slot] = me.word, me.task
		})
	case written:
		do("complete", me.slot, func(n *mstate, me *mworker) {
			me.at = idle
			if slot := &n.slots[me.slot]; slot.word == me.word {
				slot.word.state = Done
			} else {
				me.at = deadUnnamed // revoked: it exits
			}
		})
	}
	if int(s.deaths) < b.deaths {
		do("die", -1, func(n *mstate, me *mworker) { me.at = deadUnnamed; n.deaths++ })
	}
}

// supervisorSteps are what the supervisor may do next of its own accord.
func (b bounds) supervisorSteps(s mstate, yield func(step, mstate)) {
	for i := range int8(b.slots) {
		l := s.ledger[i]
		if l.task < 0 {
			for t := range int8(b.tasks) {
				if s.waiting[t] {
					n := s
					n.waiting[t] = false
					n.ledger[i].task, n.slots[i].task = t, t
					n.at, n.slot = publishing, i
					yield(step{-1, "describe", i, t}, n)
					break // tasks are alike
				}
			}
			continue
		}
		word := s.slots[i].word
		if word.state == Done {
			yield(step{-1, "accept", i, l.task}, b.accept(s, i, word))
		}
		b.aimSteps(s, i, yield)
		if b.cancels && word == l.word {
			n := s
			n.slots[i].word.state = Free
			n.ledger[i] = mledger{-1, n.slots[i].word}
			n.waiting[l.task] = true // so that it must still be done
			yield(step{-1, "cancel", i, l.task}, n)
		}
	}
	for w := range int8(b.workers) {
		if s.workers[w].at == deadUnnamed {
			n := s
			// Reaped: from here on nothing of it runs. Repair follows.
			n.workers[w].at = gone
			n.at, n.dead, n.next = repairing, w, 0
			yield(step{w, "reap", -1, 0}, n)
		}
		if s.workers[w].at == gone {
			n := s
			n.nextInc++
			n.workers[w] = mworker{at: idle, incarnation: n.nextInc}
			yield(step{w, "respawn", -1, 0}, n)
		}
	}
}

// aimSteps are the ways to begin a kill that is aimed at one task.
func (b bounds) aimSteps(s mstate, i int8, yield func(step, mstate)) {
	word := s.slots[i].word
	if word.state != Claimed || int(s.deaths) >= b.deaths {
		return
	}
	for w := range int8(b.workers) {
		if s.workers[w].at != gone && s.workers[w].incarnation == word.incarnation {
			n := s
			n.at, n.slot, n.word, n.dead = aiming, i, word, w
			n.deaths++
			yield(step{-1, "aim", i, 0}, n)
		}
	}
}

// killStep ends the worker that a kill is aimed at; it may have died since.
func (b bounds) killStep(s mstate, yield func(step, mstate)) {
	n := s
	victim := &n.workers[s.dead]
	if holds(*victim) && victim.slot != s.slot {
		n.broken = fmt.Sprintf("a kill aimed at slot %d hits slot %d", s.slot, victim.slot)
	}
	victim.at = deadUnnamed
	n.at = looking
	yield(step{s.dead, "kill", s.slot, 0}, n)
}

// accept takes in the result of a DONE slot.
func (b bounds) accept(s mstate, i int8, word mword) mstate {
	n := s
	for w := range b.workers {
		me := s.workers[w]
		if me.incarnation != word.incarnation {
			continue
		}
		claim := mword{word.generation, word.incarnation, Claimed}
		if me.resultWord[i] != claim || me.resultTask[i] != s.ledger[i].task {
			n.broken = fmt.Sprintf("an honest worker is distrusted in slot %d", i)
			return n
		}
		n.accepted[s.ledger[i].task]++
		n.at, n.slot = retiring, i
		return n
	}
	n.broken = fmt.Sprintf("slot %d was completed by nobody", i)
	return n
}

// repairStep looks at one slot for a claim of the reaped worker.
func (b bounds) repairStep(s mstate, yield func(step, mstate)) {
	n := s
	i := s.next
	if int(i) == b.slots {
		n.at = looking
		yield(step{-1, "repaired", -1, 0}, n)
		return
	}
	n.next++
	word := s.slots[i].word
	if s.ledger[i].task >= 0 && word.incarnation == s.workers[s.dead].incarnation {
		if word.state == Done {
			// What it finished counts: taken in before the rest.
			n = b.accept(s, i, word)
			if n.broken == "" {
				task := n.ledger[i].task
				n.ledger[i] = mledger{-1, mword{word.generation, 0, Free}}
				n.slots[i].word = n.ledger[i].word
				n.at, n.next = repairing, i+1
				yield(step{-1, "retire", i, task}, n)
				return
			}
		} else {
			l := &n.ledger[i]
			l.word = mword{b.after(word), 0, Ready}
			n.slots[i].word = l.word
			yield(step{-1, "repair", i, l.task}, n)
			return
		}
	}
	yield(step{-1, "look", i, 0}, n)
}

// check holds the state against the properties that no state may break.
func (b bounds) check(s mstate) string {
	if s.broken != "" {
		return s.broken
	}
	for t := range b.tasks {
		if s.accepted[t] > 1 {
			return fmt.Sprintf("task %d was accepted %d times", t, s.accepted[t])
		}
	}
	for v := range b.workers {
		for w := range v {
			x, y := s.workers[v], s.workers[w]
			if holds(x) && holds(y) && x.slot == y.slot {
				return fmt.Sprintf("workers %d and %d both hold slot %d", v, w, x.slot)
			}
		}
	}
	return ""
}

// holds reports whether a worker that is alive is inside a claim.
func holds(w mworker) bool { return w.at >= owning && w.at <= written }

func (b bounds) finished(s mstate) bool {
	for t := range b.tasks {
		if s.accepted[t] != 1 {
			return false
		}
	}
	return true
}

// edge is a step that leads from a state: what moved by itself.
type edge struct {
	from int32
	who  int8
}

// explore visits every state and returns how many there are and the first
// broken property. In the end it asks of every state whether all tasks can
// still get done without a further death, also if any one worker never moves
// again: others go on, and one that holds a task can be killed. If not, it is
// wedged.
func (b bounds) explore() (states int, broken string) {
	number := map[mstate]int32{b.start(): 0}
	all := []mstate{b.start()}
	before := [][]edge{nil} // by state, over steps that are no deaths
	for i := 0; i < len(all); i++ {
		if broken := b.check(all[i]); broken != "" {
			return len(all), broken
		}
		if b.finished(all[i]) {
			continue
		}
		b.steps(all[i], func(st step, n mstate) {
			k, ok := number[n]
			if !ok {
				k = int32(len(all))
				number[n] = k
				all = append(all, n)
				before = append(before, nil)
			}
			switch st.what {
			case "die":
			case "kill", "reap", "respawn": // done to the worker
				before[k] = append(before[k], edge{int32(i), -1})
			default:
				before[k] = append(before[k], edge{int32(i), st.who})
			}
		})
	}
	for stopped := int8(-1); int(stopped) < b.workers; stopped++ {
		if i := b.wedged(all, before, stopped); i >= 0 {
			return len(all), fmt.Sprintf("wedged: no way to the end from %+v, with worker %d stopped (-1: none)", all[i], stopped)
		}
	}
	return len(all), ""
}

// wedged returns a state from which there is no way to the end without a step
// of the worker that is stopped, or -1.
func (b bounds) wedged(all []mstate, before [][]edge, stopped int8) int {
	alive := make([]bool, len(all))
	var open []int32
	for i, s := range all {
		if b.finished(s) || stopped >= 0 && b.finishedBut(s, stopped) {
			alive[i] = true
			open = append(open, int32(i))
		}
	}
	for len(open) > 0 {
		last := open[len(open)-1]
		open = open[:len(open)-1]
		for _, e := range before[last] {
			if !alive[e.from] && (stopped < 0 || e.who != stopped) {
				alive[e.from] = true
				open = append(open, e.from)
			}
		}
	}
	for i := range all {
		if !alive[i] {
			return i
		}
	}
	return -1
}

// finishedBut reports whether all is done that can be while worker w does not
// move and no kill is left in the model's bounds.
func (b bounds) finishedBut(s mstate, w int8) bool {
	if !holds(s.workers[w]) || int(s.deaths) < b.deaths {
		return false
	}
	held := s.ledger[s.workers[w].slot].task
	for t := range int8(b.tasks) {
		if s.accepted[t] != 1 && t != held && b.slots > 1 {
			return false
		}
	}
	return true
}

var deep = flag.Bool("deep", false, "explore larger models")

func TestModelKeepsItsPromises(t *testing.T) {
	models := []bounds{
		{slots: 1, workers: 2, tasks: 2, deaths: 2, generations: 2, cancels: true},
		{slots: 2, workers: 2, tasks: 2, deaths: 1, generations: 2, cancels: true},
		{slots: 2, workers: 2, tasks: 3, deaths: 1, generations: 3},
		{slots: 1, workers: 3, tasks: 2, deaths: 1, generations: 2},
	}
	if *deep {
		models = append(models,
			bounds{slots: 2, workers: 2, tasks: 3, deaths: 2, generations: 2},
			bounds{slots: 2, workers: 3, tasks: 2, deaths: 1, generations: 2},
			bounds{slots: 1, workers: 3, tasks: 3, deaths: 2, generations: 2},
		)
	}
	for _, b := range models {
		states, broken := b.explore()
		if broken != "" {
			t.Errorf("%+v: %s", b, broken)
		}
		t.Logf("%d slots, %d workers, %d tasks, up to %d deaths, %d generations, cancels %v: %d states",
			b.slots, b.workers, b.tasks, b.deaths, b.generations, b.cancels, states)
	}
}

// The model must be able to fail: with the owner stored after the claim, a
// death in between loses the slot.
func TestModelCatchesAnOwnerStoredLate(t *testing.T) {
	b := bounds{slots: 1, workers: 2, tasks: 1, deaths: 1, generations: 2, lateOwner: true}
	if _, broken := b.explore(); broken == "" {
		t.Error("the bug was not found")
	} else {
		t.Log(broken)
	}
}

// And with a kill that is not announced in the slot, the worker may have gone
// on to the next task.
func TestModelCatchesAKillThatHitsTheNextTask(t *testing.T) {
	b := bounds{slots: 2, workers: 1, tasks: 2, deaths: 1, generations: 2, blindKill: true}
	if _, broken := b.explore(); broken == "" {
		t.Error("the bug was not found")
	} else {
		t.Log(broken)
	}
}

// real is a real ring that follows a trace of the model.
type real struct {
	ring   *Ring
	loaded [maxWorkers]Word
	claims [maxWorkers]Claim
	ledger [maxSlots]Word
	aimed  Word
}

// word is the real word for one of the model, whose generations count on from
// the real first one.
func (r *real) matches(b bounds, w mword, slot int) bool {
	got := r.ring.Load(slot)
	// The model starts at its last generation, the real ring at firstGeneration.
	generation := uint8((got.Generation() - firstGeneration + uint32(b.generations) - 1) % uint32(b.generations))
	return got.State() == w.state && uint8(got.Incarnation()) == w.incarnation && generation == w.generation
}

// claimer is the handle of a worker's present life.
func (r *real) claimer(w int8, s mstate) *Claimer {
	return r.ring.NewClaimer(uint32(s.workers[w].incarnation), uint32(w))
}

// follow takes one step of the model on the real ring.
func (r *real) follow(s step, before mstate) {
	w, i := s.who, int(s.slot)
	switch s.what {
	case "load":
		r.loaded[w] = r.ring.Load(i)
	case "claim":
		r.claims[w], _ = r.claimer(w, before).take(i, r.loaded[w])
	case "complete":
		r.claimer(w, before).Complete(r.claims[w])
	case "aim":
		r.aimed = r.ring.Load(i)
	case "doom":
		r.ring.Doom(i, r.aimed)
	case "publish", "repair":
		r.ledger[i] = r.ring.Publish(i, r.ledger[i], Descriptor{Task: uint64(s.task)})
	case "retire":
		word := r.ring.Load(i)
		r.ring.Retire(i, word)
		r.ledger[i] = r.ring.Load(i)
	case "cancel":
		r.ring.Cancel(i, r.ledger[i])
		r.ledger[i] = r.ring.Load(i)
	}
}

func TestRealRingFollowsTheModel(t *testing.T) {
	b := bounds{slots: 2, workers: 3, tasks: 4, deaths: 3, generations: 250, cancels: true}
	taken := 0
	for seed := range uint64(2000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		r := &real{ring: newRing(t, b.slots)}
		for i := range b.slots {
			r.ledger[i] = r.ring.Load(i)
		}
		for s := b.start(); !b.finished(s); taken++ {
			var steps []step
			var after []mstate
			b.steps(s, func(st step, n mstate) {
				steps, after = append(steps, st), append(after, n)
			})
			k := rng.IntN(len(steps))
			r.follow(steps[k], s)
			if st := steps[k]; st.what == "read" && r.claims[st.who].Descriptor.Task != uint64(st.task) {
				t.Fatalf("seed %d: %+v: the real descriptor is of task %d", seed, st, r.claims[st.who].Descriptor.Task)
			}
			s = after[k]
			for i := range b.slots {
				if !r.matches(b, s.slots[i].word, i) {
					t.Fatalf("seed %d: after %+v slot %d is %v, in the model %+v", seed, steps[k], i, r.ring.Load(i), s.slots[i].word)
				}
			}
		}
	}
	t.Logf("%d steps", taken)
}
