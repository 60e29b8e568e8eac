// # Accuracy
//
// No result of a math function is known to be further than 1.0 ULP from the
// exact value. An ULP is the distance of neighbouring numbers where the exact
// value is, so 0.5 is the best there is. Infinities, NaN and signs of zeros are
// as C99 has them. All tiers return the same bits.
//
// The program in kernels/ulp measures that (make ulp): functions of one float32
// at all of them, others at points drawn from the whole range and near what is
// hard (zeros, multiples of pi/2, powers of two, ends of the range), compared
// with values of 200 bits. Errors are rounded up; arguments are hexadecimal.
//
// Largest errors found, in ULP:
// End of the errors found.
package kernels
