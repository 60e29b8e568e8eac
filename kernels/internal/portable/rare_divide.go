package portable

import "math"

// mod returns the exact remainder with the sign of x.
func mod[T float32 | float64](x, y T) T { return T(math.Mod(float64(x), float64(y))) }

// floorDivide is NumPy's floor_divide of any x and y: it rounds what x exceeds
// the remainder by, the quotient, and the result, each to nearest.
func floorDivide[T float32 | float64](x, y T) T {
	m := mod(x, y)
	q := T(T(x-m) / y)
	if y == 0 {
		q = T(x / y)
	}
	switch {
	case q != q:
		return T(math.Float64frombits(0x7ff8000000000000))
	case y == 0:
		return q
	}
	if m != 0 && (y < 0) != (m < 0) {
		q = T(q - 1)
	}
	if q == 0 {
		return T(math.Copysign(0, float64(x/y)))
	}
	down := T(math.Floor(float64(q)))
	if T(q-down) > 0.5 {
		down = T(down + 1)
	}
	return down
}

// remainder is NumPy's remainder of any x and y: it has the sign of y.
func remainder[T float32 | float64](x, y T) T {
	m := mod(x, y)
	switch {
	case m != m:
		return T(math.Float64frombits(0x7ff8000000000000))
	case m == 0:
		return T(math.Copysign(0, float64(y)))
	case (y < 0) != (m < 0):
		return T(m + y)
	}
	return m
}
