package worker

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// nulls tells which elements of an array are null, by a bitmap.
type nulls struct {
	of   wire.Bitmap
	size uint64 // bytes of an element
	null []byte // what is taken for one that is null, in the byte order of the array
	bits []byte // of the bitmap, in the mapping
}

// newNulls returns what tells of an array that has a bitmap, which needs a bit for every
// element that is gathered; nil of any other.
func newNulls(g *gather, s wire.Source) (*nulls, error) {
	if s.Valid == nil {
		return nil, nil
	}
	n := &nulls{of: *s.Valid, size: uint64(s.Type.Size())}
	lowest := g.offset - g.below
	end := lowest + g.below + g.above
	if g.below > g.offset || lowest < n.of.First || end < lowest || n.of.Bits > maxReach || (end-n.of.First-1)/n.size >= n.of.Bits {
		return nil, fmt.Errorf("a bitmap of %d bits of elements from byte %d on, for bytes %d to %d", n.of.Bits, n.of.First, lowest, end)
	}
	n.null = binary.LittleEndian.AppendUint64(nil, s.Type.FloatBits(math.NaN()))[:n.size]
	if s.Swapped {
		slices.Reverse(n.null)
	}
	return n, nil
}

// attend finds the bitmap in a mapping.
func (n *nulls) attend(mem []byte) (err error) {
	n.bits, err = shm.Slice(mem, n.of.Offset, (n.of.Bits+7)/8)
	return err
}

// at reports whether the element at an offset of the mapping is null.
func (n *nulls) at(offset uint64) bool {
	bit := (offset - n.of.First) / n.size
	return n.bits[bit/8]>>(bit%8)&1 == 0
}

// put sets those of elements that are null, of which the first lies at an offset of the
// mapping, and each so many bytes behind the one before it.
func (n *nulls) put(dst []byte, offset uint64, stride int64) {
	if n == nil {
		return
	}
	bit, step := (offset-n.of.First)/n.size, stride/int64(n.size)
	for at := 0; at < len(dst); at += int(n.size) {
		if b := n.bits[bit/8]; b == 0xff && step == 1 && bit%8 == 0 && at+8*int(n.size) <= len(dst) {
			bit, at = bit+8, at+7*int(n.size) // none of eight
			continue
		} else if b>>(bit%8)&1 == 0 {
			copy(dst[at:], n.null)
		}
		bit += uint64(step)
	}
}
