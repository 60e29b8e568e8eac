package kernels

import "math"

// blockFold is the scratch of folding one block after another.
type blockFold struct {
	states [8 * Lanes]uint64
	// A block of bool as 0 and 1, another, and one of 16-bit floats as float32.
	truth, truth2 [BlockLen]byte
	wideBlock     [4 * BlockLen]byte
	doubles       [BlockLen]float64
}

// summary returns the summary of a block of elements of type t, not empty.
func (f *blockFold) summary(t Type, block []byte) Summary {
	switch {
	case t.IsFloat():
		return f.floats(t, block)
	case t == Bool:
		s := f.integers(Uint8, f.truths(block))
		s.typ = Bool
		return s
	}
	return f.integers(t, block)
}

// truths returns a block of bool as bytes 0 and 1.
func (f *blockFold) truths(block []byte) []byte {
	truth := f.truth[:len(block)]
	normalize.Run(truth, block, block, nil)
	return truth
}

// normalize makes bytes 0 and 1 of truth values.
var normalize, _ = LookupElementwise("logical_or", Bool, Bool)

// start fills state after state with its neutral element.
func (f *blockFold) start(neutral ...uint64) []uint64 {
	for s, bits := range neutral {
		state := (*[Lanes]uint64)(f.state(s))
		if bits == 0 {
			*state = [Lanes]uint64{}
			continue
		}
		for l := range state {
			state[l] = bits
		}
	}
	return f.states[:len(neutral)*Lanes]
}

// state returns the lanes of a state.
func (f *blockFold) state(s int) []uint64 { return f.states[s*Lanes : (s+1)*Lanes] }

var (
	infinity         = math.Float64bits(math.Inf(1))
	negativeInfinity = math.Float64bits(math.Inf(-1))
)

func (f *blockFold) floats(t Type, block []byte) Summary {
	s := Summary{typ: t, count: uint64(len(block) / t.Size())}
	n := float64(s.count)
	pivot := firstRow(t, block)
	scanFolds[t].run(f.start(0, 0, infinity, negativeInfinity, 0), block, math.Float64bits(pivot), 0)
	s.fsum = sumLanes(f.state(0), f.state(1))
	squares := sumPairs(f.state(4))
	lo, hi := f.extremes()
	if finite(s.fsum.hi) && finite(squares) {
		s.band = bandOf(max(math.Abs(lo), math.Abs(hi)))
		s.setExtremes(f.signed(t, block, lo, hi))
		switch {
		case lo == 0 && hi == 0:
			return s
		case s.band == 0:
			// The pivot is off from the mean by rest/n.
			rest := s.fsum.add(double{-float64(n * pivot), -math.FMA(n, pivot, -float64(n*pivot))}).hi
			s.m2 = max(0, squares-float64(rest*rest)/n)
			return s
		}
	}
	f.special(&s, t, block)
	return s
}

// firstRow returns the mean of the first elements of a block, from which
// deviations are taken. They are a row of lanes at least, so that the square of
// what they are off from the block's mean is no more than some hundred times the
// variance, to which they belong: little is lost when it is subtracted.
func firstRow(t Type, block []byte) float64 {
	n := min(Lanes, len(block)/t.Size())
	sum := 0.0
	for i := range n {
		sum += t.float(block, i)
	}
	return sum / float64(n)
}

// special summarizes a block with NaN, infinities, or magnitudes that need
// another unit.
func (f *blockFold) special(s *Summary, t Type, block []byte) {
	scan := func(unit float64) {
		scanSpecialFolds[t].run(f.start(0, 0, infinity, negativeInfinity, 0, 0, 0, 0), block, math.Float64bits(unit), 0)
	}
	scan(1)
	magnitude := 0.0
	for l := range Lanes {
		s.nan += f.state(4)[l]
		s.posInf += f.state(5)[l]
		s.negInf += f.state(6)[l]
		magnitude = max(magnitude, math.Float64frombits(f.state(7)[l]))
	}
	s.band = bandOf(magnitude)
	unit := math.Ldexp(1, -bandBits*s.band)
	if s.band != 0 {
		scan(unit)
	}
	s.fsum = sumLanes(f.state(0), f.state(1))
	lo, hi := f.extremes()
	if s.numbers() == 0 {
		// Keys that any element's replaces.
		s.min, s.max = math.MaxInt64, 1<<63
		return
	}
	s.setExtremes(f.signed(t, block, lo, hi))
	n := float64(s.finite())
	if n == 0 {
		return
	}
	pivot := s.fsum.hi / n
	deviationsSpecialFolds[t].run(f.start(0, 0), block, math.Float64bits(pivot), math.Float64bits(unit))
	s.m2 = f.squares(n)
}

// extremes returns the extremes of states 2 and 3.
func (f *blockFold) extremes() (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for l := range Lanes {
		// No NaN and no sign of a zero matters here.
		if v := math.Float64frombits(f.state(2)[l]); v < lo {
			lo = v
		}
		if v := math.Float64frombits(f.state(3)[l]); v > hi {
			hi = v
		}
	}
	return lo, hi
}

// signed returns the extremes with the sign that a zero has: the scan takes
// -0 and +0 for equal.
func (f *blockFold) signed(t Type, block []byte, lo, hi float64) (float64, float64) {
	if lo != 0 && hi != 0 {
		return lo, hi
	}
	signsFolds[t].run(f.start(0, 1<<63), block, 0, 0)
	var or, and uint64 = 0, 1 << 63
	for l := range Lanes {
		or |= f.state(0)[l]
		and &= f.state(1)[l]
	}
	if lo == 0 {
		lo = math.Float64frombits(or & (1 << 63))
	}
	if hi == 0 {
		hi = math.Float64frombits(and & (1 << 63))
	}
	return lo, hi
}

func (s *Summary) setExtremes(lo, hi float64) {
	s.min, s.max = uint64(orderedKey(lo)), uint64(orderedKey(hi))
}

// squares returns the squared deviations of n elements from their mean, out of
// those from a pivot near it.
func (f *blockFold) squares(n float64) float64 {
	squares, rest := sumPairs(f.state(0)), sumPairs(f.state(1))
	return max(0, squares-float64(rest*rest)/n)
}

func (f *blockFold) integers(t Type, block []byte) Summary {
	s := Summary{typ: t, count: uint64(len(block) / t.Size())}
	least, most := uint64(math.MaxInt64), uint64(1<<63)
	if t == Uint64 {
		least, most = math.MaxUint64, 0
	}
	var pivot uint64
	if t.Size() < 8 {
		pivot = uint64(int64(firstRow(t, block)))
	}
	scanFolds[t].run(f.start(0, 0, least, most, 0), block, pivot, 0)
	// Keys compare as unsigned numbers.
	flip := uint64(1 << 63)
	if t == Uint64 {
		flip = 0
	}
	lo, hi := least^flip, most^flip
	for l := range Lanes {
		low, high := int64(f.state(0)[l]), int64(f.state(1)[l])
		s.isum = s.isum.add(int128{low >> 63, uint64(low)}).add(int128{high >> 32, uint64(high) << 32})
		lo, hi = min(lo, f.state(2)[l]^flip), max(hi, f.state(3)[l]^flip)
	}
	s.min, s.max = lo^flip, hi^flip
	n := float64(s.count)
	if t.Size() < 8 {
		// Exact: sums of a block of these fit float64.
		rest := float64(int64(s.isum.lo) - int64(s.count)*int64(pivot))
		s.m2 = max(0, sumPairs(f.state(4))-float64(rest*rest)/n)
		return s
	}
	mean := s.isum.double().over(n).hi
	f.start(0, 0)
	if s.spread() > math.MaxInt64 {
		f.wide(t, block, s.pivot(mean), func(lane int, d float64) {
			f.add(0, lane, float64(d*d))
			f.add(1, lane, d)
		})
	} else {
		deviationsFolds[t].run(f.states[:], block, s.pivot(mean), 0)
	}
	s.m2 = f.squares(n)
	return s
}

// integerNear returns an integer of [lo, hi] next to f.
func integerNear[T int64 | uint64](f float64, lo, hi T) T {
	switch {
	case f <= float64(lo):
		return lo
	case f >= float64(hi):
		return hi
	}
	return T(f)
}

// spread returns how far apart the extremes of integers are.
func (s *Summary) spread() uint64 { return s.max - s.min }

// pivot returns an integer near the mean from which deviations are taken.
func (s *Summary) pivot(mean float64) uint64 {
	if s.typ == Uint64 {
		return integerNear(mean, s.min, s.max)
	}
	return uint64(integerNear(mean, int64(s.min), int64(s.max)))
}

// add adds to a lane of a state.
func (f *blockFold) add(s, lane int, v float64) {
	at := &f.state(s)[lane]
	*at = math.Float64bits(math.Float64frombits(*at) + v)
}

// wide calls add with the deviation of each of 64-bit integers that are further
// apart than 2^63, too far for a fold.
func (f *blockFold) wide(t Type, block []byte, pivot uint64, add func(lane int, d float64)) {
	flip := uint64(1 << 63)
	if t == Uint64 {
		flip = 0
	}
	for i, v := range view[uint64](block) {
		if v^flip >= pivot^flip {
			add(i%Lanes, float64(v-pivot))
		} else {
			add(i%Lanes, -float64(pivot-v))
		}
	}
}
