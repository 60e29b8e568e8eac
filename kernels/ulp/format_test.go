package main

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exactOf returns a value of any precision.
func exactOf(x *big.Float) exact {
	if x.Sign() == 0 {
		return exactly(0)
	}
	mant := new(big.Float)
	exp := x.MantExp(mant)
	hi, _ := mant.Float64()
	rest := new(big.Float).SetPrec(x.Prec()).Sub(mant, big.NewFloat(hi))
	lo, _ := rest.Float64()
	return exact{hi, lo, exp}
}

// between returns x + part*2^exp, with room for both.
func between(x, part float64, exp int) exact {
	add := new(big.Float).SetMantExp(big.NewFloat(part), exp).SetPrec(2000)
	return exactOf(add.Add(add, big.NewFloat(x)))
}

func near(got, want float64) bool {
	return got == want || math.Abs(got-want) <= 1e-12*math.Abs(want) && !math.IsInf(want, 0)
}

var formats = []format{binary64, binary32}

// A result off by a known part of an ULP, in every kind of binade.
func TestErrorOfKnownDistance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, f := range formats {
		for range 100000 {
			b := r.Uint64()
			x := f.bits(b)
			_, exp := math.Frexp(x)
			// Away from powers of two, where the binade changes.
			if math.IsNaN(x) || math.Abs(x) < math.Ldexp(2, f.tiniest()) || f.step(x, 3) == f.step(x, 4) || f.step(x, -3) == f.step(x, -4) || b<<(65-f.digits)+1<<(67-f.digits) < 1<<(68-f.digits) {
				continue
			}
			ulp := max(exp-1, f.minExp) - f.digits + 1
			part := 2*r.Float64() - 1
			if got := f.error(x, between(x, part, ulp)); !near(got, math.Abs(part)) {
				t.Fatalf("%s: %v of an ULP from %x measures %v", f.name, part, x, got)
			}
			if got := f.error(f.step(x, 1), exactly(x)); got != 1 {
				t.Fatalf("%s: the number behind %x measures %v", f.name, x, got)
			}
			if got := f.error(f.step(x, -2), exactly(x)); got != 2 {
				t.Fatalf("%s: the second number before %x measures %v", f.name, x, got)
			}
		}
	}
}

func TestErrorInKnownCases(t *testing.T) {
	inf, nan, zero := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	for _, f := range formats {
		top := f.step(inf, -1)
		topUlp := f.maxExp - f.digits + 1
		tiny := math.Ldexp(1, f.tiniest())
		normal := math.Ldexp(1, f.minExp)
		below := -f.digits // exponent of the ULP under 1
		for _, c := range []struct {
			what string
			got  float64
			want exact
			err  float64
		}{
			{"same", 1, exactly(1), 0},
			{"above 1", f.step(1, 1), exactly(1), 1},
			{"below 1, whose binade begins there", f.step(1, -1), exactly(1), 0.5},
			{"1 from just below it", 1, between(1, -0.75, below), 0.75},
			{"below 1 from a hair under it", f.step(1, -1), between(1, -0x1p-60, below), 1},
			{"negative", -1, between(-1, 0.25, below), 0.25},
			{"more than a double", 1, between(1, -0x1p-60, below), 0x1p-60},

			{"half a subnormal as 0", 0, between(0, 0.5, f.tiniest()), 0.5},
			{"half a subnormal as -0", zero, between(0, 0.5, f.tiniest()), inf},
			{"next to nothing as the smallest", tiny, exact{hi: 0.5, exp: -1 << 20}, 1},
			{"next to nothing as 0", 0, exact{hi: 0.5, exp: -1 << 20}, 0},
			{"subnormal", 5 * tiny, between(4*tiny, 0.25, f.tiniest()), 0.75},
			{"largest subnormal as normal", normal, exactly(f.step(normal, -1)), 1},
			{"flushed to 0", 0, exactly(f.step(normal, -1)), math.Ldexp(1, f.digits-1) - 1},

			{"largest", top, exactly(top), 0},
			{"infinity for the largest", inf, exactly(top), 1},
			{"infinity 0.25 above the largest", inf, between(top, 0.25, topUlp), 0.75},
			{"infinity half an ULP above the largest", inf, between(top, 0.5, topUlp), 0},
			{"infinity just below that", inf, between(top, 0.499, topUlp), 0.501},
			{"infinity for more", inf, exact{hi: 0.5, exp: 1 << 20}, 0},
			{"-infinity for more", -inf, exact{hi: 0.5, exp: 1 << 20}, inf},
			{"-infinity for less", -inf, exact{hi: -0.5, exp: 1 << 20}, 0},
			{"infinity for 1", inf, exactly(1), math.Ldexp(1, f.maxExp+f.digits) - math.Ldexp(1, f.digits-1)},
			{"largest for half an ULP more", top, between(top, 0.5, topUlp), 0.5},
			{"largest for 3 ULP more, in the next binade", top, between(top, 3, topUlp), 3},
			{"largest for much more", top, exact{hi: 0.5, exp: 1 << 20}, inf},

			{"NaN", nan, exactly(nan), 0},
			{"NaN for 1", nan, exactly(1), inf},
			{"1 for NaN", 1, exactly(nan), inf},
			{"infinity", inf, exactly(inf), 0},
			{"-infinity for infinity", -inf, exactly(inf), inf},
			{"largest for an exact infinity", top, exactly(inf), inf},
			{"-0", zero, exactly(zero), 0},
			{"0 for -0", 0, exactly(zero), inf},
			{"-0 for 0", zero, exactly(0), inf},
			{"smallest for an exact 0", tiny, exactly(0), inf},
		} {
			if got := f.error(c.got, c.want); !near(got, c.err) {
				t.Errorf("%s: %s: %v, want %v", f.name, c.what, got, c.err)
			}
		}
	}
}

func TestStep(t *testing.T) {
	inf := math.Inf(1)
	for _, f := range formats {
		tiny := math.Ldexp(1, f.tiniest())
		for _, c := range []struct {
			x    float64
			n    int64
			want float64
		}{
			{1, 0, 1},
			{1, 1, 1 + math.Ldexp(1, 1-f.digits)},
			{1, -1, 1 - math.Ldexp(1, -f.digits)},
			{-1, 1, -1 + math.Ldexp(1, -f.digits)},
			{0, -1, -tiny},
			{-tiny, 3, 2 * tiny},
			{inf, 1, inf},
			{-inf, -1, -inf},
		} {
			if got := f.step(c.x, c.n); got != c.want {
				t.Errorf("%s: %d from %x: %x, want %x", f.name, c.n, c.x, got, c.want)
			}
		}
		if math.Signbit(f.step(0, 0)) || !math.Signbit(f.step(math.Copysign(0, -1), 0)) {
			t.Errorf("%s: a zero loses its sign", f.name)
		}
	}
}
