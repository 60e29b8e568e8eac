package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
)

func TestCrew(t *testing.T) {
	for name, c := range map[string]struct {
		crew crew
		want string // promote, start
	}{
		"eager, at the start":                     {crew{size: 3, spares: 1}, "false true"},
		"eager, one was started":                  {crew{size: 3, spares: 1, standby: 1}, "true true"},
		"eager, all claim":                        {crew{size: 3, active: 3}, "false false"},
		"eager, a spare is missing":               {crew{size: 3, spares: 2, active: 3, standby: 1}, "false true"},
		"eager, one died and a spare is there":    {crew{size: 3, spares: 1, active: 2, standby: 1}, "true true"},
		"eager, one died and will be replaced":    {crew{size: 3, spares: 1, active: 2, standby: 1, coming: 1}, "true false"},
		"on demand, at the start":                 {crew{size: 3, onDemand: true}, "false true"},
		"on demand, nothing to do":                {crew{size: 3, onDemand: true, active: 1}, "false false"},
		"on demand, one task for one":             {crew{size: 3, onDemand: true, active: 1, work: 1}, "false false"},
		"on demand, more tasks than workers":      {crew{size: 3, onDemand: true, active: 1, work: 2}, "false true"},
		"on demand, no more than the pool's size": {crew{size: 3, onDemand: true, active: 3, work: 9}, "false false"},
		"on demand, idle ones stay":               {crew{size: 3, onDemand: true, active: 3}, "false false"},
		"on demand, one died and is not needed":   {crew{size: 3, onDemand: true, active: 1, work: 1, coming: 0}, "false false"},
		"on demand, all died":                     {crew{size: 3, onDemand: true}, "false true"},
		"on demand, a spare is enough":            {crew{size: 3, spares: 1, onDemand: true, active: 1, standby: 1, work: 2}, "true true"},
	} {
		if got := fmt.Sprint(c.crew.promote(), " ", c.crew.start()); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// doers notes which worker came to which chunk, once or more.
type doers struct {
	mu  sync.Mutex
	all map[uint64][]uint32
}

func (d *doers) note(act behaviour) behaviour {
	d.all = map[uint64][]uint32{}
	return func(w *fake, c ring.Claim) bool {
		d.mu.Lock()
		d.all[c.Descriptor.Chunk] = append(d.all[c.Descriptor.Chunk], w.incarnation)
		d.mu.Unlock()
		return act(w, c)
	}
}

func TestSpareTakesThePlaceOfTheDead(t *testing.T) {
	var d doers
	f := newFixture(t, 1, d.note(once(7, 1, func(*fake, ring.Claim) bool { return false })), func(c *Config) { c.Standby = 1 })
	if n := f.launches.Load(); n != 2 {
		t.Errorf("%d workers were started, want 2", n)
	}
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.onceEach()
	for chunk, who := range d.all {
		if got := fmt.Sprint(who); chunk == 7 && got != "[1 2]" || chunk != 7 && got != "[1]" && got != "[2]" {
			t.Errorf("chunk %d was done by %v", chunk, who)
		}
	}
	if c := f.Counters(); c.Workers != 1 || c.Standby != 1 || c.Respawns != 1 || f.launches.Load() != 3 {
		t.Errorf("%+v, %d launches", c, f.launches.Load())
	}
}

func TestWorkersComeOnDemand(t *testing.T) {
	f := newFixture(t, 3, good, func(c *Config) { c.OnDemand = true })
	if err := f.Started(t.Context()); err != nil {
		t.Fatal(err)
	}
	one := f.job
	one.Plan = partition.Whole(format.Array{Name: "x", Type: kernels.Int8, Shape: []int64{kernels.BlockLen}})
	for range 20 {
		if err := f.Run(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	if n, c := f.launches.Load(), f.Counters(); n != 1 || c.Workers != 1 {
		t.Errorf("%d workers were started for one chunk at a time: %+v", n, c)
	}
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, c := f.launches.Load(), f.Counters(); n != 3 || c.Workers != 3 {
		t.Errorf("%d workers were started for many chunks: %+v", n, c)
	}
}

// In a pool that starts workers on demand, those that die without work to do are not
// replaced but for the last.
func TestDeadAreReplacedOnDemand(t *testing.T) {
	var kill [4]chan struct{}
	for i := range kill {
		kill[i] = make(chan struct{})
	}
	f := newFixture(t, 3, good, func(c *Config) {
		c.OnDemand = true
		launch := c.Launch
		c.Launch = func(i, seat uint32, ready func(), exited func(proc.Exit)) (Worker, error) {
			w, err := launch(i, seat, ready, exited)
			if i <= 3 {
				go func() { <-kill[i]; w.Kill() }()
			}
			return w, err
		}
	})
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	until := func(workers int, launches uint32) {
		t.Helper()
		for begin := time.Now(); f.Counters().Workers != workers || f.launches.Load() != launches; time.Sleep(time.Millisecond) {
			if time.Since(begin) > 10*time.Second {
				t.Fatalf("%+v, %d launches", f.Counters(), f.launches.Load())
			}
		}
	}
	close(kill[1])
	until(2, 3)
	close(kill[2])
	until(1, 3)
	close(kill[3])
	until(1, 4)
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(3, 6)
}

// A pool has started when one that claims is ready, not one that stands by.
func TestSpareDoesNotStartThePool(t *testing.T) {
	late := make(chan struct{})
	var first Worker
	f := newFixture(t, 1, good, func(c *Config) {
		c.Standby = 1
		launch := c.Launch
		c.Launch = func(i, seat uint32, ready func(), exited func(proc.Exit)) (w Worker, err error) {
			if i > 1 {
				return launch(i, seat, ready, exited)
			}
			first, err = launch(i, seat, func() { <-late }, exited)
			return first, err
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.Started(ctx); err != context.DeadlineExceeded {
		t.Errorf("started: %v", err)
	}
	first.Kill()
	close(late)
	if err := f.Started(t.Context()); err != nil {
		t.Error(err)
	}
}
