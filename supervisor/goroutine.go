package supervisor

import (
	"fmt"
	"io"
	"math"
	"os"
	"sync"
	"sync/atomic"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
	"github.com/gangsaw/gangsaw/supervisor/internal/worker"
)

// goroutines launches workers inside this process.
type goroutines struct {
	slots  int
	spin   bool
	chunks uint64 // a worker does
	init   bool   // a worker runs program 0 first
	timed  bool   // durations are wanted
	memory []byte // control segment
	shared *ring.Ring
}

// newGoroutines takes memory from the heap, where the race detector sees what
// goes on.
func newGoroutines(slots int, spin bool, o options) (launcher, error) {
	memory := make([]byte, wire.ControlSize(slots))
	r, err := ring.Format(wire.RingBytes(memory), slots)
	if err != nil {
		return nil, err
	}
	return &goroutines{slots, spin, o.recycle.Chunks, o.init != nil, o.timed(), memory, r}, nil
}

func (g *goroutines) control() []byte  { return g.memory }
func (g *goroutines) ring() *ring.Ring { return g.shared }
func (g *goroutines) inProcess() bool  { return true }
func (g *goroutines) close() error     { return nil }

func (g *goroutines) launch(incarnation, seat uint32, ready func(), exited func(proc.Exit)) (engine.Worker, error) {
	w := &goroutineWorker{ring: g.shared, begun: make(chan struct{}), results: make([]byte, wire.ResultsSize(g.slots)), mappings: map[uint32]*shm.Mapping{}}
	if g.timed {
		wire.SetTimed(w.results)
	}
	loop := worker.Worker{
		Incarnation: incarnation,
		Seat:        seat,
		Ring:        g.shared,
		Spin:        g.spin,
		Chunks:      g.chunks,
		Control:     g.memory,
		Results:     w.results,
		Mapping:     w.bytes,
		Writer:      func(number uint32) (io.WriterAt, error) { return w.mapping(number, true) },
		Stopped:     w.stopped.Load,
	}
	go func() {
		exit := proc.Exit{Code: 1}
		// Also when a kernel calls runtime.Goexit.
		defer func() { exited(exit) }()
		if loop.Init(g.init) == nil {
			ready()
			<-w.begun
			if loop.Run() == nil {
				exit.Code = 0
			}
		}
	}()
	return w, nil
}

// goroutineWorker is the engine's handle on a worker inside this process.
type goroutineWorker struct {
	ring    *ring.Ring
	results []byte
	stopped atomic.Bool
	once    sync.Once
	begun   chan struct{} // closed when it may claim, or is to end

	mu       sync.Mutex
	mappings map[uint32]*shm.Mapping
}

func (w *goroutineWorker) PID() int        { return os.Getpid() }
func (w *goroutineWorker) Results() []byte { return w.results }
func (w *goroutineWorker) Stopped() bool   { return false }
func (w *goroutineWorker) Memory() uint64  { return 0 }
func (w *goroutineWorker) Close()          {}

// Begin lets the worker claim.
func (w *goroutineWorker) Begin() error {
	w.once.Do(func() { close(w.begun) })
	return nil
}

// Retire ends the worker after the chunk in work.
func (w *goroutineWorker) Retire() error {
	w.Kill()
	return nil
}

// Kill ends the worker after the chunk in work.
func (w *goroutineWorker) Kill() {
	w.stopped.Store(true)
	w.Begin() // or it would wait for ever
	w.ring.WakeWorkers(math.MaxInt32)
}

func (w *goroutineWorker) Attach(number uint32, m *shm.Mapping) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mappings[number] = m
	return nil
}

func (w *goroutineWorker) Detach(number uint32) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.mappings, number)
	return nil
}

func (w *goroutineWorker) bytes(number uint32, write bool) ([]byte, error) {
	m, err := w.mapping(number, write)
	if err != nil {
		return nil, err
	}
	return m.Bytes(), nil
}

func (w *goroutineWorker) mapping(number uint32, write bool) (*shm.Mapping, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.mappings[number]
	if m == nil {
		return nil, fmt.Errorf("mapping %d was never attached", number)
	}
	if write && !m.Writable() {
		return nil, fmt.Errorf("mapping %d is not for writing", number)
	}
	return m, nil
}

// heapArena returns memory for an arena that goroutines share.
func heapArena(size int, writable bool) (*shm.Mapping, []byte, func() error, error) {
	mapping := shm.HeapMapping("arena", size, writable)
	return mapping, mapping.Bytes(), func() error { return nil }, nil
}
