package worker

import (
	"encoding/binary"
	"io"

	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Of a file so much is written at once: Linux keeps what comes in one call in large
// folios, which it makes, and maps later, at less cost, and more does not stay in the
// cache. Several outputs share it, down to what calls are worth.
const (
	pieceBytes = 1 << 20
	leastPiece = 128 << 10
)

// piece gathers elements of an output that follow one another, and writes them.
type piece struct {
	output  wire.Source
	bytes   []byte // of the elements
	element uint64 // the first of them
	packed  []byte // where each takes a bit
	to      io.WriterAt
}

// flush writes what is gathered to where it belongs.
func (p *piece) flush() error {
	size := p.output.Type.Size()
	for rest := p.bytes; len(rest) > 0; {
		at, together := p.output.Place(p.element)
		n := min(together, uint64(len(rest)/size))
		part := rest[:int(n)*size]
		rest = rest[len(part):]
		if p.output.Bits {
			p.packed = pack(p.packed[:0], part)
			part = p.packed
		}
		if _, err := p.to.WriteAt(part, int64(at)); err != nil {
			return err
		}
		p.element += n
	}
	p.bytes = p.bytes[:0]
	return nil
}

// pack appends a bit for each byte of a mask, whatever stands for true: the first is
// the lowest, and zeros follow the last.
func pack(dst, mask []byte) []byte {
	const (
		low  = 0x7f7f7f7f7f7f7f7f
		ones = 0x0101010101010101
		// up moves the lowest bit of byte i to bit i of the highest byte.
		up = 0x0102040810204080
	)
	for len(mask) >= 8 {
		m := binary.LittleEndian.Uint64(mask)
		m = ((m&low + low) | m) >> 7 & ones
		dst = append(dst, byte(m*up>>56))
		mask = mask[8:]
	}
	if len(mask) == 0 {
		return dst
	}
	last := byte(0)
	for i, m := range mask {
		last |= byte(truth(m)) << i
	}
	return append(dst, last)
}
