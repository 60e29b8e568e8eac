package kernels

import (
	"math"
	"slices"
	"testing"
)

// What numpy.histogram_bin_edges (1.24, as float64) makes of these: len(edges)-1.
func TestBinRulesAreNumPys(t *testing.T) {
	arrays := map[string][]float64{
		"squares": numbers(1000, func(i int) float64 { return float64(i * i % 977) }),
		"cubes":   numbers(5000, func(i int) float64 { return math.Pow(float64(i), 3) }),
		"two":     {1, 2},
		"one":     {5},
		"same":    {3, 3, 3, 3},
	}
	for name, want := range numpyBins {
		xs := arrays[name]
		block := bytesView(xs)
		m := DescribeMoments.NewMerger(Float64).(*TreeMerger[Moments])
		for c := uint64(0); len(block) > 0; c++ {
			part := block[:min(8*BlockLen, len(block))]
			block = block[len(part):]
			if err := m.Add(c, partialOf(DescribeMoments, Float64, part)); err != nil {
				t.Fatal(err)
			}
		}
		moments := m.Total()
		q, _ := quantilesOf(t, Float64, bytesView(xs), math.MaxInt, Linear, 0.25, 0.75)
		for rule, bins := range want {
			b, err := ParseBins(rule)
			if err != nil || b.String() != rule {
				t.Fatal(b, err)
			}
			h, err := b.Histogram(&moments, q[1].Float64()-q[0].Float64())
			if err != nil || len(h.Counts()) != bins {
				t.Errorf("%s, %s: %d bins, %v, want %d", name, rule, len(h.Counts()), err, bins)
			}
		}
	}
	for _, s := range []string{"", "0", "-1", "4097", "stone", "1.5"} {
		if b, err := ParseBins(s); err == nil {
			t.Errorf("%q is %v", s, b)
		}
	}
}

// The bins that a survey counts by hold what those of elements one by one do, also
// where the numbers reach the ends of their type.
func TestBinsReachTheEndsOfTheirType(t *testing.T) {
	for _, typ := range Types() {
		lo, hi := keyRange(typ)
		for _, keys := range [][]uint64{{lo}, {hi}, {lo, lo + 1, lo + 1, hi}, {lo, hi, hi, hi - 1}, {lo, lo + (hi-lo)/3}, {hi, hi - (hi-lo)/3}} {
			data := make([]byte, len(keys)*typ.Size())
			for i, key := range keys {
				if typ.IsFloat() {
					key = typ.FloatBits(max(-65504, min(keyFloat(typ, key), 65504)))
				} else if typ.IsSigned() {
					key ^= signBit
				}
				putElement(data[i*typ.Size():], typ, key)
			}
			m := DescribeMoments.NewMerger(typ).(*TreeMerger[Moments])
			if err := m.Add(0, partialOf(DescribeMoments, typ, data)); err != nil {
				t.Fatal(err)
			}
			moments := m.Total()
			for _, bins := range []string{"1", "4", "100"} {
				b, err := ParseBins(bins)
				if err != nil {
					t.Fatal(err)
				}
				got, err := b.Histogram(&moments, 0)
				if err != nil {
					continue // no floats are that near to one another there
				}
				want, _ := b.Histogram(&moments, 0)
				want.Block(typ, data)
				cuts := NewCuts(typ)
				got.Cut(typ, cuts)
				s, _ := cuts.Survey(nil)
				_, tally, _ := surveyed(t, s, typ, data, BlockLen, 0)
				got.Tally(tally)
				if !slices.Equal(got.Counts(), want.Counts()) {
					t.Errorf("%v, keys %v: %v from %v, want %v", typ, keys, got.Counts(), got.Edges(), want.Counts())
				}
			}
		}
	}
}

var numpyBins = map[string]map[string]int{
	"squares": {"auto": 11, "sturges": 11, "fd": 10, "scott": 10, "sqrt": 32, "rice": 20, "doane": 12},
	"cubes":   {"auto": 22, "sturges": 14, "fd": 22, "scott": 18, "sqrt": 71, "rice": 35, "doane": 19},
	"two":     {"auto": 2, "sturges": 2, "fd": 2, "scott": 1, "sqrt": 2, "rice": 3, "doane": 1},
	"one":     {"auto": 1, "sturges": 1, "fd": 1, "scott": 1, "sqrt": 1, "rice": 1, "doane": 1},
	"same":    {"auto": 1, "sturges": 1, "fd": 1, "scott": 1, "sqrt": 1, "rice": 1, "doane": 1},
}
