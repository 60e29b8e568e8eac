package supervisor

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Workers are killed at random moments while picked elements are counted and
// written.
func TestKilledPicksWriteTheSame(t *testing.T) {
	kills := rounds(20, 1000)
	const n = 1 << 20
	path := float64File(t, 0, normal(n, 5), 0)
	query := func(x *Array) Query {
		return Query{Text: "exp(sin(x)) + mean(x)", Where: "cos(x) > 0.5", Arrays: []*Array{x}}
	}
	dir := t.TempDir()
	reference := start(t, InProcess())
	if _, _, err := reference.EvalTo(t.Context(), query(openRaw(t, reference, path, 0, n).Named("x")), filepath.Join(dir, "want"), false); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(dir, "want"))
	if err != nil {
		t.Fatal(err)
	}
	pool := start(t, Workers(3), ChunkBytes(1<<16), Retries(1000))
	x := openRaw(t, pool, path, 0, n).Named("x")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	ended := killAtRandom(t, pool, seed, kills)
	round := 0
	for done := false; !done; round++ {
		select {
		case <-ended:
			done = true
		default:
		}
		if _, _, err := pool.EvalTo(t.Context(), query(x), filepath.Join(dir, "got"), true); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "got")); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("round %d: %d bytes, want %d, %v", round, len(got), len(want), err)
		}
	}
	t.Logf("%d kills in %d rounds: %+v", kills, round, pool.Counters())
}
