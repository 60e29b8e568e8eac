package kernels

import "math"

// totalOf returns the total of a block before its elements are added up.
func totalOf(t Type, block []byte) Total {
	return Total{typ: t, count: uint64(len(block) / t.Size())}
}

// total sets s to the total of a block of elements of type t, not empty.
func (f *blockFold) total(s *Total, t Type, block []byte) {
	*s = totalOf(t, block)
	switch {
	case t.IsFloat():
		if !f.ready.take(&f.states) {
			sumFolds[t].run(f.states[:], block, 0, 0)
		}
		s.fsum = f.sum(0)
		// The others have no element of another band.
		if !finite(s.fsum.hi) || t == Float64 && !finite(f.float(2)) {
			f.specialTotal(s, t, block)
		}
	case t == Bool:
		scanFolds[Bool].run(f.states[:], f.truths(block), 0, 0)
		s.isum.lo = f.word(0)
	case isNarrow(t):
		*s = f.narrow(t, block).total(t)
	case t.Size() < 8:
		totalFolds[t].run(f.states[:], block, 0, 0)
		s.isum = int128Of(int64(f.word(0)), 0)
	default:
		sumFolds[t].run(f.states[:], block, 0, 0)
		s.isum = int128Of(int64(f.word(0)), int64(f.word(1)))
	}
}

// specialTotal adds up a block with NaN, infinities, or magnitudes that need another
// unit, which it returns.
func (f *blockFold) specialTotal(s *Total, t Type, block []byte) (unit float64) {
	scan := func(unit float64) {
		scanSpecialFolds[t].run(f.states[:], block, math.Float64bits(unit), 0)
	}
	scan(1)
	s.nan, s.posInf, s.negInf = f.word(4), f.word(5), f.word(6)
	s.band = bandOf(f.float(7))
	unit = math.Ldexp(1, -bandBits*s.band)
	if s.band != 0 {
		scan(unit)
	}
	s.fsum = f.sum(0)
	return unit
}

// int128Of returns the sum of elements out of that of their low 32 bits and that of
// the bits above.
func int128Of(low, high int64) int128 {
	return int128{low >> 63, uint64(low)}.add(int128{high >> 32, uint64(high) << 32})
}
