package parquet

import (
	"encoding/binary"
	"errors"
)

// delta are integers of which the first is there, and of each other how much it is more
// than the one before it: in blocks, that have a least difference, of small blocks,
// whose differences above that have equally many bits.
type delta struct {
	b      []byte // behind the present small block
	small  uint64 // values of a small block
	of     uint64 // small blocks of a block
	left   uint64 // values
	value  uint64 // the last one, or the first if it was not given yet
	begun  bool
	least  uint64
	widths []byte // of the small blocks that are left of the block
	packed []byte // the present small block
	inside uint64 // values that are left of it
	bit    uint64
	width  uint64
}

var errDelta = errors.New("a page's blocks of differences are none")

// maxDeltaBlock is the most values of a block.
const maxDeltaBlock = 1 << 20

func newDelta(b []byte) (*delta, error) {
	d := &delta{b: b}
	var block uint64
	for _, to := range []*uint64{&block, &d.of, &d.left, &d.value} {
		v, n := binary.Uvarint(d.b)
		if n <= 0 {
			return nil, errValues
		}
		*to, d.b = v, d.b[n:]
	}
	d.value = zigzag(d.value)
	if d.of == 0 || block > maxDeltaBlock || block%d.of != 0 || block/d.of%8 != 0 || block == 0 {
		return nil, errDelta
	}
	d.small = block / d.of
	return d, nil
}

func zigzag(v uint64) uint64 { return v>>1 ^ -(v & 1) }

func (d *delta) next(dst []uint64) error {
	if d.left < uint64(len(dst)) {
		return errValues
	}
	d.left -= uint64(len(dst))
	for i := range dst {
		if d.begun {
			if d.inside == 0 {
				if err := d.block(); err != nil {
					return err
				}
			}
			if d.bit+d.width > 8*uint64(len(d.packed)) {
				return errValues
			}
			d.value += d.least + bitsAt(d.packed, d.bit, d.width)
			d.bit += d.width
			d.inside--
		}
		dst[i], d.begun = d.value, true
	}
	return nil
}

// block begins the next small block.
func (d *delta) block() error {
	if len(d.widths) == 0 {
		least, n := binary.Uvarint(d.b)
		if n <= 0 || uint64(len(d.b)-n) < d.of {
			return errValues
		}
		d.least, d.widths, d.b = zigzag(least), d.b[n:][:d.of], d.b[uint64(n)+d.of:]
	}
	if d.width = uint64(d.widths[0]); d.width > 64 {
		return errDelta
	}
	// What no value needs may be left out at the end.
	bytes := min(d.small*d.width/8, uint64(len(d.b)))
	d.packed, d.b, d.widths = d.b[:bytes], d.b[bytes:], d.widths[1:]
	d.inside, d.bit = d.small, 0
	return nil
}
