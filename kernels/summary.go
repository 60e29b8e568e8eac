package kernels

import (
	"fmt"
	"math"
)

// Summary is the partial of the summary reduction: what is known of some
// elements of one array. Methods give the results; see the package doc for
// their exact meaning.
type Summary struct {
	Total
	// Smallest and largest element that is not NaN, as ordered keys of the
	// type's kind; meaningless while count == nan.
	min, max uint64
	// Squared deviations of finite elements from their mean, in units of the
	// square of the sum's.
	m2 float64
}

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

// mergeSummaries makes a the summary of its elements followed by those of b.
func mergeSummaries(a, b *Summary) {
	if a.band != b.band {
		band := max(a.band, b.band)
		a.rescale(band)
		b.rescale(band)
	}
	a.m2 += b.m2
	if na, nb := float64(a.finite()), float64(b.finite()); na > 0 && nb > 0 {
		delta := b.sum().over(nb).sub(a.sum().over(na)).hi
		// Conversions round, so that no compiler fuses a product and a sum.
		a.m2 += float64(float64(delta*delta) * (float64(na*nb) / (na + nb)))
	}
	switch {
	case a.numbers() == 0:
		a.min, a.max = b.min, b.max
	case b.numbers() == 0:
	case a.typ.IsFloat() || a.typ.IsSigned():
		a.min = uint64(min(int64(a.min), int64(b.min)))
		a.max = uint64(max(int64(a.max), int64(b.max)))
	default:
		a.min, a.max = min(a.min, b.min), max(a.max, b.max)
	}
	mergeTotals(&a.Total, &b.Total)
}

// rescale states the partial in units of a higher band.
func (s *Summary) rescale(band int) {
	if s.band == band {
		return
	}
	s.m2 = math.Ldexp(s.m2, 2*bandBits*(s.band-band))
	s.Total.rescale(band)
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
	size:     summarySize,
	empty:    func(t Type) Summary { return Summary{Total: Total{typ: t}} },
	fold:     (*blockFold).summary,
	together: (*blockFold).scansTogether,
	merge:    mergeSummaries,
	encode:   encodeSummary,
	decode:   decodeSummary,
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
	s := Summary{Total: Total{typ: t, count: r.get(), nan: r.get(), posInf: r.get(), negInf: r.get()}, min: r.get(), max: r.get()}
	s.isum.hi = int64(r.get())
	s.isum.lo = r.get()
	s.fsum, s.m2, s.band = r.getDouble(), r.getFloat(), int(int64(r.get()))
	if err := s.check(); err != nil {
		return Summary{}, err
	}
	if !(s.m2 >= 0 && s.m2 <= 4*maxScaled*maxScaled*float64(s.count)) {
		return Summary{}, fmt.Errorf("of %d elements with squared deviations %v", s.count, s.m2)
	}
	return s, nil
}

func finite(f float64) bool { return f-f == 0 }
