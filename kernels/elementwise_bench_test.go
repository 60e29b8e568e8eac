package kernels

import (
	"fmt"
	"testing"
)

func BenchmarkElementwise(b *testing.B) {
	before := CurrentTier()
	defer UseTier(before)
	for _, k := range ElementwiseKernels() {
		for _, n := range []int{1024, 16384} {
			for tier := Scalar; tier <= BestTier(); tier++ {
				b.Run(fmt.Sprintf("%v/%d/%v", k, n, tier), func(b *testing.B) {
					UseTier(tier)
					operands := make([][]byte, len(k.In()))
					for i, t := range k.In() {
						operands[i] = make([]byte, n*t.Size())
						for e := range n {
							put(operands[i], t, e, ordinary(t, e))
						}
					}
					dst := make([]byte, n*k.Out().Size())
					x, y, z := three(operands)
					b.SetBytes(int64(n * (k.Out().Size() + func() (s int) {
						for _, t := range k.In() {
							s += t.Size()
						}
						return
					}())))
					for b.Loop() {
						k.Run(dst, x, y, z)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/elem")
				})
			}
		}
	}
}
