package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
)

func TestCloseDrainsWhatIsQueued(t *testing.T) { onBothPools(t, closeDrainsWhatIsQueued) }

func closeDrainsWhatIsQueued(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	call, release := held(t)
	busy := submit(t, pool, call)
	await(t, busy, Running)
	var queued []*Future[int64]
	for i := range int64(50) {
		queued = append(queued, submit(t, pool, square.With(i)))
	}
	closed := make(chan error)
	go func() { closed <- pool.Close() }()
	for { // until it closes
		if _, err := Submit(pool, square.With(1), nil); errors.Is(err, ErrClosed) {
			break
		}
	}
	select {
	case <-closed:
		t.Error("closed with a task in work")
	default:
	}
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	for i, f := range queued {
		result(t, f, int64(i*i))
	}
}

func TestCancelledPoolFinishesWhatRunsAlone(t *testing.T) {
	onBothPools(t, cancelledPoolFinishesWhatRunsAlone)
}

func cancelledPoolFinishesWhatRunsAlone(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	call, release := held(t)
	busy := submit(t, pool, call)
	await(t, busy, Running)
	var queued []*Future[int64]
	for i := range int64(500) { // more than the ring holds
		queued = append(queued, submit(t, pool, square.With(i)))
	}
	closed := make(chan error)
	go func() { closed <- pool.Cancel() }()
	for _, f := range queued {
		if _, err := f.Result(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	}
	release()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if _, err := busy.Result(t.Context()); err != nil {
		t.Error(err)
	}
}

// wrong fails the test at any event but that this machine has few CPUs.
func wrong(t *testing.T) func(Event) {
	return func(e Event) {
		if e.Kind != Oversubscribed {
			t.Error(e)
		}
	}
}

func TestMoreWorkersThanCPUsAreAWarning(t *testing.T) {
	var text bytes.Buffer
	start(t, Workers(proc.CPUs()+1), InProcess(), Log(slog.New(slog.NewTextHandler(&text, nil)))).Close()
	if want := fmt.Sprintf("%d workers share %d CPUs", proc.CPUs()+1, proc.CPUs()); !strings.Contains(text.String(), want) ||
		!strings.Contains(text.String(), "level=WARN") {
		t.Errorf("%s", text.String())
	}
	text.Reset()
	start(t, Workers(1), InProcess(), Log(slog.New(slog.NewTextHandler(&text, nil)))).Close()
	if text.Len() > 0 {
		t.Errorf("%s", text.String())
	}
}

func TestRecyclingChangesTheWorkerAtTheRightCount(t *testing.T) {
	onBothPools(t, recyclingChangesTheWorkerAtTheRightCount)
}

func recyclingChangesTheWorkerAtTheRightCount(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1), RecycleWorkers(Recycle{Chunks: 5}), Observe(EventFunc(wrong(t))))
	var pids []int
	for range 22 {
		pid, err := submit(t, pool, self.With(struct{}{})).Result(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, int(pid))
	}
	for i, pid := range pids {
		if same := i%5 == 0 || pid == pids[i-1]; !same {
			t.Errorf("worker %d ran task %d, worker %d the one before", pid, i, pids[i-1])
		}
		if !pool.InProcess() && i > 0 && i%5 == 0 && pid == pids[i-1] {
			t.Errorf("worker %d went on with task %d", pid, i)
		}
	}
	if c := pool.Counters(); c.Recycled != 4 || c.Respawns != 0 || c.Retries != 0 {
		t.Errorf("%+v", c)
	}
}

func TestRecyclingLosesNothing(t *testing.T) { onBothPools(t, recyclingLosesNothing) }

func recyclingLosesNothing(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2), RecycleWorkers(Recycle{Age: 2 * time.Millisecond}), Observe(EventFunc(wrong(t))))
	n := int64(0)
	for r, err := range Map(t.Context(), pool, square, count(new(atomic.Int64)), InFlight(16)) {
		if err != nil || r != n*n {
			t.Fatalf("%d: %d, %v", n, r, err)
		}
		if n++; n >= 50 && pool.Counters().Recycled >= 10 {
			break
		}
	}
}

func TestInitialiserRunsBeforeTheTasks(t *testing.T) { onBothPools(t, initialiserRunsBeforeTheTasks) }

func initialiserRunsBeforeTheTasks(t *testing.T, start func(...Option) *Pool) {
	initialised.Store(0)
	pool := start(Workers(2), RecycleWorkers(Recycle{Chunks: 3}), Init(initialise.With(7)))
	for range 20 {
		result(t, submit(t, pool, readInitialised.With(struct{}{})), 7)
	}
}

func TestFailingInitialiserFailsTheStart(t *testing.T) {
	for _, kind := range []Option{Workers(2), InProcess()} {
		for _, c := range []struct {
			n    int64
			want string
		}{{-1, "ended because its initialiser, kernel \"test.initialise\", failed: -1 is negative"}, {0, "failed: panic: zero"}} {
			var failed *StartError
			pool, err := Start(t.Context(), kind, Init(initialise.With(c.n)))
			if !errors.As(err, &failed) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "must call") {
				t.Errorf("%v", err)
			}
			if err == nil {
				pool.Kill()
			}
		}
	}
	if _, err := Start(t.Context(), Init(late().With(1))); err == nil || !strings.Contains(err.Error(), "after supervisor.Main") {
		t.Errorf("%v", err)
	}
}

func TestKilledPoolFailsWhatIsLeftAndWhatComesLater(t *testing.T) {
	onBothPools(t, killedPoolFailsWhatIsLeftAndWhatComesLater)
}

func killedPoolFailsWhatIsLeftAndWhatComesLater(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	call, release := held(t)
	busy := submit(t, pool, call)
	await(t, busy, Running)
	var queued []*Future[int64]
	for i := range int64(50) {
		queued = append(queued, submit(t, pool, square.With(i)))
	}
	if pool.InProcess() {
		release() // a goroutine cannot be killed
	}
	pool.Kill()
	for _, f := range queued {
		if _, err := f.Result(t.Context()); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
	}
	if _, err := Submit(pool, square.With(1), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
	if _, err := busy.Result(t.Context()); err != nil && !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
}
