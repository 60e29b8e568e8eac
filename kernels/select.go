package kernels

import (
	"math/bits"
	"slices"
)

// selectRanks moves the keys of some ranks, ascending, to where they would be if the
// keys were sorted. Of a key at index i, the rank is base+offset+i.
func selectRanks(keys []uint64, offset int, ranks []uint64, base uint64) {
	selectWithin(keys, offset, ranks, base, 2*bits.Len(uint(len(keys))))
}

// selectWithin is quickselect for several ranks; past some depth, which data that is
// made to defeat it can reach, it sorts.
func selectWithin(keys []uint64, offset int, ranks []uint64, base uint64, depth int) {
	for len(ranks) > 0 {
		if len(keys) <= 64 || depth == 0 {
			slices.Sort(keys)
			return
		}
		depth--
		pivot := ninther(keys)
		lt, gt := partition(keys, pivot)
		at := func(i int) int {
			k, _ := slices.BinarySearch(ranks, base+uint64(offset+i))
			return k
		}
		left, right := ranks[:at(lt)], ranks[at(gt):]
		selectWithin(keys[:lt], offset, left, base, depth)
		keys, offset, ranks = keys[gt:], offset+gt, right
	}
}

// partition moves keys below the pivot to the front and those above to the end; it
// returns where those equal to it begin and end.
func partition(keys []uint64, pivot uint64) (lt, gt int) {
	// Without a branch that depends on the keys, which nobody could foretell.
	for i, key := range keys {
		keys[i] = keys[lt]
		keys[lt] = key
		_, below := bits.Sub64(key, pivot, 0)
		lt += int(below)
	}
	gt = lt
	for i := lt; i < len(keys); i++ {
		key := keys[i]
		keys[i] = keys[gt]
		keys[gt] = key
		_, above := bits.Sub64(pivot, key, 0)
		gt += int(1 - above)
	}
	return lt, gt
}

// ninther returns the median of three medians of three.
func ninther(keys []uint64) uint64 {
	median := func(a, b, c uint64) uint64 { return max(min(a, b), min(max(a, b), c)) }
	step := len(keys) / 9
	var m [3]uint64
	for i := range m {
		m[i] = median(keys[3*i*step], keys[(3*i+1)*step], keys[(3*i+2)*step])
	}
	return median(m[0], m[1], m[2])
}
