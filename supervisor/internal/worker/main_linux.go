package worker

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Main is the life of a worker process. It ends the process when the supervisor
// is gone, and returns with an error or when the supervisor has no more use for
// it.
func Main(id wire.Identity) error {
	if err := kernels.UseTier(id.Tier); err != nil {
		return err
	}
	w, conn, err := attach(id)
	if err != nil {
		return fmt.Errorf("%s is set, but no supervisor started this process: unset it (%w)", wire.EnvWorker, err)
	}
	// One thread computes, one reads messages. Setting it also stops the
	// runtime from looking at the CPU limits again and again.
	runtime.GOMAXPROCS(2)
	maps := newMappings()
	go func() {
		err := maps.follow(conn, w.Ring)
		if !errors.Is(err, io.EOF) {
			fmt.Fprintf(os.Stderr, "gangsaw worker %d: %v\n", id.Incarnation, err)
		}
		// The supervisor is gone, and nobody is left to report to.
		os.Exit(1)
	}()
	if err := w.Init(id.Init); err != nil {
		return err
	}
	if err := conn.Send(wire.Message{Kind: wire.Hello}.Encode(), nil); err != nil {
		return err
	}
	// Else it would hold its first chunk while it waits for the file.
	<-maps.begun
	w.Mapping = maps.bytes
	w.Writer = maps.writer
	w.Stopped = maps.retired.Load
	return w.Run()
}

// attach takes what the process was given as its files.
func attach(id wire.Identity) (*Worker, *proc.Conn, error) {
	control, err := shm.AttachSegment(os.NewFile(wire.ControlFD, "control"))
	if err != nil {
		return nil, nil, err
	}
	results, err := shm.AttachSegment(os.NewFile(wire.ResultsFD, "results"))
	if err != nil {
		return nil, nil, err
	}
	if id.Slots < 1 || len(control.Bytes()) < wire.ControlSize(id.Slots) || len(results.Bytes()) < wire.ResultsSize(id.Slots) {
		return nil, nil, fmt.Errorf("segments do not fit %d slots", id.Slots)
	}
	r, err := ring.Attach(wire.RingBytes(control.Bytes()), id.Slots)
	if err != nil {
		return nil, nil, err
	}
	conn, err := proc.NewConn(wire.SocketFD)
	if err != nil {
		return nil, nil, err
	}
	return &Worker{Incarnation: id.Incarnation, Seat: id.Seat, Ring: r, Spin: id.Spin, Chunks: id.Chunks, Control: control.Bytes(), Results: results.Bytes()}, conn, nil
}

// mappings are the data files this process has mapped, by number. One that
// could not be mapped is kept with the reason.
type mappings struct {
	mu    sync.Mutex
	added *sync.Cond
	all   map[uint32]attached
	begun chan struct{} // closed when the supervisor says so

	retired atomic.Bool // the supervisor says so
}

type attached struct {
	mapping *shm.Mapping
	err     error
}

func newMappings() *mappings {
	m := &mappings{all: map[uint32]attached{}, begun: make(chan struct{})}
	m.added = sync.NewCond(&m.mu)
	return m
}

// follow does what the supervisor's messages say, until the stream ends.
func (m *mappings) follow(conn *proc.Conn, r *ring.Ring) error {
	buf := make([]byte, wire.MessageSize)
	for begun := false; ; {
		n, file, err := conn.Receive(buf, "data file")
		if err != nil {
			return err
		}
		message, err := wire.DecodeMessage(buf[:n])
		if err != nil {
			return err
		}
		switch {
		case message.Kind == wire.Attach && file != nil:
			m.attach(message, file)
		case message.Kind == wire.Detach:
			m.detach(message.Mapping)
		case message.Kind == wire.Begin && !begun:
			begun = true
			close(m.begun)
		case message.Kind == wire.Profile && file != nil:
			go profile(message, file)
		case message.Kind == wire.Retire:
			m.retired.Store(true)
			r.WakeWorkers(math.MaxInt32) // this one among them
		default:
			return fmt.Errorf("unexpected message %+v", message)
		}
	}
}

func (m *mappings) attach(message wire.Message, file *os.File) {
	attach := shm.AttachMapping
	if message.Writable {
		attach = shm.AttachWritable
	}
	mapping, err := attach(file)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all[message.Mapping] = attached{mapping, err}
	m.added.Broadcast()
}

func (m *mappings) detach(number uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.all[number]; a.mapping != nil {
		a.mapping.Close()
	}
	delete(m.all, number)
}

// attachTimeout is how long get waits for a message that was sent before the
// descriptor was published and only has to be read.
const attachTimeout = 10 * time.Second

// bytes returns the bytes of a mapping, to write to if so asked.
func (m *mappings) bytes(number uint32, write bool) (mem []byte, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	mapping, err := m.get(number, write)
	if err != nil {
		return nil, err
	}
	return mapping.Bytes(), nil
}

// writer returns what writes to the file of a mapping.
func (m *mappings) writer(number uint32) (io.WriterAt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.get(number, true)
}

// get returns a mapping, to write to if so asked. The lock is held.
func (m *mappings) get(number uint32, write bool) (*shm.Mapping, error) {
	a, ok := m.all[number]
	if !ok {
		late := false
		timer := time.AfterFunc(attachTimeout, func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			late = true
			m.added.Broadcast()
		})
		defer timer.Stop()
		for ; !ok; a, ok = m.all[number] {
			if late {
				return nil, fmt.Errorf("mapping %d was never attached", number)
			}
			m.added.Wait()
		}
	}
	if a.err != nil {
		return nil, a.err
	}
	if write && !a.mapping.Writable() {
		return nil, fmt.Errorf("mapping %d is not for writing", number)
	}
	return a.mapping, nil
}
