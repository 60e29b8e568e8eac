package portable

import (
	"math"
	"math/bits"
)

// These serve angles beyond 2^40.

func sin64(x float64) float64 {
	s, _, c, _, k := sinCosHuge(x)
	if k&1 != 0 {
		s = c
	}
	return flip(s, k>>1, x)
}

func cos64(x float64) float64 {
	s, _, c, _, k := sinCosHuge(x)
	if k&1 != 0 {
		c = s
	}
	return flip(c, (k+1)>>1, 0)
}

func tan64(x float64) float64 {
	n, nl, d, dl, k := sinCosHuge(x)
	if k&1 != 0 {
		n, nl, d, dl = d, dl, n, nl
	}
	inverse := 1 / d
	q := float64(n * inverse)
	rest := math.FMA(-q, dl, math.FMA(-q, d, n)+nl)
	return flip(math.FMA(rest, inverse, q), k, x)
}

func sin32(x float32) float32 { return float32(sin64(float64(x))) }
func cos32(x float32) float32 { return float32(cos64(float64(x))) }
func tan32(x float32) float32 { return float32(tan64(float64(x))) }

// flip negates y for odd n and once more for negative x.
func flip(y float64, n uint64, x float64) float64 {
	return math.Float64frombits(math.Float64bits(y) ^ n<<63 ^ math.Float64bits(x)&(1<<63))
}

// twoOverPi is 2/pi in words of 64 bits behind 64 zeros. See
// generate/coefficients/trigonometric.sollya.
var twoOverPi = [...]uint64{
	0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
	0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
	0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
	0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
	0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
}

// reduceHuge is the rest r = hi + lo of a finite |x| >= 1 to the nearest
// multiple k of pi/2, and the low bits of k.
//
// Payne and Hanek (1983): of x * 2/pi only the bits from 2 on down matter, and
// those need only 192 bits of 2/pi, for no float64 is nearer to a multiple of
// pi/2 than 2^-62.
func reduceHuge(x float64) (hi, lo float64, k uint64) {
	b := math.Float64bits(x)
	m, e := b&(1<<52-1)|1<<52, int(b>>52&0x7ff)-1075 // |x| = m * 2^e
	at := uint(e + 62)
	w, shift := twoOverPi[at/64:], at%64
	word := func(i int) uint64 { return w[i]<<shift | w[i+1]>>(64-shift) }
	// p is x * 2/pi modulo 4, in units of 2^-190.
	h2, p2 := bits.Mul64(m, word(2))
	h1, p1 := bits.Mul64(m, word(1))
	p1, carry := bits.Add64(p1, h2, 0)
	p0 := m*word(0) + h1 + carry
	k = p0 >> 62
	// The fraction, in units of 2^-128.
	f0, f1 := p0<<2|p1>>62, p1<<2|p2>>62
	sign := f0 & (1 << 63)
	if sign != 0 {
		// It is a half or more: go on to the next multiple.
		k++
		var borrow uint64
		f1, borrow = bits.Sub64(0, f1, 0)
		f0, _ = bits.Sub64(0, f0, borrow)
	}
	zeros := bits.LeadingZeros64(f0) // there are at most 62
	f0, f1 = f0<<zeros|f1>>(64-zeros), f1<<zeros
	unit := math.Float64frombits(uint64(1023-53-zeros)<<52 | sign)
	f := float64(float64(int64(f0>>11)) * unit)
	fl := float64(float64(int64(f0&(1<<11-1)<<51|f1>>13)) * float64(unit*0x1p-62))
	// Times pi/2.
	h := float64(f * 0x1.921fb54442d18p0)
	l := math.FMA(f, 0x1.921fb54442d18p0, -h)
	l += math.FMA(f, 0x1.1a62633145c07p-54, float64(fl*0x1.921fb54442d18p0))
	hi = h + l
	return hi, l - (hi - h), k
}

// sinCosHuge is the sine s + sl and the cosine c + cl of |x| less k quarters of
// a turn, by the kernels' polynomials.
func sinCosHuge(x float64) (s, sl, c, cl float64, k uint64) {
	r, rl, k := reduceHuge(x)
	z := float64(r * r)
	h := float64(r * 0.5)
	c = math.FMA(-h, r, 1)
	cl = math.FMA(-r, rl, math.FMA(-h, r, 1-c))
	q, p := polynomial(z, cosineTerms[:]...), polynomial(z, sineTerms[:]...)
	zp := float64(z * p)
	e := math.FMA(r, float64(math.FMA(r, r, -z)*p), float64(rl*c))
	s = r + math.FMA(r, zp, e)
	sl = math.FMA(r, zp, r-s) + e
	c, cl = fastTwoSum(c, math.FMA(float64(z*z), q, cl))
	return s, sl, c, cl, k
}

// polynomial is that with these coefficients, highest power first.
func polynomial(x float64, coefficients ...float64) (p float64) {
	for _, c := range coefficients {
		p = math.FMA(p, x, c)
	}
	return p
}

// fastTwoSum is the rounded sum and its rounding error, for |x| >= |y|.
func fastTwoSum(x, y float64) (sum, rest float64) {
	sum = x + y
	return sum, y - (sum - x)
}
