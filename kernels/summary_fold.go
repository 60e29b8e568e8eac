package kernels

import "math"

// blockFold is the scratch of folding one block after another.
type blockFold struct {
	states [8 * Lanes]uint64
	ready  together
	// A block of bool as 0 and 1, another, and one of 16-bit floats as float32.
	truth, truth2 [BlockLen]byte
	wideBlock     [4 * BlockLen]byte
	doubles       [BlockLen]float64
}

// summary sets s to the summary of a block of elements of type t, not empty.
func (f *blockFold) summary(s *Summary, t Type, block []byte) {
	switch {
	case t.IsFloat():
		f.floats(s, t, block)
	case t == Bool:
		*s = f.integers(Uint8, f.truths(block))
		s.typ = Bool
	default:
		*s = f.integers(t, block)
	}
}

// truths returns a block of bool as bytes 0 and 1.
func (f *blockFold) truths(block []byte) []byte {
	truth := f.truth[:len(block)]
	normalize.Run(truth, block, block, nil)
	return truth
}

// normalize makes bytes 0 and 1 of truth values.
var normalize, _ = LookupElementwise("logical_or", Bool, Bool)

// word returns what lanes combined to in a state, float the float64 of that,
// and sum that of a sum and its compensation, the next state.
func (f *blockFold) word(s int) uint64   { return f.states[s] }
func (f *blockFold) float(s int) float64 { return math.Float64frombits(f.word(s)) }
func (f *blockFold) sum(s int) double {
	hi, lo := twoSum(f.float(s), f.float(s+1))
	return double{hi, lo}
}

// lanes returns all lanes of a state.
func (f *blockFold) lanes(s int) []uint64 { return f.states[s*Lanes : (s+1)*Lanes] }

func (f *blockFold) floats(s *Summary, t Type, block []byte) {
	*s = Summary{Total: totalOf(t, block)}
	n := float64(s.count)
	pivot, ready := f.ready.pivot(), f.ready.take(&f.states)
	if !ready {
		row := firstRow(t, block)
		totalFolds[t].run(f.states[:], row, 0, 0)
		pivot = f.float(0) / float64(len(row)/t.Size())
	}
	if !finite(pivot) { // nor would the block's squares be: under a mask, most begin with NaN
		f.special(s, t, block)
		return
	}
	if !ready {
		scanFolds[t].run(f.states[:], block, math.Float64bits(pivot), 0)
	}
	s.fsum = f.sum(0)
	lo, hi, squares, bits := f.float(2), f.float(3), f.float(4), f.word(5)
	if finite(s.fsum.hi) && finite(squares) {
		s.band = bandOf(max(math.Abs(lo), math.Abs(hi)))
		if bits>>63 != 0 { // otherwise no zero has a sign
			lo, hi = f.signed(t, block, lo, hi)
		}
		s.setExtremes(lo, hi)
		switch {
		case lo == 0 && hi == 0:
			return
		case s.band == 0:
			// The pivot is off from the mean by rest/n.
			rest := s.fsum.add(double{-float64(n * pivot), -math.FMA(n, pivot, -float64(n*pivot))}).hi
			s.m2 = max(0, squares-float64(rest*rest)/n)
			return
		}
	}
	f.special(s, t, block)
}

// firstRow returns the elements from whose mean deviations are taken. They are a
// row of lanes, if there are as many, so that the square of what their mean is
// off from the block's is no more than some hundred times the variance, to which
// they belong: little is lost when it is subtracted.
func firstRow(t Type, block []byte) []byte { return block[:min(Lanes*t.Size(), len(block))] }

// special summarizes a block with NaN, infinities, or magnitudes that need
// another unit.
func (f *blockFold) special(s *Summary, t Type, block []byte) {
	unit := f.specialTotal(&s.Total, t, block)
	lo, hi := f.float(2), f.float(3)
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
	deviationsSpecialFolds[t].run(f.states[:], block, math.Float64bits(pivot), math.Float64bits(unit))
	s.m2 = f.squares(n)
}

// signed returns the extremes with the sign that a zero has: the scan takes
// -0 and +0 for equal.
func (f *blockFold) signed(t Type, block []byte, lo, hi float64) (float64, float64) {
	if lo != 0 && hi != 0 {
		return lo, hi
	}
	signsFolds[t].run(f.states[:], block, 0, 0)
	or, and := f.word(0), f.word(1)
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
	squares, rest := f.float(0), f.float(1)
	return max(0, squares-float64(rest*rest)/n)
}

func (f *blockFold) integers(t Type, block []byte) Summary {
	if isNarrow(t) {
		return f.narrow(t, block).summary(t, block)
	}
	s := Summary{Total: totalOf(t, block)}
	var pivot int64
	if t.Size() < 8 {
		row := firstRow(t, block)
		totalFolds[t].run(f.states[:], row, 0, 0)
		pivot = int64(f.word(0)) / int64(len(row)/t.Size())
	}
	scanFolds[t].run(f.states[:], block, uint64(pivot), 0)
	low, high := int64(f.word(0)), int64(f.word(1))
	s.isum = int128Of(low, high)
	s.min, s.max = f.word(2), f.word(3)
	n := float64(s.count)
	if t.Size() < 8 {
		// Exact: sums of a block of these fit float64.
		rest := float64(int64(s.isum.lo) - int64(s.count)*pivot)
		s.m2 = max(0, f.float(4)-float64(rest*rest)/n)
		return s
	}
	mean := s.isum.double().over(n).hi
	if s.spread() > math.MaxInt64 {
		f.wide(t, block, s.pivot(mean), combineTwoSums, func(lane int, d float64) {
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
	at := &f.lanes(s)[lane]
	*at = math.Float64bits(math.Float64frombits(*at) + v)
}

// wide is a fold of deviations of 64-bit integers that are further apart than
// 2^63, too far for the others: add puts one into states, which begin with 0.
func (f *blockFold) wide(t Type, block []byte, pivot uint64, c *combination, add func(lane int, d float64)) {
	clear(f.states[:])
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
	c.run(f.states[:])
}
