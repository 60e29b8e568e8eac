package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func init() {
	roles["mixing"] = func() {
		Main()
		changeInPlace(func(pool *Pool, path string) error {
			a, b, err := recordsOf(pool, path)
			if err != nil {
				return err
			}
			fmt.Println("begins")
			_, err = pool.EvalInPlace(context.Background(), Query{Text: mixing, Arrays: []*Array{a, b}}, a)
			return err
		})
	}
}

// A run whose elements lie apart, and which reads values along axes, is killed with
// all its workers, and finished once by those that follow, with the values that it
// had.
func TestKilledEvalOfScatteredElementsIsResumedOnce(t *testing.T) {
	if !*crash {
		t.Skip("give -crash: most of a run is over before it can be interrupted")
	}
	const runs = 20
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	pool := start(t, Workers(2))
	r := newRecords(t, 200000)
	file := &numbers{path: r.path}
	interrupted, tries := 0, 0
	for ; interrupted < runs && tries < 30*runs; tries++ {
		before := bytes.Clone(r.bytes)
		file.killAll(t, "mixing", r.path+".gangsaw", time.Duration(random.IntN(20000))*time.Microsecond)
		if !exists(r.path + ".gangsaw") {
			// It had ended, or not begun.
			if got, err := os.ReadFile(r.path); err != nil || !bytes.Equal(got, before) {
				r.mixed()
			}
			r.check(t, "no journal")
			continue
		}
		interrupted++
		for range random.IntN(3) {
			file.killAll(t, "resume", r.path+".gangsaw", time.Duration(random.IntN(10000))*time.Microsecond)
			if !exists(r.path + ".gangsaw") {
				break
			}
		}
		if err := pool.Resume(t.Context(), r.path); err != nil && !errors.Is(err, ErrNotInterrupted) {
			t.Fatal(err)
		}
		r.mixed()
		r.check(t, "resumed")
	}
	t.Logf("%d of %d runs were interrupted", interrupted, tries)
	if interrupted < runs {
		t.Errorf("only %d of %d runs were interrupted", interrupted, tries)
	}
	// What was cut short before it had a journal may have left its values, which the
	// next run replaces.
	if left, err := filepath.Glob(r.path + ".gangsaw"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
