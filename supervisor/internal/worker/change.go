package worker

import (
	"errors"
	"fmt"

	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
)

// change runs the program over what of its chunk is not changed yet, in place,
// unit by unit: see package journal.
func (w *Worker) change(d ring.Descriptor, p *program) error {
	data, err := w.elements(d, p.size, true)
	if err != nil {
		return err
	}
	mem, err := w.Mapping(d.Mapping, true)
	if err != nil {
		return err
	}
	log, err := w.Mapping(p.inPlace.Mapping, true)
	if err != nil {
		return err
	}
	layout := journal.Layout{Marks: p.inPlace.Marks, Areas: p.inPlace.Areas, Unit: p.inPlace.Unit, Count: p.inPlace.Count}
	// Taken under the guard: the journal is a file, and may have been truncated.
	change := func(_, data []byte, progress func(int)) ([]byte, error) {
		pen, err := layout.NewPen(log, w.Seat, d.Chunk, data)
		if err != nil {
			return nil, err
		}
		left := pen.Left()
		if err := shm.Populate(mem, d.Offset+uint64(len(data))-left, left); err != nil {
			return nil, fmt.Errorf("the file cannot be written to (%w): is the disk full?", err)
		}
		return nil, pen.Run(func(dst, src []byte) error {
			_, err := p.run(dst, src, noProgress)
			return err
		}, progress)
	}
	_, err = guard(change, nil, data, w.progress)
	var panicked *panicError
	if errors.As(err, &panicked) {
		if _, inside := faultOffset(panicked.value, log); inside {
			return errors.New("the journal could not be written: check its disk")
		}
	}
	return err
}

// noProgress is for a kernel that runs over one unit.
func noProgress(int) {}
