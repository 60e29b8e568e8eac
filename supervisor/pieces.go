package supervisor

import (
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// piece is where some of the elements of an array lie, as those of an array without
// pieces.
type piece struct {
	*Array
	valid *wire.Bitmap // nil: none is null
}

// newPieces returns an array whose elements lie in others, one after another along the
// first axis.
func newPieces(joined format.Array, pieces []piece) *Array {
	f := &File{pool: pieces[0].file.pool, format: concatFormat, number: wire.NoMapping, pieces: pieces}
	name := pieces[0].file.Path()
	seen := map[*shm.Mapping]bool{}
	for _, p := range pieces {
		if m := p.file.mapping; !seen[m] {
			seen[m] = true
			f.holders = append(f.holders, m)
		}
	}
	if more := len(f.holders) - 1; more > 0 {
		name = fmt.Sprintf("%s and %d more", name, more)
	}
	// Nothing lies in it: whoever takes the array for one that does finds no bytes.
	f.mapping = shm.HeapMapping(name, 0, false)
	x := &Array{Array: joined, file: f}
	f.arrays = []*Array{x}
	return x
}

// pieces returns the pieces of which the array consists.
func (x *Array) pieces() []piece {
	if x.file.pieces != nil {
		return x.file.pieces
	}
	return []piece{{x, nil}}
}

// alone returns an array that lies in one piece as one without pieces, and any other as it
// is.
func (x *Array) alone() *Array {
	if len(x.file.pieces) == 1 {
		return x.file.pieces[0].Array
	}
	return x
}

// several returns where the elements of an array lie that lies in several pieces of one
// file, one after another in each, as in record batches; nil for any array without pieces
// or in one, and ok false for one whose pieces lie otherwise.
func (x *Array) several() (all journal.Pieces, ok bool) {
	if len(x.file.pieces) < 2 {
		return nil, true
	}
	first := x.file.pieces[0]
	for _, p := range x.file.pieces {
		if p.file != first.file || p.file.format == arenaFormat || len(p.Shape) != 1 || !p.Contiguous() || p.scaling() != nil || p.Swapped != first.Swapped {
			return nil, false
		}
		one := format.Piece{Offset: p.Offset, Len: p.Shape[0]}
		if v := p.valid; v != nil {
			one.Valid = int64(v.Offset)
		}
		if one.Len > 0 {
			all = append(all, one)
		}
	}
	return all, true
}

// stored describes an array as a journal does.
func (x *Array) stored() journal.Array {
	pieces, _ := x.several()
	a := journal.ArrayOf(x.Array).Scaled(x.scaling()).InPieces(pieces)
	if pieces != nil {
		a.Swapped = x.file.pieces[0].Swapped
	}
	return a
}

// holder returns the file of which the array lies in one place, or in several.
func (x *Array) holder() *File { return x.pieces()[0].file }

// mappings returns the files in which the array lies.
func (x *Array) mappings() []*shm.Mapping {
	if x.file.holders != nil {
		return x.file.holders
	}
	return []*shm.Mapping{x.file.mapping}
}

// sourceOver returns where the elements of an operand lie that a pass goes over along axes
// of a shape.
func sourceOver(in expr.Operand, x *Array, shape []uint64) wire.Source {
	if x.file.pieces == nil {
		return sourceOf(in, x)
	}
	axis := slices.Index(in.Axes, 0)
	if axis < 0 {
		// At one place of the first axis, which lies in one piece.
		return x.cutAt(in.From[0]).source(in)
	}
	s := wire.Source{Type: x.Type, Mapping: wire.NoMapping, Axis: axis}
	cuts := cutsOf(x.file.pieces, int64(in.From[0]), int64(in.Steps[axis]), int64(shape[axis]))
	for _, c := range cuts {
		s.Pieces = append(s.Pieces, wire.Piece{Length: uint64(c.count), Source: c.source(in)})
	}
	return s
}

// placed returns in which array the elements of an operand lie, and where: in one without
// pieces if they do.
func placed(in expr.Operand, x *Array, shape []uint64) (*Array, wire.Source) {
	if x.file.pieces == nil {
		return x, sourceOf(in, x)
	}
	if len(x.file.pieces) == 1 {
		c := cut{piece: x.file.pieces[0], first: int64(in.From[0])}
		return c.piece.Array, c.source(in)
	}
	if slices.Index(in.Axes, 0) < 0 {
		c := x.cutAt(in.From[0])
		return c.piece.Array, c.source(in)
	}
	return x, sourceOver(in, x, shape)
}

// cutAt returns the cut of one place of the first axis.
func (x *Array) cutAt(place int) cut { return cutsOf(x.file.pieces, int64(place), 1, 1)[0] }

// cut is what one piece has of the places that an operand goes through.
type cut struct {
	piece piece
	first int64 // place in the piece that comes first
	count int64
}

// within returns the operand as one of the piece.
func (c cut) within(in expr.Operand) expr.Operand {
	in.From = slices.Clone(in.From)
	in.From[0] = int(c.first)
	return in
}

// source returns where the elements of the operand in the piece lie.
func (c cut) source(in expr.Operand) wire.Source {
	s := sourceOf(c.within(in), c.piece.Array)
	s.Valid = c.piece.valid
	return s
}

// cutsOf returns in which pieces so many places lie, of which each is step places behind
// the one before it, in their order.
func cutsOf(pieces []piece, from, step, count int64) (cuts []cut) {
	begin := int64(0)
	for _, p := range pieces {
		end := begin + p.Shape[0]
		// Those that are not before the piece, and not behind it.
		low, high := reached(begin-from, step), reached(end-from, step)
		if step < 0 {
			low, high = reached(end-1-from, step), reached(begin-1-from, step)
		}
		if low, high = max(low, 0), min(high, count); low < high {
			cuts = append(cuts, cut{p, from + low*step - begin, high - low})
		}
		begin = end
	}
	if step < 0 {
		slices.Reverse(cuts)
	}
	return cuts
}

// reached returns after how many steps a distance is reached, or passed.
func reached(distance, step int64) int64 {
	if step < 0 {
		distance, step = -distance, -step
	}
	if distance <= 0 {
		return 0
	}
	return (distance + step - 1) / step
}
