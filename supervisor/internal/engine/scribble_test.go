//go:build !race

package engine

// A worker that scribbles on shared memory is a data race on purpose: these
// tests are not for the race detector.

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// A worker that calls another's slot done convicts itself: it has no result
// for it.
func TestDoneForgedOnAnothersSlot(t *testing.T) {
	var holder atomic.Pointer[ring.Claim]
	forged := make(chan struct{})
	f := newFixture(t, 2, func(w *fake, c ring.Claim) bool {
		switch {
		case holder.CompareAndSwap(nil, &c):
			<-forged
			if w.work(c) {
				return true
			}
			return false // revoked, as a worker finds it
		case c.Descriptor.Attempt == 0:
			select {
			case <-forged:
			default:
				victim := holder.Load()
				scribble(w.control, victim.Slot, ring.MakeWord(victim.Word.Generation(), w.incarnation, ring.Done))
				close(forged)
				w.ring.WakeSupervisor()
				return hang(w)
			}
		}
		return w.work(c)
	})
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	if f.count(WorkerDistrusted) != 1 {
		t.Errorf("%d workers distrusted", f.count(WorkerDistrusted))
	}
}

func TestScribbledRingIsRebuilt(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		var scribbles atomic.Int32
		var mu sync.Mutex
		f := newFixture(t, 3, func(w *fake, c ring.Claim) bool {
			mu.Lock()
			if scribbles.Load() < 3 && r.IntN(8) == 0 {
				scribbles.Add(1)
				for range 1 + r.IntN(8) {
					scribble(w.control, r.IntN(8), ring.Word(r.Uint64()))
				}
			}
			mu.Unlock()
			return w.work(c)
		})
		if err := f.run(t.Context()); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		f.onceEach()
		f.Close()
	}
}

func TestScribbleWithoutWorkersIsRebuilt(t *testing.T) {
	ready := make(chan struct{})
	var launches atomic.Int32
	f := newFixture(t, 1, once(0, 1, func(w *fake, c ring.Claim) bool {
		defer close(ready)
		for i := range 8 {
			scribble(w.control, i, ring.MakeWord(12345, 77, ring.Done))
		}
		return false
	}), func(c *Config) {
		launch := c.Launch
		c.Launch = func(i, seat uint32, ready func(), exited func(proc.Exit)) (Worker, error) {
			launches.Add(1)
			return launch(i, seat, ready, exited)
		}
	})
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-ready
	f.onceEach()
	if f.count(RingRebuilt) != 1 || launches.Load() != 2 {
		t.Errorf("rebuilt %d times, %d launches", f.count(RingRebuilt), launches.Load())
	}
}

func TestLargePoolSurvivesARebuild(t *testing.T) {
	for _, workers := range []int{19, 40} {
		f := newFixture(t, workers, once(7, 1, func(w *fake, c ring.Claim) bool {
			scribble(w.control, c.Slot, 0xdeadbeefdeadbeef)
			w.ring.WakeSupervisor()
			return hang(w)
		}))
		if err := f.run(t.Context()); err != nil {
			t.Errorf("%d workers: %v", workers, err)
		}
		f.onceEach()
	}
}

func TestScribbledProgramIsWrittenAnew(t *testing.T) {
	f := newFixture(t, 2, once(7, 1, func(w *fake, c ring.Claim) bool {
		w.control[c.Descriptor.Program]++
		record, _ := wire.GetRecord(w.control, c.Descriptor.Program)
		r := w.result(c)
		r.Program = record.Checksum()
		w.write(c, r)
		return w.claimer.Complete(c)
	}))
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	if f.count(RingRebuilt) != 1 {
		t.Errorf("rebuilt %d times", f.count(RingRebuilt))
	}
}

// A slot that is CLAIMED in the name of a worker which does not hold it would
// never be done.
func TestClaimForgedInAnothersName(t *testing.T) {
	var victim atomic.Uint32
	f := newFixture(t, 2, func(w *fake, c ring.Claim) bool {
		if victim.CompareAndSwap(0, 1) {
			// Whoever it is, it holds another slot, or none.
			other := 3 - w.incarnation
			scribble(w.control, c.Slot, ring.MakeWord(c.Word.Generation(), other, ring.Claimed))
			return true
		}
		return w.work(c)
	})
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	if f.count(RingRebuilt) != 1 {
		t.Errorf("rebuilt %d times", f.count(RingRebuilt))
	}
}

// A worker that was killed for a corrupted ring and does not go away ends every
// job, started or run, before and after.
func TestStuckWorkerDuringARebuildEndsAllJobs(t *testing.T) {
	release, both := make(chan struct{}), make(chan struct{})
	defer close(release)
	var n atomic.Int32
	f := newFixture(t, 2, func(w *fake, c ring.Claim) bool {
		switch n.Add(1) {
		case 1:
			<-both
			<-release // in the kernel
			return false
		case 2:
			close(both)
			scribble(w.control, c.Slot, ring.MakeWord(c.Word.Generation()+7, w.incarnation, ring.Claimed))
			w.ring.WakeSupervisor()
			return hang(w)
		}
		return w.work(c)
	}, func(c *Config) { c.Limits.Reap = 50 * time.Millisecond })
	s, err := f.Start(f.job)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
	case <-time.After(30 * time.Second):
		t.Fatal("the job does not end")
	}
	if s.Err() == nil || !strings.Contains(s.Err().Error(), "is not gone after 50ms: start a new pool") {
		t.Errorf("%v", s.Err())
	}
	f.Drain(true)
	if err := f.run(t.Context()); err == nil {
		t.Error("a broken engine took a job")
	}
}

// Why a chunk's worker was killed is forgotten when the ring is written anew: what
// kills the next one is something else.
func TestDeadlineIsForgottenWithTheRing(t *testing.T) {
	var n atomic.Int32
	f := newFixture(t, 1, func(w *fake, c ring.Claim) bool {
		if c.Descriptor.Chunk != 3 {
			return w.work(c)
		}
		if n.Add(1) == 1 {
			<-w.killed
			scribble(w.control, (c.Slot+1)%8, 0xdeadbeef00000001)
			w.ring.WakeSupervisor()
			time.Sleep(50 * time.Millisecond)
		}
		return false
	})
	f.job.Limit = 500 * time.Millisecond
	var late *DeadlineError
	var death *DeathError
	if err := f.run(t.Context()); errors.As(err, &late) || !errors.As(err, &death) || death.Signal != syscall.SIGSEGV {
		t.Errorf("%v", err)
	}
}
