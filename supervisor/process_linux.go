package supervisor

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// newLauncher returns what launches the workers of a pool, as asked for.
func newLauncher(slots int, spin bool, o options) (launcher, error) {
	if o.inProcess {
		return newGoroutines(slots, spin, o)
	}
	segment, err := shm.NewSegment("gangsaw-control", wire.ControlSize(slots), wire.ControlSize(slots))
	if err != nil {
		return nil, err
	}
	r, err := ring.Format(wire.RingBytes(segment.Bytes()), slots)
	if err != nil {
		return nil, errors.Join(err, segment.Close())
	}
	var binder *proc.Binder
	if o.pin {
		if binder, err = proc.NewBinder(); err != nil {
			return nil, errors.Join(err, segment.Close())
		}
	}
	return &processes{slots, spin, o.recycle.Chunks, o.init != nil, o.timed(), segment, r, proc.NewStarter(), binder}, nil
}

// processes launches worker processes.
type processes struct {
	slots   int
	spin    bool
	chunks  uint64       // a worker does
	init    bool         // a worker runs program 0 first
	timed   bool         // durations are wanted
	segment *shm.Segment // control segment
	shared  *ring.Ring
	starter *proc.Starter
	binder  *proc.Binder // that workers are bound to, or nil
}

func (p *processes) control() []byte  { return p.segment.Bytes() }
func (p *processes) ring() *ring.Ring { return p.shared }
func (p *processes) inProcess() bool  { return false }

func (p *processes) close() error {
	p.starter.Close()
	return p.segment.Close()
}

func (p *processes) launch(incarnation, seat uint32, ready func(), exited func(proc.Exit)) (engine.Worker, error) {
	results, err := shm.NewSegment("gangsaw-results", wire.ResultsSize(p.slots), wire.ResultsReserved(p.slots))
	if err != nil {
		return nil, err
	}
	if p.timed {
		wire.SetTimed(results.Bytes())
	}
	id := wire.Identity{Incarnation: incarnation, Seat: seat, Slots: p.slots, Spin: p.spin, Chunks: p.chunks, Init: p.init, Tier: kernels.CurrentTier()}
	spec := proc.Spec{
		Env:   []string{wire.EnvWorker + "=" + id.String()},
		Files: []*os.File{p.segment.File(), results.File()},
	}
	stand := func() {}
	if p.binder != nil {
		var cpu int
		cpu, stand = p.binder.Take()
		spec.CPU = &cpu
	}
	process, err := p.starter.Start(spec)
	if err != nil {
		stand()
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
		stand()
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
func (w *processWorker) Stopped() bool   { return w.process.Stopped() }
func (w *processWorker) Kill()           { w.process.Kill() }

func (w *processWorker) Attach(number uint32, m *shm.Mapping) error {
	return w.process.Conn.Send(wire.Message{Kind: wire.Attach, Mapping: number, Writable: m.Writable()}.Encode(), m.File())
}

func (w *processWorker) Detach(number uint32) error {
	return w.process.Conn.Send(wire.Message{Kind: wire.Detach, Mapping: number}.Encode(), nil)
}

func (w *processWorker) Memory() uint64 { return w.process.Memory() }

func (w *processWorker) Retire() error {
	return w.process.Conn.Send(wire.Message{Kind: wire.Retire}.Encode(), nil)
}

func (w *processWorker) Begin() error {
	return w.process.Conn.Send(wire.Message{Kind: wire.Begin}.Encode(), nil)
}

func (w *processWorker) Close() {
	w.process.Close()
	w.results.Close()
}

// newArenaMemory returns memory for an arena: as a mapping for workers, as bytes
// for this process, and what frees it.
func newArenaMemory(size int, writable, inProcess bool) (*shm.Mapping, []byte, func() error, error) {
	if inProcess {
		return heapArena(size, writable)
	}
	segment, err := shm.NewSegment("gangsaw-arena", size, size)
	if err != nil {
		return nil, nil, nil, err
	}
	mapping, err := segment.Mapping(writable)
	if err != nil {
		return nil, nil, nil, errors.Join(err, segment.Close())
	}
	return mapping, segment.Bytes(), segment.Close, nil
}
