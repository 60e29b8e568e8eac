package kernels

import (
	"fmt"
	"math"
	"math/big"
)

// Total is the partial of the sum reduction: what a [Summary] knows without its
// second look, with the same bits.
type Total struct {
	typ    Type
	count  uint64 // every element
	nan    uint64
	posInf uint64
	negInf uint64
	// The sum of finite elements: isum of integer types, fsum of floats.
	isum int128
	fsum double
	// Floats only: fsum is in units of 2^(400*band).
	band int
}

// Type returns the element type.
func (s *Total) Type() Type { return s.typ }

// Count returns the number of elements, NaN and infinities included.
func (s *Total) Count() uint64 { return s.count }

// NaN returns the number of elements that are NaN.
func (s *Total) NaN() uint64 { return s.nan }

// Inf returns the number of elements that are plus or minus infinity.
func (s *Total) Inf() uint64 { return s.posInf + s.negInf }

// finite returns the number of elements that take part in fsum and m2.
func (s *Total) finite() uint64 { return s.count - s.nan - s.posInf - s.negInf }

// numbers returns the number of elements that are not NaN.
func (s *Total) numbers() uint64 { return s.count - s.nan }

// infinite returns what infinities make of a sum, and whether there are any.
func (s *Total) infinite() (float64, bool) {
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
func (s *Total) Sum() Value {
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
func (s *Total) Mean() Value {
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

// sum returns the sum of the finite elements in units of the band.
func (s *Total) sum() double {
	if s.typ.IsFloat() {
		return s.fsum
	}
	return s.isum.double()
}

// mergeTotals makes a the total of its elements followed by those of b, in units of the
// higher of their bands.
func mergeTotals(a, b *Total) {
	if a.band != b.band {
		band := max(a.band, b.band)
		a.rescale(band)
		b.rescale(band)
	}
	a.count += b.count
	a.nan += b.nan
	a.posInf += b.posInf
	a.negInf += b.negInf
	if a.typ.IsFloat() {
		a.fsum = a.fsum.add(b.fsum)
	} else {
		a.isum = a.isum.add(b.isum)
	}
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

// rescale states the sum in units of a higher band.
func (s *Total) rescale(band int) {
	if s.band == band {
		return
	}
	s.fsum = s.fsum.ldexp(bandBits * (s.band - band))
	s.band = band
}

// totalSize is the length of an encoded Total in bytes.
const totalSize = 10 * 8

// AddUp is the sum reduction: count, NaN, infinities, sum and mean, for less than
// [Summarize] takes.
var AddUp = registerTree("sum", partial[Total]{
	size:     totalSize,
	empty:    func(t Type) Total { return Total{typ: t} },
	fold:     (*blockFold).total,
	together: (*blockFold).sumsTogether,
	all:      (*blockFold).totals,
	merge:    mergeTotals,
	encode:   encodeTotal,
	decode:   decodeTotal,
})

func encodeTotal(s Total, w *words) {
	for _, v := range [...]uint64{uint64(s.typ), s.count, s.nan, s.posInf, s.negInf, uint64(s.isum.hi), s.isum.lo} {
		w.put(v)
	}
	w.putDouble(s.fsum)
	w.put(uint64(int64(s.band)))
}

// decodeTotal refuses what no total can be, since the bytes come from another
// process.
func decodeTotal(t Type, r *words) (Total, error) {
	typ := r.get()
	if typ != uint64(t) {
		return Total{}, fmt.Errorf("of type %d, want %v", typ, t)
	}
	s := Total{typ: t, count: r.get(), nan: r.get(), posInf: r.get(), negInf: r.get()}
	s.isum.hi = int64(r.get())
	s.isum.lo = r.get()
	s.fsum, s.band = r.getDouble(), int(int64(r.get()))
	return s, s.check()
}

// check refuses what no total can be.
func (s *Total) check() error {
	switch {
	case s.count > maxCount || s.nan > maxCount || s.posInf > maxCount || s.negInf > maxCount ||
		s.nan+s.posInf+s.negInf > s.count:
		return fmt.Errorf("counts %d+%d+%d of %d elements", s.nan, s.posInf, s.negInf, s.count)
	case s.band < minBand || s.band > maxBand:
		return fmt.Errorf("of band %d", s.band)
	case !(math.Abs(s.fsum.hi) <= maxScaled*float64(s.count) && math.Abs(s.fsum.lo) <= math.Abs(s.fsum.hi)):
		return fmt.Errorf("of %d elements with sum %v%+v", s.count, s.fsum.hi, s.fsum.lo)
	}
	return nil
}

// maxScaled bounds elements in units of any band.
const maxScaled = 0x1p224
