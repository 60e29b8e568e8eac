package supervisor

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// slowBatched takes its time, and must not be applied twice.
const slowBatched = "x/2 + nanmax(x)/4 + cos(exp(sin(cos(x)))) + i"

// manyRows are the lengths of batches of a file that it takes some time to change.
func manyRows() []int64 { return []int64{65536, 65536, 1, 65536 + 4097, 2000, 65536, 33, 100_000} }

// columnOf is a column of an open file that newBatches wrote.
func columnOf(f *File, name string, lengths []int64) *Array {
	c := format.Column{Array: format.Array{Name: name, Type: kernels.Int32}}
	at, rows := int64(0), int64(0)
	for _, n := range lengths {
		at += 5 + 2*n // of h
		valid := at
		at += (n + 7) / 8
		if name == "x" {
			c.Type, c.Swapped, c.Nulls = kernels.Float64, true, 1
			c.Pieces = append(c.Pieces, format.Piece{Offset: at, Len: n, Valid: valid})
		} else {
			c.Pieces = append(c.Pieces, format.Piece{Offset: at + 8*n, Len: n})
		}
		at += 12 * n
		rows += n
	}
	c.Shape = []int64{rows}
	return f.lie(c)
}

// changeBatches changes column x of the open file.
func changeBatches(ctx context.Context, pool *Pool, f *File) error {
	x, i := columnOf(f, "x", manyRows()), columnOf(f, "i", manyRows())
	_, err := pool.EvalInPlace(ctx, Query{Text: slowBatched, Arrays: []*Array{x, i}, NullsAreNaN: true}, x)
	return err
}

func init() {
	roles["batches"] = func() {
		Main()
		changeInPlace(func(pool *Pool, path string) error {
			f, err := pool.File(path, rawOf(kernels.Uint8))
			if err != nil {
				return err
			}
			fmt.Println("begins")
			return changeBatches(context.Background(), pool, f)
		})
	}
}

// computed notes what the elements are to be: out of place, by a pool of its own.
func (b *batches) computed(t *testing.T, pool *Pool) {
	t.Helper()
	path := rawFile(t, 0, b.bytes)
	f, out := open(t, pool, path, rawOf(kernels.Uint8)).file, path+".npy"
	q := Query{Text: slowBatched, Arrays: []*Array{columnOf(f, "x", manyRows()), columnOf(f, "i", manyRows())}, NullsAreNaN: true}
	if _, _, err := pool.EvalTo(t.Context(), q, out, false); err != nil {
		t.Fatal(err)
	}
	elements, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	elements = elements[len(elements)-8*int(b.rows):] // behind a header
	b.applied("x", func(k int64) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(elements[8*k:])) })
}

// Workers are killed at random moments of changes of a column in batches.
func TestKilledChangeOfBatchesIsAppliedOnce(t *testing.T) {
	kills := rounds(30, 1000)
	b := newBatches(t, manyRows()...)
	reference := start(t, InProcess())
	pool := start(t, Workers(3), ChunkBytes(1<<17), Retries(1000))
	f := open(t, pool, b.path, rawOf(kernels.Uint8)).file
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
		if err := changeBatches(t.Context(), pool, f); err != nil {
			t.Fatal(err)
		}
		b.computed(t, reference)
		b.check(t, fmt.Sprintf("round %d", round))
	}
	t.Logf("%d kills in %d rounds: %+v", kills, round, pool.Counters())
}

// The supervisor and all workers are killed together; a resumed run finishes what they
// began, also when it is killed itself.
func TestKilledSupervisorOfBatchesIsResumedOnce(t *testing.T) {
	runs := rounds(4, 100)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	pool, reference := start(t, Workers(2)), start(t, InProcess())
	interrupted, tries := 0, 0
	for ; interrupted < runs && tries < 30*runs; tries++ {
		b := newBatches(t, manyRows()...)
		before := bytes.Clone(b.bytes)
		b.computed(t, reference)
		file := &numbers{path: b.path}
		file.killAll(t, "batches", b.path+".gangsaw", time.Duration(random.IntN(10000))*time.Microsecond)
		if !exists(b.path + ".gangsaw") {
			// It had ended, or not begun.
			if got, err := os.ReadFile(b.path); err != nil || !bytes.Equal(got, before) {
				b.check(t, "no journal")
			}
			continue
		}
		interrupted++
		for range random.IntN(3) {
			file.killAll(t, "resume", b.path+".gangsaw", time.Duration(random.IntN(5000))*time.Microsecond)
			if !exists(b.path + ".gangsaw") {
				break
			}
		}
		if err := pool.Resume(t.Context(), b.path); err != nil && !errors.Is(err, ErrNotInterrupted) {
			t.Fatal(err)
		}
		b.check(t, "resumed")
	}
	t.Logf("%d of %d runs were interrupted", interrupted, tries)
	if interrupted < runs {
		t.Errorf("only %d of %d runs were interrupted", interrupted, tries)
	}
}
