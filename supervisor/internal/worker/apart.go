package worker

import (
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
)

// apart is a chunk of elements that lie in pieces, apart, in the other byte order, or
// flipped, and are changed in place.
type apart struct {
	source // of elements of so many bytes, along one row
	size   int
	extent
}

// each calls f for each part of n elements of the row, from one on, that lies in one piece:
// from which of the piece's elements on, and which of the n these are.
func (a *apart) each(first uint64, n int, f func(g *gather, local uint64, from, to int) error) error {
	p, ok := a.source.(*pieced)
	if !ok {
		return f(a.source.(*gather), first, 0, n)
	}
	for from := 0; from < n; {
		s := p.find(first + uint64(from))
		to := from + int(min(s.left, uint64(n-from)))
		if err := f(p.pieces[s.piece], s.local, from, to); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// populate makes the pages of n elements of the chunk, from one on, writable, and those of
// what follows if it lies there too. It returns the element up to which that is done.
func (a *apart) populate(mem []byte, at, n int) (end int, err error) {
	if g, ok := a.source.(*gather); !ok || g.dense() {
		n = max(n, populateStep/a.size)
	}
	end = min(a.count, at+n)
	return end, a.each(a.first+uint64(at), end-at, func(g *gather, local uint64, from, to int) error {
		low, bytes, ok := g.span(local, uint64(to-from))
		if !ok {
			return nil
		}
		if err := shm.Populate(mem, g.offset+low, bytes); err != nil {
			return fmt.Errorf("the file cannot be written to (%w): is the disk full?", err)
		}
		return nil
	})
}

// runApart is run for such elements. The scratch holds them in the byte order of the
// file, so that who repairs has only to put them in their places.
func (c commit) runApart(layout journal.Layout, log, mem []byte, progress func(done int), kernel func(dst, src []byte, at int) error) error {
	a := c.apart
	pen, err := layout.NewPenApart(log, c.worker.Seat, c.chunk, uint64(a.count*a.size), func(src []byte, at int) {
		a.each(a.first+uint64(at/a.size), len(src)/a.size, func(g *gather, local uint64, from, to int) error {
			g.put(g.region, src[from*a.size:to*a.size], g.from(0), local)
			return nil
		})
	})
	if err != nil {
		return err
	}
	// Also when a store faults: see Run.
	defer func() { c.worker.torn = pen.Torn() }()
	ready := 0
	return pen.Run(func(dst, src []byte, at int) error {
		first, n := at/a.size, len(dst)/a.size
		if first+n > ready {
			if ready, err = a.populate(mem, first, n); err != nil {
				return err
			}
		}
		if err := kernel(dst, src, at); err != nil {
			return err
		}
		return a.each(a.first+uint64(first), n, func(g *gather, local uint64, from, to int) error {
			g.prepare(dst[from*a.size:to*a.size], local)
			return nil
		})
	}, progress)
}

// prepare makes of elements, from one of a row on, what is stored of them.
func (g *gather) prepare(dst []byte, first uint64) {
	if g.scaler != nil {
		g.scaler.Store(dst)
	}
	if g.swapped {
		kernels.Layout{Type: g.typ, Stride: g.typ.Size(), Swapped: true}.Load(dst, dst, 0)
	}
	if g.nulls != nil {
		g.keep(dst, g.from(0), first)
	}
}

// dense reports whether the elements of a row lie one after another.
func (g *gather) dense() bool {
	return len(g.row.lengths) == 0 || len(g.row.lengths) == 1 && g.row.strides[0] == int64(g.typ.Size())
}

// keep puts the bytes that elements which are null have into what is to be stored in
// their places: so they stay, also where it is stored again.
func (g *gather) keep(dst []byte, from int64, first uint64) {
	size := g.typ.Size()
	for at := 0; at < len(dst); at += size {
		place := from + g.row.at(first+uint64(at/size))
		if g.nulls.at(g.base + uint64(place)) {
			copy(dst[at:at+size], g.region[place:])
		}
	}
}

// put stores elements of a row from one on, as they are.
func (g *gather) put(region, src []byte, from int64, first uint64) {
	size, last := g.typ.Size(), len(g.row.lengths)-1
	if last < 0 {
		copy(region[from:], src)
		return
	}
	run := kernels.Layout{Type: g.typ, Stride: int(g.row.strides[last])}
	for len(src) > 0 {
		n := int(min(g.row.lengths[last]-first%g.row.lengths[last], uint64(len(src)/size)))
		run.Store(region, int(from+g.row.at(first)), src[:n*size])
		src, first = src[n*size:], first+uint64(n)
	}
}

// span returns the bytes, counted from the first element of all, among which n elements
// of a row lie; false where they do not follow one another upwards.
func (g *gather) span(first, n uint64) (low, bytes uint64, ok bool) {
	reach := int64(0)
	for i := len(g.row.lengths) - 1; i >= 0; i-- {
		if g.row.strides[i] <= reach {
			return 0, 0, false
		}
		reach += g.row.strides[i] * int64(g.row.lengths[i]-1)
	}
	low = uint64(g.row.at(first))
	return low, uint64(g.row.at(first+n-1)) + uint64(g.typ.Size()) - low, true
}
