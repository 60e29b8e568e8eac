package ring

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func newRing(t testing.TB, capacity int) *Ring {
	t.Helper()
	r, err := Format(make([]byte, Size(capacity)), capacity)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// onBoth runs a test of waiting with each kind of sleeper.
func onBoth(t *testing.T, test func(t *testing.T, newRing func(capacity int) *Ring)) {
	t.Run("native", func(t *testing.T) {
		test(t, func(capacity int) *Ring { return newRing(t, capacity) })
	})
	t.Run("pipe", func(t *testing.T) {
		test(t, func(capacity int) *Ring {
			r := newRing(t, capacity)
			for _, b := range []*bell{&r.workers, &r.supervisor} {
				p, err := newPipe()
				if err != nil {
					t.Fatal(err)
				}
				b.sleeper = p
			}
			return r
		})
	})
}

func TestWordKeepsItsParts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		g, i, s := r.Uint32(), r.Uint32N(MaxIncarnation+1), State(r.IntN(5))
		w := MakeWord(g, i, s)
		if w.Generation() != g || w.Incarnation() != i || w.State() != s {
			t.Fatalf("%v from %d, %d, %v", w, g, i, s)
		}
	}
}

func TestAttachRefusesMemoryThatDoesNotFit(t *testing.T) {
	mem := make([]byte, Size(4)+8)
	for name, c := range map[string]struct {
		mem      []byte
		capacity int
	}{
		"no slots":   {mem, 0},
		"negative":   {mem, -1},
		"too small":  {mem[:Size(4)-1], 4},
		"misaligned": {mem[1:], 4},
		"nil":        {nil, 1},
	} {
		if _, err := Attach(c.mem, c.capacity); err == nil {
			t.Errorf("%s: attached", name)
		}
	}
}

func TestSlotGoesThroughItsStates(t *testing.T) {
	r := newRing(t, 2)
	seven, eight := r.NewClaimer(7, 6), r.NewClaimer(8, 7)
	if _, ok := seven.Claim(); ok {
		t.Fatal("a claim in an empty ring")
	}
	free := r.Load(1)
	d := Descriptor{Program: 64, Mapping: 3, Task: 5, Chunk: 9, Offset: 128, Count: 4096, Attempt: 1}
	ready := r.Publish(1, free, d)
	if ready.State() != Ready || ready.Generation() != free.Generation()+1 || r.Load(1) != ready {
		t.Fatalf("published %v over %v", ready, free)
	}
	c, ok := seven.Claim()
	if !ok || c.Slot != 1 || c.Descriptor != d || c.Word != MakeWord(ready.Generation(), 7, Claimed) || r.Load(1) != c.Word {
		t.Fatalf("claim %+v, %v", c, ok)
	}
	if _, ok := eight.Claim(); ok {
		t.Error("a slot was claimed twice")
	}
	if r.Cancel(1, ready) {
		t.Error("a claimed slot was cancelled")
	}
	if !seven.Complete(c) || r.Load(1) != MakeWord(ready.Generation(), 7, Done) {
		t.Errorf("completed: %v", r.Load(1))
	}
	if seven.Complete(c) {
		t.Error("a slot was completed twice")
	}
	if !r.Retire(1, r.Load(1)) || r.Load(1).State() != Free {
		t.Errorf("retired: %v", r.Load(1))
	}
}

func TestCancelTakesBackWhatNobodyClaimed(t *testing.T) {
	r := newRing(t, 1)
	ready := r.Publish(0, r.Load(0), Descriptor{})
	if !r.Cancel(0, ready) || r.Load(0).State() != Free {
		t.Errorf("cancelled: %v", r.Load(0))
	}
	if _, ok := r.NewClaimer(1, 0).Claim(); ok {
		t.Error("a cancelled slot was claimed")
	}
}

func TestWorkLaidOutAgainGoesToWhoHadItBefore(t *testing.T) {
	r := newRing(t, 8)
	workers := []*Claimer{r.NewClaimer(1, 0), r.NewClaimer(2, 1)}
	for round := range 3 {
		for i := range r.Capacity() {
			r.Publish(i, r.Load(i), Descriptor{Task: uint64(i)})
		}
		for i := range r.Capacity() / 2 {
			for w, c := range workers {
				claim, ok := c.Claim()
				if want := uint64(4*w + i); !ok || claim.Descriptor.Task != want {
					t.Errorf("round %d: worker %d has task %d, %v, not %d", round, w, claim.Descriptor.Task, ok, want)
				}
				c.Complete(claim)
			}
		}
		for _, c := range workers {
			if _, ok := c.Claim(); ok {
				t.Error("a claim of nothing")
			}
		}
	}
}

func TestRevokedClaimCannotComplete(t *testing.T) {
	r := newRing(t, 1)
	one, two := r.NewClaimer(1, 0), r.NewClaimer(2, 1)
	ready := r.Publish(0, r.Load(0), Descriptor{Task: 1})
	stale, _ := one.Claim()
	// The supervisor takes worker 1 for dead and hands the slot out again.
	again := r.Publish(0, ready, Descriptor{Task: 1, Attempt: 1})
	if one.Complete(stale) {
		t.Error("a revoked claim was completed")
	}
	c, ok := two.Claim()
	if !ok || c.Descriptor.Attempt != 1 || c.Word.Generation() != again.Generation() {
		t.Errorf("claim %+v, %v", c, ok)
	}
	if one.Complete(stale) {
		t.Error("a revoked claim completed another's")
	}
}

func TestDoomedClaimCannotComplete(t *testing.T) {
	r := newRing(t, 2)
	c := r.NewClaimer(1, 0)
	ready := r.Publish(0, r.Load(0), Descriptor{})
	if r.Doom(0, ready) {
		t.Error("a slot that nobody holds was doomed")
	}
	claim, _ := c.Claim()
	if !r.Doom(0, claim.Word) || r.Load(0) != MakeWord(ready.Generation(), 1, Doomed) {
		t.Errorf("doomed: %v", r.Load(0))
	}
	if c.Complete(claim) {
		t.Error("a doomed claim was completed")
	}
	r.Publish(1, r.Load(1), Descriptor{})
	claim, _ = c.Claim()
	if !c.Complete(claim) || r.Doom(1, claim.Word) {
		t.Error("a completed slot was doomed")
	}
}

func TestGenerationWrapsAround(t *testing.T) {
	r := newRing(t, 1)
	three := r.NewClaimer(3, 2)
	w := r.Load(0)
	if w.Generation() < 1<<32-1000 {
		t.Errorf("the first generation, %d, is far from the end", w.Generation())
	}
	for range 100 {
		r.Publish(0, w, Descriptor{})
		c, ok := three.Claim()
		if !ok || !three.Complete(c) || !r.Retire(0, r.Load(0)) {
			t.Fatalf("stuck at %v", r.Load(0))
		}
		w = r.Load(0)
	}
	if w.Generation() > 1000 {
		t.Errorf("generation %d did not wrap around", w.Generation())
	}
}

func TestResetFreesWhateverWasThere(t *testing.T) {
	r := newRing(t, 1)
	ready := r.Publish(0, r.Load(0), Descriptor{})
	r.slots[0].word.Store(0xdeadbeefdeadbeef)
	if w := r.Reset(0, ready); w.State() != Free || r.Load(0) != w || w.Generation() == ready.Generation() {
		t.Errorf("reset to %v after %v", w, ready)
	}
}

// Workers begin in different places and still find every slot.
func TestClaimersFindEverySlot(t *testing.T) {
	const capacity = 64
	starts := map[int]bool{}
	for inc := uint32(0); inc < 8; inc++ {
		r := newRing(t, capacity)
		c := r.NewClaimer(inc, inc-1)
		starts[c.next] = true
		for i := range capacity {
			r.Publish(i, r.Load(i), Descriptor{Task: uint64(i)})
		}
		seen := map[uint64]bool{}
		for range capacity {
			claim, ok := c.Claim()
			if !ok {
				t.Fatalf("worker %d found %d of %d slots", inc, len(seen), capacity)
			}
			seen[claim.Descriptor.Task] = true
		}
		if _, ok := c.Claim(); ok || len(seen) != capacity {
			t.Errorf("worker %d found %d of %d slots", inc, len(seen), capacity)
		}
	}
	if len(starts) != 8 {
		t.Errorf("8 workers begin in %d places", len(starts))
	}
}

// Any value of a bell's words is safe.
func TestBellsSurviveAnyValue(t *testing.T) {
	r := newRing(t, 1)
	for _, v := range []uint32{1, 77, 1 << 31, 1<<32 - 1} {
		for _, b := range []*bell{&r.workers, &r.supervisor} {
			b.rings.Store(v)
			b.marks.Store(uint64(v)<<32 | uint64(v))
		}
		r.WakeWorkers(1)
		r.WakeSupervisor()
		if n, m := standing(r.workers.marks.Load()), standing(r.supervisor.marks.Load()); n != 0 || m != 0 {
			t.Errorf("%d and %d marks stand of %d whose makers were not there", n, m, v)
		}
	}
}

// Every task is done exactly once by many workers over a small ring, with
// waits on both sides, and no wake is lost: the waits have no other end.
func TestEveryTaskIsDoneOnce(t *testing.T) { onBoth(t, everyTaskIsDoneOnce) }

func everyTaskIsDoneOnce(t *testing.T, newRing func(int) *Ring) {
	const workers, tasks, capacity = 4, 20000, 8
	r := newRing(capacity)
	done := make([]atomic.Uint32, tasks)
	var stop atomic.Bool
	var group sync.WaitGroup
	for inc := uint32(1); inc <= workers; inc++ {
		group.Go(func() {
			c := r.NewClaimer(inc, inc-1)
			w := r.NewWorkerWaiter(SpinTime, time.Hour)
			for !stop.Load() {
				claim, ok := c.Claim()
				if !ok {
					w.Pause()
					continue
				}
				w.Found()
				done[claim.Descriptor.Task].Add(1)
				if !c.Complete(claim) {
					t.Error("a claim was lost")
				}
				r.WakeSupervisor()
			}
		})
	}
	w := r.NewSupervisorWaiter(SpinTime, time.Hour)
	for issued, retired := uint64(0), 0; retired < tasks; {
		found, published := false, 0
		for i := range capacity {
			switch w := r.Load(i); w.State() {
			case Done:
				if !r.Retire(i, w) {
					t.Fatal("a done slot changed")
				}
				retired++
				found = true
			case Free:
				if issued < tasks {
					r.Publish(i, w, Descriptor{Task: issued})
					issued++
					published++
				}
			}
		}
		r.WakeWorkers(published)
		if found || published > 0 {
			w.Found()
		} else {
			w.Pause()
		}
	}
	stop.Store(true)
	r.WakeWorkers(workers)
	group.Wait()
	for i := range done {
		if n := done[i].Load(); n != 1 {
			t.Fatalf("task %d was done %d times", i, n)
		}
	}
}

// nested rings a bell a second time within the first ring's wake.
type nested struct {
	again func()
	woken []int
}

func (s *nested) sleep(*atomic.Uint32, uint32, time.Duration) {}

func (s *nested) wake(_ *atomic.Uint32, n int) int {
	s.woken = append(s.woken, n)
	if again := s.again; again != nil {
		s.again = nil
		again()
	}
	return n
}

// A waker that comes while another is half-way finds the sleepers that the
// other leaves asleep.
func TestWakersWithinOneAnotherEachWakeTheirOwn(t *testing.T) {
	var b bell
	s := &nested{again: func() { b.ring(2) }}
	b = bell{new(bellWords), s}
	b.marks.Store(3 * oneMark)
	b.ring(1)
	if !slices.Equal(s.woken, []int{1, 2}) || standing(b.marks.Load()) != 0 {
		t.Errorf("woken %v, %d marks stand", s.woken, standing(b.marks.Load()))
	}
}

// A wake is never given up, or whoever is marked would be taken for awake.
func TestWakesThroughAFullPipe(t *testing.T) {
	p, err := newPipe()
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if n := p.wake(nil, 1024); n != 1024 {
			t.Fatalf("%d of 1024 were woken", n)
		}
	}
	var rings atomic.Uint32
	p.sleep(&rings, 0, time.Hour)
}

// Wakers that come close together must not leave a waiter asleep while there
// is work: each wakes one, and all work gets done.
func TestNoWakeIsLost(t *testing.T) { onBoth(t, noWakeIsLost) }

func noWakeIsLost(t *testing.T, newRing func(int) *Ring) {
	const wakers, waiters, rounds = 3, 3, 3000
	r := newRing(1)
	var made, taken atomic.Int64
	var group sync.WaitGroup
	for seed := range uint64(wakers) {
		group.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 1))
			for range rounds {
				// Long enough for the waiters to fall asleep, or nearly so.
				for start, pause := time.Now(), time.Duration(rng.IntN(60))*time.Microsecond; time.Since(start) < pause; {
					runtime.Gosched()
				}
				made.Add(1)
				r.WakeWorkers(1)
			}
		})
	}
	for range waiters {
		group.Go(func() {
			w := r.NewWorkerWaiter(SpinTime, time.Hour)
			for {
				n := taken.Load()
				switch {
				case n == wakers*rounds:
					r.WakeWorkers(waiters) // nobody else does any more
					return
				case n < made.Load():
					if taken.CompareAndSwap(n, n+1) {
						w.Found()
					}
				default:
					w.Pause()
				}
			}
		})
	}
	group.Wait()
}

func TestSleepEndsByWakeAndByTimeout(t *testing.T) { onBoth(t, sleepEndsByWakeAndByTimeout) }

func sleepEndsByWakeAndByTimeout(t *testing.T, newRing func(int) *Ring) {
	r := newRing(1)
	w := r.NewWorkerWaiter(SpinTime, 20*time.Millisecond)
	begin := time.Now()
	for !w.Pause() {
	}
	if took := time.Since(begin); took < 20*time.Millisecond {
		t.Errorf("the sleep ended after %v, before its timeout", took)
	}
	if n := standing(r.workers.marks.Load()); n != 1 {
		t.Errorf("%d marks stand", n)
	}
	long := r.NewSupervisorWaiter(0, time.Hour)
	woken := make(chan struct{})
	go func() {
		for !long.Pause() {
		}
		close(woken)
	}()
	for standing(r.supervisor.marks.Load()) == 0 {
		runtime.Gosched()
	}
	r.WakeSupervisor()
	<-woken
}

// BenchmarkSlot is the whole cycle of a slot in one goroutine.
func BenchmarkSlot(b *testing.B) {
	r := newRing(b, 64)
	c := r.NewClaimer(1, 0)
	w := r.Load(0)
	for b.Loop() {
		r.Publish(0, w, Descriptor{})
		claim, _ := c.Claim()
		c.Complete(claim)
		r.Retire(0, r.Load(0))
		w = r.Load(0)
	}
}
