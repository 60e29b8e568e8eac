package supervisor

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

func TestColumnsHaveTheBitsOfEachByItself(t *testing.T) { onBothPools(t, columnsHaveTheBits) }

func columnsHaveTheBits(t *testing.T, start func(...Option) *Pool) {
	r := rand.New(rand.NewPCG(7, 7))
	pool := start(Workers(2))
	for _, shape := range [][]int64{{1, 1}, {3, 5}, {4096, 2}, {9001, 3}, {4097, 17}, {700, 300}} {
		rows, columns := int(shape[0]), int(shape[1])
		xs := make([]float32, rows*columns)
		for i := range xs {
			if xs[i] = float32(r.NormFloat64() * float64(1+i%columns)); i%101 == 0 {
				xs[i] = float32(math.NaN())
			}
		}
		x := open(t, pool, rawFile(t, 5, xs), Raw(raw.Layout{Type: kernels.Float32, Offset: 5, Shape: shape}))
		got, err := pool.DescribeColumns(t.Context(), x)
		if err != nil || len(got) != columns {
			t.Fatalf("%v: %d columns, %v", shape, len(got), err)
		}
		// The same elements, column by column, are an array in Fortran order.
		turned := make([]float32, 0, len(xs))
		for c := range columns {
			for i := range rows {
				turned = append(turned, xs[i*columns+c])
			}
		}
		y := open(t, pool, rawFile(t, 0, turned), Raw(raw.Layout{Type: kernels.Float32, Shape: shape}))
		y.Fortran = true
		want, err := pool.DescribeColumns(t.Context(), y)
		if err != nil {
			t.Fatal(err)
		}
		for c := range want {
			if got[c] != want[c] {
				t.Errorf("%v, column %d: %+v, want %+v", shape, c, got[c], want[c])
			}
		}
	}
	flat := open(t, pool, rawFile(t, 0, []float32{1}), Raw(raw.Layout{Type: kernels.Float32}))
	if _, err := pool.DescribeColumns(t.Context(), flat); err == nil {
		t.Error("an array of one dimension has columns")
	}
	empty := open(t, pool, rawFile(t, 0, []float32{1}), Raw(raw.Layout{Type: kernels.Float32, Shape: []int64{0, 2}}))
	if got, err := pool.DescribeColumns(t.Context(), empty); err != nil || len(got) != 2 || got[1].Count() != 0 {
		t.Errorf("columns of no rows: %+v, %v", got, err)
	}
}
