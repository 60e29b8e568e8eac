package portable

import "math"

// The divisions of 64-bit integers beyond what float64 holds. By zero all are 0.

type wide interface{ int64 | uint64 }

func truncDivide[T wide](x, y T) T {
	if y == 0 {
		return 0
	}
	return x / y
}

func truncRemainder[T wide](x, y T) T {
	if y == 0 {
		return 0
	}
	return x % y
}

func integerFloorDivide[T wide](x, y T) T {
	if y == 0 {
		return 0
	}
	q := x / y
	if r := x % y; r != 0 && (r < 0) != (y < 0) {
		q--
	}
	return q
}

func integerRemainder[T wide](x, y T) T {
	if y == 0 {
		return 0
	}
	r := x % y
	if r != 0 && (r < 0) != (y < 0) {
		r += y
	}
	return r
}

// wrap64 cuts a float off and returns the low 64 bits of that integer, 0 for
// NaN and infinities.
func wrap64(x float64) uint64 {
	bits := math.Float64bits(x)
	shift := int(bits>>52&0x7ff) - 1075
	fraction := bits&(1<<52-1) | 1<<52
	switch {
	case shift == 0x7ff-1075:
		return 0
	case shift >= 0:
		fraction <<= shift
	default:
		fraction >>= -shift
	}
	if x < 0 {
		return -fraction
	}
	return fraction
}

// wrap cuts a float off and returns the low bits of that integer.
func wrap[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64, F float32 | float64](x F) T {
	return T(wrap64(float64(x)))
}

// saturateInt cuts a float off to the nearest int64; NaN is 0.
func saturateInt[F float32 | float64](x F) int64 {
	switch {
	case x != x:
		return 0
	case x >= 0x1p63:
		return math.MaxInt64
	case x < -0x1p63:
		return math.MinInt64
	}
	return int64(x)
}

// saturateUint cuts a float off to the nearest uint64; NaN is 0.
func saturateUint[F float32 | float64](x F) uint64 {
	switch {
	case !(x > 0):
		return 0
	case x >= 0x1p64:
		return math.MaxUint64
	case x >= 0x1p63:
		return uint64(int64(x-0x1p63)) + 1<<63
	}
	return uint64(int64(x))
}

// roundInt returns an integer as a float32, rounded once: bits that cannot
// decide are gathered in the last one.
func roundInt(x int64) float32 {
	if x < 0 {
		return -roundUint(-uint64(x))
	}
	return roundUint(uint64(x))
}

func roundUint(x uint64) float32 {
	if x >= 1<<53 {
		if x&(1<<12-1) != 0 {
			x |= 1 << 12
		}
		x &^= 1<<12 - 1
	}
	// Exact: at most 52 bits are left.
	return float32(float64(x>>12)*0x1p12 + float64(x&(1<<12-1)))
}
