package parquet

import (
	"encoding/binary"
	"errors"
)

var errValues = errors.New("a page ends before its values do")

// bitsAt returns so many bits, at most 64, from one on, the lowest first. Behind the
// end there are zeros.
func bitsAt(b []byte, at, width uint64) uint64 {
	i, shift := at/8, at%8
	v := word(b, i) >> shift
	if shift+width > 64 {
		v |= word(b, i+8) << (64 - shift)
	}
	return v & (1<<width - 1)
}

// word returns 8 bytes as a number.
func word(b []byte, i uint64) (v uint64) {
	if i+8 <= uint64(len(b)) {
		return binary.LittleEndian.Uint64(b[i:])
	}
	for k := uint64(0); i+k < uint64(len(b)); k++ {
		v |= uint64(b[i+k]) << (8 * k)
	}
	return v
}

// hybrid reads numbers of up to 32 bits, which lie in runs of equal ones and in packs
// of eight: levels, and places in a dictionary.
type hybrid struct {
	b      []byte // behind the present run
	width  uint64
	left   uint64 // of the present run
	value  uint32 // of all that are left, unless packed is there
	packed []byte
	bit    uint64 // in packed
}

// next fills dst.
func (h *hybrid) next(dst []uint32) error {
	if h.width == 0 {
		clear(dst)
		return nil
	}
	for len(dst) > 0 {
		if h.left == 0 {
			if err := h.run(); err != nil {
				return err
			}
			continue
		}
		n := min(h.left, uint64(len(dst)))
		for i := range dst[:n] {
			if dst[i] = h.value; h.packed != nil {
				dst[i] = uint32(bitsAt(h.packed, h.bit, h.width))
				h.bit += h.width
			}
		}
		dst, h.left = dst[n:], h.left-n
	}
	return nil
}

// run begins the next run.
func (h *hybrid) run() error {
	head, n := binary.Uvarint(h.b)
	if n <= 0 {
		return errValues
	}
	h.b, h.packed, h.bit = h.b[n:], nil, 0
	if head&1 == 0 {
		bytes := (h.width + 7) / 8
		if bytes > uint64(len(h.b)) {
			return errValues
		}
		h.left, h.value = head>>1, uint32(bitsAt(h.b, 0, 8*bytes))
		h.b = h.b[bytes:]
		return nil
	}
	// Of the last pack, what no value needs may be left out.
	bytes := uint64(len(h.b))
	if packs := head >> 1; packs < bytes/h.width {
		bytes = packs * h.width
	}
	h.left = 8 * bytes / h.width
	h.packed, h.b = h.b[:bytes], h.b[bytes:]
	return nil
}
