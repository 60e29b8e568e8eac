package worker

import (
	"encoding/binary"
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// picked is what a program makes of a block of which some elements count.
type picked struct {
	values [][]byte // of each output, none if they are only counted
	sizes  []int    // bytes of a value of each
	mask   []byte
}

func newPicked(outputs []kernels.Type) *picked {
	p := &picked{mask: make([]byte, kernels.BlockLen)}
	for _, t := range outputs[:len(outputs)-1] {
		p.sizes = append(p.sizes, t.Size())
		p.values = append(p.values, make([]byte, kernels.BlockLen*t.Size()))
	}
	return p
}

// pick counts the elements of a chunk that its mask holds for, or writes them to the
// chunk's place.
func (w *Worker) pick(chunk uint64, x extent, e *evaluation) ([]byte, error) {
	var room uint64
	if e.binding.Pick.Kind == wire.PickWrite {
		first, end, err := w.placeOf(chunk, x, e.binding)
		if err != nil {
			return nil, err
		}
		room = end - first
		for _, p := range e.pieces {
			p.element = first
		}
	}
	return guardAll(func() ([]byte, error) {
		n, err := e.pick(x, room, w.progress)
		return binary.LittleEndian.AppendUint64(nil, n), err
	}, e.src...)
}

// placeOf returns which of all elements that are picked a chunk has: from first up to
// end.
func (w *Worker) placeOf(chunk uint64, x extent, b *wire.Binding) (first, end uint64, err error) {
	mem, err := w.Mapping(b.Pick.Places, false)
	if err != nil {
		return 0, 0, err
	}
	places, err := shm.Slice(mem, 8*chunk, 16)
	if err != nil {
		return 0, 0, err
	}
	first, end = binary.LittleEndian.Uint64(places), binary.LittleEndian.Uint64(places[8:])
	if first > end || end-first > uint64(x.count) {
		return 0, 0, fmt.Errorf("chunk %d of %d elements has the places from %d to %d", chunk, x.count, first, end)
	}
	return first, end, nil
}

// pick runs the program over a chunk, block by block, and returns how many are
// picked. If they are written, they are as many as there is room for.
func (e *evaluation) pick(x extent, room uint64, progress func(done int)) (all uint64, err error) {
	e.runner.Reset()
	size := 1
	if len(e.binding.Inputs) > 0 {
		size = e.binding.Inputs[0].Type.Size()
	}
	p := e.picked
	write := e.binding.Pick.Kind == wire.PickWrite
	for at := 0; at < x.count; {
		k := min(kernels.BlockLen, x.count-at)
		mask := p.block(e, x, at, k)
		n := uint64(countTrue(mask))
		if all += n; write && all > room {
			return all, fmt.Errorf("more elements are picked than the %d that were counted", room)
		}
		if write && n > 0 {
			for i, piece := range e.pieces {
				if err := piece.pick(p.values[i][:k*p.sizes[i]], mask, p.sizes[i]); err != nil {
					return all, err
				}
			}
		}
		at += k
		progress(at * size)
	}
	if !write {
		return all, nil
	}
	if all != room {
		return all, fmt.Errorf("%d elements are picked of %d that were counted", all, room)
	}
	for _, piece := range e.pieces {
		if err := piece.flush(); err != nil {
			return all, err
		}
	}
	return all, nil
}

// block runs the program for k elements of a chunk, from one on, and returns the mask.
func (p *picked) block(e *evaluation, x extent, at, k int) (mask []byte) {
	for i, v := range p.values {
		e.dst[i] = v[:k*p.sizes[i]]
	}
	mask = p.mask[:k]
	e.dst[len(e.dst)-1] = mask
	e.runner.Block(k, e.dst, e.elements(x, 0, at, k))
	return mask
}

// pick appends the values that the mask holds for.
func (p *piece) pick(values, mask []byte, size int) error {
	if len(p.bytes)+len(values) > cap(p.bytes) {
		if err := p.flush(); err != nil {
			return err
		}
	}
	from := len(p.bytes)
	n := compact(p.bytes[from:from+len(values)], values, mask, size)
	p.bytes = p.bytes[:from+n*size]
	return nil
}

func countTrue(mask []byte) (n int) {
	for _, m := range mask {
		n += truth(m)
	}
	return n
}

// truth is 1 of whatever is true: masks that lie in files may hold any byte.
func truth(m byte) int {
	if m != 0 {
		return 1
	}
	return 0
}

// compact moves the elements of src that the mask holds for to the beginning of dst,
// which is as long, and returns how many these are. What it stores behind them is
// overwritten: no branch depends on the data.
func compact(dst, src, mask []byte, size int) (n int) {
	le := binary.LittleEndian
	switch size {
	case 1:
		for i, m := range mask {
			dst[n] = src[i]
			n += truth(m)
		}
	case 2:
		for i, m := range mask {
			le.PutUint16(dst[2*n:], le.Uint16(src[2*i:]))
			n += truth(m)
		}
	case 4:
		for i, m := range mask {
			le.PutUint32(dst[4*n:], le.Uint32(src[4*i:]))
			n += truth(m)
		}
	case 8:
		for i, m := range mask {
			le.PutUint64(dst[8*n:], le.Uint64(src[8*i:]))
			n += truth(m)
		}
	default:
		for i, m := range mask {
			copy(dst[size*n:size*(n+1)], src[size*i:size*(i+1)])
			n += truth(m)
		}
	}
	return n
}
