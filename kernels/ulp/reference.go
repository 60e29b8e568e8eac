package main

// #cgo CFLAGS: -O2
// #cgo LDFLAGS: -lmpfr -lgmp -lm
// #include <stdlib.h>
// #include "reference.h"
import "C"

import (
	"math"
	"unsafe"
)

// exact is an exact value, good to some 106 bits: (hi + lo) * 2^exp with
// 0.5 <= |hi + lo| < 1; or a zero, an infinity or NaN as hi alone.
type exact struct {
	hi, lo float64
	exp    int
}

// exactly returns x.
func exactly(x float64) exact {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return exact{hi: x}
	}
	frac, exp := math.Frexp(x)
	return exact{hi: frac, exp: exp}
}

// reference is an exact function.
type reference C.int

// findReference returns the exact function of NumPy's name.
func findReference(name string) (reference, bool) {
	s := C.CString(name)
	defer C.free(unsafe.Pointer(s))
	f := C.reference_find(s)
	return reference(f), f >= 0
}

// operands returns how many operands the function has.
func (f reference) operands() int { return int(C.reference_operands(C.int(f))) }

// exact computes the function by MPFR.
func (f reference) exact(out []exact, operands [][]float64) {
	var at [3]*C.double
	for i, x := range operands {
		at[i] = (*C.double)(unsafe.SliceData(x))
	}
	C.reference_exact(C.int(f), C.size_t(len(out)), at[0], at[1], at[2], (*C.struct_exact)(unsafe.Pointer(unsafe.SliceData(out))))
}

// exactAt computes one value by MPFR.
func (f reference) exactAt(x ...float64) exact {
	operands := make([][]float64, len(x))
	for i := range x {
		operands[i] = x[i : i+1]
	}
	var out [1]exact
	f.exact(out[:], operands)
	return out[0]
}

// libm computes a function of one operand by glibc's function for doubles.
func (f reference) libm(out []float64, x []float32) {
	C.reference_libm(C.int(f), C.size_t(len(out)), (*C.float)(unsafe.SliceData(x)), (*C.double)(unsafe.SliceData(out)))
}
