package kernels

import (
	"fmt"
	"math"
	"math/big"
)

// Summary is the partial of the summary reduction: what is known of some
// elements of one array. Methods give the results; see the package doc for
// their exact meaning.
type Summary struct {
	typ    Type
	count  uint64 // every element
	nan    uint64
	posInf uint64
	negInf uint64
	// Smallest and largest element that is not NaN, as ordered keys of the
	// type's kind; meaningless while count == nan.
	min, max uint64

	// The sum of finite elements: isum of integer types, fsum of floats.
	isum int128
	fsum double
	// Squared deviations of finite elements from their mean.
	m2 float64
	// Floats only: fsum is in units of 2^(400*band), m2 of its square.
	band int
}

// Type returns the element type.
func (s *Summary) Type() Type { return s.typ }

// Count returns the number of elements, NaN and infinities included.
func (s *Summary) Count() uint64 { return s.count }

// NaN returns the number of elements that are NaN.
func (s *Summary) NaN() uint64 { return s.nan }

// Inf returns the number of elements that are plus or minus infinity.
func (s *Summary) Inf() uint64 { return s.posInf + s.negInf }

// finite returns the number of elements that take part in fsum and m2.
func (s *Summary) finite() uint64 { return s.count - s.nan - s.posInf - s.negInf }

// numbers returns the number of elements that are not NaN.
func (s *Summary) numbers() uint64 { return s.count - s.nan }

// Min returns the smallest element that is not NaN.
func (s *Summary) Min() Value { return s.extreme(s.min) }

// Max returns the largest element that is not NaN.
func (s *Summary) Max() Value { return s.extreme(s.max) }

func (s *Summary) extreme(key uint64) Value {
	switch {
	case s.numbers() == 0:
		return Value{}
	case s.typ.IsFloat():
		return floatValue(fromOrderedKey(int64(key)))
	case s.typ.IsSigned():
		return intValue(int128{int64(key) >> 63, key})
	}
	return intValue(int128{0, key})
}

// infinite returns what infinities make of a sum, and whether there are any.
func (s *Summary) infinite() (float64, bool) {
	switch {
	case s.posInf > 0 && s.negInf > 0:
		return math.NaN(), true
	case s.posInf > 0:
		return math.Inf(1), true
	case s.negInf > 0:
		return math.Inf(-1), true
	}
	return 0, false
}

// Sum returns the sum: exact for integer types; for floats the compensated
// sum, rounded once.
func (s *Summary) Sum() Value {
	if !s.typ.IsFloat() {
		return intValue(s.isum)
	}
	if f, ok := s.infinite(); ok {
		return floatValue(f)
	}
	return floatValue(math.Ldexp(s.fsum.hi, bandBits*s.band))
}

// Mean returns the sum before its rounding divided by the number of elements
// that are not NaN, rounded once.
func (s *Summary) Mean() Value {
	if s.numbers() == 0 {
		return Value{}
	}
	if f, ok := s.infinite(); ok {
		return floatValue(f)
	}
	sum := new(big.Rat)
	if s.typ.IsFloat() {
		sum.SetFloat64(s.fsum.hi)
		sum.Add(sum, new(big.Rat).SetFloat64(s.fsum.lo))
		unit := new(big.Int).Lsh(big.NewInt(1), uint(bandBits*max(s.band, -s.band)))
		if s.band >= 0 {
			sum.Mul(sum, new(big.Rat).SetInt(unit))
		} else {
			sum.Quo(sum, new(big.Rat).SetInt(unit))
		}
	} else {
		sum.SetInt(s.isum.big())
	}
	n := new(big.Int).SetUint64(s.numbers())
	mean, _ := sum.Quo(sum, new(big.Rat).SetInt(n)).Float64()
	return floatValue(mean)
}

// Var returns the variance with ddof delta degrees of freedom: the squared
// deviations from the mean divided by the number of elements that are not NaN
// less ddof, NaN where that is not positive.
func (s *Summary) Var(ddof float64) Value {
	return s.dispersion(ddof, func(v float64) float64 { return math.Ldexp(v, 2*bandBits*s.band) })
}

// Std returns the square root of the variance, see [Summary.Var].
func (s *Summary) Std(ddof float64) Value {
	return s.dispersion(ddof, func(v float64) float64 { return math.Ldexp(math.Sqrt(v), bandBits*s.band) })
}

func (s *Summary) dispersion(ddof float64, scale func(float64) float64) Value {
	if s.numbers() == 0 {
		return Value{}
	}
	free := float64(s.numbers()) - ddof
	if _, ok := s.infinite(); ok || !(free > 0) {
		return floatValue(math.NaN())
	}
	return floatValue(scale(s.m2 / free))
}

// mergeSummaries returns the summary of the elements of a followed by those
// of b.
func mergeSummaries(a, b Summary) Summary {
	band := max(a.band, b.band)
	a.rescale(band)
	b.rescale(band)
	out := Summary{
		typ:    a.typ,
		count:  a.count + b.count,
		nan:    a.nan + b.nan,
		posInf: a.posInf + b.posInf,
		negInf: a.negInf + b.negInf,
		m2:     a.m2 + b.m2,
		band:   band,
	}
	if a.typ.IsFloat() {
		out.fsum = a.fsum.add(b.fsum)
	} else {
		out.isum = a.isum.add(b.isum)
	}
	switch {
	case a.numbers() == 0:
		out.min, out.max = b.min, b.max
	case b.numbers() == 0:
		out.min, out.max = a.min, a.max
	case a.typ.IsFloat() || a.typ.IsSigned():
		out.min = uint64(min(int64(a.min), int64(b.min)))
		out.max = uint64(max(int64(a.max), int64(b.max)))
	default:
		out.min, out.max = min(a.min, b.min), max(a.max, b.max)
	}
	if na, nb := float64(a.finite()), float64(b.finite()); na > 0 && nb > 0 {
		delta := b.sum().over(nb).sub(a.sum().over(na)).hi
		// Conversions round, so that no compiler fuses a product and a sum.
		out.m2 += float64(float64(delta*delta) * (float64(na*nb) / (na + nb)))
	}
	return out
}

// sum returns the sum of the finite elements in units of the band.
func (s *Summary) sum() double {
	if s.typ.IsFloat() {
		return s.fsum
	}
	return s.isum.double()
}

// Numbers beyond 2^200 would overflow when squared often enough, those below
// 2^-200 would vanish. Each partial therefore counts in units of
// 2^(400*band), chosen by its largest magnitude, so that ordinary data, band
// 0, is not touched.
const (
	bandBits = 400
	minBand  = -2
	maxBand  = 2
)

// bandOf returns the band of elements up to the given magnitude.
func bandOf(magnitude float64) int {
	if magnitude == 0 {
		return minBand
	}
	_, e := math.Frexp(magnitude)
	// Rounds e/bandBits to the nearest integer.
	k := (e + bandBits/2 + 4*bandBits) / bandBits
	return min(max(k-4, minBand), maxBand)
}

// rescale states the partial in units of a higher band.
func (s *Summary) rescale(band int) {
	if s.band == band {
		return
	}
	shift := bandBits * (s.band - band)
	s.fsum = s.fsum.ldexp(shift)
	s.m2 = math.Ldexp(s.m2, 2*shift)
	s.band = band
}

// orderedKey maps a float64 to an integer of the same order, with -0 below
// +0, NaN below -Inf or above +Inf.
func orderedKey(f float64) int64 {
	k := int64(math.Float64bits(f))
	return k ^ int64(uint64(k>>63)>>1)
}

func fromOrderedKey(k int64) float64 {
	return math.Float64frombits(uint64(k ^ int64(uint64(k>>63)>>1)))
}

// summarySize is the length of an encoded Summary in bytes.
const summarySize = 13 * 8

// Summarize is the summary reduction: count, NaN, infinities, minimum,
// maximum, sum, mean and variance in one pass.
var Summarize = registerTree("summary", partial[Summary]{
	size:   summarySize,
	empty:  func(t Type) Summary { return Summary{typ: t} },
	fold:   func(f *blockFold, t Type, block []byte) Summary { return f.summary(t, block) },
	merge:  mergeSummaries,
	encode: encodeSummary,
	decode: decodeSummary,
})

func encodeSummary(s Summary, w *words) {
	for _, v := range [...]uint64{
		uint64(s.typ), s.count, s.nan, s.posInf, s.negInf, s.min, s.max, uint64(s.isum.hi), s.isum.lo,
	} {
		w.put(v)
	}
	w.putDouble(s.fsum)
	w.putFloat(s.m2)
	w.put(uint64(int64(s.band)))
}

// decodeSummary refuses what no summary can be, since the bytes come from
// another process.
func decodeSummary(t Type, r *words) (Summary, error) {
	typ := r.get()
	if typ != uint64(t) {
		return Summary{}, fmt.Errorf("of type %d, want %v", typ, t)
	}
	s := Summary{typ: t, count: r.get(), nan: r.get(), posInf: r.get(), negInf: r.get(), min: r.get(), max: r.get()}
	s.isum.hi = int64(r.get())
	s.isum.lo = r.get()
	s.fsum, s.m2, s.band = r.getDouble(), r.getFloat(), int(int64(r.get()))
	switch {
	case s.count > maxCount || s.nan > maxCount || s.posInf > maxCount || s.negInf > maxCount ||
		s.nan+s.posInf+s.negInf > s.count:
		return Summary{}, fmt.Errorf("counts %d+%d+%d of %d elements", s.nan, s.posInf, s.negInf, s.count)
	case s.band < minBand || s.band > maxBand:
		return Summary{}, fmt.Errorf("of band %d", s.band)
	case !(math.Abs(s.fsum.hi) <= maxScaled*float64(s.count) && math.Abs(s.fsum.lo) <= math.Abs(s.fsum.hi)):
		return Summary{}, fmt.Errorf("of %d elements with sum %v%+v", s.count, s.fsum.hi, s.fsum.lo)
	case !(s.m2 >= 0 && s.m2 <= 4*maxScaled*maxScaled*float64(s.count)):
		return Summary{}, fmt.Errorf("of %d elements with squared deviations %v", s.count, s.m2)
	}
	return s, nil
}

// maxScaled bounds elements in units of any band.
const maxScaled = 0x1p224

func finite(f float64) bool { return f-f == 0 }
