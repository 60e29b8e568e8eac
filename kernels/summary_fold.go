package kernels

import "math"

// foldFloats returns the summary of one block of floats, not empty. scratch holds the
// block as float64, in units of its band, where the elements themselves
// cannot serve.
func foldFloats[T Float](block []T, scratch *[BlockLen]float64) Summary {
	s := Summary{typ: TypeOf[T](), count: uint64(len(block))}
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for _, v := range block {
		k := orderedKey(float64(v))
		lo, hi = min(lo, k), max(hi, k)
	}
	ordinary := lo > orderedKey(math.Inf(-1)) && hi < orderedKey(math.Inf(1))
	s.min, s.max = uint64(lo), uint64(hi)
	magnitude := max(math.Abs(fromOrderedKey(lo)), math.Abs(fromOrderedKey(hi)))
	if !ordinary {
		magnitude = s.scanSpecials(toFloat64(block, scratch[:len(block)]))
	}
	s.band = bandOf(magnitude)

	// Special elements are 0 for the sum, then the pivot for the deviations.
	unit := math.Ldexp(1, -bandBits*s.band)
	xs, direct := any(block).([]float64)
	if !direct || !ordinary || s.band != 0 {
		xs = scratch[:len(block)]
		for i, v := range block {
			xs[i] = float64(float64(v) * unit)
			if !finite(float64(v)) {
				xs[i] = 0
			}
		}
	}
	s.fsum = sumLanes(xs)
	n := float64(s.finite())
	if n == 0 {
		return s
	}
	pivot := s.fsum.hi / n
	if !ordinary {
		for i, v := range block {
			if !finite(float64(v)) {
				xs[i] = pivot
			}
		}
	}
	squares, rest := deviationLanes(xs, pivot)
	s.m2 = max(0, squares-float64(rest*rest)/n)
	return s
}

// toFloat64 converts a block into dst.
func toFloat64[T Float](block []T, dst []float64) []float64 {
	for i, v := range block {
		dst[i] = float64(v)
	}
	return dst
}

// scanSpecials counts NaN and infinities, sets the extremes of the elements
// that are not NaN, and returns the largest finite magnitude.
func (s *Summary) scanSpecials(block []float64) (magnitude float64) {
	lo, hi := int64(math.MaxInt64), int64(math.MinInt64)
	for _, f := range block {
		switch {
		case f != f:
			s.nan++
			continue
		case math.IsInf(f, 1):
			s.posInf++
		case math.IsInf(f, -1):
			s.negInf++
		default:
			magnitude = max(magnitude, math.Abs(f))
		}
		k := orderedKey(f)
		lo, hi = min(lo, k), max(hi, k)
	}
	s.min, s.max = uint64(lo), uint64(hi)
	return magnitude
}

// foldIntegers returns the summary of one block of integers, not empty. scratch holds
// the deviations from an integer pivot, which are exact below 2^53.
func foldIntegers[T Integer](block []T, scratch *[BlockLen]float64) Summary {
	s := Summary{typ: TypeOf[T](), count: uint64(len(block)), isum: sumIntegers(block)}
	lo, hi := block[0], block[0]
	for _, v := range block {
		lo, hi = min(lo, v), max(hi, v)
	}
	s.min, s.max = uint64(lo), uint64(hi)
	n := float64(len(block))
	pivot := integerNear(s.isum.double().over(n).hi, lo, hi)
	xs := scratch[:len(block)]
	if uint64(hi)-uint64(lo) <= math.MaxInt64 {
		for i, v := range block {
			xs[i] = float64(int64(v) - int64(pivot))
		}
	} else {
		for i, v := range block {
			if v >= pivot {
				xs[i] = float64(uint64(v) - uint64(pivot))
			} else {
				xs[i] = -float64(uint64(pivot) - uint64(v))
			}
		}
	}
	squares, rest := deviationLanes(xs, 0)
	s.m2 = max(0, squares-float64(rest*rest)/n)
	return s
}

// sumIntegers returns the exact sum of a block.
func sumIntegers[T Integer](block []T) int128 {
	if TypeOf[T]().Size() < 8 {
		var sum int64
		for _, v := range block {
			sum += int64(v)
		}
		return int128{sum >> 63, uint64(sum)}
	}
	var sum int128
	for _, v := range block {
		wide := int128{0, uint64(v)}
		if v < 0 {
			wide.hi = -1
		}
		sum = sum.add(wide)
	}
	return sum
}

// integerNear returns an integer of [lo, hi] next to f.
func integerNear[T Integer](f float64, lo, hi T) T {
	switch {
	case f <= float64(lo):
		return lo
	case f >= float64(hi):
		return hi
	}
	return T(f)
}
