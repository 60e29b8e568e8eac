package format

import (
	"fmt"
	"math"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
)

// Numbers are the numbers of an attribute, as bits of elements of a type.
type Numbers struct {
	Type kernels.Type
	Bits []uint64
}

// unsigned are the types that _Unsigned makes of signed ones.
var unsigned = map[kernels.Type]kernels.Type{
	kernels.Int8: kernels.Uint8, kernels.Int16: kernels.Uint16, kernels.Int32: kernels.Uint32, kernels.Int64: kernels.Uint64,
}

// fillValues are the numbers that netCDF writes where nothing was written. Bytes have
// none that stands for no number unless _FillValue says so.
var fillValues = map[kernels.Type]uint64{
	kernels.Int16: 0x8001, kernels.Uint16: 0xffff, kernels.Int32: 0x80000001, kernels.Uint32: 0xffffffff,
	kernels.Int64: 0x8000000000000002, kernels.Uint64: 0xfffffffffffffffe,
	kernels.Float32: 0x7cf00000, kernels.Float64: 0x479e000000000000,
}

// Convene sets what an array's numbers stand for by the attributes that netCDF's
// conventions give a meaning: scale_factor, add_offset, _FillValue and missing_value.
// If isUnsigned, integers are unsigned, as _Unsigned says; if filled, netCDF's own fill
// values stand for no number where there is no _FillValue. It returns what is wrong with
// an attribute, or "".
func (a *Array) Convene(attributes map[string]Numbers, isUnsigned, filled bool) (wrong string) {
	fill, filled := fillValues[a.Type], filled && fillValues[a.Type] != 0
	if t, ok := unsigned[a.Type]; ok && isUnsigned {
		a.Type = t
	}
	s := Scaling{Factor: 1, Type: a.Type}
	for _, c := range []struct {
		name string
		to   *float64
	}{{"scale_factor", &s.Factor}, {"add_offset", &s.Offset}} {
		n, ok := attributes[c.name]
		if !ok {
			continue
		}
		if len(n.Bits) != 1 {
			return fmt.Sprintf("%s is not one number", c.name)
		}
		if *c.to = Float(n.Type, n.Bits[0]); math.IsNaN(*c.to - *c.to) {
			return fmt.Sprintf("%s is not finite", c.name)
		}
	}
	if s.Factor != 1 || s.Offset != 0 {
		s.Type = kernels.Float64
	}
	for _, name := range []string{"_FillValue", "missing_value"} {
		n := attributes[name]
		for _, b := range n.Bits {
			if b, ok := convert(n.Type, a.Type, b); ok && !slices.Contains(s.Missing, b) {
				s.Missing = append(s.Missing, b)
			}
		}
	}
	if _, said := attributes["_FillValue"]; filled && !said {
		s.Implied = s.Missing == nil
		if !slices.Contains(s.Missing, fill) {
			s.Missing = append(s.Missing, fill)
		}
	}
	if s.Factor != 1 || s.Offset != 0 || s.Missing != nil {
		a.Scale = &s
	}
	return ""
}

// convert returns the bits that an element of a type has if it is the number that
// an attribute's bits are, and reports false if none is, or the number is a NaN.
func convert(from, to kernels.Type, b uint64) (uint64, bool) {
	if from.IsFloat() && math.IsNaN(Float(from, b)) {
		return 0, false
	}
	if from == to || unsigned[from] == to {
		return b, true
	}
	f := Float(from, b)
	switch {
	case to.IsFloat():
		bits := to.FloatBits(f)
		return bits, Float(to, bits) == f
	case f != math.Trunc(f) || math.Abs(f) > 1<<53:
		return 0, false
	}
	width := 64 - 8*to.Size()
	bits := uint64(int64(f)) << width >> width
	return bits, Float(to, bits) == f
}
