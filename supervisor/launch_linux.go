package supervisor

import (
	"errors"
	"fmt"
	"io"
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

// launchProcess starts a worker process.
func (p *Pool) launchProcess(incarnation uint32, ready func(), exited func(proc.Exit)) (engine.Worker, error) {
	slots := ringSlots(p.options.workers)
	results, err := shm.NewSegment("gangsaw-results", wire.ResultsSize(slots))
	if err != nil {
		return nil, err
	}
	id := wire.Identity{Incarnation: incarnation, Slots: slots}
	process, err := p.starter.Start(proc.Spec{
		Env:   []string{wire.EnvWorker + "=" + id.String()},
		Files: []*os.File{p.segment.File(), results.File()},
	})
	if err != nil {
		results.Close()
		return nil, err
	}
	go func() {
		if err := awaitHello(process.Conn); err == nil {
			ready()
		} else if !errors.Is(err, io.EOF) {
			process.Kill()
		}
	}()
	go func() {
		exit, err := process.Wait()
		if err != nil {
			// Cannot be, short of somebody else reaping our children; without
			// it nobody knows when the worker's last store was.
			panic(fmt.Sprintf("supervisor: %v", err))
		}
		exited(exit)
	}()
	return &processWorker{process, results}, nil
}

// awaitHello reads a worker's first message.
func awaitHello(conn *proc.Conn) error {
	buf := make([]byte, wire.MessageSize)
	n, file, err := conn.Receive(buf, "")
	if err != nil {
		return err
	}
	if file != nil {
		file.Close()
	}
	m, err := wire.DecodeMessage(buf[:n])
	if err == nil && m.Kind != wire.Hello {
		err = fmt.Errorf("unexpected message %+v", m)
	}
	return err
}

// processWorker is the engine's handle on a worker process.
type processWorker struct {
	process *proc.Process
	results *shm.Segment
}

func (w *processWorker) PID() int        { return w.process.PID() }
func (w *processWorker) Results() []byte { return w.results.Bytes() }
func (w *processWorker) Kill()           { w.process.Kill() }

func (w *processWorker) Attach(number uint32, m *shm.Mapping) error {
	return w.process.Conn.Send(wire.Message{Kind: wire.Attach, Mapping: number}.Encode(), m.File())
}

func (w *processWorker) Detach(number uint32) error {
	return w.process.Conn.Send(wire.Message{Kind: wire.Detach, Mapping: number}.Encode(), nil)
}

func (w *processWorker) Close() {
	w.process.Close()
	w.results.Close()
}

// launchGoroutine starts a worker inside this process.
func (p *Pool) launchGoroutine(incarnation uint32, ready func(), exited func(proc.Exit)) (engine.Worker, error) {
	slots := ringSlots(p.options.workers)
	r, err := ring.Attach(wire.RingBytes(p.control), slots)
	if err != nil {
		return nil, err
	}
	w := &goroutineWorker{ring: r, results: make([]byte, wire.ResultsSize(slots)), mappings: map[uint32]*shm.Mapping{}}
	loop := worker.Worker{
		Incarnation: incarnation,
		Ring:        r,
		Control:     p.control,
		Results:     w.results,
		Mapping:     w.mapping,
		Stopped:     w.stopped.Load,
	}
	go func() {
		ready()
		loop.Run()
		exited(proc.Exit{})
	}()
	return w, nil
}

// goroutineWorker is the engine's handle on a worker inside this process.
type goroutineWorker struct {
	ring    *ring.Ring
	results []byte
	stopped atomic.Bool

	mu       sync.Mutex
	mappings map[uint32]*shm.Mapping
}

func (w *goroutineWorker) PID() int        { return os.Getpid() }
func (w *goroutineWorker) Results() []byte { return w.results }
func (w *goroutineWorker) Close()          {}

// Kill ends the worker after the chunk in work.
func (w *goroutineWorker) Kill() {
	w.stopped.Store(true)
	w.ring.NudgeWorkers()
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

func (w *goroutineWorker) mapping(number uint32) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.mappings[number]
	if m == nil {
		return nil, fmt.Errorf("mapping %d was never attached", number)
	}
	return m.Bytes(), nil
}
