package main

import (
	"math"
	"testing"
)

// Values known from elsewhere, and Go's own functions where they are good.
func TestReference(t *testing.T) {
	inf, nan, zero := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	for _, c := range []struct {
		name string
		x    []float64
		want exact
	}{
		// e and pi as sums of two doubles.
		{"exp", []float64{1}, exact{0x1.5bf0a8b145769p+0 / 2, 0x1.4d57ee2b1013ap-53 / 4, 2}},
		{"arctan2", []float64{0, -1}, exact{0x1.921fb54442d18p+0 / 2, 0x1.1a62633145c07p-53 / 4, 2}},
		{"sqrt", []float64{2.25}, exactly(1.5)},
		{"power", []float64{-3, 3}, exactly(-27)},
		{"fma", []float64{1 + 0x1p-52, 1 - 0x1p-52, -1}, exactly(-0x1p-104)},
		{"hypot", []float64{inf, nan}, exactly(inf)},
		{"divide", []float64{1, zero}, exactly(-inf)},
		{"log", []float64{-1}, exactly(nan)},
		{"sin", []float64{zero}, exactly(zero)},
		{"exp", []float64{-inf}, exactly(0)},
		{"exp", []float64{1e300}, exact{0.5, 0, 1 << 20}},
		{"exp", []float64{-1e300}, exact{0.5, 0, -1 << 20}},
		{"power", []float64{-3, -1e15 - 1}, exact{-0.5, 0, -1 << 20}},
	} {
		f, ok := findReference(c.name)
		if !ok || f.operands() != len(c.x) {
			t.Fatalf("%s is not there", c.name)
		}
		got := f.exactAt(c.x...)
		lo := math.Abs(got.lo-c.want.lo) <= 0x1p-100
		same := math.Float64bits(got.hi) == math.Float64bits(c.want.hi) || math.IsNaN(got.hi) && math.IsNaN(c.want.hi)
		if !same || !lo || got.exp != c.want.exp {
			t.Errorf("%s%x: %x, want %x", c.name, c.x, got, c.want)
		}
	}
	if _, ok := findReference("exponential"); ok {
		t.Error("an unknown name is found")
	}
}

// MPFR and glibc agree on every function of one operand.
func TestLibmIsTheSameFunction(t *testing.T) {
	for _, fn := range functions {
		f, ok := findReference(fn.names[0])
		if !ok {
			t.Fatalf("%s has no reference", fn.names[0])
		}
		if f.operands() != 1 {
			continue
		}
		for _, x := range []float32{0.25, 0.75, 1, 1.5, 100, -0.5, 0, 1e-30, 1e30} {
			var got [1]float64
			f.libm(got[:], []float32{x})
			if e := binary64.error(got[0], f.exactAt(float64(x))); e > 8 && !math.IsInf(got[0], 0) && got[0] != 0 {
				t.Errorf("%s(%v): glibc and MPFR are %v ULP apart", fn.names[0], x, e)
			}
		}
	}
}
