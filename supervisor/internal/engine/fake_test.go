package engine

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// fake is a worker that misbehaves as a test wants it to.
type fake struct {
	incarnation uint32
	ring        *ring.Ring
	control     []byte
	results     []byte
	claimer     *ring.Claimer
	stopped     atomic.Bool
	stretches   atomic.Int32
	memory      atomic.Uint64
	retired     atomic.Bool
	begun       atomic.Bool
	since       time.Time // a stretch began; the supervisor's
	killed      chan struct{}
	kill        sync.Once
}

func (w *fake) PID() int                          { return int(w.incarnation) }
func (w *fake) Results() []byte                   { return w.results }
func (w *fake) Attach(uint32, *shm.Mapping) error { return nil }
func (w *fake) Detach(uint32) error               { return nil }
func (w *fake) Begin() error                      { w.begun.Store(true); return nil }
func (w *fake) Memory() uint64                    { return w.memory.Load() }
func (w *fake) Retire() error                     { w.retired.Store(true); return nil }
func (w *fake) Close()                            {}
func (w *fake) Kill()                             { w.kill.Do(func() { close(w.killed) }) }
func (w *fake) write(c ring.Claim, r wire.Result) { wire.PutResult(w.results, c.Slot, r) }
func (w *fake) result(c ring.Claim) wire.Result {
	payload := binary.LittleEndian.AppendUint64(nil, c.Descriptor.Chunk)
	return wire.Result{Word: c.Word, Descriptor: c.Descriptor, Status: wire.OK, Program: fakeChecksum, Payload: payload}
}

// Stopped answers as the test wishes: for as long as stopped is set, or through
// so many stretches of 100 ms with a look at a running process between them.
func (w *fake) Stopped() bool {
	if w.stretches.Load() == 0 {
		return w.stopped.Load()
	}
	if w.since.IsZero() {
		w.since = time.Now()
	}
	if time.Since(w.since) < 100*time.Millisecond {
		return true
	}
	w.since = time.Time{}
	w.stretches.Add(-1)
	return false
}

// work does what a good worker does with a claim.
func (w *fake) work(c ring.Claim) bool {
	w.write(c, w.result(c))
	return w.claimer.Complete(c)
}

// fakeProgram is what the fakes are to run.
var fakeProgram = wire.Program{Kernel: "fake", Type: kernels.Int8}

var fakeChecksum = func() uint32 {
	record, err := fakeProgram.Record()
	if err != nil {
		panic(err)
	}
	return record.Checksum()
}()

// behaviour deals with one claim; false ends the worker.
type behaviour func(w *fake, c ring.Claim) bool

func good(w *fake, c ring.Claim) bool { return w.work(c) }

// hang waits to be killed.
func hang(w *fake) bool {
	<-w.killed
	return false
}

// fixture is an engine over fake workers, and a file of chunks.
type fixture struct {
	*Engine
	t        *testing.T
	job      Job
	control  []byte
	accepted []atomic.Uint32 // by chunk
	mu       sync.Mutex
	events   []Event
	launches atomic.Uint32
}

const (
	fakeChunks = 40
	fakeSlots  = 8
)

func newFixture(t *testing.T, workers int, act behaviour, change ...func(*Config)) *fixture {
	t.Helper()
	return newFixtureOf(t, fakeSlots, workers, act, change...)
}

// newFixtureOf makes a fixture whose ring has that many slots.
func newFixtureOf(t *testing.T, slots, workers int, act behaviour, change ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, accepted: make([]atomic.Uint32, fakeChunks)}
	f.control = make([]byte, wire.ControlSize(slots))
	r, err := ring.Format(wire.RingBytes(f.control), slots)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	cfg := Config{
		Workers: workers, Retries: 2, Control: f.control, Ring: r, Limits: DefaultLimits,
		Observer: EventFunc(func(e Event) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.events = append(f.events, e)
		}),
		Launch: func(incarnation, seat uint32, ready func(), exited func(proc.Exit)) (Worker, error) {
			f.launches.Add(1)
			w := &fake{incarnation: incarnation, ring: r, control: f.control,
				claimer: r.NewClaimer(incarnation, seat), results: make([]byte, wire.ResultsSize(slots)), killed: make(chan struct{})}
			running.Go(func() {
				ready()
				w.run(act)
				select {
				case <-w.killed:
					exited(proc.Exit{Signal: syscall.SIGKILL})
				default:
					exited(proc.Exit{Signal: syscall.SIGSEGV})
				}
			})
			return w, nil
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	f.Engine = New(cfg)
	t.Cleanup(func() {
		f.Engine.Close()
		running.Wait()
	})
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, make([]byte, fakeChunks*kernels.BlockLen), 0o666); err != nil {
		t.Fatal(err)
	}
	m, err := shm.OpenMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	f.job = Job{
		Program: fakeProgram,
		Plan:    partition.New(format.Array{Name: "x", Type: kernels.Int8, Shape: []int64{fakeChunks * kernels.BlockLen}}, 1, workers),
		Mapping: m,
		Accept: func(chunk uint64, partial []byte) error {
			if len(partial) != 8 || binary.LittleEndian.Uint64(partial) != chunk {
				t.Errorf("chunk %d: partial % x", chunk, partial)
			}
			f.accepted[chunk].Add(1)
			return nil
		},
	}
	if f.job.Number, err = f.Attach(m); err != nil {
		t.Fatal(err)
	}
	return f
}

func (w *fake) run(act behaviour) {
	beat := wire.BeatOf(w.results)
	waiter := w.ring.NewWorkerWaiter(ring.SpinTime, time.Millisecond)
	for {
		select {
		case <-w.killed:
			return
		default:
		}
		if !w.begun.Load() {
			time.Sleep(100 * time.Microsecond)
			continue
		}
		beat.Turn()
		c, ok := w.claimer.Claim()
		if !ok {
			waiter.Pause()
			continue
		}
		waiter.Found()
		if !act(w, c) {
			return
		}
		w.ring.WakeSupervisor()
	}
}

// run runs the fixture's job; it must end within the time.
func (f *fixture) run(ctx context.Context) error {
	f.t.Helper()
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx, f.job) }()
	select {
	case err := <-done:
		return err
	case <-time.After(60 * time.Second):
		f.t.Fatal("the job hangs")
		return nil
	}
}

// onceEach checks that every chunk but those was accepted exactly once.
func (f *fixture) onceEach(except ...uint64) {
	f.t.Helper()
	for chunk := range f.accepted {
		want := uint32(1)
		for _, e := range except {
			if e == uint64(chunk) {
				want = 0
			}
		}
		if n := f.accepted[chunk].Load(); n != want {
			f.t.Errorf("chunk %d was accepted %d times, want %d", chunk, n, want)
		}
	}
}

// count returns how many events of a kind there were.
func (f *fixture) count(kind EventKind) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, e := range f.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}
