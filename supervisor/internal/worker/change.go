package worker

import (
	"errors"
	"fmt"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// change runs a map over what of its chunk is not changed yet, in place.
func (w *Worker) change(d ring.Descriptor, p *program) error {
	data, err := w.elements(d, p.size, true)
	if err != nil {
		return err
	}
	c := commit{worker: w, inPlace: p.inPlace, mapping: d.Mapping, offset: d.Offset, chunk: d.Chunk}
	_, err = guard(func(_, data []byte, progress func(int)) ([]byte, error) {
		return nil, c.run(data, progress, func(dst, src []byte, _ int) error {
			_, err := p.run(dst, src, noProgress)
			return err
		})
	}, nil, data, w.progress)
	return c.blame(err)
}

// noProgress is for a kernel that runs over one unit.
func noProgress(int) {}

// commit changes a chunk in place, unit by unit: see package journal.
type commit struct {
	worker  *Worker
	inPlace *wire.InPlace
	mapping uint32 // that is changed
	offset  uint64 // of the chunk in it
	chunk   uint64
	apart   *apart // its elements, unless they lie one after another
}

// run has the kernel compute what of the chunk's bytes is not changed yet, and
// stores it. It runs under a guard: the journal, too, is a file that may have been
// truncated.
func (c commit) run(data []byte, progress func(int), kernel func(dst, src []byte, at int) error) error {
	log, err := c.worker.Mapping(c.inPlace.Mapping, true)
	if err != nil {
		return err
	}
	mem, err := c.worker.Mapping(c.mapping, true)
	if err != nil {
		return err
	}
	layout := journal.Layout{Marks: c.inPlace.Marks, Areas: c.inPlace.Areas, Unit: c.inPlace.Unit, Count: c.inPlace.Count}
	if c.apart != nil {
		return c.runApart(layout, log, mem, progress, kernel)
	}
	pen, err := layout.NewPen(log, c.worker.Seat, c.chunk, data)
	if err != nil {
		return err
	}
	// Also when a store faults: see Run.
	defer func() { c.worker.torn = pen.Torn() }()
	ready := len(data) - int(pen.Left())
	return pen.Run(func(dst, src []byte, at int) error {
		if at >= ready {
			next := min(len(data), at+populateStep)
			if err := shm.Populate(mem, c.offset+uint64(at), uint64(next-at)); err != nil {
				return fmt.Errorf("the file cannot be written to (%w): is the disk full?", err)
			}
			ready = next
		}
		return kernel(dst, src, at)
	}, progress)
}

// populateStep is how many bytes are made writable at once: with less, each costs
// more, and more may be in vain.
const populateStep = 4 << 20

// blame names the journal if that is what could not be written.
func (c commit) blame(err error) error {
	var panicked *panicError
	if !errors.As(err, &panicked) {
		return err
	}
	log, e := c.worker.Mapping(c.inPlace.Mapping, true)
	if _, inside := faultOffset(panicked.value, log); e == nil && inside {
		return errors.New("the journal could not be written: check its disk")
	}
	return err
}
