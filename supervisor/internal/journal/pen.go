package journal

import (
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/gangsaw/gangsaw/shm"
)

// Pen is a worker's hold on its area and on the mark of the chunk in hand.
type Pen struct {
	layout      Layout
	chunk       uint64
	size        uint64                   // bytes of the chunk's elements
	data        []byte                   // these, in the target; nil where they lie apart
	store       func(src []byte, at int) // then stores elements, as the scratch has them
	armed, mark *atomic.Uint64
	scratch     []byte
	storing     bool // between arming and marking
}

// NewPen returns the pen of the worker that owns an area of the journal in mem, for
// a chunk, which nobody else has, whose bytes are data.
func (l Layout) NewPen(mem []byte, area uint32, chunk uint64, data []byte) (*Pen, error) {
	p, err := l.newPen(mem, area, chunk, uint64(len(data)))
	if err == nil {
		p.data = data
	}
	return p, err
}

// NewPenApart is NewPen for a chunk of so many bytes of elements that lie apart: store
// stores some of them, of which at are before them in the chunk, in the byte order in
// which they are to lie.
func (l Layout) NewPenApart(mem []byte, area uint32, chunk, size uint64, store func(src []byte, at int)) (*Pen, error) {
	p, err := l.newPen(mem, area, chunk, size)
	if err == nil {
		p.store = store
	}
	return p, err
}

func (l Layout) newPen(mem []byte, area uint32, chunk, size uint64) (*Pen, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	if area >= l.Count {
		return nil, fmt.Errorf("the journal has areas for %d workers, and this one is the %dth: resume with fewer", l.Count, uint64(area)+1)
	}
	if chunk > maxMarks/8 || l.units(size) > maxUnits {
		return nil, fmt.Errorf("no journal has chunk %d of %d bytes", chunk, size)
	}
	p := &Pen{layout: l, chunk: chunk, size: size}
	var err error
	if p.armed, err = word(mem, l.armed(area)); err != nil {
		return nil, err
	}
	if p.mark, err = word(mem, l.mark(chunk)); err != nil {
		return nil, err
	}
	if p.scratch, err = shm.Slice(mem, l.scratch(area), l.Unit); err != nil {
		return nil, err
	}
	if left, err := l.leftArmed(mem, p.armed.Load()); left || err != nil {
		return nil, errors.Join(err, fmt.Errorf("area %d holds a unit that is to be stored first", area))
	}
	if units := l.units(size); p.mark.Load() > units {
		return nil, fmt.Errorf("chunk %d has %d units, and the journal says that %d are finished", chunk, units, p.mark.Load())
	}
	return p, nil
}

// leftArmed reports whether an armed word names a unit that is not finished.
func (l Layout) leftArmed(mem []byte, armed uint64) (bool, error) {
	chunk, unit, ok := armedFor(armed)
	if !ok || chunk > maxMarks/8 {
		return false, nil
	}
	mark, err := word(mem, l.mark(chunk))
	return err == nil && mark.Load() == unit, err
}

// Torn reports whether Run was left by a panic, a fault say, while it stored a
// unit: then only a repair makes it whole, and the area is not to be used before.
func (p *Pen) Torn() bool { return p.storing }

// Left returns how many bytes at the end of the chunk are not finished.
func (p *Pen) Left() uint64 {
	return p.size - min(p.size, p.mark.Load()*p.layout.Unit)
}

// Run has the kernel compute each unit that is not finished from itself into dst,
// stores it, and calls progress with the bytes of the chunk that are; at is where
// in the chunk the unit begins. Of elements that lie apart there is no src. After an
// error the unit is as it was. See the package doc for the order of the stores.
func (p *Pen) Run(kernel func(dst, src []byte, at int) error, progress func(done int)) error {
	for unit := p.mark.Load(); unit < p.layout.units(p.size); unit++ {
		first, length := p.layout.unit(p.size, unit)
		dst := p.scratch[:length]
		var src []byte
		if p.store == nil {
			src = p.data[first : first+length]
		}
		if err := kernel(dst, src, int(first)); err != nil {
			return err
		}
		p.storing = true
		// The scratch is complete: from here on whoever repairs stores it.
		p.armed.Store(armedWord(p.chunk, unit))
		if p.store == nil {
			copy(src, dst)
		} else {
			p.store(dst, int(first))
		}
		// The unit is complete: from here on nobody stores it again.
		p.mark.Store(unit + 1)
		p.storing = false
		progress(int(first + length))
	}
	return nil
}
