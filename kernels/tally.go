package kernels

import (
	"math"
	"math/bits"
	"slices"
	"sort"
)

// Cuts gathers where the elements of an array are to be told apart, for a [Survey].
// Any of those who ask may do so.
type Cuts struct {
	typ  Type
	keys []uint64
	keep [][2]uint64
}

// NewCuts returns cuts of elements of type t that tell NaN from numbers, if the type
// has NaN.
func NewCuts(t Type) *Cuts {
	c := &Cuts{typ: t}
	if t.IsFloat() {
		c.keys = []uint64{keyOfNegInf, keyOfPosInf + 1}
	}
	return c
}

// at cuts below a key. Below the least of 64-bit integers lies nothing.
func (c *Cuts) at(keys ...uint64) {
	for _, key := range keys {
		if key > 0 {
			c.keys = append(c.keys, key)
		}
	}
}

// alone sets a key apart from all others.
func (c *Cuts) alone(key uint64) { c.at(key, key+1) }

// keepBetween keeps the elements from a key on up to another, which is not among them.
func (c *Cuts) keepBetween(from, to uint64) {
	if from < to {
		c.at(from, to)
		c.keep = append(c.keep, [2]uint64{from, to})
	}
}

// keepAll keeps all numbers.
func (c *Cuts) keepAll() {
	lo, hi := keyRange(c.typ)
	c.at(lo, hi+1)
	if c.keep = append(c.keep, [2]uint64{lo, hi + 1}); hi == math.MaxUint64 {
		c.keep[len(c.keep)-1][1] = hi // the key itself is alone in the end
		c.at(hi)
	}
}

// Signs cuts around zero, see [Tally.Signs].
func (c *Cuts) Signs() {
	below, above := zeroKeys(c.typ)
	c.at(below, above)
}

// zeroKeys returns the least key of a zero, and the next above all of them.
func zeroKeys(t Type) (uint64, uint64) {
	switch {
	case t.IsFloat():
		return keyOfFloat(math.Copysign(0, -1)), keyOfFloat(0) + 1
	case t.IsSigned():
		return signBit, signBit + 1
	}
	return 0, 1
}

// Survey returns the survey that counts by the cuts, and how many of the keys of a
// sample, which is sorted and may be empty, are of elements that are kept.
func (c *Cuts) Survey(sample []uint64) (s *Survey, kept int) {
	slices.Sort(c.keys)
	s = &Survey{Cuts: slices.Compact(c.keys), Scale: 1}
	if len(s.Cuts) == 0 {
		s.Cuts = []uint64{1 << 32} // anything that there is to count by
	}
	s.Keep = make([]bool, len(s.Cuts)+1)
	for _, k := range c.keep {
		for i, _ := slices.BinarySearch(s.Cuts, k[0]); i < len(s.Cuts) && s.Cuts[i] < k[1]; i++ {
			// Equal keys need not be kept.
			s.Keep[i+1] = i+1 == len(s.Cuts) || s.Cuts[i+1]-s.Cuts[i] > 1
		}
		if k[0] == 0 {
			s.Keep[0] = len(s.Cuts) == 0 || s.Cuts[0] > 1
		}
	}
	for i, keep := range s.Keep {
		if keep {
			from, to := 0, len(sample)
			if i > 0 {
				from, _ = slices.BinarySearch(sample, s.Cuts[i-1])
			}
			if i < len(s.Cuts) {
				to, _ = slices.BinarySearch(sample, s.Cuts[i])
			}
			kept += to - from
		}
	}
	s.fitCells(c.typ, sample)
	s.Common = common(sample)
	return s, kept
}

// common returns a key that fills at least a 16th of a sample, which is sorted, if there
// is one: zeros, say.
func common(sample []uint64) uint64 {
	for i := len(sample) / 32; i < len(sample); i += len(sample)/32 + 1 {
		from, _ := slices.BinarySearch(sample, sample[i])
		if to := from + len(sample)/16; to < len(sample) && sample[to] == sample[i] {
			return sample[i]
		}
	}
	return 0
}

// fitCells chooses how elements are put into cells: so that few of the sample are in
// a cell in which they must be looked at, and fewer in one with many cuts.
func (s *Survey) fitCells(t Type, sample []uint64) {
	const seen = 2048
	var xs []float64
	var keys []uint64 // of xs
	from := sample
	if len(from) == 0 {
		from = s.Cuts
	}
	for i := range min(seen, len(from)) {
		key := from[i*len(from)/min(seen, len(from))]
		if x := keyFloat(t, key); finite(x) {
			xs, keys = append(xs, x), append(keys, key)
		}
	}
	if len(xs) == 0 {
		return
	}
	best := math.MaxInt
	for _, beyond := range []int{0, 1024, 128, 32, 8, 4} { // the part of the sample beside which either end is cut off
		lo, hi := xs[0], xs[len(xs)-1]
		if beyond > 0 {
			lo, hi = xs[len(xs)/beyond], xs[len(xs)-1-len(xs)/beyond]
		}
		// Cells 0 and the last are for what lies outside.
		scale := min((surveyCells-2)/(hi-lo), math.MaxFloat64)
		shift := 1 - float64(lo*scale)
		if !(hi > lo) || !finite(shift) || !finite(hi-lo) {
			continue
		}
		if cost := s.cellCost(t, keys, xs, scale, shift); cost < best {
			best, s.Scale, s.Shift = cost, scale, shift
		}
	}
}

// cellCost returns about what it takes, in nanoseconds, to look at those of some numbers
// that must be.
func (s *Survey) cellCost(t Type, keys []uint64, xs []float64, scale, shift float64) (cost int) {
	cell := func(x float64) int {
		return int(min(max(math.FMA(x, scale, shift), 0), surveyCells-1))
	}
	var cuts [surveyCells]int
	for _, key := range s.Cuts {
		if f := keyFloat(t, key); f == f {
			cuts[cell(f)]++
		}
	}
	cuts[0] = len(s.Cuts)
	for i, x := range xs {
		n := cuts[cell(x)]
		if n > 0 || s.Keep[intervalOf(s.Cuts, keys[i])] {
			cost += 2
		}
		if n > 1 {
			cost += 3 * bits.Len(uint(n))
		}
	}
	return cost
}

// Tally is what a survey found in a whole array.
type Tally struct {
	typ   Type
	cuts  []uint64
	below []uint64 // elements below each cut
	total uint64
	kept  [][]uint64 // keys of an interval, nil if they are not there
}

// NewTally returns the tally of a survey's counts, and of the keys that it kept, by
// interval.
func NewTally(t Type, s *Survey, counts []uint64, kept [][]uint64) *Tally {
	a := &Tally{typ: t, cuts: s.Cuts, kept: kept}
	for i, n := range counts {
		if i > 0 {
			a.below = append(a.below, a.total)
		}
		a.total += n
	}
	return a
}

// Below returns how many elements are below a key at which there is a cut.
func (a *Tally) Below(key uint64) uint64 {
	if key == 0 {
		return 0
	}
	i, ok := slices.BinarySearch(a.cuts, key)
	if !ok {
		panic("kernels: nobody asked for a cut where elements are to be counted")
	}
	return a.below[i]
}

// numbers returns how many elements are NaN of negative sign, which are below all
// numbers, and how many are numbers.
func (a *Tally) numbers() (before, n uint64) {
	if !a.typ.IsFloat() {
		return 0, a.total
	}
	before = a.Below(keyOfNegInf)
	return before, a.Below(keyOfPosInf+1) - before
}

// Signs returns how many elements are below zero, and how many are zero.
func (a *Tally) Signs() (negative, zero uint64) {
	before, _ := a.numbers()
	least, next := zeroKeys(a.typ)
	return a.Below(least) - before, a.Below(next) - a.Below(least)
}

// interval returns the interval of the element of a rank, and its keys: from first to
// last.
func (a *Tally) interval(rank uint64) (i int, first, last uint64) {
	i = sort.Search(len(a.below), func(k int) bool { return a.below[k] > rank })
	first, last = keyRange(a.typ)
	if i > 0 {
		first = max(first, a.cuts[i-1])
	}
	if i < len(a.cuts) {
		last = min(last, a.cuts[i]-1)
	}
	return i, first, last
}

// before returns how many elements are in the intervals before one, and in it.
func (a *Tally) before(i int) (before, in uint64) {
	to := a.total
	if i > 0 {
		before = a.below[i-1]
	}
	if i < len(a.below) {
		to = a.below[i]
	}
	return before, to - before
}
