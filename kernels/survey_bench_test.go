package kernels

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// BenchmarkSurvey counts normal numbers by the cuts that the default statistics
// take, and by those of 256 bins, with what is kept for a quantile.
func BenchmarkSurvey(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	xs := make([]float64, 1<<20)
	for i := range xs {
		xs[i] = r.NormFloat64()
	}
	for name, width := range map[string]float64{"default": 0.36, "256 bins": 10.0 / 256} {
		b.Run(name, func(b *testing.B) {
			s := &Survey{Scale: 2047.0 / 10, Shift: 1023}
			for f := -5.0; f < 5; f += width {
				s.Cuts = append(s.Cuts, keyOfFloat(f))
			}
			s.Cuts = append(s.Cuts, keyOfFloat(0.67), keyOfFloat(0.6701))
			slices.Sort(s.Cuts)
			for range len(s.Cuts) + 1 {
				s.Keep = append(s.Keep, false)
			}
			s.Keep[slices.Index(s.Cuts, keyOfFloat(0.6701))] = true
			surveyor := s.NewSurveyor(Float64)
			room := make([]byte, 1<<20)
			b.SetBytes(8 << 20)
			for b.Loop() {
				surveyor.Chunk(0, bytesView(xs), func(int) {}, func(n int) ([]byte, uint64) { return room[:n], 0 })
			}
		})
	}
}
