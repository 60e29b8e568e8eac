package journal

import (
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
)

const (
	// UnitBytes is the most bytes that are stored as one.
	UnitBytes = 16 << 10

	page     = 4096
	unitBits = 24
	maxUnits = 1<<unitBits - 1 // in a chunk
	maxUnit  = 1 << 20         // bytes
	maxMarks = 1 << 30         // bytes
	maxAreas = 1 << 16
	maxBytes = 1 << 50 // of anything, so that no sum overflows
)

// UnitOf returns the bytes of a unit of elements of a type.
func UnitOf(t kernels.Type) uint64 {
	return uint64(min(kernels.BlockLen, UnitBytes/t.Size()) * t.Size())
}

// Layout tells where things lie in a journal.
type Layout struct {
	Marks uint64 // offset of the marks
	Areas uint64 // offset of the areas
	Unit  uint64 // bytes of a unit
	Count uint32 // of areas
}

func pages(n uint64) uint64 { return (n + page - 1) / page * page }

func (l Layout) stride() uint64        { return page + pages(l.Unit) }
func (l Layout) armed(a uint32) uint64 { return l.Areas + uint64(a)*l.stride() }
func (l Layout) scratch(a uint32) uint64 {
	return l.armed(a) + page
}
func (l Layout) mark(chunk uint64) uint64 { return l.Marks + 8*chunk }

// size returns the bytes of the whole journal.
func (l Layout) size() uint64 { return l.armed(l.Count) }

// units returns how many units so many bytes of a chunk are.
func (l Layout) units(bytes uint64) uint64 { return (bytes + l.Unit - 1) / l.Unit }

// unit returns where in its chunk, of so many bytes, a unit lies.
func (l Layout) unit(bytes, unit uint64) (first, length uint64) {
	first = unit * l.Unit
	return first, min(l.Unit, bytes-first)
}

// check refuses numbers that no journal has.
func (l Layout) check() error {
	if l.Unit == 0 || l.Unit > maxUnit || l.Count > maxAreas || l.Marks > maxBytes || l.Areas > maxBytes || l.Marks%8 != 0 || l.Areas%8 != 0 {
		return fmt.Errorf("no journal is laid out as %+v", l)
	}
	return nil
}

// armedWord returns the word of an area that is armed for a unit.
func armedWord(chunk, unit uint64) uint64 { return chunk<<unitBits | unit + 1 }

// armedFor returns what an armed word names; false if it is none.
func armedFor(word uint64) (chunk, unit uint64, ok bool) {
	word--
	return word >> unitBits, word & maxUnits, word != 1<<64-1
}

// Geometry is how an array is cut.
type Geometry struct {
	Bytes uint64 // of the array
	Chunk uint64 // bytes of each chunk but the last, a whole number of units
	Unit  uint64 // bytes
}

// Chunks returns the number of chunks.
func (g Geometry) Chunks() uint64 { return (g.Bytes + g.Chunk - 1) / g.Chunk }

// chunk returns where in the array a chunk lies.
func (g Geometry) chunk(i uint64) (first, length uint64) {
	first = i * g.Chunk
	return first, min(g.Chunk, g.Bytes-first)
}

// Check refuses an array, or a way to cut it, for which there can be no journal.
func (g Geometry) Check() error {
	switch {
	case g.Bytes == 0 || g.Bytes > maxBytes || g.Unit == 0 || g.Unit > maxUnit || g.Chunk < g.Unit || g.Chunk > maxBytes || g.Chunk%g.Unit != 0:
		return fmt.Errorf("no array is cut as %+v", g)
	case g.Chunk/g.Unit > maxUnits:
		return fmt.Errorf("chunks of %d bytes are too large for a journal: make them %d bytes at most", g.Chunk, maxUnits*g.Unit)
	case g.Chunks() > maxMarks/8:
		return fmt.Errorf("%d chunks are too many for a journal: make them larger", g.Chunks())
	}
	return nil
}

// layout returns the layout behind a header of so many bytes.
func (g Geometry) layout(header uint64, areas uint32) Layout {
	marks := pages(header)
	return Layout{Marks: marks, Areas: marks + pages(8*g.Chunks()), Unit: g.Unit, Count: areas}
}
