package kernels

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Blocks that are folded in one go make the same partial as one by one, whatever is in
// them, and wherever they begin on the tree.
func TestBlocksTogetherFoldAsOneByOne(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 8))
		for name, spoil := range map[string]func(x float64, i int) float64{
			"ordinary": func(x float64, _ int) float64 { return x },
			"NaN":      func(x float64, i int) float64 { return []float64{x, math.NaN()}[boolByte(i == 5*BlockLen)] },
			"infinite": func(x float64, i int) float64 { return []float64{x, math.Inf(1)}[boolByte(i == 20*BlockLen+77)] },
			"large":    func(x float64, i int) float64 { return x * []float64{1, 1e200}[boolByte(i/BlockLen == 18)] },
			"small":    func(x float64, i int) float64 { return x * []float64{1, 1e-200}[boolByte(i/BlockLen%7 == 3)] },
			"zero":     func(x float64, i int) float64 { return x * float64(boolByte(i/BlockLen%3 == 0)) },
			"negative": func(x float64, i int) float64 { return -x },
		} {
			for _, typ := range []Type{Float64, Float32, Float16, BFloat16, Int32, Uint8, Bool} {
				data := make([]byte, (50*BlockLen+321)*typ.Size())
				for i := range len(data) / typ.Size() {
					x := r.NormFloat64()
					bits := uint64(int64(100 * x))
					if typ.IsFloat() {
						bits = typ.FloatBits(spoil(x, i))
					}
					putElement(data[i*typ.Size():], typ, bits)
				}
				for _, reduction := range []*Reduction{AddUp, Summarize, DescribeMoments, MeasureNorms} {
					want := foldedBy(reduction, typ, data, 1)
					for _, blocks := range []int{2, 3, Together - 1, Together, Together + 1, 51} {
						if got := foldedBy(reduction, typ, data, blocks); !bytes.Equal(got, want) {
							t.Errorf("%s of %s %v, %d blocks at a time: %x, want %x", reduction.Name(), name, typ, blocks, got, want)
						}
					}
				}
			}
		}
	})
}

// foldedBy folds elements as one chunk, so many blocks at a time.
func foldedBy(r *Reduction, t Type, data []byte, blocks int) []byte {
	f := r.NewFolder(t)
	for size := blocks * BlockLen * t.Size(); len(data) > 0; {
		n := min(size, len(data))
		f.Blocks(data[:n])
		data = data[n:]
	}
	partial := make([]byte, r.PartialSize())
	f.Partial(partial)
	return partial
}

// What folds blocks together is made of AVX-512: no other tier may come near it.
func TestNothingIsFoldedTogetherOnLowerTiers(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		data := bytesView(slices.Repeat([]float64{1}, 2*Together*BlockLen))
		for _, reduction := range []*Reduction{AddUp, Summarize} {
			f := reduction.NewFolder(Float64)
			f.Blocks(data)
			var made together
			switch f := f.(type) {
			case *treeFolder[Total]:
				made = f.scratch.ready
			case *treeFolder[Summary]:
				made = f.scratch.ready
			}
			if any := made != (together{}); any != (CurrentTier() == AVX512) {
				t.Errorf("%s: folded together: %v", reduction.Name(), any)
			}
		}
	})
}

// A fold that is stopped in the middle, by a page that is not there, leaves nothing to
// the next.
func TestBlocksThatWereReadyAreForgotten(t *testing.T) {
	for _, reduction := range []*Reduction{AddUp, Summarize} {
		ones := bytesView(make([]float64, 20*BlockLen))
		for i := range 20 * BlockLen {
			putElement(ones[8*i:], Float64, math.Float64bits(1))
		}
		f := reduction.NewFolder(Float64)
		switch f := f.(type) {
		case *treeFolder[Total]:
			f.together(&f.scratch, Float64, ones[:Together*BlockLen*8])
		case *treeFolder[Summary]:
			f.together(&f.scratch, Float64, ones[:Together*BlockLen*8])
		}
		f.Reset()
		f.Blocks(make([]byte, 8*BlockLen))
		partial, want := make([]byte, reduction.PartialSize()), foldedBy(reduction, Float64, make([]byte, 8*BlockLen), 1)
		if f.Partial(partial); !bytes.Equal(partial, want) {
			t.Errorf("%s: %x, want %x", reduction.Name(), partial, want)
		}
	}
}
