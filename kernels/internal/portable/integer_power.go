package portable

// IntegerPower is a to the b-th power, wrapping, by squaring. A negative
// exponent gives the integer part of the quotient 1/a^-b: 1, -1 or 0, and 0
// where a is 0.
func IntegerPower[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](dst, a, b []T) {
	ma, mb := repeat(len(dst), len(a)), repeat(len(dst), len(b))
	for i := range dst {
		dst[i] = integerPower(a[i&ma], b[i&mb])
	}
}

func integerPower[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](x, y T) T {
	minusOne := ^T(0)
	if y < 0 {
		switch {
		case x == 1 || x == minusOne && y&1 == 0:
			return 1
		case x == minusOne:
			return x
		}
		return 0
	}
	power := T(1)
	for ; y > 0; y >>= 1 {
		if y&1 == 1 {
			power *= x
		}
		x *= x
	}
	return power
}
