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
//
//	function  type         points    ULP  at
//	divide    float32     5000000   0.50  -0x1p-149, -0x1p+01
//	divide    float64     5000000   0.50  -0x1p-1074, -0x1p+01
//	exp       float32         all   0.50  -0x1.d2259ap+03
//	exp       float64     5000000   0.99  0x1.e7f9f7dba2493p+01
//	fma       float32     5000000   0.50  -0x1.59ba24p+09, -0x1.ba28bcp-20, -0x1.2a912ap-10
//	fma       float64     5000000   0.50  -0x1p+53, -0x1.0000000000001p+00, 0x1.8p+01
//	sqrt      float32         all   0.50  0x1.fffffep-125
//	sqrt      float64     5000000   0.50  0x1.0000000000001p+00
//
// End of the errors found.
package kernels
