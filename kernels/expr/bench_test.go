package expr

import (
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// BenchmarkBlock runs programs over one block that stays in the cache.
func BenchmarkBlock(b *testing.B) {
	arrays := ordinary(kernels.BlockLen)
	var inputs []Input
	for _, a := range arrays {
		inputs = append(inputs, a.Input)
	}
	for _, text := range []string{"sum(x)", "x+y", "x*2+1", "clip((x-10)/3, -3, 3)", "sum(log1p(abs(x)))", "sqrt(x*x + y*y) < 1", "where(x > y, x, 0.0)*f"} {
		b.Run(text, func(b *testing.B) {
			plan, err := Compile(text, inputs, Options{})
			if err != nil {
				b.Fatal(err)
			}
			pass, err := plan.Start().Next()
			if err != nil {
				b.Fatal(err)
			}
			var src, dst [][]byte
			for _, i := range pass.Inputs {
				src = append(src, arrays[i.Input].bytes)
			}
			for _, t := range pass.program.Outputs() {
				dst = append(dst, make([]byte, kernels.BlockLen*t.Size()))
			}
			r := pass.program.NewRunner()
			b.SetBytes(int64(8 * kernels.BlockLen))
			b.ReportAllocs()
			for b.Loop() {
				r.Block(kernels.BlockLen, dst, src)
			}
		})
	}
}
