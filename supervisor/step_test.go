//go:build linux && amd64 && !race

package supervisor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// claimFunction is where a worker takes work: the path that is stepped begins
// at its entry.
const claimFunction = "github.com/gangsaw/gangsaw/ring.(*Claimer).Claim"

const (
	// stepStride is how many instructions lie between two deaths without -crash.
	stepStride = 61
	// stepEnds is in how many rounds in a row the path must have ended: by
	// chance it ends early now and then.
	stepEnds = 3
)

// TestKilledAtEachInstruction kills a worker after every instruction of one
// turn of its loop: claim, fold, result, completion, a look for more work, the
// wake of the supervisor, and falling asleep. Without -crash it leaves out most.
func TestKilledAtEachInstruction(t *testing.T) { stepThrough(t, newStepping(t), stepStride) }

// TestKilledAtEachInstructionInPlace does the same to a change in place, of which
// the last chunk has two units: a second application of it to any byte, or a
// missing one, shows.
func TestKilledAtEachInstructionInPlace(t *testing.T) {
	stepThrough(t, newSteppingInPlace(t), stepStride)
}

// TestKilledAtEachInstructionOfEvalInPlace does that where an expression is what is
// applied.
func TestKilledAtEachInstructionOfEvalInPlace(t *testing.T) {
	stepThrough(t, newSteppingEvalInPlace(t), 32*stepStride) // a long path
}

// stepThrough kills the worker of a pool after each instruction of its path, with
// -crash, or with so many between them.
func stepThrough(t *testing.T, s *stepping, stride int) {
	// Several, since a garbage collection, say, may lengthen a path.
	length := 0
	for range 3 {
		length = s.round(order{Do: doLearn}).Steps
	}
	first := rand.IntN(stride)
	if *crash {
		first, stride = 0, 1
	}
	t.Logf("a path of some %d instructions: killing after instruction %d and every %d from there", length, first, stride)
	places, functions, ends := map[string]int{}, map[string]int{}, map[string]int{}
	instructions, strayed := 0, 0
	begin := time.Now()
	for ended, n := 0, first; ended < stepEnds; {
		d := s.round(order{Do: doKill, Steps: n})
		if d.Strayed {
			strayed++
			continue
		}
		n += stride
		places[d.Place]++
		functions[d.Function]++
		if d.Ended {
			ended++
			ends[d.Place]++
		} else {
			ended = 0
			instructions++
		}
	}
	t.Logf("killed after %d instructions, at %d places in %d functions, in %v; %d rounds in all, %d strayed; the path ended at %v",
		instructions, len(places), len(functions), time.Since(begin).Round(time.Millisecond), s.rounds, strayed, ends)
	t.Logf("%d chunks were accepted, %d run again; none was lost or doubled, nothing hung", s.pool.Counters().Chunks, s.pool.Counters().Retries)
	if *crash {
		names := slices.SortedFunc(maps.Keys(functions), func(a, b string) int { return functions[b] - functions[a] })
		for _, name := range names {
			t.Logf("%6d in %s", functions[name], name)
		}
	}
}

// stepping is a pool of one worker, which is killed in every round.
type stepping struct {
	*testing.T
	stepper *stepper
	pool    *Pool
	slots   *ring.Ring
	job     func() error // of stepChunks chunks, which also looks at the result
	rounds  int
	mistake atomic.Pointer[Event] // a death that was taken for something worse
}

// stepChunks is the number of chunks of a round's job. The last is the one that
// is stepped: small, so that the path is short.
const stepChunks = 3

func newStepping(t *testing.T) *stepping {
	t.Helper()
	data := bytes.Repeat([]byte{3, 1, 4, 1, 5, 9, 2, 6}, (stepChunks-1)*kernels.BlockLen/8+1)
	path, layout := rawFile(t, 0, data), Raw(raw.Layout{Type: kernels.Uint8})
	reference := start(t, InProcess())
	want, err := reference.Stat(t.Context(), open(t, reference, path, layout))
	if err != nil {
		t.Fatal(err)
	}
	s := steppingPool(t, 1)
	array := open(t, s.pool, path, layout)
	s.job = func() error {
		got, err := s.pool.Stat(context.Background(), array)
		if err == nil && got != want {
			err = fmt.Errorf("%+v, want %+v", got, want)
		}
		return err
	}
	return s
}

// newSteppingInPlace changes a file again and again.
func newSteppingInPlace(t *testing.T) *stepping {
	t.Helper()
	const unit = kernels.BlockLen // of such small elements
	want := make([]uint8, (stepChunks-1)*2*unit+unit+24)
	for i := range want {
		want[i] = uint8(i)
	}
	path := rawFile(t, 5, want)
	s := steppingPool(t, 2*unit)
	array := open(t, s.pool, path, Raw(raw.Layout{Type: kernels.Uint8, Offset: 5}))
	s.job = func() error {
		if err := s.pool.InPlace(context.Background(), bump.With(struct{}{}), array); err != nil {
			return err
		}
		for i := range want {
			if i%unit < 2 {
				want[i] = 3*want[i] + 1
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got[5:], want) {
			err = fmt.Errorf("the file is not what it should be: %v", err)
		}
		return err
	}
	return s
}

// newSteppingEvalInPlace changes a file by an expression again and again.
func newSteppingEvalInPlace(t *testing.T) *stepping {
	t.Helper()
	const unit = kernels.BlockLen // of such small elements
	want := make([]uint8, (stepChunks-1)*2*unit+unit+24)
	for i := range want {
		want[i] = uint8(i)
	}
	path := rawFile(t, 5, want)
	s := steppingPool(t, 2*unit)
	x := open(t, s.pool, path, Raw(raw.Layout{Type: kernels.Uint8, Offset: 5})).Named("x")
	s.job = func() error {
		if _, err := s.pool.EvalInPlace(context.Background(), Query{Text: "3*x + 1", Arrays: []*Array{x}}, x); err != nil {
			return err
		}
		for i, v := range want {
			want[i] = 3*v + 1
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got[5:], want) {
			err = fmt.Errorf("the file is not what it should be: %v", err)
		}
		return err
	}
	return s
}

// bump changes the first elements of each unit, by what must not happen twice, and
// copies the others: its path is short.
var bump = kernels.NewMap("test.bump", func(dst, src []uint8, _ struct{}) error {
	copy(dst, src)
	for i := range min(2, len(src)) {
		dst[i] = 3*src[i] + 1
	}
	return nil
})

// steppingPool starts a pool of one worker, whose path is short.
func steppingPool(t *testing.T, chunk uint64) *stepping {
	t.Helper()
	s := &stepping{T: t, stepper: startStepper(t)}
	// A ring that is rebuilt, say, mends what a careful recovery never breaks.
	shortPath := func(o *options) { o.slots, o.asleep = 8, true }
	s.pool = start(t, shortPath, Workers(1), ChunkBytes(chunk), Observe(EventFunc(func(e Event) {
		if e.Kind != WorkerDied && e.Kind != ChunkRetried {
			s.mistake.Store(&e)
		}
	})))
	s.slots = s.pool.launcher.ring()
	return s
}

// round has the worker killed at the claim of the last chunk of a job, or after
// it, as the order says, and checks what becomes of the job.
func (s *stepping) round(o order) death {
	s.Helper()
	s.rounds++
	_, err := s.stepper.order(order{Do: doAttach, PID: workers(s.T, os.Getpid(), 1)[0], Function: claimFunction})
	if errors.Is(err, errDenied) && !*crash {
		s.Skip(err)
	}
	if err != nil {
		s.Fatalf("%+v: %v", o, err)
	}
	before := s.pool.Counters()
	done := make(chan error, 1)
	go func() { done <- s.job() }()
	_, err = s.stepper.order(order{Do: doAwait})
	for err == nil && !s.lastChunk(before.Chunks+stepChunks-1) {
		_, err = s.stepper.order(order{Do: doPass})
	}
	var d death
	if err == nil {
		d, err = s.stepper.order(o)
	}
	if err != nil {
		s.Fatalf("%+v: %v", o, err)
	}
	select {
	case err = <-done:
	case <-time.After(30 * time.Second):
		err = fmt.Errorf("no result within 30 s")
	}
	if e := s.mistake.Load(); err == nil && e != nil {
		err = fmt.Errorf("%+v", *e)
	}
	after := s.pool.Counters()
	accepted, again := after.Chunks-before.Chunks, after.Retries-before.Retries
	if err != nil || accepted != stepChunks || again > 1 {
		s.Fatalf("killed after instruction %d, at %s: %v; %d chunks accepted, want %d; %d run again",
			d.Steps, d.Place, err, accepted, stepChunks, again)
	}
	return d
}

// lastChunk reports whether the worker that stands before a claim will get the
// last chunk, all others being accepted.
func (s *stepping) lastChunk(others uint64) bool {
	s.Helper()
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(100 * time.Microsecond) {
		ready := 0
		for i := range s.slots.Capacity() {
			if s.slots.Load(i).State() == ring.Ready {
				ready++
			}
		}
		// One may also be the first that is published.
		if ready != 1 {
			return false
		}
		if s.pool.Counters().Chunks == others {
			return true
		}
	}
	s.Fatal("one chunk is left to be claimed, but the others were not accepted")
	return false
}
