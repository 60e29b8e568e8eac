package worker

import (
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
)

// apart is a chunk of elements that lie apart, in the other byte order, or flipped, and
// are changed in place.
type apart struct {
	*gather
	extent
}

// runApart is run for such elements. The scratch holds them in the byte order of the
// file, so that who repairs has only to put them in their places.
func (c commit) runApart(layout journal.Layout, log, mem []byte, progress func(done int), kernel func(dst, src []byte, at int) error) error {
	a := c.apart
	from, size := a.from(0), a.typ.Size()
	pen, err := layout.NewPenApart(log, c.worker.Seat, c.chunk, uint64(a.count*size), func(src []byte, at int) {
		a.put(a.region, src, from, a.first+uint64(at/size))
	})
	if err != nil {
		return err
	}
	// Also when a store faults: see Run.
	defer func() { c.worker.torn = pen.Torn() }()
	return pen.Run(func(dst, src []byte, at int) error {
		first := a.first + uint64(at/size)
		if low, bytes, ok := a.span(first, uint64(len(dst)/size)); ok {
			if err := shm.Populate(mem, a.offset+low, bytes); err != nil {
				return fmt.Errorf("the file cannot be written to (%w): is the disk full?", err)
			}
		}
		if err := kernel(dst, src, at); err != nil {
			return err
		}
		if a.scaler != nil {
			a.scaler.Store(dst)
		}
		if a.swapped {
			kernels.Layout{Type: a.typ, Stride: size, Swapped: true}.Load(dst, dst, 0)
		}
		if a.nulls != nil {
			a.keep(dst, from, first)
		}
		return nil
	}, progress)
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
