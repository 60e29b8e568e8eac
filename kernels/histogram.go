package kernels

import (
	"fmt"
)

// Histogram counts elements in bins of equal width between two bounds, by the
// rules of NumPy's histogram: a bin holds its left edge, the last one the right
// edge as well; elements beyond the bounds and NaN are in none, and counted
// apart. Histograms of one shape add up.
type Histogram struct {
	lo, hi       float64
	edges        []float64 // one more than bins
	counts       []uint64
	below, above uint64
	nan          uint64
	scratch      blockFold
}

// NewHistogram returns an empty histogram of bins between lo and hi, which must
// be finite, as their difference must. Where lo equals hi the range is widened
// by 0.5 to both sides. It refuses more bins than there are floats to keep their
// edges apart.
func NewHistogram(lo, hi float64, bins int) (*Histogram, error) {
	if bins < 1 || !finite(lo) || !finite(hi) || lo > hi || !finite(hi-lo) {
		return nil, fmt.Errorf("no histogram has %d bins from %v to %v", bins, lo, hi)
	}
	if lo == hi {
		lo, hi = lo-0.5, hi+0.5
	}
	h := &Histogram{lo: lo, hi: hi, edges: make([]float64, bins+1), counts: make([]uint64, bins)}
	// As numpy.linspace has them.
	step := (hi - lo) / float64(bins)
	for i := range h.edges {
		h.edges[i] = float64(float64(i)*step) + lo
	}
	h.edges[bins] = hi
	for i := range bins {
		if h.edges[i] >= h.edges[i+1] || !finite(float64(bins)/(hi-lo)) {
			return nil, fmt.Errorf("%d bins from %v to %v are too narrow to tell apart", bins, lo, hi)
		}
	}
	return h, nil
}

// Edges returns the bins' edges, one more than bins.
func (h *Histogram) Edges() []float64 { return h.edges }

// Counts returns how many elements each bin holds.
func (h *Histogram) Counts() []uint64 { return h.counts }

// Outside returns how many elements lie below the first edge and above the
// last, and how many are NaN.
func (h *Histogram) Outside() (below, above, nan uint64) { return h.below, h.above, h.nan }

// Block counts the elements of a block, see [Folder]; they are rounded to
// float64.
func (h *Histogram) Block(t Type, block []byte) {
	bins := len(h.counts)
	// As NumPy does it: a guess by division, put right by the edges.
	norm := float64(bins) / (h.hi - h.lo)
	for _, x := range h.scratch.asFloat64(h.scratch.doubles[:], t, block) {
		switch {
		case x < h.lo:
			h.below++
		case x > h.hi:
			h.above++
		case x != x:
			h.nan++
		default:
			i := min(int(float64((x-h.lo)*norm)), bins-1)
			if x < h.edges[i] {
				i--
			} else if i+1 < bins && x >= h.edges[i+1] {
				i++
			}
			h.counts[i]++
		}
	}
}

// Cut has a survey count by the bins, of elements of type t.
func (h *Histogram) Cut(t Type, c *Cuts) {
	for i := range h.edges {
		key, _ := h.cut(t, i)
		c.at(key)
	}
}

// cut returns the key of the first element of bin i, or, of the edge behind the last,
// that of the first beyond it; see firstKey.
func (h *Histogram) cut(t Type, i int) (key uint64, ok bool) {
	return firstKey(t, h.edges[i], i == len(h.counts))
}

// Tally sets the counts to what a survey found that counted by the bins.
func (h *Histogram) Tally(a *Tally) {
	before, numbers := a.numbers()
	at := func(i int) uint64 {
		if key, ok := h.cut(a.typ, i); ok {
			return a.Below(key)
		}
		return before + numbers
	}
	h.below, h.above, h.nan = at(0)-before, before+numbers-at(len(h.counts)), a.total-numbers
	for i := range h.counts {
		h.counts[i] = at(i+1) - at(i)
	}
}

// Add adds the counts of a histogram of the same shape.
func (h *Histogram) Add(other *Histogram) error {
	if len(h.counts) != len(other.counts) || h.lo != other.lo || h.hi != other.hi {
		return fmt.Errorf("histograms of %d bins from %v to %v and of %d from %v to %v do not add up",
			len(h.counts), h.lo, h.hi, len(other.counts), other.lo, other.hi)
	}
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.below += other.below
	h.above += other.above
	h.nan += other.nan
	return nil
}

// Encode returns the histogram's bytes.
func (h *Histogram) Encode() []byte {
	b := make([]byte, 8*(6+len(h.counts)))
	w := &words{bytes: b}
	w.putFloat(h.lo)
	w.putFloat(h.hi)
	for _, n := range append([]uint64{uint64(len(h.counts)), h.below, h.above, h.nan}, h.counts...) {
		w.put(n)
	}
	return b
}

// DecodeHistogram reads an encoded histogram and refuses what none can be.
func DecodeHistogram(b []byte) (*Histogram, error) {
	if len(b) < 7*8 || len(b)%8 != 0 {
		return nil, fmt.Errorf("histogram of %d bytes", len(b))
	}
	r := &words{bytes: b}
	lo, hi, bins := r.getFloat(), r.getFloat(), r.get()
	if bins != uint64(len(b)/8-6) || lo == hi {
		return nil, fmt.Errorf("histogram of %d bins from %v to %v in %d bytes", bins, lo, hi, len(b))
	}
	h, err := NewHistogram(lo, hi, int(bins))
	if err != nil {
		return nil, err
	}
	h.below, h.above, h.nan = r.get(), r.get(), r.get()
	for i := range h.counts {
		h.counts[i] = r.get()
	}
	for _, n := range append([]uint64{h.below, h.above, h.nan}, h.counts...) {
		if n > maxCount {
			return nil, fmt.Errorf("histogram counts %d elements", n)
		}
	}
	return h, nil
}
