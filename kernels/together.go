package kernels

import "math"

// Together is how many blocks are folded in one go where they lie one after another:
// between two calls memory rests.
const Together = 1 << togetherLevel

const togetherLevel = 4

// together is what was folded of some blocks, for which fold has yet to be called.
type together struct {
	next, blocks int
	each         int // words of a block
	words        [Together * 6]uint64
	pivots       [Together]uint64
}

func (r *together) forget() { r.next, r.blocks = 0, 0 }

// pivot returns the pivot of the next block, if there is one.
func (r *together) pivot() float64 { return math.Float64frombits(r.pivots[r.next%Together]) }

// take sets states to those of the next block, and reports whether it was ready.
func (r *together) take(states *[8 * Lanes]uint64) bool {
	if r.next == r.blocks {
		return false
	}
	copy(states[:r.each], r.words[r.next*r.each:])
	r.next++
	return true
}

// sumsTogether makes whole blocks ready for total.
func (f *blockFold) sumsTogether(t Type, blocks []byte) { f.foldTogether(sumFolds[t], t, blocks) }

// totals sets s to the total of all blocks that are ready, merged as a tree merges
// them.
func (f *blockFold) totals(s *Total, t Type) bool {
	var sums [Together]double
	for i := range sums {
		words := f.ready.words[i*f.ready.each:]
		hi, lo := twoSum(math.Float64frombits(words[0]), math.Float64frombits(words[1]))
		if !finite(hi) || t == Float64 && !finite(math.Float64frombits(words[2])) {
			return false
		}
		sums[i] = double{hi, lo}
	}
	for n := Together / 2; n > 0; n /= 2 {
		for i := range n {
			sums[i] = sums[2*i].add(sums[2*i+1])
		}
	}
	*s = Total{typ: t, count: Together * BlockLen, fsum: sums[0]}
	return true
}

// scansTogether makes whole blocks ready for summary.
func (f *blockFold) scansTogether(t Type, blocks []byte) {
	if !foldsTogether(totalFolds[t], t) {
		return
	}
	n := len(blocks) / (BlockLen * t.Size())
	row := Lanes * t.Size()
	totalFolds[t].combined(f.ready.pivots[:], blocks, nil, 1, n, len(blocks)/n-row, f.ready.pivots[:])
	for i, sum := range f.ready.pivots[:n] {
		f.ready.pivots[i] = math.Float64bits(math.Float64frombits(sum) / Lanes)
	}
	f.foldTogether(scanFolds[t], t, blocks)
}

// foldsTogether reports whether a fold takes several blocks: with AVX-512.
func foldsTogether(fold *laneFold, t Type) bool {
	return CurrentTier() == AVX512 && t.IsFloat() && fold.combined != nil
}

// foldTogether folds whole blocks, around the pivots if fold takes one.
func (f *blockFold) foldTogether(fold *laneFold, t Type, blocks []byte) {
	if !foldsTogether(fold, t) {
		return
	}
	n := len(blocks) / (BlockLen * t.Size())
	f.ready.next, f.ready.blocks, f.ready.each = 0, n, fold.words
	fold.combined(f.ready.words[:], blocks, nil, BlockLen/Lanes, n, 0, f.ready.pivots[:])
}
