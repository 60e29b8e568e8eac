package kernels

import (
	"fmt"
	"math"
)

// Norms is the partial of the norms reduction. NaN are left out and counted;
// results are in float64.
type Norms struct {
	Summary
	magnitudes, squares double // sums over finite elements, in units of the band and of its square
}

// MeasureNorms is the norms reduction.
var MeasureNorms = registerTree("norms", partial[Norms]{
	size:  summarySize + 4*8,
	empty: func(t Type) Norms { return Norms{Summary: Summary{Total: Total{typ: t}}} },
	fold:  func(f *blockFold, p *Norms, t Type, block []byte) { *p = f.norms(t, block) },
	merge: mergeNorms,
	encode: func(p Norms, w *words) {
		encodeSummary(p.Summary, w)
		w.putDouble(p.magnitudes)
		w.putDouble(p.squares)
	},
	decode: func(t Type, r *words) (Norms, error) {
		s, err := decodeSummary(t, r)
		if err != nil {
			return Norms{}, err
		}
		p := Norms{s, r.getDouble(), r.getDouble()}
		if !(p.magnitudes.hi >= 0 && p.magnitudes.hi <= math.MaxFloat64 && math.Abs(p.magnitudes.lo) <= p.magnitudes.hi &&
			p.squares.hi >= 0 && p.squares.hi <= math.MaxFloat64 && math.Abs(p.squares.lo) <= p.squares.hi) {
			return Norms{}, fmt.Errorf("of magnitudes %v and squares %v", p.magnitudes, p.squares)
		}
		return p, nil
	},
})

// Norm1 returns the sum of magnitudes.
func (p *Norms) Norm1() float64 {
	if p.Inf() > 0 {
		return math.Inf(1)
	}
	return math.Ldexp(p.magnitudes.hi, bandBits*p.band)
}

// Norm2 returns the square root of the sum of squares.
func (p *Norms) Norm2() float64 {
	if p.Inf() > 0 {
		return math.Inf(1)
	}
	if p.squares.hi == 0 {
		return 0
	}
	// One step of Newton's makes up for the part that the root does not see.
	root := math.Sqrt(p.squares.hi)
	rest := math.FMA(-root, root, p.squares.hi) + p.squares.lo
	return math.Ldexp(root+rest/(2*root), bandBits*p.band)
}

// NormInf returns the largest magnitude, 0 of no elements.
func (p *Norms) NormInf() float64 {
	if p.numbers() == 0 {
		return 0
	}
	return max(math.Abs(p.Min().Float64()), math.Abs(p.Max().Float64()))
}

// mergeNorms makes a the norms of its elements followed by those of b.
func mergeNorms(a, b *Norms) {
	band := max(a.band, b.band)
	scaled := func(p *Norms) (magnitudes, squares double) {
		shift := bandBits * (p.band - band)
		return p.magnitudes.ldexp(shift), p.squares.ldexp(2 * shift)
	}
	am, as := scaled(a)
	bm, bs := scaled(b)
	mergeSummaries(&a.Summary, &b.Summary)
	a.magnitudes, a.squares = am.add(bm), as.add(bs)
}

func (f *blockFold) norms(t Type, block []byte) Norms {
	if t == Bool {
		p := f.norms(Uint8, f.truths(block))
		p.typ = Bool
		return p
	}
	if isNarrow(t) {
		sums := f.narrow(t, block)
		return Norms{sums.summary(t, block), double{float64(f.magnitudes(t, block, sums)), 0}, double{float64(sums.squares), 0}}
	}
	var p Norms
	f.summary(&p.Summary, t, block)
	unit := math.Ldexp(1, -bandBits*p.band)
	normsFolds[t].run(f.states[:], block, math.Float64bits(unit), 0)
	p.magnitudes = f.sum(0)
	p.squares = f.sum(2)
	return p
}
