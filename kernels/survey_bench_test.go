package kernels

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkSurvey counts normal numbers by the cuts that the default statistics
// take, with what is kept for seven quantiles.
func BenchmarkSurvey(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	xs := make([]float64, 1<<20)
	for i := range xs {
		xs[i] = r.NormFloat64()
	}
	s := &Survey{Scale: 2047.0 / 10, Shift: 1023}
	for f := -5.0; f < 5; f += 0.36 {
		s.Cuts = append(s.Cuts, keyOfFloat(f))
	}
	for range len(s.Cuts) + 1 {
		s.Keep = append(s.Keep, false)
	}
	r2 := s.NewSurveyor(Float64)
	b.SetBytes(8 << 20)
	for b.Loop() {
		r2.Chunk(0, bytesView(xs), func(int) {}, nil)
	}
}
