package supervisor

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
)

// hoardAndNap keeps 30 MiB, and lasts for as long as a worker's memory is looked at.
var hoardAndNap = kernels.NewFunc("test.hoard-and-nap", func([]byte, struct{}) (int64, error) {
	b := make([]byte, 30<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	hoarded = append(hoarded, b)
	time.Sleep(300 * time.Millisecond)
	return int64(len(hoarded)), nil
})

// A call at which workers die fails alone, wherever it is in its chunk, with the
// error that it has as a task of its own, and nothing is run twice but it.
func TestCrashInAChunkIsItsCallsAlone(t *testing.T) {
	for name, c := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := start(t, Workers(2), MemoryLimit(200<<20))
			for _, bad := range []int{0, 4, 8} {
				params := good(9)
				params[bad] = call{Bad: true, What: c.fault}
				for _, err := range squares(t, pool, params, []int{bad}, append(c.opts, ChunkSize(9))...) {
					if !c.check(err) {
						t.Errorf("as call %d: %v", bad, err)
					}
				}
			}
		})
	}
}

// Workers die at one call of a chunk less often than it may: it has its result, and
// so have two that kill in one chunk their errors.
func TestDeathsInAChunkCountForTheirCall(t *testing.T) {
	pool := start(t, Workers(1), Retries(1))
	params := good(10)
	for _, i := range []int{3, 4, 8} {
		params[i] = call{Bad: true, What: fault{Kind: exits, Code: 1}}
	}
	squares(t, pool, params, []int{3, 4, 8}, ChunkSize(10))
	if c := pool.Counters(); c.Retries != 3 || c.Respawns != 6 || c.Quarantined != 3 {
		t.Errorf("%+v", c)
	}
	// Killed from elsewhere, at two calls one after the other.
	params = good(10)
	var here, release [2]func()
	for i := range here {
		here[i], release[i] = holdUp(t, &params[3+4*i])
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		squares(t, pool, params, nil, ChunkSize(10))
	}()
	for i := range here {
		here[i]()
		for _, pid := range workers(t, os.Getpid(), 1) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
		release[i]()
	}
	<-ended
	if c := pool.Counters(); c.Retries != 5 || c.Quarantined != 3 {
		t.Errorf("%+v", c)
	}
}

// What is left of a chunk after a death was submitted before the pool was closed.
func TestCloseDrainsTheRestOfAChunk(t *testing.T) {
	for range 10 {
		pool := start(t, Workers(1), Retries(0))
		params := good(10)
		here, release := holdUp(t, &params[2])
		params[3] = call{Bad: true, What: fault{Kind: exits, Code: 1}}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			squares(t, pool, params, []int{3}, ChunkSize(10))
		}()
		here()
		closed := make(chan error)
		go func() { closed <- pool.Close() }()
		for { // until it closes
			if f, err := Submit(pool, square.With(1), nil); errors.Is(err, ErrClosed) {
				break
			} else if err == nil {
				f.Cancel()
			}
		}
		release()
		if err := <-closed; err != nil {
			t.Error(err)
		}
		<-ended
	}
}

// A call pays for its own memory, not for that of those before it.
func TestMemoryOfEarlierCallsIsNotTheNextOnes(t *testing.T) {
	pool := start(t, Workers(1), MemoryLimit(150<<20))
	n := 0
	for pieces, err := range Map(t.Context(), pool, hoardAndNap, slices.Values(make([]struct{}, 8)), ChunkSize(8)) {
		if err != nil || pieces > 5 {
			t.Errorf("call %d: %d pieces, %v", n, pieces, err)
		}
		n++
	}
	if c := pool.Counters(); n != 8 || c.Respawns == 0 || c.Quarantined != 0 {
		t.Errorf("%d results of 8, %+v", n, c)
	}
}
