package main

import (
	"math"
	"testing"
)

// The classic worst case is among them, and all are close indeed.
func TestQuarterTurns(t *testing.T) {
	sin, _ := findReference("sin")
	classic := math.Ldexp(6381956970095103, 797)
	seen := false
	for _, x := range quarterTurns64() {
		seen = seen || x == classic
		s := sin.exactAt(2 * x)
		if far := math.Ldexp(s.hi, s.exp); math.Abs(far) > 0x1p-20 {
			t.Fatalf("%x is %v from a multiple of pi/2", x, far/2)
		}
	}
	if !seen {
		t.Errorf("%x is not among them", classic)
	}
	if n := len(quarterTurns32()); n < 100 {
		t.Errorf("%d of float32", n)
	}
}
