package kernels

// Layout of a block, see the package doc. They are part of every result's
// definition and never change.
const (
	// BlockLen is the number of elements of a block.
	BlockLen = 4096
	// Lanes is the number of virtual lanes that share a block.
	Lanes = 32
)

// sumLanes returns the compensated sum of a block: two-sum in every lane with
// the errors gathered beside it, lanes folded by double addition. Four lanes
// at a time stay in registers.
func sumLanes(xs []float64) double {
	var lanes [Lanes]double
	rows := len(xs) / Lanes
	for l := 0; l < Lanes; l += 4 {
		var s0, s1, s2, s3, c0, c1, c2, c3, e float64
		for i := l; i < rows*Lanes; i += Lanes {
			x := xs[i : i+4 : i+4]
			s0, e = twoSum(s0, x[0])
			c0 += e
			s1, e = twoSum(s1, x[1])
			c1 += e
			s2, e = twoSum(s2, x[2])
			c2 += e
			s3, e = twoSum(s3, x[3])
			c3 += e
		}
		lanes[l], lanes[l+1], lanes[l+2], lanes[l+3] = double{s0, c0}, double{s1, c1}, double{s2, c2}, double{s3, c3}
	}
	for l, x := range xs[rows*Lanes:] {
		s, e := twoSum(lanes[l].hi, x)
		lanes[l] = double{s, lanes[l].lo + e}
	}
	for l := range lanes {
		hi, lo := twoSum(lanes[l].hi, lanes[l].lo)
		lanes[l] = double{hi, lo}
	}
	for half := Lanes / 2; half > 0; half /= 2 {
		for l := range half {
			lanes[l] = lanes[l].add(lanes[l+half])
		}
	}
	return lanes[0]
}

// deviationLanes returns the sum of squares and the sum of x-pivot over a
// block, lanes folded by addition.
func deviationLanes(xs []float64, pivot float64) (squares, rest float64) {
	var sq, re [Lanes]float64
	rows := len(xs) / Lanes
	for l := 0; l < Lanes; l += 4 {
		var q0, q1, q2, q3, r0, r1, r2, r3 float64
		for i := l; i < rows*Lanes; i += Lanes {
			x := xs[i : i+4 : i+4]
			d0, d1, d2, d3 := x[0]-pivot, x[1]-pivot, x[2]-pivot, x[3]-pivot
			// The conversions keep the compiler from fusing.
			q0 += float64(d0 * d0)
			q1 += float64(d1 * d1)
			q2 += float64(d2 * d2)
			q3 += float64(d3 * d3)
			r0 += d0
			r1 += d1
			r2 += d2
			r3 += d3
		}
		sq[l], sq[l+1], sq[l+2], sq[l+3] = q0, q1, q2, q3
		re[l], re[l+1], re[l+2], re[l+3] = r0, r1, r2, r3
	}
	for l, x := range xs[rows*Lanes:] {
		d := x - pivot
		sq[l] += float64(d * d)
		re[l] += d
	}
	for half := Lanes / 2; half > 0; half /= 2 {
		for l := range half {
			sq[l] += sq[l+half]
			re[l] += re[l+half]
		}
	}
	return sq[0], re[0]
}
