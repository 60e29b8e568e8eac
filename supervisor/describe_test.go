package supervisor

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

func TestQuantilesAreTheSameForAnyPool(t *testing.T) { onBothPools(t, quantilesAreTheSame) }

// quantilesAreTheSame holds elements of some distributions against those in order.
func quantilesAreTheSame(t *testing.T, start func(...Option) *Pool) {
	r := rand.New(rand.NewPCG(1, 3))
	const n = 200_001 // so that percentiles are elements
	for name, draw := range map[string]func(i int) float64{
		"normal":    func(int) float64 { return r.NormFloat64() },
		"ascending": func(i int) float64 { return float64(i) },
		"late":      func(i int) float64 { return max(0, float64(i-n*15/16)) },
		"few":       func(int) float64 { return float64(r.IntN(3)) },
	} {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = draw(i)
		}
		path := float64File(t, 3, xs, 0)
		slices.Sort(xs)
		for _, chunk := range []uint64{1, 1 << 18, 0} {
			pool := start(Workers(2), ChunkBytes(chunk))
			x := openRaw(t, pool, path, 3, n)
			qs := []float64{0.01, 0.25, 0.5, 0.75, 1, 0}
			got, err := pool.Quantiles(t.Context(), x, kernels.Linear, qs...)
			if err != nil {
				t.Fatal(err)
			}
			for k, q := range qs {
				if want := xs[int(math.Round(q*(n-1)))]; got[k].Float64() != want {
					t.Errorf("%s, chunks of %d: quantile %v is %v, want %v", name, chunk, q, got[k], want)
				}
			}
		}
	}
}

func TestDescribeAgreesWithItsParts(t *testing.T) { onBothPools(t, describeAgrees) }

func describeAgrees(t *testing.T, start func(...Option) *Pool) {
	r := rand.New(rand.NewPCG(2, 3))
	xs := make([]float32, 100_003)
	var below, zeros uint64
	for i := range xs {
		if xs[i] = float32(r.IntN(2000)-999) / 8; i%97 == 0 {
			xs[i] = float32(math.NaN())
		}
		below += uint64(boolInt(xs[i] < 0))
		zeros += uint64(boolInt(xs[i] == 0))
	}
	pool := start(Workers(2))
	x := open(t, pool, rawFile(t, 0, xs), Raw(raw.Layout{Type: kernels.Float32}))
	for _, rule := range []string{"7", "sturges", "fd", "auto"} {
		bins, err := kernels.ParseBins(rule)
		if err != nil {
			t.Fatal(err)
		}
		again := 0
		d, err := pool.Describe(t.Context(), x, Inquiry{Quantiles: []float64{0.5}, Histogram: true, Bins: bins, SecondPass: func() { again++ }})
		if err != nil {
			t.Fatal(err)
		}
		summary, err := pool.Stat(t.Context(), x)
		if err != nil || d.Summary != summary || d.Negative != below || d.Zeros != zeros || again != 1 {
			t.Errorf("%+v, %v: want %+v, %d below zero, %d zeros", d, err, summary, below, zeros)
		}
		h := d.Histogram
		counts := make([]uint64, len(h.Counts()))
		for _, v := range xs {
			for i := range counts {
				if f := float64(v); f >= h.Edges()[i] && (f < h.Edges()[i+1] || i == len(counts)-1 && f == h.Edges()[i+1]) {
					counts[i]++
				}
			}
		}
		if !slices.Equal(counts, h.Counts()) {
			t.Errorf("%s: histogram %v, want %v", rule, h.Counts(), counts)
		}
		if got, err := pool.Quantiles(t.Context(), x, kernels.Linear, 0.5); err != nil || got[0] != d.Quantiles[0] {
			t.Errorf("median %v, %v, and %v", got, err, d.Quantiles)
		}
	}
	empty := open(t, pool, rawFile(t, 0, []float32{1}), Raw(raw.Layout{Type: kernels.Float32, Shape: []int64{0}}))
	if d, err := pool.Describe(t.Context(), empty, Inquiry{Quantiles: []float64{0.5}, Histogram: true}); err != nil || d.Count() != 0 || d.Quantiles[0].Exists() || d.NoHistogram == nil {
		t.Errorf("of no elements: %+v, %v", d, err)
	}
}

// As many bins as there may be leave room for whatever finds the quantiles.
func TestDescribeFindsQuantilesBesideMostBins(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	xs := make([]int32, 100_000)
	for i := range xs {
		xs[i] = r.Int32()
	}
	most, err := kernels.ParseBins("4096")
	if err != nil {
		t.Fatal(err)
	}
	many := make([]float64, kernels.MaxQuantiles)
	for i := range many {
		many[i] = float64(i) / kernels.MaxQuantiles
	}
	pool := start(t, InProcess(), Workers(2))
	x := open(t, pool, rawFile(t, 0, xs), Raw(raw.Layout{Type: kernels.Int32}))
	for _, qs := range [][]float64{nil, {0.5}, many} {
		d, err := pool.Describe(t.Context(), x, Inquiry{Quantiles: qs, Histogram: true, Bins: most})
		if err != nil {
			t.Fatal(err)
		}
		total := uint64(0)
		for _, n := range d.Histogram.Counts() {
			total += n
		}
		want, err := pool.Quantiles(t.Context(), x, kernels.Linear, qs...)
		if err != nil || total != uint64(len(xs)) || !slices.Equal(d.Quantiles, want) {
			t.Errorf("%d quantiles: %d elements in bins, %v", len(qs), total, err)
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestKeptKeysThatAreSpoiledCountAsNotKept(t *testing.T) {
	memory := make([]byte, 8*4)
	memory[8], memory[17] = 1, 2
	keys := kernels.AppendKeys(nil, memory[8:24])
	s := func(c keptOf) *survey {
		return &survey{spec: &kernels.Survey{Cuts: []uint64{5}, Keep: []bool{false, true}}, counts: []uint64{7, 2}, chunks: []keptOf{c}}
	}
	good := keptOf{at: 8, counts: []uint64{7, 2}, checksum: kernels.KeptChecksum(0, keys)}
	if got := s(good).kept(memory); !slices.Equal(got[1], keys) {
		t.Errorf("kept %v, want %v", got, keys)
	}
	for name, spoil := range map[string]func(c *keptOf){
		"another place":      func(c *keptOf) { c.at = 16 },
		"outside the memory": func(c *keptOf) { c.at = 1 << 63 },
		"no room":            func(c *keptOf) { c.overflow = true },
		"another checksum":   func(c *keptOf) { c.checksum++ },
	} {
		c := good
		if spoil(&c); s(c).kept(memory)[1] != nil {
			t.Errorf("%s: keys were taken", name)
		}
	}
}
