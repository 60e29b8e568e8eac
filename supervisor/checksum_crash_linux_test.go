package supervisor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

func init() {
	roles["change container"] = func() {
		Main()
		changeInPlace(func(pool *Pool, path string) error {
			f, err := pool.File(path)
			if err != nil {
				return err
			}
			x := f.Arrays()[0].Named("x")
			fmt.Println("begins")
			_, err = pool.EvalInPlace(context.Background(), Query{Text: tripled, Arrays: []*Array{x}}, x)
			return err
		})
	}
}

// Everything is killed at random moments of a change of an archive and of a FITS
// file, and of the runs that resume it: in the end each element is changed once, and
// the checksums are right.
func TestKilledInPlaceKeepsChecksums(t *testing.T) {
	runs := rounds(4, 400)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	pool := start(t, Workers(2))
	interrupted, again := 0, 0
	for i := range runs {
		c := containers[2+i%2]
		file := &numbers{path: c.file(t)}
		log := file.path + ".gangsaw"
		before, err := os.ReadFile(file.path)
		if err != nil {
			t.Fatal(err)
		}
		file.killAll(t, "change container", log, time.Duration(r.IntN(3000))*time.Microsecond)
		if !exists(log) {
			if got, err := os.ReadFile(file.path); err != nil || string(got) == string(before) {
				continue // it had not begun
			}
			c.check(t, file.path, 1, "ended")
			continue
		}
		interrupted++
		for range r.IntN(3) {
			if file.killAll(t, "resume", log, time.Duration(r.IntN(3000))*time.Microsecond) {
				again++
			}
			if !exists(log) {
				break
			}
		}
		if err := pool.Resume(t.Context(), file.path); err != nil && !errors.Is(err, ErrNotInterrupted) {
			t.Fatal(err)
		}
		c.check(t, file.path, 1, "resumed")
	}
	t.Logf("%d of %d runs were interrupted, resumed ones %d times again", interrupted, runs, again)
}
