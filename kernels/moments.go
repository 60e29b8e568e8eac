package kernels

import (
	"fmt"
	"math"
)

// Moments is the partial of the moments reduction: a summary, and the third
// and fourth powers of the deviations from the mean.
type Moments struct {
	Summary
	m3, m4 float64 // in units of the summary's band, to these powers
}

// DescribeMoments is the moments reduction. Blocks are folded around a pivot
// near their mean and merged by the formulas of Pébay (2008).
var DescribeMoments = registerTree("moments", partial[Moments]{
	size:   summarySize + 2*8,
	empty:  func(t Type) Moments { return Moments{Summary: Summary{Total: Total{typ: t}}} },
	fold:   func(f *blockFold, m *Moments, t Type, block []byte) { *m = f.moments(t, block) },
	merge:  mergeMoments,
	encode: encodeMoments,
	decode: decodeMoments,
})

// NewMomentsTree returns the tree that combines the moments of chunks.
func NewMomentsTree() *Tree[Moments] { return &Tree[Moments]{Merge: combined(mergeMoments)} }

// Encode returns the partial's bytes.
func (m *Moments) Encode() []byte {
	b := make([]byte, DescribeMoments.partialSize)
	encodeMoments(*m, &words{bytes: b})
	return b
}

// DecodeMoments reads an encoded partial of elements of type t, and refuses what none
// can be.
func DecodeMoments(t Type, b []byte) (Moments, error) {
	if len(b) != DescribeMoments.partialSize {
		return Moments{}, fmt.Errorf("moments of %d bytes, want %d", len(b), DescribeMoments.partialSize)
	}
	return decodeMoments(t, &words{bytes: b})
}

func encodeMoments(m Moments, w *words) {
	encodeSummary(m.Summary, w)
	w.putFloat(m.m3)
	w.putFloat(m.m4)
}

func decodeMoments(t Type, r *words) (Moments, error) {
	s, err := decodeSummary(t, r)
	if err != nil {
		return Moments{}, err
	}
	m := Moments{s, r.getFloat(), r.getFloat()}
	if !(math.Abs(m.m3) <= math.MaxFloat64 && m.m4 >= 0 && m.m4 <= math.MaxFloat64) {
		return Moments{}, fmt.Errorf("with moments %v and %v", m.m3, m.m4)
	}
	return m, nil
}

// Skewness returns the third central moment over the standard deviation to the
// third power (ddof 0), NaN where that does not exist.
func (m *Moments) Skewness() Value {
	return m.shape(func(n float64) float64 { return math.Sqrt(n) * m.m3 / (m.m2 * math.Sqrt(m.m2)) })
}

// Kurtosis returns the fourth central moment over the variance squared (ddof
// 0), less 3, which is that of the normal distribution; NaN where that does not
// exist. It loses digits where all deviations are below 1e-320, as few bits hold
// these.
func (m *Moments) Kurtosis() Value {
	return m.shape(func(n float64) float64 { return float64(n*(m.m4/m.m2)/m.m2) - 3 })
}

func (m *Moments) shape(f func(n float64) float64) Value {
	if m.numbers() == 0 {
		return Value{}
	}
	if _, ok := m.infinite(); ok || m.m2 == 0 {
		return floatValue(math.NaN())
	}
	return floatValue(f(float64(m.finite())))
}

// mergeMoments makes a the moments of its elements followed by those of b.
func mergeMoments(a, b *Moments) {
	if a.band != b.band {
		band := max(a.band, b.band)
		a.rescale(band)
		b.rescale(band)
	}
	m3, m4 := a.m3+b.m3, a.m4+b.m4
	if na, nb := float64(a.finite()), float64(b.finite()); na > 0 && nb > 0 {
		n := na + nb
		wa, wb := na/n, nb/n
		d := b.sum().over(nb).sub(a.sum().over(na)).hi
		d2 := float64(d * d)
		// Conversions round, so that no compiler fuses a product and a sum.
		m3 += float64(float64(d2*d) * (wa * nb) * (wa - wb))
		m3 += float64(3 * d * (float64(wa*b.m2) - float64(wb*a.m2)))
		m4 += float64(float64(d2*d2) * (wa * nb) * (float64(wa*wa) - float64(wa*wb) + float64(wb*wb)))
		m4 += float64(6 * d2 * (float64(wa*wa*b.m2) + float64(wb*wb*a.m2)))
		m4 += float64(4 * d * (float64(wa*b.m3) - float64(wb*a.m3)))
		m4 = max(0, m4)
	}
	mergeSummaries(&a.Summary, &b.Summary)
	a.m3, a.m4 = m3, m4
}

// rescale states the moments in units of a higher band.
func (m *Moments) rescale(band int) {
	shift := bandBits * (m.band - band)
	m.Summary.rescale(band)
	m.m3, m.m4 = math.Ldexp(m.m3, 3*shift), math.Ldexp(m.m4, 4*shift)
}

// moments returns the moments of a block, not empty.
func (f *blockFold) moments(t Type, block []byte) Moments {
	if t == Bool {
		m := f.moments(Uint8, f.truths(block))
		m.typ = Bool
		return m
	}
	if t == Int8 || t == Uint8 {
		return f.byteMoments(t, block)
	}
	var m Moments
	f.summary(&m.Summary, t, block)
	n := float64(m.finite())
	if n == 0 || m.m2 == 0 {
		return m
	}
	mean := m.sum().over(n).hi
	switch {
	case t.IsFloat():
		unit := math.Ldexp(1, -bandBits*m.band)
		powersFolds[t].run(f.states[:], block, math.Float64bits(mean), math.Float64bits(unit))
	case m.spread() > math.MaxInt64:
		f.wide(t, block, m.pivot(mean), combineFourSums, func(lane int, d float64) {
			d2 := float64(d * d)
			for s, v := range [...]float64{d, d2, float64(d2 * d), float64(d2 * d2)} {
				f.add(s, lane, v)
			}
		})
	default:
		powersFolds[t].run(f.states[:], block, m.pivot(mean), 0)
	}
	return m.around(f.float(0)/n, f.float(1), f.float(2), f.float(3))
}

// around returns m with moments from sums of powers of deviations from a pivot, from
// which the mean lies off.
func (m Moments) around(off, s2, s3, s4 float64) Moments {
	n := float64(m.finite())
	off2 := float64(off * off)
	m.m3 = s3 - float64(3*off*s2) + float64(2*n*off2*off)
	m.m4 = max(0, s4-float64(4*off*s3)+float64(6*off2*s2)-float64(3*n*off2*off2))
	return m
}
