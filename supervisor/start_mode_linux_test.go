package supervisor

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"time"
)

// until waits for something that is to happen soon.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for begin := time.Now(); !happened(); time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// Whoever takes the place of a dead worker was there before.
func TestStandbyTakesThePlaceOfTheDead(t *testing.T) {
	pool := start(t, Workers(1), Standby(1))
	for range 3 {
		alive := workers(t, os.Getpid(), 2)
		active, err := submit(t, pool, self.With(struct{}{})).Result(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		syscall.Kill(int(active), syscall.SIGKILL)
		until(t, "another worker is at work", func() bool {
			pid, err := submit(t, pool, self.With(struct{}{})).Result(t.Context())
			if err == nil && pid != active && !slices.Contains(alive, int(pid)) {
				t.Fatalf("worker %d was not there before %d died: %v", pid, active, alive)
			}
			return err == nil && pid != active
		})
		until(t, "a new one stands by", func() bool { return pool.Counters().Standby == 1 })
	}
	if c := pool.Counters(); c.Workers != 1 || c.Respawns != 3 {
		t.Errorf("%+v", c)
	}
}

func TestStandbyTakesThePlaceOfTheRecycled(t *testing.T) {
	pool := start(t, Workers(1), Standby(1), RecycleWorkers(Recycle{Chunks: 3}))
	for range 5 {
		var pids []int32
		alive := workers(t, os.Getpid(), 2)
		for range 3 {
			pid, err := submit(t, pool, self.With(struct{}{})).Result(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		if len(slices.Compact(pids)) != 1 || !slices.Contains(alive, int(pids[0])) {
			t.Errorf("three tasks were done by %v of %v", pids, alive)
		}
		until(t, "the worker is gone", func() bool { return !running(int(pids[0])) })
	}
}
