package worker

import (
	"errors"
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// stream is what a program makes of a chunk, or what its mask picks of that, as blocks
// one after another.
type stream struct {
	evaluation *evaluation
	size       int    // bytes of an element
	values     []byte // a block of what the program makes, if nothing is picked
	picked     []byte // elements that are not passed over yet, and room for a block
	passed     int    // bytes of those that the next block is behind

	x    extent
	next int    // element that the program takes next
	all  uint64 // elements that were picked
}

// newComputed makes ready a survey of what a program makes.
func newComputed(b *wire.Binding, p wire.Program) (*view, error) {
	if p.Survey == nil || len(b.Outputs) > 0 || b.InPlace != nil || b.Rows > 0 || b.Pick.Kind != wire.PickNone && b.Pick.Kind != wire.PickRead {
		return nil, fmt.Errorf("a view of a program of %d outputs and rows of %d axes, for a survey: %v", len(b.Outputs), b.Rows, p.Survey != nil)
	}
	e, err := newEvaluation(b, []wire.Source{{Type: p.Type}})
	if err != nil {
		return nil, err
	}
	s := &stream{evaluation: e, size: p.Type.Size()}
	if e.picked == nil {
		s.values = make([]byte, kernels.BlockLen*s.size)
	} else {
		s.picked = make([]byte, 0, 2*kernels.BlockLen*s.size)
	}
	return &view{typ: p.Type, binding: b, made: s}, nil
}

// surveyComputed surveys what a program makes of a chunk.
func (w *Worker) surveyComputed(chunk uint64, x extent, p *program) ([]byte, error) {
	s := p.view.made
	if err := s.evaluation.attend(w.readable, x); err != nil {
		return nil, err
	}
	elements := x.count
	if b := p.view.binding; b.Pick.Kind == wire.PickRead {
		first, end, err := w.placeOf(chunk, x, b)
		if err != nil {
			return nil, err
		}
		elements = int(end - first)
	}
	room, err := w.room(p.survey)
	if err != nil {
		return nil, err
	}
	s.begin(x)
	return guardAll(func() ([]byte, error) {
		found, err := p.survey.surveyor.Blocks(chunk, elements, s.block, w.progress, room)
		return found, errors.Join(err, s.end(elements))
	}, s.evaluation.src...)
}

// begin begins a chunk.
func (s *stream) begin(x extent) {
	s.evaluation.runner.Reset()
	s.x, s.next, s.passed, s.all, s.picked = x, 0, 0, 0, s.picked[:0]
}

// block returns the next k elements. Those that are not picked, though they were counted,
// are zeros, and end tells.
func (s *stream) block(at, k int) []byte {
	e := s.evaluation
	if e.picked == nil {
		e.dst[0] = s.values[:k*s.size]
		e.runner.Block(k, e.dst, e.elements(s.x, 0, at, k))
		return e.dst[0]
	}
	kept := copy(s.picked[:cap(s.picked)], s.picked[s.passed:])
	s.picked = s.picked[:kept]
	for len(s.picked) < k*s.size && s.next < s.x.count {
		s.pick()
	}
	if missing := k*s.size - len(s.picked); missing > 0 {
		s.picked = append(s.picked, make([]byte, missing)...)
	}
	s.passed = k * s.size
	return s.picked[:s.passed]
}

// pick appends what is picked of the next block.
func (s *stream) pick() {
	e := s.evaluation
	n := min(kernels.BlockLen, s.x.count-s.next)
	mask := e.picked.block(e, s.x, s.next, n)
	from := len(s.picked)
	room := s.picked[from : from+n*s.size]
	n, s.next = compact(room, e.picked.values[0][:len(room)], mask, s.size), s.next+n
	s.picked = s.picked[:from+n*s.size]
	s.all += uint64(n)
}

// end goes through what is left of the chunk, of which so many elements were counted.
func (s *stream) end(elements int) error {
	e := s.evaluation
	if e.picked == nil {
		return nil
	}
	for s.next < s.x.count {
		n := min(kernels.BlockLen, s.x.count-s.next)
		s.all += uint64(countTrue(e.picked.block(e, s.x, s.next, n)))
		s.next += n
	}
	if s.all != uint64(elements) {
		return fmt.Errorf("%d elements are picked of %d that were counted", s.all, elements)
	}
	return nil
}
