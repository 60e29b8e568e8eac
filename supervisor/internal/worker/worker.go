package worker

import (
	"errors"
	"io"
	"time"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// ErrRevoked is returned when the supervisor took a claim away: the worker is
// taken for dead and must do nothing more.
var ErrRevoked = errors.New("the supervisor took the claim away")

// idleTimeout bounds a sleep that missed its wake. None should; each look of an
// idle worker costs CPU.
const idleTimeout = time.Second

// Worker is one worker's life.
type Worker struct {
	Incarnation uint32
	Seat        uint32 // no other living worker has it
	Ring        *ring.Ring
	Spin        bool   // before it sleeps: there are CPUs to spare
	Chunks      uint64 // it does, then its loop ends; 0: no end
	Control     []byte // control segment
	Results     []byte // this worker's results segment
	// Mapping returns the bytes of a mapping by its number, to write to if so asked.
	Mapping func(number uint32, write bool) ([]byte, error)
	// Writer returns what writes to the file of a mapping.
	Writer func(number uint32) (io.WriterAt, error)
	// Stopped reports whether the loop should end; nil means never.
	Stopped func() bool

	beat     wire.Beat
	tally    wire.Tally
	size     int // bytes of an element of the present task
	programs programs
	torn     bool           // a store of a change in place faulted half-way
	timed    bool           // durations are wanted
	told     int            // bytes of the present chunk that the beat tells
	progress func(done int) // tell
}

// Init makes the worker ready, and runs program 0 if that is its initialiser. Call
// it before Run. An error is in the results, too.
func (w *Worker) Init(initialise bool) error {
	w.beat = wire.BeatOf(w.Results)
	w.tally = wire.TallyOf(w.Results)
	w.timed = wire.Timed(w.Results)
	w.progress = w.tell
	w.programs = programs{known: map[wire.Record]*program{}}
	if !initialise {
		return nil
	}
	result := w.run(ring.Claim{Word: wire.InitWord, Descriptor: ring.Descriptor{Program: wire.ProgramOffset(0), Mapping: wire.NoMapping}})
	if result.Status == wire.OK {
		return nil
	}
	wire.PutResult(w.Results, 0, result)
	return errInit
}

// errInit is returned when the initialiser fails.
var errInit = errors.New("the initialiser failed")

// errTorn is returned when a unit is half stored: only the supervisor can make it
// whole, and does so when the worker is gone.
var errTorn = errors.New("a store to a file that is changed in place failed: its disk may be full or broken")

// Run claims and runs tasks until it is stopped or its claim is revoked.
func (w *Worker) Run() error {
	claimer := w.Ring.NewClaimer(w.Incarnation, w.Seat)
	spin := time.Duration(0)
	if w.Spin {
		spin = ring.SpinTime
	}
	waiter := w.Ring.NewWorkerWaiter(spin, idleTimeout)
	done := uint64(0)
	for bell := false; ; {
		if w.Stopped != nil && w.Stopped() {
			return nil
		}
		if done > 0 && done == w.Chunks {
			w.Ring.WakeSupervisor()
			return nil
		}
		w.beat.Turn()
		claim, ok := claimer.Claim()
		// Only now, so that the next task does not wait for a system call; and
		// when there is no next one, whoever might publish it must know.
		if bell || !ok {
			w.Ring.WakeSupervisor()
		}
		if !ok {
			bell = false
			waiter.Pause()
			continue
		}
		waiter.Found()
		bell = claim.Descriptor.Bell != 0
		result := w.run(claim)
		if w.torn {
			return errTorn
		}
		wire.PutResult(w.Results, claim.Slot, result)
		if !claimer.Complete(claim) {
			return ErrRevoked
		}
		w.tally.Add(claim.Descriptor.Count * uint64(w.size))
		done++
	}
}

// run does what the claim's descriptor says and returns its result.
func (w *Worker) run(claim ring.Claim) wire.Result {
	d := claim.Descriptor
	result := wire.Result{Word: claim.Word, Descriptor: d, Status: wire.OK}
	var err error
	var begin time.Time
	if w.timed {
		begin = time.Now()
	}
	result.Program, result.Payload, err = w.task(d)
	if w.timed {
		result.Duration = time.Since(begin)
	}
	if err != nil {
		result.Status, result.Payload = outcome(err)
	}
	return result
}

// outcome returns what a result says of an error.
func outcome(err error) (wire.Status, []byte) {
	switch err := err.(type) {
	case *faultError:
		return wire.Faulted, []byte(err.Error())
	case *panicError:
		return wire.Panicked, err.text()
	}
	return wire.Failed, []byte(err.Error())
}
