package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Scaling tells what the stored elements of an array stand for: Factor times the stored
// number plus Offset, each rounded to float64, whatever the elements and the file's
// words for the two are. FITS (Standard 4.0, section 5.3: physical = BZERO + BSCALE *
// stored) and netCDF's conventions (scale_factor, add_offset) leave the arithmetic to
// the reader; Astropy and netCDF4-python take float32 where they find that enough.
type Scaling struct {
	Stored         Type // of the elements
	Type           Type // of what they stand for: Stored, what Flip makes of it, or Float64
	Factor, Offset float64
	// Flip: what is stored is an integer of the other sign with its highest bit
	// inverted, as FITS and HDF5 have unsigned ones. Factor is 1 and Offset 0 then.
	Flip bool
	// Missing are bits of elements that stand for no number: NaN is in their place,
	// if Type is a float.
	Missing []uint64
	Aspect  Aspect
}

// Aspect is what is told of elements.
type Aspect uint8

// Aspects.
const (
	Numbers   Aspect = iota
	IsMissing        // truth values, Type is Bool: whether they stand for no number
	IsRounded        // whether they are integers that float64, with all below, has not
	numAspects
)

// flipped are the integers that Flip makes of stored ones.
var flipped = map[Type]Type{
	Int8: Uint8, Int16: Uint16, Int32: Uint32, Int64: Uint64,
	Uint8: Int8, Uint16: Int16, Uint32: Int32, Uint64: Int64,
}

// Flipped returns the integer type of the same size and the other sign.
func (t Type) Flipped() (Type, bool) {
	other, ok := flipped[t]
	return other, ok
}

// Check refuses a scaling that no elements have.
func (s *Scaling) Check() error {
	plain := s.Stored
	if s.Flip {
		plain = flipped[s.Stored]
	}
	unscaled := s.Factor == 1 && s.Offset == 0
	switch {
	case !s.Stored.Valid(), !plain.Valid(), s.Stored == Bool, s.Flip && !unscaled, s.Aspect >= numAspects,
		math.IsNaN(s.Factor - s.Factor), math.IsNaN(s.Offset - s.Offset),
		s.Aspect != Numbers && s.Type != Bool,
		s.Aspect == Numbers && s.Type != Float64 && (s.Type != plain || !unscaled):
		return fmt.Errorf("no elements are scaled as %+v", *s)
	}
	return nil
}

// Scaler loads what elements stand for. It is not safe for concurrent use.
type Scaler struct {
	Scaling
	plain                Type // of the elements, flipped
	widen, times, plus   *Elementwise
	factor, offset, null []byte
	half                 []byte // 16-bit floats as float32
}

// NewScaler returns what loads blocks of elements of such a scaling, which has to be
// one.
func NewScaler(s Scaling) (*Scaler, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	r := &Scaler{Scaling: s, plain: s.Stored}
	if s.Flip {
		r.plain = flipped[s.Stored]
	}
	from := r.plain
	if from.IsFloat() && from.Size() == 2 {
		r.half, from = make([]byte, 4*BlockLen), Float32
	}
	r.widen, _ = LookupCast("cast", from, Float64)
	r.times, _ = LookupElementwise("multiply", Float64, Float64)
	r.plus, _ = LookupElementwise("add", Float64, Float64)
	r.factor = binary.NativeEndian.AppendUint64(nil, math.Float64bits(s.Factor))
	r.offset = binary.NativeEndian.AppendUint64(nil, math.Float64bits(s.Offset))
	if s.Type.IsFloat() {
		bits := s.Type.FloatBits(math.NaN())
		r.null = binary.NativeEndian.AppendUint64(nil, bits)
		if s.Type.Size() < 8 {
			r.null = binary.NativeEndian.AppendUint32(nil, uint32(bits))
		}
		if s.Type.Size() < 4 {
			r.null = binary.NativeEndian.AppendUint16(nil, uint16(bits))
		}
	}
	return r, nil
}

// Load fills dst with what as many stored elements, a block at most, stand for; both
// are in this machine's byte order. src is overwritten, and is not dst unless its
// elements have that size.
func (s *Scaler) Load(dst, src []byte) {
	size := s.Stored.Size()
	var missing []int
	if len(s.Missing) > 0 {
		missing = s.missing(src)
	}
	if s.Flip {
		flip(src, size)
	}
	switch {
	case s.Aspect == IsMissing:
		clear(dst)
	case s.Aspect == IsRounded:
		for i := range dst {
			dst[i] = s.rounded(src[i*size:])
		}
	case s.Type == s.plain && s.Factor == 1 && s.Offset == 0:
		copy(dst, src)
	default:
		s.load(dst, src)
	}
	for _, i := range missing {
		switch {
		case s.Aspect != Numbers:
			dst[i] = 0
			if s.Aspect == IsMissing {
				dst[i] = 1
			}
		case s.null != nil:
			copy(dst[i*len(s.null):], s.null)
		}
	}
}

// load fills dst with float64.
func (s *Scaler) load(dst, src []byte) {
	if s.half != nil {
		half := s.half[:2*len(src)]
		toFloat32()[s.plain].Run(half, src, nil, nil)
		src = half
	}
	if s.plain == Float64 {
		copy(dst, src)
	} else {
		s.widen.Run(dst, src, nil, nil)
	}
	if s.Factor != 1 {
		s.times.Run(dst, dst, s.factor, nil)
	}
	if s.Offset != 0 {
		s.plus.Run(dst, dst, s.offset, nil)
	}
}

// Store makes stored elements, in place, of the numbers that they are to stand for,
// which is possible where Type is what is stored, or what Flip makes of that.
func (s *Scaler) Store(elements []byte) {
	if s.Flip {
		flip(elements, s.Stored.Size())
	}
}

// flip inverts the highest bit of integers.
func flip(b []byte, size int) {
	switch size {
	case 1:
		flipAll(view[uint8](b))
	case 2:
		flipAll(view[uint16](b))
	case 4:
		flipAll(view[uint32](b))
	case 8:
		flipAll(view[uint64](b))
	}
}

func flipAll[T uint8 | uint16 | uint32 | uint64](x []T) {
	high := ^(^T(0) >> 1)
	for i := range x {
		x[i] ^= high
	}
}

// missing returns which elements stand for no number.
func (s *Scaler) missing(b []byte) []int {
	switch s.Stored.Size() {
	case 1:
		return among(view[uint8](b), s.Missing)
	case 2:
		return among(view[uint16](b), s.Missing)
	case 4:
		return among(view[uint32](b), s.Missing)
	}
	return among(view[uint64](b), s.Missing)
}

func among[T uint8 | uint16 | uint32 | uint64](x []T, missing []uint64) (at []int) {
	if len(missing) == 1 {
		m := T(missing[0])
		for i, v := range x {
			if v == m {
				at = append(at, i)
			}
		}
		return at
	}
	for i, v := range x {
		if slices.Contains(missing, uint64(v)) {
			at = append(at, i)
		}
	}
	return at
}

// maxExact is the largest integer up to which float64 has all.
const maxExact = 1 << 53

// rounded returns 1 of an integer that float64 has not, or not all below, else 0.
func (s *Scaler) rounded(b []byte) byte {
	if s.plain.IsFloat() || s.plain.Size() < 8 {
		return 0
	}
	v := binary.NativeEndian.Uint64(b)
	if s.plain.IsSigned() && int64(v) < 0 {
		v = -v
	}
	if v > maxExact {
		return 1
	}
	return 0
}
