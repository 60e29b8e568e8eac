package main

import (
	"math"
)

// limit is the largest error that a kernel may have, in ULP.
const limit = 1.0

// margin is more than the error of glibc's doubles, in ULP of float32.
const margin = 0x1p-20

// worst is the largest error found and where.
type worst struct {
	error    float64
	operands []float64
	got      float64
}

// merge keeps the larger error, the first of equal ones.
func (w *worst) merge(v worst) {
	if v.operands != nil && (w.operands == nil || v.error > w.error) {
		*w = v
	}
}

// judge measures a function's results in one format. It is for one goroutine.
type judge struct {
	fn     reference
	f      format
	exacts []exact
	libm   []float64
}

// byMPFR measures all results.
func (j *judge) byMPFR(got []float64, operands [][]float64, w *worst) {
	j.exacts = resize(j.exacts, len(got))
	j.fn.exact(j.exacts, operands)
	for i, want := range j.exacts {
		if e := j.f.error(got[i], want); w.operands == nil || e > w.error {
			at := make([]float64, len(operands))
			for o := range operands {
				at[o] = operands[o][i]
			}
			*w = worst{e, at, got[i]}
		}
	}
}

// at measures one result by MPFR.
func (j *judge) at(got float64, operands ...float64) float64 {
	return j.f.error(got, j.fn.exactAt(operands...))
}

// sampleEvery says of how many float32 inputs MPFR measures one.
const sampleEvery = 1 << 16

// byLibm measures float32 results of a function of one operand against glibc's
// doubles. MPFR decides near the limit and above, and measures a sample.
func (j *judge) byLibm(got, x []float32, w *worst) {
	j.libm = resize(j.libm, len(got))
	j.fn.libm(j.libm, x)
	for i, want := range j.libm {
		g := float64(got[i])
		b := math.Float64bits(want)
		if sampled := math.Float32bits(x[i])%sampleEvery == 0; !sampled && w.operands != nil {
			if math.Float64bits(g) == b || g != g && want != want {
				continue
			}
			// A power of two may have been rounded up from the binade below,
			// whose ULP is the smaller one.
			sameSign := int64(b^math.Float64bits(g)) >= 0
			if want != 0 && sameSign && math.Abs(g-want)*perULP[(b-1)>>52&0x7ff] <= w.error {
				continue
			}
		}
		e := j.f.error(g, exactly(want))
		if near := e > w.error && e > limit-margin; near || b<<12 == 0 || math.Float32bits(x[i])%sampleEvery == 0 {
			e = j.at(g, float64(x[i]))
		}
		if w.operands == nil || e > w.error {
			*w = worst{e, []float64{float64(x[i])}, g}
		}
	}
}

// perULP holds, for the exponent bits of a double, how many there are of the
// float32 ULP there in 1.
var perULP = func() (t [2048]float64) {
	for e := range t {
		t[e] = math.Ldexp(1, binary32.digits-1-min(max(e-1023, binary32.minExp), binary32.maxExp))
	}
	return t
}()

// resize returns a slice of n elements, s itself if it has them.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
