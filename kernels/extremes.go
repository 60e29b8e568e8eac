package kernels

import (
	"bytes"
	"fmt"
	"math"
)

// Extremes is the partial of the extremes reduction: where the least and the
// greatest element are, each the first of its value; -0 and +0 are one value.
type Extremes struct {
	typ             Type
	count           uint64
	nan             uint64 // index of the first NaN, or none
	numbers         uint64 // elements that are not NaN
	least, most     uint64 // bits, as of Summary, meaningless without numbers
	leastAt, mostAt uint64
}

// none is no index.
const none = math.MaxUint64

// FindExtremes is the extremes reduction.
var FindExtremes = registerTree("extremes", partial[Extremes]{
	size:  8 * 8,
	empty: func(t Type) Extremes { return Extremes{typ: t, nan: none} },
	fold:  func(f *blockFold, p *Extremes, t Type, block []byte) { *p = f.extremesOf(t, block) },
	merge: mergeExtremes,
	encode: func(p Extremes, w *words) {
		for _, v := range [...]uint64{uint64(p.typ), p.count, p.nan, p.numbers, p.least, p.most, p.leastAt, p.mostAt} {
			w.put(v)
		}
	},
	decode: func(t Type, r *words) (Extremes, error) {
		typ := r.get()
		p := Extremes{t, r.get(), r.get(), r.get(), r.get(), r.get(), r.get(), r.get()}
		switch {
		case typ != uint64(t):
			return p, fmt.Errorf("of type %d, want %v", typ, t)
		case p.count > maxCount || p.numbers > p.count || (p.nan == none) != (p.numbers == p.count) || p.nan != none && p.nan >= p.count:
			return p, fmt.Errorf("of %d numbers among %d elements, the first NaN at %d", p.numbers, p.count, p.nan)
		case p.numbers > 0 && (p.leastAt >= p.count || p.mostAt >= p.count):
			return p, fmt.Errorf("of %d elements, extremes at %d and %d", p.count, p.leastAt, p.mostAt)
		}
		return p, nil
	},
})

// ArgMin returns the index of the first of the least elements; with NaN among
// them that of the first NaN, as NumPy's argmin does. Of no elements there is
// none.
func (p *Extremes) ArgMin() (index uint64, ok bool) { return p.first(p.leastAt) }

// ArgMax returns the index of the first of the greatest elements, see ArgMin.
func (p *Extremes) ArgMax() (index uint64, ok bool) { return p.first(p.mostAt) }

func (p *Extremes) first(at uint64) (uint64, bool) {
	if p.nan != none {
		at = p.nan
	}
	return at, p.count > 0
}

// NaNArgMin is ArgMin of the elements that are not NaN.
func (p *Extremes) NaNArgMin() (index uint64, ok bool) { return p.leastAt, p.numbers > 0 }

// NaNArgMax is ArgMax of the elements that are not NaN.
func (p *Extremes) NaNArgMax() (index uint64, ok bool) { return p.mostAt, p.numbers > 0 }

// mergeExtremes makes a the extremes of its elements followed by those of b.
func mergeExtremes(a, b *Extremes) {
	if a.nan == none && b.nan != none {
		a.nan = a.count + b.nan
	}
	if b.numbers > 0 {
		if a.numbers == 0 || b.below(b.least, a.least) {
			a.least, a.leastAt = b.least, a.count+b.leastAt
		}
		if a.numbers == 0 || b.below(a.most, b.most) {
			a.most, a.mostAt = b.most, a.count+b.mostAt
		}
	}
	a.count += b.count
	a.numbers += b.numbers
}

// below compares elements by their keys; zeros are equal.
func (p *Extremes) below(x, y uint64) bool {
	switch {
	case p.typ.IsFloat():
		return fromOrderedKey(int64(x)) < fromOrderedKey(int64(y))
	case p.typ.IsSigned():
		return int64(x) < int64(y)
	}
	return x < y
}

// Kernels that compare elements, by type.
var equal, less, isNaN = comparisons()

func comparisons() (equal, less, isNaN [numTypes]*Elementwise) {
	for _, t := range Types() {
		equal[t], _ = LookupElementwise("equal", t, t)
		less[t], _ = LookupElementwise("less", t, t)
		isNaN[t], _ = LookupElementwise("isnan", t)
	}
	return equal, less, isNaN
}

func (f *blockFold) extremesOf(t Type, block []byte) Extremes {
	p := Extremes{typ: t, count: uint64(len(block) / t.Size()), nan: none}
	if t == Bool {
		t, block = Uint8, f.truths(block)
	} else {
		t, block = f.widened(t, block)
	}
	var s Summary
	f.summary(&s, t, block)
	p.numbers, p.least, p.most = s.numbers(), s.min, s.max
	where := f.truth2[:p.count]
	if s.nan > 0 {
		isNaN[t].Run(where, block, nil, nil)
		p.nan = uint64(bytes.IndexByte(where, 1))
	}
	if p.numbers == 0 {
		p.least, p.most = 0, 0
		return p
	}
	find := func(key uint64) uint64 {
		var element [8]byte
		bits := key
		if t.IsFloat() {
			bits = t.FloatBits(fromOrderedKey(int64(key)))
		}
		putElement(element[:], t, bits)
		equal[t].Run(where, block, element[:t.Size()], nil)
		return uint64(bytes.IndexByte(where, 1))
	}
	p.leastAt, p.mostAt = find(p.least), find(p.most)
	return p
}
