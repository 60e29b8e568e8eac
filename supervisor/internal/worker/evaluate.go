package worker

import (
	"errors"
	"fmt"
	"io"
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
	partial []byte
	src     [][]byte // the chunk's elements of each input
	blocks  [][]byte // some of them
	dst     [][]byte // of each output
	pieces  []*piece // where the outputs go
}

// pieceBytes is how much is written to a file at once: less makes more calls, more
// does not stay in the cache.
const pieceBytes = 128 << 10

// piece gathers what goes to a file.
type piece struct {
	bytes []byte
	at    int64 // of the first, in the file
	to    io.WriterAt
}

func (p *piece) flush() error {
	if len(p.bytes) == 0 {
		return nil
	}
	_, err := p.to.WriteAt(p.bytes, p.at)
	p.at += int64(len(p.bytes))
	p.bytes = p.bytes[:0]
	return err
}

// prepareCode makes ready what lies in a mapping.
func (w *Worker) prepareCode(c *wire.Code) (*evaluation, error) {
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
	b, err := wire.DecodeBinding(code)
	if err != nil {
		return nil, err
	}
	program, err := expr.Decode(b.Program)
	if err != nil {
		return nil, err
	}
	e := &evaluation{binding: b, runner: program.NewRunner(), outputs: program.Outputs(), partial: make([]byte, program.PartialSize())}
	if err := e.fits(program); err != nil {
		return nil, err
	}
	e.src, e.blocks, e.dst = make([][]byte, len(b.Inputs)), make([][]byte, len(b.Inputs)), make([][]byte, len(e.outputs))
	for range b.Outputs {
		e.pieces = append(e.pieces, &piece{bytes: make([]byte, 0, pieceBytes)})
	}
	return e, nil
}

// fits holds what is bound against what the program takes and makes.
func (e *evaluation) fits(p *expr.Program) error {
	b := e.binding
	inputs, outputs := p.Inputs(), b.Outputs
	if b.InPlace != nil {
		outputs = []wire.Source{b.Inputs[b.Replaced]}
	}
	if len(inputs) != len(b.Inputs) || len(e.outputs) != len(outputs) || len(e.partial) > wire.MaxLong || b.Chunk == 0 || b.Chunk%kernels.BlockLen != 0 {
		return fmt.Errorf("a program of %d inputs and %d outputs is bound to %d and %d, in chunks of %d elements", len(inputs), len(e.outputs), len(b.Inputs), len(outputs), b.Chunk)
	}
	for i, t := range inputs {
		if b.Inputs[i].Type != t {
			return fmt.Errorf("input %d of %v is bound to %v", i, t, b.Inputs[i].Type)
		}
	}
	for i, t := range e.outputs {
		if outputs[i].Type != t {
			return fmt.Errorf("output %d of %v is bound to %v", i, t, outputs[i].Type)
		}
	}
	return nil
}

// evaluate runs a program of expressions over a chunk and returns the partials of
// its reductions.
func (w *Worker) evaluate(d ring.Descriptor, e *evaluation) ([]byte, error) {
	hi, first := bits.Mul64(d.Chunk, e.binding.Chunk)
	if hi != 0 || d.Count == 0 || d.Count > e.binding.Chunk {
		return nil, fmt.Errorf("descriptor of chunk %d, %d elements, in chunks of %d", d.Chunk, d.Count, e.binding.Chunk)
	}
	for i, s := range e.binding.Inputs {
		mem, err := w.Mapping(s.Mapping, false)
		if err != nil {
			return nil, err
		}
		if e.src[i], err = part(mem, s, first, d.Count); err != nil {
			return nil, err
		}
	}
	for i, s := range e.binding.Outputs {
		to, err := w.Writer(s.Mapping)
		if err != nil {
			return nil, err
		}
		p := e.pieces[i]
		p.to, p.at, p.bytes = to, int64(s.Offset+first*uint64(s.Type.Size())), p.bytes[:0]
	}
	if e.binding.InPlace != nil {
		return nil, w.replace(d.Chunk, first, e)
	}
	return guardAll(func() ([]byte, error) { return e.chunk(int(d.Count), w.progress) }, e.src...)
}

// part returns elements of an array, from the first on.
func part(mem []byte, s wire.Source, first, count uint64) ([]byte, error) {
	size := uint64(s.Type.Size())
	hi, skip := bits.Mul64(first, size)
	offset, carry := bits.Add64(skip, s.Offset, 0)
	if hi != 0 || carry != 0 {
		return nil, fmt.Errorf("element %d of an array at %d", first, s.Offset)
	}
	return shm.Slice(mem, offset, count*size)
}

// chunk runs the program over n elements, block by block.
func (e *evaluation) chunk(n int, progress func(done int)) ([]byte, error) {
	e.runner.Reset()
	size := 1
	if len(e.binding.Inputs) > 0 {
		size = e.binding.Inputs[0].Type.Size()
	}
	for at := 0; at < n; {
		k := min(kernels.BlockLen, n-at)
		for i, p := range e.pieces {
			bytes := k * e.outputs[i].Size()
			if len(p.bytes)+bytes > cap(p.bytes) {
				if err := p.flush(); err != nil {
					return nil, err
				}
			}
			from := len(p.bytes)
			p.bytes = p.bytes[:from+bytes]
			e.dst[i] = p.bytes[from:]
		}
		e.runner.Block(k, e.dst, e.elements(at, k))
		at += k
		progress(at * size)
	}
	for _, p := range e.pieces {
		if err := p.flush(); err != nil {
			return nil, err
		}
	}
	e.runner.Partial(e.partial)
	return e.partial, nil
}

// elements returns k elements of each input from one of the chunk on.
func (e *evaluation) elements(at, k int) [][]byte {
	for i, s := range e.binding.Inputs {
		size := s.Type.Size()
		e.blocks[i] = e.src[i][at*size : (at+k)*size]
	}
	return e.blocks
}

// replace replaces the elements of an input by those of the output.
func (w *Worker) replace(chunk, first uint64, e *evaluation) error {
	s := e.binding.Inputs[e.binding.Replaced]
	size := s.Type.Size()
	c := commit{w, e.binding.InPlace, s.Mapping, s.Offset + first*uint64(size), chunk}
	_, err := guardAll(func() ([]byte, error) {
		return nil, c.run(e.src[e.binding.Replaced], w.progress, func(dst, src []byte, at int) error {
			e.dst[0] = dst
			e.runner.Block(len(src)/size, e.dst, e.elements(at/size, len(src)/size))
			return nil
		})
	}, e.src...)
	return c.blame(err)
}
