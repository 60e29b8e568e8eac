//go:build !race

package supervisor

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Somebody writes random bytes all over the ring and the programs while work
// runs, which no race detector would like. Results stay right, each chunk
// counts once, nobody hangs.
func TestScribblerOverTheWholeRing(t *testing.T) {
	rounds := 40
	if *crash {
		rounds = 1000
	}
	pool := start(t, Workers(3), ChunkBytes(1<<20))
	jobs := torment(t, pool, func(r *rand.Rand) {
		control := pool.launcher.control()
		control = control[:wire.ControlSize(ringSlots(3))]
		chunks := uint64(0)
		for range rounds {
			time.Sleep(time.Duration(r.IntN(3000)) * time.Microsecond)
			chunks = progress(pool, chunks)
			switch r.IntN(3) {
			case 0: // a few bits somewhere
				for range 1 + r.IntN(8) {
					control[r.IntN(len(control))] ^= 1 << r.IntN(8)
				}
			case 1: // a cache line
				at := r.IntN(len(control)/64) * 64
				for i := range 64 {
					control[at+i] = byte(r.Uint32())
				}
			case 2: // everything
				for i := range control {
					control[i] = byte(r.Uint32())
				}
			}
		}
	})
	c := pool.Counters()
	t.Logf("%d scribbles in %d jobs: %+v", rounds, jobs, c)
	if c.Quarantined != 0 || c.Respawns == 0 {
		t.Errorf("%+v", c)
	}
}
