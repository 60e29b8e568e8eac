package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// values are those of a page that are not null.
type values interface {
	// next returns the bits of as many as dst has; those of 32 bits have anything above.
	next(dst []uint64) error
}

// Encodings of values.
const (
	encodingPlain           = 0
	encodingPlainDictionary = 2
	encodingRLE             = 3
	encodingDelta           = 5
	encodingDictionary      = 8
	encodingSplit           = 9
)

var encodingNames = map[int64]string{4: "BIT_PACKED", 6: "DELTA_LENGTH_BYTE_ARRAY", 7: "DELTA_BYTE_ARRAY"}

// sizes are the bytes of a value of each physical type; a truth value has a bit.
var sizes = map[int64]int{typeInt32: 4, typeInt64: 8, typeFloat: 4, typeDouble: 8, typeFixed: 2}

// newValues returns the values of a page of a physical type.
func newValues(b []byte, physical, encoding int64, dictionary *plain) (values, error) {
	size, whole := sizes[physical], physical == typeInt32 || physical == typeInt64
	switch {
	case encoding == encodingPlain && physical == typeBoolean:
		return &truths{b: b}, nil
	case encoding == encodingPlain:
		return &plain{b, size}, nil
	case encoding == encodingRLE && physical == typeBoolean:
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return nil, errValues
		}
		return &indices{levels: hybrid{b: b[4:][:binary.LittleEndian.Uint32(b)], width: 1}}, nil
	case (encoding == encodingDictionary || encoding == encodingPlainDictionary) && physical != typeBoolean:
		if dictionary == nil {
			return nil, errors.New("a page needs a dictionary, and there is none")
		}
		if len(b) == 0 {
			return &indices{dictionary: dictionary}, nil
		}
		if b[0] > 32 {
			return nil, fmt.Errorf("places in a dictionary have %d bits", b[0])
		}
		return &indices{levels: hybrid{b: b[1:], width: uint64(b[0])}, dictionary: dictionary}, nil
	case encoding == encodingDelta && whole:
		return newDelta(b)
	case encoding == encodingSplit && physical != typeBoolean:
		return &split{b: b, size: size, of: len(b) / size}, nil
	}
	what := encodingNames[encoding]
	if what == "" {
		what = fmt.Sprint(encoding)
	}
	return nil, fmt.Errorf("a page has the encoding %s, which is not supported", what)
}

// plain are values that lie one after another.
type plain struct {
	b    []byte
	size int
}

func (p *plain) next(dst []uint64) error {
	if len(p.b)/p.size < len(dst) {
		return errValues
	}
	for i := range dst {
		dst[i] = p.at(i)
	}
	p.b = p.b[len(dst)*p.size:]
	return nil
}

func (p *plain) at(i int) uint64 {
	switch p.size {
	case 2:
		return uint64(binary.LittleEndian.Uint16(p.b[2*i:]))
	case 4:
		return uint64(binary.LittleEndian.Uint32(p.b[4*i:]))
	}
	return binary.LittleEndian.Uint64(p.b[8*i:])
}

// truths are bits.
type truths struct {
	b   []byte
	bit uint64
}

func (t *truths) next(dst []uint64) error {
	if uint64(len(dst)) > 8*uint64(len(t.b))-t.bit {
		return errValues
	}
	for i := range dst {
		dst[i] = uint64(t.b[t.bit/8]>>(t.bit%8)) & 1
		t.bit++
	}
	return nil
}

// indices are places in a dictionary, or without one the values themselves.
type indices struct {
	levels     hybrid
	dictionary *plain
	at         [batch]uint32
}

func (x *indices) next(dst []uint64) error {
	at := x.at[:len(dst)]
	if err := x.levels.next(at); err != nil {
		return err
	}
	if x.dictionary == nil {
		for i, v := range at {
			dst[i] = uint64(v)
		}
		return nil
	}
	n := len(x.dictionary.b) / x.dictionary.size
	for i, k := range at {
		if uint64(k) >= uint64(n) {
			return fmt.Errorf("place %d of a dictionary of %d values", k, n)
		}
		dst[i] = x.dictionary.at(int(k))
	}
	return nil
}

// split are values whose first bytes lie one after another, then their second, and so
// on.
type split struct {
	b        []byte
	size, of int // bytes of a value, and how many there are
	done     int
}

func (s *split) next(dst []uint64) error {
	if s.of-s.done < len(dst) {
		return errValues
	}
	clear(dst)
	for k := range s.size {
		for i, c := range s.b[k*s.of+s.done:][:len(dst)] {
			dst[i] |= uint64(c) << (8 * k)
		}
	}
	s.done += len(dst)
	return nil
}
