package ring

import (
	"math/rand/v2"
	"runtime"
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

func TestWordKeepsItsParts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		g, i, s := r.Uint32(), r.Uint32N(MaxIncarnation+1), State(r.IntN(4))
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
	if _, ok := r.Claim(7); ok {
		t.Fatal("a claim in an empty ring")
	}
	free := r.Load(1)
	d := Descriptor{Program: 64, Mapping: 3, Task: 5, Chunk: 9, Offset: 128, Count: 4096, Attempt: 1}
	ready := r.Publish(1, free, d)
	if ready.State() != Ready || ready.Generation() != free.Generation()+1 || r.Load(1) != ready {
		t.Fatalf("published %v over %v", ready, free)
	}
	c, ok := r.Claim(7)
	if !ok || c.Slot != 1 || c.Descriptor != d || c.Word != MakeWord(ready.Generation(), 7, Claimed) || r.Load(1) != c.Word {
		t.Fatalf("claim %+v, %v", c, ok)
	}
	if _, ok := r.Claim(8); ok {
		t.Error("a slot was claimed twice")
	}
	if r.Cancel(1, ready) {
		t.Error("a claimed slot was cancelled")
	}
	if !r.Complete(c) || r.Load(1) != MakeWord(ready.Generation(), 7, Done) {
		t.Errorf("completed: %v", r.Load(1))
	}
	if r.Complete(c) {
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
	if _, ok := r.Claim(1); ok {
		t.Error("a cancelled slot was claimed")
	}
}

func TestRevokedClaimCannotComplete(t *testing.T) {
	r := newRing(t, 1)
	ready := r.Publish(0, r.Load(0), Descriptor{Task: 1})
	stale, _ := r.Claim(1)
	// The supervisor takes worker 1 for dead and hands the slot out again.
	again := r.Publish(0, ready, Descriptor{Task: 1, Attempt: 1})
	if r.Complete(stale) {
		t.Error("a revoked claim was completed")
	}
	c, ok := r.Claim(2)
	if !ok || c.Descriptor.Attempt != 1 || c.Word.Generation() != again.Generation() {
		t.Errorf("claim %+v, %v", c, ok)
	}
	if r.Complete(stale) {
		t.Error("a revoked claim completed another's")
	}
}

func TestGenerationWrapsAround(t *testing.T) {
	r := newRing(t, 1)
	w := r.Load(0)
	if w.Generation() < 1<<32-1000 {
		t.Errorf("the first generation, %d, is far from the end", w.Generation())
	}
	for range 100 {
		r.Publish(0, w, Descriptor{})
		c, ok := r.Claim(3)
		if !ok || !r.Complete(c) || !r.Retire(0, r.Load(0)) {
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

// Any value of the hints is safe.
func TestHintsAreOnlyHints(t *testing.T) {
	r := newRing(t, 5)
	for _, hint := range []uint32{0, 4, 5, 1 << 31, 1<<32 - 1} {
		r.header.claimHint.Store(hint)
		r.Publish(2, r.Load(2), Descriptor{Task: uint64(hint)})
		c, ok := r.Claim(1)
		if !ok || c.Descriptor.Task != uint64(hint) || !r.Complete(c) || !r.Retire(2, r.Load(2)) {
			t.Errorf("hint %d: %+v, %v", hint, c, ok)
		}
	}
}

// Every task is done exactly once by many workers over a small ring, with
// waits on both sides, and no wake is lost: the waits have no other end.
func TestEveryTaskIsDoneOnce(t *testing.T) {
	const workers, tasks, capacity = 4, 20000, 8
	r := newRing(t, capacity)
	done := make([]atomic.Uint32, tasks)
	var stop atomic.Bool
	var group sync.WaitGroup
	for inc := uint32(1); inc <= workers; inc++ {
		group.Go(func() {
			for !stop.Load() {
				seen := r.Published()
				c, ok := r.Claim(inc)
				if !ok {
					r.WaitPublished(seen, time.Hour)
					continue
				}
				done[c.Descriptor.Task].Add(1)
				if !r.Complete(c) {
					t.Error("a claim was lost")
				}
				r.WakeSupervisor()
			}
		})
	}
	for issued, retired := uint64(0), 0; retired < tasks; {
		seen := r.Completed()
		progress := false
		for i := range capacity {
			switch w := r.Load(i); w.State() {
			case Done:
				if !r.Retire(i, w) {
					t.Fatal("a done slot changed")
				}
				retired++
				progress = true
			case Free:
				if issued < tasks {
					r.Publish(i, w, Descriptor{Task: issued})
					issued++
					progress = true
				}
			}
		}
		r.WakeWorkers()
		if !progress {
			r.WaitCompleted(seen, time.Hour)
		}
	}
	stop.Store(true)
	r.NudgeWorkers()
	group.Wait()
	for i := range done {
		if n := done[i].Load(); n != 1 {
			t.Fatalf("task %d was done %d times", i, n)
		}
	}
}

// Wakers that come close together must not leave a waiter asleep: the last
// change always gets through.
func TestNoWakeIsLost(t *testing.T) {
	const wakers, rounds = 3, 3000
	var count, idle, work atomic.Uint32
	var group sync.WaitGroup
	for w := range uint64(wakers) {
		group.Go(func() {
			r := rand.New(rand.NewPCG(w, 1))
			for range rounds {
				// Long enough for the waiter to fall asleep, or nearly so.
				for start, pause := time.Now(), time.Duration(r.IntN(60))*time.Microsecond; time.Since(start) < pause; {
					runtime.Gosched()
				}
				work.Add(1)
				count.Add(1)
				wake(&count, &idle)
			}
		})
	}
	for {
		seen := count.Load()
		if work.Load() == wakers*rounds {
			break
		}
		wait(&count, &idle, seen, time.Hour)
	}
	group.Wait()
}

func TestWaitEndsByNudgeAndByTimeout(t *testing.T) {
	r := newRing(t, 1)
	start := time.Now()
	r.WaitPublished(r.Published(), 20*time.Millisecond)
	if took := time.Since(start); took < 15*time.Millisecond {
		t.Errorf("the wait ended after %v, before its timeout", took)
	}
	woken := make(chan struct{})
	seen := r.Completed()
	go func() {
		r.WaitCompleted(seen, time.Hour)
		close(woken)
	}()
	for r.header.supervisorIdle.Load() == 0 {
		runtime.Gosched()
	}
	r.Nudge()
	<-woken
}

// BenchmarkClaim is the whole cycle of a slot in one goroutine.
func BenchmarkClaim(b *testing.B) {
	r := newRing(b, 64)
	w := r.Load(0)
	for b.Loop() {
		r.Publish(0, w, Descriptor{})
		c, _ := r.Claim(1)
		r.Complete(c)
		r.Retire(0, r.Load(0))
		w = r.Load(0)
	}
}
