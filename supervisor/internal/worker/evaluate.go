package worker

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// evaluation is a program of expressions made ready to run.
type evaluation struct {
	binding *wire.Binding
	runner  *expr.Runner
	outputs []kernels.Type
	partial []byte // of one row
	payload []byte // of all rows of a chunk
	inputs  []source
	src     [][]byte // the bytes that the elements of a chunk lie among
	blocks  [][]byte // elements of each input
	dst     [][]byte // of each output
	pieces  []*piece // where the outputs go
	picked  *picked  // nil: all elements count
}

// prepareCode makes ready what lies in a mapping.
func (w *Worker) prepareCode(c *wire.Code) (*evaluation, error) {
	code, err := w.codeAt(c)
	if err != nil {
		return nil, err
	}
	b, err := wire.DecodeBinding(code)
	if err != nil {
		return nil, err
	}
	outputs := b.Outputs
	if b.InPlace != nil {
		outputs = []wire.Source{{Type: b.Inputs[b.Replaced].Values()}}
	}
	return newEvaluation(b, outputs)
}

// newEvaluation makes a binding ready whose program makes outputs, and the mask by
// which it picks, if it does.
func newEvaluation(b *wire.Binding, outputs []wire.Source) (*evaluation, error) {
	program, err := expr.Decode(b.Program)
	if err != nil {
		return nil, err
	}
	e := &evaluation{binding: b, runner: program.NewRunner(), outputs: program.Outputs(), partial: make([]byte, program.PartialSize())}
	if err := e.fits(program, outputs); err != nil {
		return nil, err
	}
	if b.Pick.Kind != wire.PickNone {
		e.picked = newPicked(e.outputs)
	}
	e.blocks, e.dst = make([][]byte, len(b.Inputs)), make([][]byte, len(e.outputs))
	for i, s := range b.Inputs {
		in, err := newSource(b, s)
		if err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
		e.inputs = append(e.inputs, in)
	}
	for _, s := range b.Outputs {
		e.pieces = append(e.pieces, &piece{output: s, bytes: make([]byte, 0, max(leastPiece, pieceBytes/len(b.Outputs)))})
	}
	return e, nil
}

// codeAt returns a copy of code.
func (w *Worker) codeAt(c *wire.Code) ([]byte, error) {
	mem, err := w.Mapping(c.Mapping, false)
	if err != nil {
		return nil, err
	}
	mem, err = shm.Slice(mem, 0, uint64(c.Length))
	if err != nil {
		return nil, err
	}
	// Copied once: others may still scribble on it.
	code := append([]byte(nil), mem...)
	if wire.Sum(code) != c.Checksum {
		return nil, errors.New("the program is not the one that was written")
	}
	return code, nil
}

// fits holds what is bound against what the program takes and makes.
func (e *evaluation) fits(p *expr.Program, outputs []wire.Source) error {
	b := e.binding
	inputs := p.Inputs()
	if b.Pick.Kind != wire.PickNone {
		outputs = append(outputs[:len(outputs):len(outputs)], wire.Source{Type: kernels.Bool})
	}
	if len(inputs) != len(b.Inputs) || len(e.outputs) != len(outputs) || len(e.partial) > wire.MaxLong || b.Chunk == 0 || b.Chunk%kernels.BlockLen != 0 {
		return fmt.Errorf("a program of %d inputs and %d outputs is bound to %d and %d, in chunks of %d elements", len(inputs), len(e.outputs), len(b.Inputs), len(outputs), b.Chunk)
	}
	if b.Rows > 0 && (len(outputs) > 0 || b.Tile > wire.MaxLong/uint64(max(1, len(e.partial)))) {
		return fmt.Errorf("a program of %d outputs and partials of %d bytes is bound to tiles of %d rows", len(outputs), len(e.partial), b.Tile)
	}
	for i, t := range inputs {
		if b.Inputs[i].Values() != t {
			return fmt.Errorf("input %d of %v is bound to %v", i, t, b.Inputs[i].Values())
		}
	}
	if b.InPlace != nil && !b.Inputs[b.Replaced].Replaceable() {
		return fmt.Errorf("elements are replaced that stand for others: %+v", b.Inputs[b.Replaced].Scaling)
	}
	for i, t := range e.outputs {
		if outputs[i].Type != t {
			return fmt.Errorf("output %d of %v is bound to %v", i, t, outputs[i].Type)
		}
	}
	return nil
}

// extent is what a chunk consists of.
type extent struct {
	row, rows uint64 // the first row, and how many
	first     uint64 // element of each row
	count     int    // elements of each
}

// extentOf returns what a chunk of a binding consists of.
func extentOf(b *wire.Binding, chunk uint64) (extent, error) {
	parts := max(1, (b.Length+b.Chunk-1)/b.Chunk)
	rows := b.RowCount()
	hi, row := bits.Mul64(chunk/parts, b.Tile)
	if hi != 0 || row >= rows || b.Length == 0 {
		return extent{}, fmt.Errorf("descriptor of chunk %d of %d rows of %d elements", chunk, rows, b.Length)
	}
	at := chunk % parts * b.Chunk
	return extent{row, min(b.Tile, rows-row), b.First + at, int(min(b.Chunk, b.Length-at))}, nil
}

// evaluate runs a program of expressions over a chunk and returns the partials of
// its reductions, row by row.
func (w *Worker) evaluate(d ring.Descriptor, e *evaluation) ([]byte, error) {
	x, err := extentOf(e.binding, d.Chunk)
	if err != nil {
		return nil, err
	}
	if err := e.attend(w.readable, x); err != nil {
		return nil, err
	}
	for _, p := range e.pieces {
		to, err := w.Writer(p.output.Mapping)
		if err != nil {
			return nil, err
		}
		p.to, p.element, p.bytes = to, x.first-e.binding.First, p.bytes[:0]
	}
	if e.binding.InPlace != nil {
		return nil, w.replace(d.Chunk, x, e)
	}
	if e.picked != nil {
		return w.pick(d.Chunk, x, e)
	}
	return guardAll(func() ([]byte, error) { return e.chunk(x, w.progress) }, e.src...)
}

// readable returns the bytes of a mapping to read.
func (w *Worker) readable(number uint32) ([]byte, error) { return w.Mapping(number, false) }

// attend finds the bytes that the elements of a chunk lie among.
func (e *evaluation) attend(readable func(number uint32) ([]byte, error), x extent) (err error) {
	e.src = e.src[:0]
	for i, in := range e.inputs {
		if e.src, err = in.attend(readable, x, e.src); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
	}
	return nil
}

// rowsAtOnce is how many rows are gone through side by side, so that a cache line
// that holds elements of several columns is loaded once.
const rowsAtOnce = 8

// most returns how many elements are taken at a time.
func (e *evaluation) most() int {
	for _, in := range e.inputs {
		if g, ok := in.(*gather); !ok || !g.direct {
			return kernels.BlockLen // for which they have room
		}
	}
	return e.runner.Most()
}

// chunk runs the program over a chunk, some blocks after others.
func (e *evaluation) chunk(x extent, progress func(done int)) ([]byte, error) {
	size := 1
	if len(e.binding.Inputs) > 0 {
		size = e.binding.Inputs[0].Type.Size()
	}
	e.payload = e.payload[:0]
	most := e.most()
	for from := uint64(0); from < x.rows; from += rowsAtOnce {
		rows := int(min(rowsAtOnce, x.rows-from))
		for i := range rows {
			e.runner.Select(i)
			e.runner.Reset()
		}
		for at := 0; at < x.count; {
			k := min(most, x.count-at)
			if err := e.room(k); err != nil {
				return nil, err
			}
			for i := range rows {
				e.runner.Select(i)
				e.runner.Block(k, e.dst, e.elements(x, from+uint64(i), at, k))
			}
			at += k
			progress((int(from)*x.count + at*rows) * size)
		}
		for i := range rows {
			e.runner.Select(i)
			e.runner.Partial(e.partial)
			e.payload = append(e.payload, e.partial...)
		}
	}
	for _, p := range e.pieces {
		if err := p.flush(); err != nil {
			return nil, err
		}
	}
	return e.payload, nil
}

// room makes room for k elements of each output.
func (e *evaluation) room(k int) error {
	for i, p := range e.pieces {
		bytes := k * e.outputs[i].Size()
		if len(p.bytes)+bytes > cap(p.bytes) {
			if err := p.flush(); err != nil {
				return err
			}
		}
		from := len(p.bytes)
		p.bytes = p.bytes[:from+bytes]
		e.dst[i] = p.bytes[from:]
	}
	return nil
}

// elements returns k elements of each input from one of a row of the chunk on.
func (e *evaluation) elements(x extent, row uint64, at, k int) [][]byte {
	for i, in := range e.inputs {
		e.blocks[i] = in.take(x.row+row, x.first+uint64(at), k)
	}
	return e.blocks
}

// replace replaces the elements of an input by those of the output.
func (w *Worker) replace(chunk uint64, x extent, e *evaluation) error {
	s := e.binding.Inputs[e.binding.Replaced]
	size := s.Type.Size()
	c := commit{worker: w, inPlace: e.binding.InPlace, mapping: s.Mapping, offset: s.Offset + x.first*uint64(size), chunk: chunk}
	var data []byte
	if g, ok := e.inputs[e.binding.Replaced].(*gather); ok && g.direct {
		data = g.region
	} else {
		c.apart = &apart{e.inputs[e.binding.Replaced], size, x}
	}
	_, err := guardAll(func() ([]byte, error) {
		return nil, c.run(data, w.progress, func(dst, _ []byte, at int) error {
			e.dst[0] = dst
			e.runner.Block(len(dst)/size, e.dst, e.elements(x, 0, at/size, len(dst)/size))
			return nil
		})
	}, e.src...)
	return c.blame(err)
}
