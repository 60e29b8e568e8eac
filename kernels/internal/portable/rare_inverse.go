package portable

import "math"

// arctan2 serves operands of which one is huge, or tiny but not 0, and none is
// infinite: the loop serves them once they are scaled, unless nothing but their
// quotient counts, or not even that.
func arctan2(y, x float64) float64 {
	if x != x || y != y {
		return math.Float64frombits(0x7ff8000000000000)
	}
	most := max(math.Abs(y), math.Abs(x))
	least := min(math.Abs(y), math.Abs(x))
	_, e := math.Frexp(most)
	if _, l := math.Frexp(least); least != 0 && e-l > 400 {
		switch {
		case math.Abs(y) == most:
			return math.Copysign(0x1.921fb54442d18p0, y)
		case x < 0:
			return math.Copysign(0x1.921fb54442d18p1, y)
		}
		return y / x
	}
	var angle [1]float64
	Arctan2Float64(angle[:], []float64{math.Ldexp(y, -e)}, []float64{math.Ldexp(x, -e)})
	return angle[0]
}
