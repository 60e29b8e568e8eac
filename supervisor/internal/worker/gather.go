package worker

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// source takes the elements of an input of a binding, block by block.
type source interface {
	// attend finds the bytes that the elements of a chunk lie among, which have to be
	// there, and appends them to regions.
	attend(find mappingOf, x extent, regions [][]byte) ([][]byte, error)
	// take returns k elements of a row, from its element first on, of the chunk that was
	// attended to. They are valid until the next call.
	take(row, first uint64, k int) []byte
}

// mappingOf returns the bytes of a mapping.
type mappingOf func(number uint32) ([]byte, error)

// newSource prepares to take an input of a binding.
func newSource(b *wire.Binding, s wire.Source) (source, error) {
	if s.Pieces != nil {
		return newPieced(b, s)
	}
	g, err := newGather(b.Shape, b.Rows, s)
	if err == nil && !g.direct {
		g.block = make([]byte, kernels.BlockLen*s.Values().Size())
	}
	return g, err
}

// gather takes the elements of an array, which may lie apart, in the other byte order,
// or stand for other numbers. Where they lie as kernels take them nothing is copied.
type gather struct {
	mapping uint32
	typ     kernels.Type
	offset  uint64
	swapped bool
	rows    axes // over which the rows go
	row     axes // over which the elements of a row go
	direct  bool
	below   uint64          // bytes from the first element of all down to the lowest
	above   uint64          // and up to the end of the highest
	block   []byte          // of whoever takes elements that have to be copied
	base    uint64          // where in its mapping the region of the chunk begins
	region  []byte          // among which the elements of the chunk lie
	nulls   *nulls          // nil: none is null
	scaler  *kernels.Scaler // nil: elements stand for themselves
	stored  []byte          // a block of them, if not
}

// axes are those that an array is gone through along, the last fastest; those that
// one stride crosses are one.
type axes struct {
	lengths []uint64
	strides []int64
}

// newGather prepares to take an array that is gone through along axes of a shape, of
// which so many are of rows.
func newGather(shape []uint64, rows int, s wire.Source) (g *gather, err error) {
	size := uint64(s.Type.Size())
	strides := s.Strides
	if strides == nil {
		strides = make([]int64, len(shape))
		step := size
		for i, n := range slices.Backward(shape) {
			strides[i] = int64(step)
			step *= max(1, n)
		}
	}
	g = &gather{mapping: s.Mapping, typ: s.Type, offset: s.Offset, swapped: s.Swapped && size > 1, above: size}
	for i, n := range shape {
		if n == 0 {
			continue
		}
		stride, side := strides[i], &g.above
		magnitude := uint64(stride)
		if stride < 0 {
			magnitude, side = -magnitude, &g.below
		}
		hi, by := bits.Mul64(magnitude, n-1)
		if *side += by; hi != 0 || by > maxReach || *side > maxReach {
			return nil, fmt.Errorf("strides %v of the shape %v reach too far", strides, shape)
		}
	}
	g.rows, g.row = merged(shape[:rows], strides[:rows]), merged(shape[rows:], strides[rows:])
	if g.nulls, err = newNulls(g, s); err != nil {
		return nil, err
	}
	if s.Scaling != nil {
		if g.scaler, err = kernels.NewScaler(*s.Scaling); err != nil {
			return nil, err
		}
		g.stored = make([]byte, kernels.BlockLen*int(size))
	}
	g.direct = !g.swapped && g.nulls == nil && g.scaler == nil && g.dense()
	return g, nil
}

// maxReach is the most bytes an array reaches to either side: no sum overflows.
const maxReach = 1 << 60

// merged leaves out axes of length 1 and makes one of those that lie one after
// another.
func merged(lengths []uint64, strides []int64) (a axes) {
	for i, n := range lengths {
		last := len(a.lengths) - 1
		switch {
		case n == 1:
		case last >= 0 && a.strides[last] == strides[i]*int64(n):
			a.lengths[last] *= n
			a.strides[last] = strides[i]
		default:
			a.lengths, a.strides = append(a.lengths, n), append(a.strides, strides[i])
		}
	}
	return a
}

// at returns how many bytes from the first element on element i is.
func (a axes) at(i uint64) (bytes int64) {
	for axis, n := range slices.Backward(a.lengths) {
		bytes += int64(i%n) * a.strides[axis]
		i /= n
	}
	return bytes
}

// attend see [source].
func (g *gather) attend(find mappingOf, x extent, regions [][]byte) ([][]byte, error) {
	mem, err := find(g.mapping)
	if err != nil {
		return regions, err
	}
	if !g.direct || x.rows > 1 {
		return g.attendAll(mem, regions)
	}
	err = g.attendRun(mem, x)
	return append(regions, g.region), err
}

// attendAll finds the bytes that all elements lie among, whatever the chunk.
func (g *gather) attendAll(mem []byte, regions [][]byte) (_ [][]byte, err error) {
	if err := g.inside(mem); err != nil {
		return regions, err
	}
	g.base = g.offset - g.below
	if g.region, err = shm.Slice(mem, g.base, g.below+g.above); err != nil {
		return regions, err
	}
	regions = append(regions, g.region)
	if g.nulls == nil {
		return regions, nil
	}
	err = g.nulls.attend(mem)
	return append(regions, g.nulls.bits), err
}

// attendRun finds the bytes of the elements of a chunk of one row, which lie one after
// another.
func (g *gather) attendRun(mem []byte, x extent) (err error) {
	if err := g.inside(mem); err != nil {
		return err
	}
	g.base = uint64(int64(g.offset) + g.rows.at(x.row) + g.row.at(x.first))
	g.region, err = shm.Slice(mem, g.base, uint64(x.count*g.typ.Size()))
	return err
}

// inside reports whether all elements lie inside a mapping.
func (g *gather) inside(mem []byte) error {
	if g.below > g.offset || g.above > uint64(len(mem)) || g.offset > uint64(len(mem))-g.above {
		return &shm.RegionError{Offset: g.offset, Length: g.above, Size: uint64(len(mem))}
	}
	return nil
}

// take see [source].
func (g *gather) take(row, first uint64, k int) []byte {
	if size := g.typ.Size(); g.direct {
		begin := int(g.from(row) + g.row.at(first))
		return g.region[begin : begin+k*size]
	}
	dst := g.block[:k*g.values().Size()]
	g.fill(dst, row, first)
	return dst
}

// from returns where in the region a row begins, which may be before it.
func (g *gather) from(row uint64) int64 { return int64(g.offset-g.base) + g.rows.at(row) }

// fill copies elements of a row from one on, a block at most, or what they stand for, in
// this machine's byte order.
func (g *gather) fill(dst []byte, row, first uint64) {
	to := dst
	if g.scaler != nil {
		to = g.stored[:len(dst)/g.scaler.Type.Size()*g.typ.Size()]
	}
	g.load(to, g.region, g.from(row), first)
	if g.swapped {
		kernels.Layout{Type: g.typ, Stride: g.typ.Size(), Swapped: true}.Load(to, to, 0)
	}
	if g.scaler != nil {
		g.scaler.Load(dst, to)
	}
}

// values returns the type of what the elements stand for.
func (g *gather) values() kernels.Type {
	if g.scaler != nil {
		return g.scaler.Type
	}
	return g.typ
}

// load copies the elements of a row from one on.
func (g *gather) load(dst, region []byte, from int64, first uint64) {
	size := g.typ.Size()
	if g.row.repeats() {
		// What repeats is loaded once, and copied from cache.
		period := g.row.lengths[0]
		for _, n := range g.row.lengths[1:] {
			period *= n
		}
		if period /= g.row.lengths[0]; period*uint64(size) < uint64(len(dst)) {
			have := int(period) * size
			g.runs(dst[:have], region, from, first)
			for have < len(dst) {
				have += copy(dst[have:], dst[:have])
			}
			return
		}
	}
	g.runs(dst, region, from, first)
}

// repeats reports whether what the first axis goes over is always the same.
func (a axes) repeats() bool { return len(a.lengths) > 1 && a.strides[0] == 0 }

// runs copies elements of a row, those of its last axis at a time.
func (g *gather) runs(dst, region []byte, from int64, first uint64) {
	size, last := g.typ.Size(), len(g.row.lengths)-1
	if last < 0 {
		copy(dst, region[from:])
		g.nulls.put(dst, g.base+uint64(from), 0)
		return
	}
	run := kernels.Layout{Type: g.typ, Stride: int(g.row.strides[last])}
	for len(dst) > 0 {
		left := int(min(g.row.lengths[last]-first%g.row.lengths[last], uint64(len(dst)/size)))
		at := from + g.row.at(first)
		run.Load(dst[:left*size], region, int(at))
		g.nulls.put(dst[:left*size], g.base+uint64(at), g.row.strides[last])
		dst, first = dst[left*size:], first+uint64(left)
	}
}
