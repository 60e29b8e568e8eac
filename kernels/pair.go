package kernels

import (
	"fmt"
	"math"
)

// Pair is what is known of pairs of elements of two arrays: their dot product,
// covariance and correlation. A pair with a NaN is left out and counted.
// Infinite products make the dot product infinite, or NaN, as plain addition
// does, and covariance and correlation NaN. Those overflow where the squares of
// deviations do, at deviations of about 1e154, and lose digits below 1e-154.
type Pair struct {
	count, nan uint64
	// Of the pairs without NaN.
	dot, sumX, sumY double
	xx, yy, xy      float64 // sums of products of deviations from the means
}

// pairSize is the length of an encoded Pair in bytes.
const pairSize = 11 * 8

// PairFolder folds blocks of pairs. It is not safe for concurrent use.
type PairFolder struct {
	x, y    Type
	tree    Tree[Pair]
	blocks  uint64
	scratch blockFold
	second  [BlockLen]float64
}

// NewPairFolder returns an empty folder for arrays of these types, whose
// elements are rounded to float64.
func NewPairFolder(x, y Type) *PairFolder {
	return &PairFolder{x: x, y: y, tree: Tree[Pair]{Merge: mergePairs}}
}

// Reset forgets all blocks.
func (f *PairFolder) Reset() {
	f.tree.Reset()
	f.blocks = 0
}

// Block folds the next block of pairs, see [Folder].
func (f *PairFolder) Block(x, y []byte) {
	xs := f.scratch.asFloat64(f.scratch.doubles[:], f.x, x)
	ys := f.scratch.asFloat64(f.second[:], f.y, y)
	f.tree.Add(f.blocks, f.scratch.pair(xs, ys))
	f.blocks++
}

// Pair returns what the blocks give.
func (f *PairFolder) Pair() Pair {
	root, _ := f.tree.Root()
	return root
}

// asFloat64 converts a block into dst and returns that part of it.
func (f *blockFold) asFloat64(dst []float64, t Type, block []byte) []float64 {
	n := len(block) / t.Size()
	t, block = f.widened(t, block)
	if t == Float64 {
		copy(bytesView(dst), block)
	} else {
		toFloat64[t].Run(bytesView(dst[:n]), block, nil, nil)
	}
	return dst[:n]
}

// pair folds one block. It may change xs and ys.
func (f *blockFold) pair(xs, ys []float64) Pair {
	p := Pair{count: uint64(len(xs))}
	kept := 0
	for i, x := range xs {
		if y := ys[i]; x == x && y == y {
			xs[kept], ys[kept] = x, y
			kept++
		}
	}
	p.nan = uint64(len(xs) - kept)
	if kept == 0 {
		return p
	}
	x, y, n := bytesView(xs[:kept]), bytesView(ys[:kept]), float64(kept)
	sum := func(of []byte) double {
		scanFolds[Float64].run(f.states[:], of, 0, 0)
		return f.sum(0)
	}
	p.sumX, p.sumY = sum(x), sum(y)
	px, py := p.sumX.hi/n, p.sumY.hi/n
	pairsFolds[Float64].run2(f.states[:], x, y, math.Float64bits(px), math.Float64bits(py))
	if p.dot = f.sum(0); !finite(p.dot.hi) {
		p.dot = plainDot(xs[:kept], ys[:kept])
	}
	// From the pivots to the means, which lie off from them.
	dx, dy := f.float(5), f.float(6)
	p.xx = max(0, f.float(2)-float64(dx*dx)/n)
	p.yy = max(0, f.float(3)-float64(dy*dy)/n)
	p.xy = f.float(4) - float64(dx*dy)/n
	return p.canonical()
}

// canonical makes every NaN, which infinities leave, the canonical one.
func (p Pair) canonical() Pair {
	for _, f := range []*float64{&p.dot.hi, &p.dot.lo, &p.sumX.hi, &p.sumX.lo, &p.sumY.hi, &p.sumY.lo, &p.xx, &p.yy, &p.xy} {
		*f = canonicalNaN(*f)
	}
	return p
}

// plainDot sums products without compensation, which infinities would turn to
// NaN, lane by lane.
func plainDot(xs, ys []float64) double {
	var lanes [Lanes]uint64
	for i, x := range xs {
		at := &lanes[i%Lanes]
		*at = math.Float64bits(math.Float64frombits(*at) + float64(x*ys[i]))
	}
	combineSum.run(lanes[:])
	return double{math.Float64frombits(lanes[0]), 0}
}

// mergePairs merges by the rule of Chan, Golub and LeVeque.
func mergePairs(a, b Pair) Pair {
	out := Pair{
		count: a.count + b.count, nan: a.nan + b.nan,
		dot: a.dot.add(b.dot), sumX: a.sumX.add(b.sumX), sumY: a.sumY.add(b.sumY),
		xx: a.xx + b.xx, yy: a.yy + b.yy, xy: a.xy + b.xy,
	}
	if !finite(out.dot.hi) {
		out.dot = double{a.dot.hi + b.dot.hi, 0}
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
	return out.canonical()
}

func (p *Pair) pairs() uint64 { return p.count - p.nan }

// Count returns the number of pairs, those with NaN included.
func (p *Pair) Count() uint64 { return p.count }

// NaN returns the number of pairs with a NaN.
func (p *Pair) NaN() uint64 { return p.nan }

// Dot returns the sum of products, compensated and rounded once.
func (p *Pair) Dot() float64 { return p.dot.hi }

// Cov returns the covariance with ddof delta degrees of freedom, NaN where
// there are no more pairs than that.
func (p *Pair) Cov(ddof float64) float64 {
	if free := float64(p.pairs()) - ddof; free > 0 {
		return canonicalNaN(p.xy / free)
	}
	return canonicalNaN(math.NaN())
}

// Corr returns Pearson's correlation coefficient, within -1 and 1; NaN where
// either side is constant.
func (p *Pair) Corr() float64 {
	r := p.xy / (math.Sqrt(p.xx) * math.Sqrt(p.yy))
	return canonicalNaN(max(-1, min(1, r)))
}

// Encode returns the partial's bytes.
func (p *Pair) Encode() []byte {
	b := make([]byte, pairSize)
	w := &words{bytes: b}
	w.put(p.count)
	w.put(p.nan)
	for _, d := range [...]double{p.dot, p.sumX, p.sumY} {
		w.putDouble(d)
	}
	for _, f := range [...]float64{p.xx, p.yy, p.xy} {
		w.putFloat(f)
	}
	return b
}

// DecodePair reads an encoded partial and refuses what none can be.
func DecodePair(b []byte) (Pair, error) {
	if len(b) != pairSize {
		return Pair{}, fmt.Errorf("pair partial of %d bytes, want %d", len(b), pairSize)
	}
	r := &words{bytes: b}
	p := Pair{count: r.get(), nan: r.get(), dot: r.getDouble(), sumX: r.getDouble(), sumY: r.getDouble(),
		xx: r.getFloat(), yy: r.getFloat(), xy: r.getFloat()}
	if p.count > maxCount || p.nan > p.count || p.xx < 0 || p.yy < 0 {
		return Pair{}, fmt.Errorf("pair partial of %d pairs, %d with NaN, squares %v and %v", p.count, p.nan, p.xx, p.yy)
	}
	return p, nil
}

// MergePairs returns what two sets of pairs give together, those of b the
// later ones.
func MergePairs(a, b Pair) Pair { return mergePairs(a, b) }
