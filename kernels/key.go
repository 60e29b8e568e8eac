package kernels

import "math"

// Keys are 64-bit integers that stand for elements of a type and have their order:
// of floats, widened to float64, with -0 below +0 and NaN at both ends, beyond the
// infinities.

const signBit = 1 << 63

// keyOfFloat returns the key of a floating point element.
func keyOfFloat(f float64) uint64 { return uint64(orderedKey(f)) ^ signBit }

// Keys of infinities: what is below the first or above the second is NaN.
var (
	keyOfNegInf = keyOfFloat(math.Inf(-1))
	keyOfPosInf = keyOfFloat(math.Inf(1))
)

// keyFloat returns the number that a key stands for, rounded to float64.
func keyFloat(t Type, key uint64) float64 {
	switch {
	case t.IsFloat():
		return fromOrderedKey(int64(key ^ signBit))
	case t.IsSigned():
		return float64(int64(key ^ signBit))
	}
	return float64(key)
}

// keyValue returns the element that a key stands for.
func keyValue(t Type, key uint64) Value {
	switch {
	case t.IsFloat():
		return floatValue(keyFloat(t, key))
	case t.IsSigned():
		return intValue(int128{int64(key^signBit) >> 63, key ^ signBit})
	}
	return intValue(int128{0, key})
}

// keyRange returns the least and the greatest key of a number of the type.
func keyRange(t Type) (lo, hi uint64) {
	bits := 8 * t.Size()
	switch {
	case t.IsFloat():
		return keyOfNegInf, keyOfPosInf
	case t == Bool:
		return 0, 1
	case t.IsSigned():
		return signBit - 1<<(bits-1), signBit - 1 + 1<<(bits-1)
	}
	return 0, math.MaxUint64 >> (64 - bits)
}

// firstKey returns the least key of a number of the type, rounded to float64, that
// is at least f, or, if above, that is greater. If there is none it returns false, and
// the next key behind all, which is 0 of 64-bit integers, as is their first.
func firstKey(t Type, f float64, above bool) (key uint64, ok bool) {
	lo, hi := keyRange(t)
	beyond := func(key uint64) bool {
		x := keyFloat(t, key)
		return x > f || x == f && !above
	}
	if !beyond(hi) {
		return hi + 1, false
	}
	for lo < hi {
		if mid := lo + (hi-lo)/2; beyond(mid) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo, true
}

// sortKeys sorts keys by their digits, eleven bits each from the lowest on, which takes
// many of them a third of the time that comparing takes.
func sortKeys(keys []uint64) {
	const digit = 11
	from, to := keys, make([]uint64, len(keys))
	for shift := 0; shift < 64; shift += digit {
		var next [1 << digit]int
		for _, k := range from {
			next[k>>shift%(1<<digit)]++
		}
		if len(from) > 0 && next[from[0]>>shift%(1<<digit)] == len(from) {
			continue // all have this digit
		}
		at := 0
		for d, n := range next {
			next[d] = at
			at += n
		}
		for _, k := range from {
			d := k >> shift % (1 << digit)
			to[next[d]] = k
			next[d]++
		}
		from, to = to, from
	}
	copy(keys, from)
}
