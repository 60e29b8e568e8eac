package engine

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
)

// What a dead worker left half done is made whole before its chunk, or its seat,
// is anybody else's.
func TestRepairComesBeforeTheChunkAndTheSeatAreHandedOn(t *testing.T) {
	var mu sync.Mutex
	seats := map[uint32]uint32{} // by incarnation
	sitting := map[uint32]bool{}
	half := map[uint64]uint32{} // chunks that are half done, by whose seat
	f := newFixture(t, 3, func(w *fake, c ring.Claim) bool {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := half[c.Descriptor.Chunk]; ok {
			t.Errorf("chunk %d was handed on before it was repaired", c.Descriptor.Chunk)
		}
		if c.Descriptor.Chunk%5 == 2 && c.Descriptor.Attempt < 2 {
			half[c.Descriptor.Chunk] = seats[w.incarnation]
			return false
		}
		return w.work(c)
	}, func(c *Config) {
		launch := c.Launch
		c.Launch = func(incarnation, seat uint32, ready func(), exited func(proc.Exit)) (Worker, error) {
			mu.Lock()
			defer mu.Unlock()
			if sitting[seat] || seat >= Seats(3) {
				t.Errorf("worker %d has seat %d, which is taken or none", incarnation, seat)
			}
			seats[incarnation], sitting[seat] = seat, true
			return launch(incarnation, seat, ready, exited)
		}
	})
	repairs := 0
	f.job.Repair = func(seat uint32) error {
		mu.Lock()
		defer mu.Unlock()
		repairs++
		sitting[seat] = false
		for chunk, s := range half {
			if s != seat {
				continue
			}
			held := false
			for i := range f.ring.Capacity() {
				w := f.ring.Load(i)
				held = held || w.State() == ring.Claimed && seats[w.Incarnation()] == seat
			}
			if !held {
				t.Errorf("chunk %d is repaired after it was taken from whoever left it so", chunk)
			}
			delete(half, chunk)
		}
		return nil
	}
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	if want := 2 * fakeChunks / 5; repairs < want || len(half) > 0 {
		t.Errorf("%d repairs, at least %d are needed; half done: %v", repairs, want, half)
	}
}

// A repair that fails ends the job, of which nothing more is handed out.
func TestRepairThatFailsEndsTheJob(t *testing.T) {
	var dead atomic.Bool
	f := newFixture(t, 1, func(w *fake, c ring.Claim) bool {
		if c.Descriptor.Chunk == 7 {
			dead.Store(true)
			return false
		}
		if dead.Load() {
			t.Errorf("chunk %d was handed out after the repair failed", c.Descriptor.Chunk)
		}
		return w.work(c)
	})
	broken := errors.New("no room")
	f.job.Repair = func(uint32) error { return broken }
	if err := f.run(t.Context()); err != broken {
		t.Errorf("%v", err)
	}
}

// Workers that were killed and do not go away take up seats, of which there are
// only so many.
func TestTooManyStuckWorkersFailThePool(t *testing.T) {
	release := make(chan struct{})
	f := newFixtureOf(t, 2*maxStuck, 1, func(w *fake, c ring.Claim) bool {
		<-w.killed
		<-release // however often it is killed
		return false
	}, func(c *Config) { c.Limits.Reap = 1 })
	t.Cleanup(func() { close(release) })
	f.job.Limit, f.job.Lost = 1, new(atomic.Bool)
	for range maxStuck + 1 {
		err := f.run(t.Context())
		var q *QuarantineError
		if err == nil {
			t.Fatal("a worker that hangs did its chunk")
		}
		if !errors.As(err, &q) {
			if !f.job.Lost.Load() {
				t.Error("no chunk is lost")
			}
			return
		}
	}
	t.Error("seats never run out")
}
