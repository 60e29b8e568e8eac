package kernels

import (
	"math"
	"math/big"
	"math/bits"
)

// int128 is a two's complement integer: exact room for the sum of 2^64
// elements of any integer type.
type int128 struct {
	hi int64
	lo uint64
}

func (x int128) add(y int128) int128 {
	lo, carry := bits.Add64(x.lo, y.lo, 0)
	hi, _ := bits.Add64(uint64(x.hi), uint64(y.hi), carry)
	return int128{int64(hi), lo}
}

// big returns x as a big integer.
func (x int128) big() *big.Int {
	b := big.NewInt(x.hi)
	b.Lsh(b, 64)
	return b.Add(b, new(big.Int).SetUint64(x.lo))
}

// double returns x as a double: exact below 2^106, close above.
func (x int128) double() double {
	a := float64(x.hi) * 0x1p64
	b := float64(x.lo)
	// What the two conversions rounded off, exact in two's complement.
	ra := float64(x.hi-toInt64(float64(x.hi))) * 0x1p64
	rb := float64(int64(x.lo - toUint64(b)))
	hi, lo := twoSum(a, b)
	h2, l2 := fastTwoSum(hi, lo+(ra+rb))
	return double{h2, l2}
}

// toInt64 converts a float that came from an int64; 2^63 wraps.
func toInt64(f float64) int64 {
	if f >= 0x1p63 {
		return math.MinInt64
	}
	return int64(f)
}

// toUint64 converts a float that came from a uint64; 2^64 wraps to 0.
func toUint64(f float64) uint64 {
	if f >= 0x1p64 {
		return 0
	}
	return uint64(f)
}
