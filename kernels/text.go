package kernels

import (
	"math"
	"strconv"
)

// Text returns an element as text: of a float of 32 bits and more the shortest that
// reads back to the same bits (see [FormatFloat] for the form), of a shorter one
// that of the float32 it is. The element is in this machine's byte order.
func (t Type) Text(element []byte) string {
	switch {
	case t == Float64:
		return FormatFloat(view[float64](element)[0])
	case t == Float32:
		return formatFloat32(view[float32](element)[0])
	case t.IsFloat():
		k, _ := LookupCast("cast", t, Float32)
		var wide [4]byte
		k.Run(wide[:], element, nil, nil)
		return Float32.Text(wide[:])
	case t == Bool:
		return strconv.FormatBool(element[0] != 0)
	}
	bits := integerElement(element, t, 0)
	if t.IsSigned() {
		return strconv.FormatInt(int64(bits), 10)
	}
	return strconv.FormatUint(bits, 10)
}

// formatFloat32 is FormatFloat for fewer digits.
func formatFloat32(f float32) string {
	wide := float64(f)
	if math.IsNaN(wide) || math.IsInf(wide, 0) || wide == 0 {
		return FormatFloat(wide)
	}
	form := byte('f')
	if a := math.Abs(wide); a < 1e-4 || a >= 1e16 {
		form = 'e'
	}
	return strconv.FormatFloat(wide, form, -1, 32)
}
