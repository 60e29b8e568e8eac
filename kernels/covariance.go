package kernels

import (
	"fmt"
	"math"
	"math/big"
)

// Comoments is the partial of the covariance reduction: what is known of pairs of
// elements of two arrays, of which covariance and correlation are made. A pair
// with a NaN is left out and counted. With infinities both are NaN. They overflow
// where the squares of deviations do, at deviations of about 1e154, and lose
// digits below 1e-154.
type Comoments struct {
	count, nan uint64
	// Of the pairs without NaN.
	sumX, sumY double
	xx, yy, xy float64 // sums of products of deviations from the means
}

// Covary is the covariance reduction, which gives the correlation as well. Blocks
// are folded around pivots near their means and merged by the rule of Chan, Golub
// and LeVeque.
var Covary = registerPairs("covariance", pairPartial[Comoments]{
	size:  9 * 8,
	fold:  (*pairFold).comoments,
	merge: mergeComoments,
	encode: func(p Comoments, w *words) {
		w.put(p.count)
		w.put(p.nan)
		w.putDouble(p.sumX)
		w.putDouble(p.sumY)
		for _, f := range [...]float64{p.xx, p.yy, p.xy} {
			w.putFloat(f)
		}
	},
	decode: func(r *words) (Comoments, error) {
		p := Comoments{count: r.get(), nan: r.get(), sumX: r.getDouble(), sumY: r.getDouble(),
			xx: r.getFloat(), yy: r.getFloat(), xy: r.getFloat()}
		if p.count > maxCount || p.nan > p.count || p.xx < 0 || p.yy < 0 {
			return Comoments{}, fmt.Errorf("of %d pairs, %d with NaN, squares %v and %v", p.count, p.nan, p.xx, p.yy)
		}
		return p, nil
	},
})

func (f *pairFold) comoments(x, y Type, xs, ys []byte) Comoments {
	p := Comoments{count: uint64(len(xs) / x.Size())}
	xs, ys = f.float64s(x, y, xs, ys)
	p.sumX, p.sumY = f.total(xs), f.total(ys)
	if !finite(p.sumX.hi) || !finite(p.sumY.hi) {
		if xs, ys = f.withoutNaN(xs, ys); len(xs) == 0 {
			return Comoments{count: p.count, nan: p.count}
		}
		p.nan = p.count - uint64(len(xs)/Float64.Size())
		p.sumX, p.sumY = f.total(xs), f.total(ys)
	}
	n := float64(p.pairs())
	px, py := p.sumX.hi/n, p.sumY.hi/n
	covarianceFolds[Float64].run2(f.states[:], xs, ys, math.Float64bits(px), math.Float64bits(py))
	// From the pivots to the means, which lie off from them.
	dx, dy := f.float(3), f.float(4)
	p.xx = max(0, f.float(0)-float64(dx*dx)/n)
	p.yy = max(0, f.float(1)-float64(dy*dy)/n)
	p.xy = f.float(2) - float64(dx*dy)/n
	return p.canonical()
}

// total returns the sum of float64, NaN if there is one or an infinity.
func (f *pairFold) total(xs []byte) double {
	scanFolds[Float64].run(f.states[:], xs, 0, 0)
	return f.sum(0)
}

// withoutNaN returns those pairs of float64 that have no NaN.
func (f *pairFold) withoutNaN(xs, ys []byte) (_, _ []byte) {
	as, bs := f.copies(xs, ys)
	kept := 0
	for i, a := range as {
		if b := bs[i]; a == a && b == b {
			as[kept], bs[kept] = a, b
			kept++
		}
	}
	return bytesView(as[:kept]), bytesView(bs[:kept])
}

// canonical makes every NaN, which infinities leave, the canonical one.
func (p Comoments) canonical() Comoments {
	for _, f := range []*float64{&p.sumX.hi, &p.sumX.lo, &p.sumY.hi, &p.sumY.lo, &p.xx, &p.yy, &p.xy} {
		*f = canonicalNaN(*f)
	}
	return p
}

// mergeComoments makes a the comoments of its pairs followed by those of b.
func mergeComoments(a, b *Comoments) {
	out := Comoments{
		count: a.count + b.count, nan: a.nan + b.nan,
		sumX: a.sumX.add(b.sumX), sumY: a.sumY.add(b.sumY),
		xx: a.xx + b.xx, yy: a.yy + b.yy, xy: a.xy + b.xy,
	}
	na, nb := float64(a.pairs()), float64(b.pairs())
	if na > 0 && nb > 0 {
		dx := b.sumX.over(nb).sub(a.sumX.over(na)).hi
		dy := b.sumY.over(nb).sub(a.sumY.over(na)).hi
		weight := float64(na*nb) / (na + nb)
		out.xx += float64(float64(dx*dx) * weight)
		out.yy += float64(float64(dy*dy) * weight)
		out.xy += float64(float64(dx*dy) * weight)
	}
	*a = out.canonical()
}

func (p *Comoments) pairs() uint64 { return p.count - p.nan }

// Count returns the number of pairs, those with NaN included.
func (p *Comoments) Count() uint64 { return p.count }

// NaN returns the number of pairs with a NaN.
func (p *Comoments) NaN() uint64 { return p.nan }

// Covariance returns the covariance with ddof delta degrees of freedom, NaN where
// there are no more pairs than that.
func (p *Comoments) Covariance(ddof float64) float64 {
	if free := float64(p.pairs()) - ddof; free > 0 {
		return canonicalNaN(p.xy / free)
	}
	return canonicalNaN(math.NaN())
}

// Correlation returns Pearson's correlation coefficient, within -1 and 1; NaN where
// either side is constant. It is rounded once, so that opposite data has -1.
func (p *Comoments) Correlation() float64 {
	if !(p.xx > 0 && p.yy > 0 && finite(p.xx) && finite(p.yy) && finite(p.xy)) {
		return canonicalNaN(math.NaN())
	}
	wide := func(f float64) *big.Float { return new(big.Float).SetPrec(256).SetFloat64(f) }
	root := wide(p.xx)
	root.Sqrt(root.Mul(root, wide(p.yy)))
	r, _ := root.Quo(wide(p.xy), root).Float64()
	return max(-1, min(1, r))
}
