package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// sines returns inputs and sin of them, rounded to float32 from exact values.
func sines(n int) (x, y []float32) {
	sin, _ := findReference("sin")
	r := rand.New(rand.NewPCG(3, 4))
	for range n {
		v := float32(scaled(r, -20, 20))
		e := sin.exactAt(float64(v))
		x = append(x, v)
		y = append(y, float32(math.Ldexp(e.hi, e.exp)))
	}
	return x, y
}

// One planted error is found, by glibc's and by MPFR's values, and so is the
// largest of many.
func TestPlantedErrorIsFound(t *testing.T) {
	sin, _ := findReference("sin")
	x, right := sines(5000)
	j := judge{fn: sin, f: binary32}
	for _, c := range []struct {
		what   string
		at     int
		value  func(float64) float64
		lo, hi float64
	}{
		{"nothing", 7, func(y float64) float64 { return y }, 0.499, 0.5000001},
		{"the next number", 1234, func(y float64) float64 { return binary32.step(y, 1) }, 0.5, 1.5},
		{"the fifth number before", 4999, func(y float64) float64 { return binary32.step(y, -5) }, 4.5, 5.5},
		{"the other sign", 0, func(y float64) float64 { return -y }, math.Inf(1), math.Inf(1)},
		{"0", 17, func(float64) float64 { return 0 }, 1 << 22, math.Inf(1)},
		{"NaN", 17, func(float64) float64 { return math.NaN() }, math.Inf(1), math.Inf(1)},
		{"infinity", 17, func(float64) float64 { return math.Inf(1) }, 1 << 22, math.Inf(1)},
	} {
		got := append([]float32{}, right...)
		got[c.at] = float32(c.value(float64(got[c.at])))
		var libm, mpfr worst
		j.byLibm(got, x, &libm)
		wide := [][]float64{widened[float32](nil, x)}
		j.byMPFR(widened[float32](nil, got), wide, &mpfr)
		if libm.operands[0] != mpfr.operands[0] || !(math.Abs(libm.error-mpfr.error) < margin || libm.error == mpfr.error) {
			t.Errorf("%s: glibc finds %v, MPFR %v", c.what, libm, mpfr)
		}
		if mpfr.error < c.lo || mpfr.error > c.hi {
			t.Errorf("%s: %v ULP", c.what, mpfr.error)
		}
		if c.lo > 1 && mpfr.operands[0] != float64(x[c.at]) {
			t.Errorf("%s: found at %v, planted at %v", c.what, mpfr.operands, x[c.at])
		}
	}
}

// glibc rounds cos of tiny numbers to 1; the exact value is in the binade
// below.
func TestPowerOfTwoRoundedUp(t *testing.T) {
	cos, _ := findReference("cos")
	j := judge{fn: cos, f: binary32}
	var w worst
	below := math.Nextafter32(1, 0)
	w.merge(worst{error: 0.75, operands: []float64{0}})
	j.byLibm([]float32{1, below}, []float32{0x1.000002p-40, 0x1.000002p-41}, &w)
	if w.error != 1 || w.operands[0] != 0x1.000002p-41 {
		t.Errorf("%v", w)
	}
}

// exp of very small numbers underflows even as a double.
func TestUnderflowOfDoubles(t *testing.T) {
	exp, _ := findReference("exp")
	j := judge{fn: exp, f: binary32}
	for got, want := range map[float32]float64{0: 0.75, math.SmallestNonzeroFloat32: 1} {
		w := worst{error: 0.75, operands: []float64{0}}
		j.byLibm([]float32{got}, []float32{-1234.5677}, &w)
		if w.error < want || w.error > want {
			t.Errorf("%v measures %v, want %v", got, w.error, want)
		}
	}
	// The second one is no 0 as a double.
	for _, x := range []float32{-1234.5677, -105.3} {
		w := worst{error: 0.75, operands: []float64{0}}
		j.byLibm([]float32{float32(math.Copysign(0, -1))}, []float32{x}, &w)
		if !math.IsInf(w.error, 1) {
			t.Errorf("-0 at %v measures %v", x, w.error)
		}
	}
}

func TestWorstOfMany(t *testing.T) {
	var w worst
	for _, e := range []float64{0, 0.5, 0.75, 0.75, 0.25} {
		w.merge(worst{})
		w.merge(worst{error: e, operands: []float64{e, float64(len(w.operands))}})
	}
	if w.error != 0.75 || w.operands[0] != 0.75 {
		t.Errorf("%v", w)
	}
}

// Tiers that differ in one bit of a result, or of a NaN, are seen.
func TestDifferenceOfTiers(t *testing.T) {
	kernel, ok := kernels.LookupElementwise("sqrt", kernels.Float64)
	if !ok {
		t.Fatal("no sqrt")
	}
	ref, _ := findReference("sqrt")
	s := &sweep{kernel: kernel, fn: ref, f: binary64, draw: functions[0].draw, points: 100}
	for _, flip := range []uint64{0, 1, 1 << 63} {
		b := blockOf[float64]{operands: [][]float64{make([]float64, blockLen)}, results: [][]float64{make([]float64, blockLen), make([]float64, blockLen)}}
		fill(s, &b, 0)
		b.operands[0][42] = -1
		for tier := range b.results {
			compute(kernel, &b, tier)
		}
		b.results[0][42] = math.Float64frombits(math.Float64bits(b.results[0][42]) ^ flip)
		var found outcome
		j := judging[float64]{judge: judge{fn: ref, f: binary64}}
		j.measure(s, &b, &found)
		if (found.tiers != "") != (flip != 0) || flip != 0 && !strings.Contains(found.tiers, "at -0x1p+00") {
			t.Errorf("flipped %x: %q", flip, found.tiers)
		}
		if found.error > 0.5 || len(found.operands) != 1 {
			t.Errorf("error %v", found.worst)
		}
	}
}

// Every part of a number line is drawn, for every function and format.
func TestPointsReachEverywhere(t *testing.T) {
	for _, fn := range functions {
		ref, _ := findReference(fn.names[0])
		for _, f := range formats {
			r := rand.New(rand.NewPCG(5, 6))
			seen := map[string]bool{}
			var x [3]float64
			for range 100000 {
				fn.draw(r, f, &x)
				for _, v := range x[:ref.operands()] {
					if math.Float64bits(f.round(v)) != math.Float64bits(v) && v == v {
						t.Fatalf("%s: %x is no %s", fn.names[0], v, f.name)
					}
					seen[kind(f, v)] = true
				}
			}
			for _, k := range []string{"NaN", "inf", "-inf", "0", "-0", "normal", "-normal", "subnormal", "-subnormal", "huge", "-huge", "1", "-1"} {
				if !seen[k] {
					t.Errorf("%s(%s): no %s", fn.names[0], f.name, k)
				}
			}
		}
	}
}

func kind(f format, x float64) string {
	minus := ""
	if math.Signbit(x) {
		minus = "-"
	}
	switch x = math.Abs(x); {
	case x != x:
		return "NaN"
	case math.IsInf(x, 0):
		return minus + "inf"
	case x == 0:
		return minus + "0"
	case x == 1:
		return minus + "1"
	case x < math.Ldexp(1, f.minExp):
		return minus + "subnormal"
	case x >= math.Ldexp(1, f.maxExp-1):
		return minus + "huge"
	}
	return minus + "normal"
}
