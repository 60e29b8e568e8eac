package kernels

import (
	"fmt"
	"math"
)

// Dot is the partial of the dot reduction: the sum of the products of pairs. A
// pair with a NaN is left out and counted. Infinite products make the sum
// infinite, or NaN, as plain addition does.
type Dot struct {
	count, nan uint64
	sum        double // of the pairs without NaN
}

// SumProducts is the dot reduction. The rounding error of each product and of
// each sum is gathered beside the sum (Ogita, Rump and Oishi 2005, Dot2), so that
// the result is correctly rounded on ordinary data. Of products below 2^-969 the
// last bits are lost.
var SumProducts = registerPairs("dot", pairPartial[Dot]{
	size:  4 * 8,
	fold:  (*pairFold).dot,
	merge: mergeDots,
	encode: func(p Dot, w *words) {
		w.put(p.count)
		w.put(p.nan)
		w.putDouble(p.sum)
	},
	decode: func(r *words) (Dot, error) {
		p := Dot{count: r.get(), nan: r.get(), sum: r.getDouble()}
		switch {
		case p.count > maxCount || p.nan > p.count:
			return Dot{}, fmt.Errorf("of %d pairs, %d with NaN", p.count, p.nan)
		case finite(p.sum.hi) && !(math.Abs(p.sum.lo) <= math.Abs(p.sum.hi)):
			return Dot{}, fmt.Errorf("with sum %v%+v", p.sum.hi, p.sum.lo)
		}
		return p, nil
	},
})

// Count returns the number of pairs, those with NaN included.
func (p *Dot) Count() uint64 { return p.count }

// NaN returns the number of pairs with a NaN.
func (p *Dot) NaN() uint64 { return p.nan }

// Sum returns the sum of products, rounded once, 0 of no pairs.
func (p *Dot) Sum() float64 { return p.sum.hi }

func (f *pairFold) dot(x, y Type, xs, ys []byte) Dot {
	p := Dot{count: uint64(len(xs) / x.Size())}
	if x == Float32 && y == Float32 { // whose products are exact
		p.sum = f.sumProducts(Float32, xs, ys)
	} else {
		xs, ys = f.float64s(x, y, xs, ys)
		p.sum = f.sumProducts(Float64, xs, ys)
	}
	if finite(p.sum.hi) {
		return p
	}
	if x == Float32 && y == Float32 {
		xs, ys = f.float64s(x, y, xs, ys)
	}
	// Without NaN, which become zeros, so that each pair keeps its lane.
	as, bs := f.copies(xs, ys)
	for i, a := range as {
		if b := bs[i]; a != a || b != b {
			as[i], bs[i] = 0, 0
			p.nan++
		}
	}
	if p.sum = f.sumProducts(Float64, bytesView(as), bytesView(bs)); !finite(p.sum.hi) {
		p.sum = plainDot(as, bs)
	}
	return p
}

func (f *pairFold) sumProducts(t Type, xs, ys []byte) double {
	dotFolds[t].run2(f.states[:], xs, ys, 0, 0)
	return f.sum(0)
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
	return double{canonicalNaN(math.Float64frombits(lanes[0])), 0}
}

// mergeDots makes a the dot product of its pairs followed by those of b.
func mergeDots(a, b *Dot) {
	sum := a.sum.add(b.sum)
	if !finite(sum.hi) {
		sum = double{canonicalNaN(a.sum.hi + b.sum.hi), 0}
	}
	*a = Dot{a.count + b.count, a.nan + b.nan, sum}
}
