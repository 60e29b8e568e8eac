package worker

import (
	"fmt"
	"sort"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// pieced takes the elements of an array that lies in pieces along an axis. A block
// inside a piece whose elements lie as kernels take them is used there; one that
// crosses from piece to piece is gathered.
type pieced struct {
	size   int // bytes of an element
	pieces []*gather
	ends   []uint64 // places along the axis up to the end of each piece
	ofRows bool     // the axis is one of rows, so that each row lies in one piece
	inner  uint64   // elements, or rows, at each place of the axis
	block  []byte
}

// newPieced prepares to take an input that lies in pieces.
func newPieced(b *wire.Binding, s wire.Source) (*pieced, error) {
	p := &pieced{size: s.Type.Size(), ofRows: s.Axis < b.Rows, inner: 1}
	end := len(b.Shape)
	if p.ofRows {
		end = b.Rows
	}
	for _, n := range b.Shape[s.Axis+1 : end] {
		p.inner *= n
	}
	p.block = make([]byte, kernels.BlockLen*p.size)
	places := uint64(0)
	for i, piece := range s.Pieces {
		shape := append([]uint64(nil), b.Shape...)
		shape[s.Axis] = piece.Length
		g, err := newGather(shape, b.Rows, piece.Source)
		if err != nil {
			return nil, fmt.Errorf("piece %d: %w", i, err)
		}
		g.block = p.block
		places += piece.Length
		p.pieces, p.ends = append(p.pieces, g), append(p.ends, places)
	}
	return p, nil
}

// spot is where in the pieces an element, or a row, is.
type spot struct {
	piece int
	local uint64 // its number in the piece
	left  uint64 // how many from it on lie in the piece
	round uint64 // how often the axis was gone through before it
}

// find returns where an element of a row is, or, if the axis is one of rows, a row.
func (p *pieced) find(i uint64) spot {
	period := p.ends[len(p.ends)-1] * p.inner
	s := spot{round: i / period}
	i %= period
	place := i / p.inner
	s.piece = sort.Search(len(p.ends), func(k int) bool { return p.ends[k] > place })
	length := p.length(s.piece)
	s.left = p.ends[s.piece]*p.inner - i
	s.local = (s.round+1)*length*p.inner - s.left
	return s
}

// length returns how many places of the axis a piece has.
func (p *pieced) length(piece int) uint64 {
	if piece == 0 {
		return p.ends[0]
	}
	return p.ends[piece] - p.ends[piece-1]
}

// attend see [source].
func (p *pieced) attend(find mappingOf, x extent, regions [][]byte) (_ [][]byte, err error) {
	first, count := x.first, uint64(x.count)
	if p.ofRows {
		first, count = x.row, x.rows
	}
	from, to := p.find(first), p.find(first+count-1)
	if from.round != to.round {
		from.piece, to.piece = 0, len(p.pieces)-1
	}
	for i := from.piece; i <= to.piece; i++ {
		g := p.pieces[i]
		mem, err := find(g.mapping)
		if err == nil {
			regions, err = g.attendAll(mem, regions)
		}
		if err != nil {
			return regions, fmt.Errorf("piece %d: %w", i, err)
		}
		if !p.ofRows && from.round == to.round {
			p.readAhead(mem, i, from, to)
		}
	}
	return regions, nil
}

// readAhead has the part of a piece that lies between two spots read in large steps.
func (p *pieced) readAhead(mem []byte, i int, from, to spot) {
	g := p.pieces[i]
	at, end := from.local, to.local+1
	if i > from.piece {
		at = from.round * p.length(i) * p.inner
	}
	if i < to.piece {
		end = (from.round + 1) * p.length(i) * p.inner
	}
	if low, bytes, ok := g.span(at, end-at); ok && bytes >= leastAhead {
		shm.ReadAhead(mem, g.offset+low, bytes)
	}
}

// take see [source].
func (p *pieced) take(row, first uint64, k int) []byte {
	if p.ofRows {
		s := p.find(row)
		return p.pieces[s.piece].take(s.local, first, k)
	}
	s := p.find(first)
	if s.left >= uint64(k) {
		return p.pieces[s.piece].take(row, s.local, k)
	}
	for at := 0; ; {
		n := int(min(s.left, uint64(k-at)))
		p.pieces[s.piece].fill(p.block[at*p.size:(at+n)*p.size], row, s.local)
		if at += n; at == k {
			return p.block[:k*p.size]
		}
		s = p.find(first + uint64(at))
	}
}
