package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
)

const nullRows = 400_000

func init() {
	roles["nulls"] = func() {
		Main()
		changeInPlace(func(pool *Pool, path string) error {
			f, err := pool.File(path, rawOf(kernels.Uint8))
			if err != nil {
				return err
			}
			x := nullables{rows: nullRows}.column(f, 1)
			fmt.Println("begins")
			_, err = pool.EvalInPlace(context.Background(), Query{Text: "x - nanmin(x) + x*2", Arrays: []*Array{x}, NullsAreNaN: true}, x)
			return err
		})
	}
}

// A run over elements of which some are null is killed with all its workers, and finished
// once; null elements keep their bytes.
func TestKilledEvalOfNullsIsResumedOnce(t *testing.T) {
	if !*crash {
		t.Skip("give -crash: most of a run is over before it can be interrupted")
	}
	const runs = 20
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	pool := start(t, Workers(2))
	interrupted, tries := 0, 0
	for ; interrupted < runs && tries < 30*runs; tries++ {
		n := newNullables(nullRows)
		file := &numbers{path: rawFile(t, 0, n.bytes)}
		before := bytes.Clone(n.bytes)
		n.applied()
		file.killAll(t, "nulls", file.path+".gangsaw", time.Duration(random.IntN(10000))*time.Microsecond)
		if exists(file.path + ".gangsaw") {
			interrupted++
			for range random.IntN(3) {
				file.killAll(t, "resume", file.path+".gangsaw", time.Duration(random.IntN(10000))*time.Microsecond)
				if !exists(file.path + ".gangsaw") {
					break
				}
			}
			if err := pool.Resume(t.Context(), file.path); err != nil && !errors.Is(err, ErrNotInterrupted) {
				t.Fatal(err)
			}
			before = n.bytes
		}
		if got, err := os.ReadFile(file.path); err != nil || !bytes.Equal(got, n.bytes) && !bytes.Equal(got, before) {
			t.Fatalf("%v: other bytes", err)
		}
	}
	t.Logf("%d of %d runs were interrupted", interrupted, tries)
	if interrupted < runs {
		t.Errorf("only %d of %d runs were interrupted", interrupted, tries)
	}
}
