package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
)

// call is a square, or something worse.
type call struct {
	N    int64
	Bad  bool
	What fault
	Hold [200]byte // a file: it makes another beside it, and waits until that is gone
}

var (
	callKernel = kernels.NewFunc("test.call", func(_ []byte, c call) (int64, error) {
		if name := strings.TrimRight(string(c.Hold[:]), "\x00"); name != "" {
			os.WriteFile(name+".here", nil, 0o666)
			for exists(name) {
				time.Sleep(time.Millisecond)
			}
		}
		if c.Bad {
			return c.What.happen()
		}
		return c.N * c.N, nil
	})
	nothing = kernels.NewFunc("test.nothing", func([]float64, struct{}) (struct{}, error) { return struct{}{}, nil })
)

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// holdUp has a call wait. It returns what waits until the call is in hand, and what
// lets it go.
func holdUp(t *testing.T, c *call) (here, release func()) {
	name := filepath.Join(t.TempDir(), "held")
	if err := os.WriteFile(name, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if copy(c.Hold[:], name) == len(c.Hold) {
		t.Fatalf("%s is too long", name)
	}
	release = func() { os.Remove(name) }
	t.Cleanup(release)
	return func() {
		for !exists(name + ".here") {
			time.Sleep(time.Millisecond)
		}
	}, release
}

// good returns n calls that succeed.
func good(n int) []call {
	all := make([]call, n)
	for i := range all {
		all[i].N = int64(i)
	}
	return all
}

// squares checks a stream of calls, of which those at some places fail, and
// returns their errors.
func squares(t *testing.T, pool *Pool, params []call, bad []int, opts ...TaskOption) []error {
	t.Helper()
	n := 0
	var errs []error
	for r, err := range Map(t.Context(), pool, callKernel, slices.Values(params), opts...) {
		switch {
		case slices.Contains(bad, n):
			if err == nil {
				t.Errorf("call %d: %d and no error", n, r)
			}
			errs = append(errs, err)
		case err != nil || r != int64(n)*int64(n):
			t.Errorf("call %d: %d, %v", n, r, err)
		}
		n++
	}
	if n != len(params) {
		t.Errorf("%d results of %d", n, len(params))
	}
	return errs
}

func TestOrderIsKeptForAnyChunkSize(t *testing.T) { onBothPools(t, orderIsKeptForAnyChunkSize) }

func orderIsKeptForAnyChunkSize(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	for _, size := range []int{0, 1, 2, 3, 100, 1000, MaxChunkSize} {
		squares(t, pool, good(1000), nil, ChunkSize(size))
		seen := map[int64]bool{}
		for r, err := range MapUnordered(t.Context(), pool, callKernel, slices.Values(good(1000)), ChunkSize(size)) {
			if err != nil || seen[r] {
				t.Errorf("%d, %v", r, err)
			}
			seen[r] = true
		}
		if len(seen) != 1000 {
			t.Errorf("%d results of 1000", len(seen))
		}
	}
	n := 0
	for _, err := range Map(t.Context(), pool, nothing, slices.Values(make([]struct{}, 1000)), ChunkSize(70)) {
		if err != nil {
			t.Error(err)
		}
		n++
	}
	if n != 1000 {
		t.Errorf("%d results of 1000", n)
	}
	for _, err := range Map(t.Context(), pool, nothing, slices.Values(make([]struct{}, 3)), ChunkSize(MaxChunkSize+1)) {
		if err == nil || err.Error() != `kernel "test.nothing": a task of 65537 parameters: make it 65536 at most` {
			t.Errorf("%v", err)
		}
	}
}

func TestChunksPullExactlyTheBound(t *testing.T) { onBothPools(t, chunksPullExactlyTheBound) }

func chunksPullExactlyTheBound(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	first := newArena(t, pool, 1).file.number
	for _, c := range [][2]int64{{1, 5}, {3, 4}, {2, 33}} {
		bound, size := c[0], c[1]
		opts := []TaskOption{InFlight(int(bound)), ChunkSize(int(size))}
		var pulled atomic.Int64
		n := int64(0)
		for r, err := range Map(t.Context(), pool, square, count(&pulled), opts...) {
			if err != nil || r != n*n {
				t.Fatalf("%d: %v, %v", n, r, err)
			}
			if got := pulled.Load(); got != (n/size+bound)*size {
				t.Fatalf("with %d taken, %d were pulled, bound %d tasks of %d", n, got, bound, size)
			}
			if n++; n == 200 {
				break
			}
		}
		pulled.Store(0)
		n = 0
		for _, err := range MapUnordered(t.Context(), pool, square, count(&pulled), opts...) {
			if got := pulled.Load(); err != nil || got != (n/size+bound)*size {
				t.Fatalf("with %d taken, %d were pulled, bound %d tasks of %d: %v", n, got, bound, size, err)
			}
			if n++; n == 200 {
				break
			}
		}
	}
	// As many buffers as tasks, twice for each of the bounds.
	if n := newArena(t, pool, 1).file.number - first - 1; n != 2*2*(1+3+2) {
		t.Errorf("%d arenas were made", n)
	}
}

func TestCallIsBlamedForWhatHappenedInIt(t *testing.T) {
	for _, c := range []struct {
		step     uint32
		answered int
		want     bool
	}{{3, 3, true}, {0, 0, true}, {2, 3, false}, {0, 1, false}, {9, 3, true}} {
		if got := blamed(c.step, c.answered); got != c.want {
			t.Errorf("at step %d with %d answers: %v", c.step, c.answered, got)
		}
	}
}

func TestErrorInAChunkIsItsCallsAlone(t *testing.T) { onBothPools(t, errorInAChunkIsItsCallsAlone) }

func errorInAChunkIsItsCallsAlone(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	for _, size := range []int{2, 7, 128} {
		params := good(300)
		var bad []int
		// More panics, with their stacks, than the answers of a task have room for.
		for i := range params {
			if i%5 == 0 || i > 150 && i < 250 {
				params[i].Bad, params[i].What.Kind = true, panics
				if i%10 == 0 {
					params[i].What.Kind = fails
				}
				bad = append(bad, i)
			}
		}
		for i, err := range squares(t, pool, params, bad, ChunkSize(size)) {
			var failed *TaskError
			var panicked *PanicError
			if bad[i]%10 == 0 {
				if !errors.As(err, &failed) || failed.What != "it failed" || failed.Place.Kernel != "test.call" {
					t.Errorf("call %d: %v", bad[i], err)
				}
			} else if !errors.As(err, &panicked) || panicked.What != "panic: with 42" || !strings.Contains(panicked.Stack, "fault.happen") {
				t.Errorf("call %d: %v", bad[i], err)
			}
		}
	}
	if c := pool.Counters(); c.Respawns+c.Retries != 0 {
		t.Errorf("%+v", c)
	}
}

// A goroutine that does not end goes on: with memory that is no longer anybody's.
func TestInProcessDeadlineInAChunkIsItsCallsAlone(t *testing.T) {
	defer func(l engine.Limits) { engine.DefaultLimits = l }(engine.DefaultLimits)
	engine.DefaultLimits.Reap = 100 * time.Millisecond
	pool := start(t, InProcess(), Workers(1))
	params := good(20)
	_, release := holdUp(t, &params[7])
	here, releaseOther := holdUp(t, &params[19])
	go func() {
		here()
		release() // it goes on with the calls after its own, most of which have answers
		time.Sleep(50 * time.Millisecond)
		releaseOther()
	}()
	n := 0
	for r, err := range Map(t.Context(), pool, callKernel, slices.Values(params), ChunkSize(20), Deadline(2*time.Second)) {
		switch {
		case n == 7:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		case err != nil || r != int64(n*n):
			t.Errorf("call %d: %d, %v", n, r, err)
		}
		n++
	}
}

func TestChunkThatIsLeftIsDoneWithBeforeTheLoopEnds(t *testing.T) {
	onBothPools(t, chunkThatIsLeftIsDoneWithBeforeTheLoopEnds)
}

func chunkThatIsLeftIsDoneWithBeforeTheLoopEnds(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	params := good(20)
	here, release := holdUp(t, &params[5])
	for r, err := range Map(t.Context(), pool, callKernel, slices.Values(params), ChunkSize(5), InFlight(4)) {
		if r != 0 || err != nil {
			t.Errorf("%d, %v", r, err)
		}
		here()
		if pool.InProcess() {
			release() // a goroutine cannot be killed
		}
		break
	}
	// Its worker was killed, or let go.
	squares(t, pool, good(1), nil)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var last error
	n := 0
	for _, err := range Map(ctx, pool, callKernel, slices.Values(good(20)), ChunkSize(10)) {
		if last = err; n == 3 {
			cancel(enough)
		}
		n++
	}
	if last != enough || n != 5 {
		t.Errorf("%v after %d", last, n)
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
	last = nil
	for _, err := range Map(t.Context(), pool, callKernel, slices.Values(good(20)), ChunkSize(10)) {
		last = fmt.Errorf("%d, %w", n, err)
	}
	if !errors.Is(last, ErrClosed) {
		t.Errorf("%v", last)
	}
}
