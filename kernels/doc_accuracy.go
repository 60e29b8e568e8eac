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
//	arccos    float32         all   0.51  0x1.110b46p-26
//	arccos    float64     5000000   0.61  0x1.1aa63f9688258p-01
//	arccosh   float32         all   0.51  0x1.6351d8p+94
//	arccosh   float64     5000000   0.81  0x1.007555d6d1a6cp+00
//	arcsin    float32         all   0.50  0x1.107434p-01
//	arcsin    float64     5000000   0.64  0x1.0dbbb6b216f56p-01
//	arcsinh   float32         all   0.51  0x1.6351d8p+94
//	arcsinh   float64     5000000   0.80  -0x1.e93bc94471acp-05
//	arctan    float32         all   0.51  0x1.1ad646p-04
//	arctan    float64     5000000   0.59  0x1.faf2bac307fd8p-03
//	arctan2   float32     5000000   0.50  -0x1p-126, 0x1p+24
//	arctan2   float64     5000000   0.57  0x1.a796ea5af897dp+1021, 0x1.ae4f26d9a49c9p+1023
//	arctanh   float32         all   0.50  0x1.713744p-12
//	arctanh   float64     5000000   0.81  0x1.e4f93bd6610ep-05
//	cbrt      float32         all   0.52  0x1.cbf06p-130
//	cbrt      float64     5000000   0.51  0x1.cbb268184p-1039
//	cos       float32         all   0.50  0x1.887814p+51
//	cos       float64     5000000   0.74  0x1.de9a1d0dae202p+11
//	cosh      float32         all   0.50  0x1.deeeap-11
//	cosh      float64     5000000   0.83  -0x1.25e4f7fec575ap+04
//	divide    float32     5000000   0.50  0x1p-126, -0x1p+24
//	divide    float64     5000000   0.50  -0x1p-1074, -0x1p+01
//	erf       float32         all   0.51  0x1.3472fcp+00
//	erf       float64     5000000   0.79  0x1.6a09e708a1cd4p+00
//	exp       float32         all   0.50  -0x1.d2259ap+03
//	exp       float64     5000000   0.81  -0x1.62621bb2a5f94p+09
//	exp2      float32         all   0.51  0x1.853a6ep-09
//	exp2      float64     5000000   0.76  -0x1.ff3c3b4c702a5p+09
//	expm1     float32         all   0.50  0x1.94c582p-22
//	expm1     float64     5000000   0.81  0x1.6a09e667f3f72p-02
//	fma       float32     5000000   0.50  -0x1.59ba24p+09, -0x1.ba28bcp-20, -0x1.2a912ap-10
//	fma       float64     5000000   0.50  -0x1p+53, -0x1.0000000000001p+00, 0x1.8p+01
//	hypot     float32     5000000   0.50  -0x1.8f221ap+03, 0x1.0a16bcp+04
//	hypot     float64     5000000   0.77  0x1.3ff9a0b6a7c4p-1024, -0x1.66bcf6874330ap-1023
//	log       float32         all   0.50  0x1.22d57p-65
//	log       float64     5000000   0.77  0x1.2085a7a46eabfp+00
//	log10     float32         all   0.51  0x1.fddcf4p-98
//	log10     float64     5000000   0.73  0x1.200cc00665269p+00
//	log1p     float32         all   0.51  0x1.800006p-21
//	log1p     float64     5000000   0.76  0x1.015134d3952e8p-03
//	log2      float32         all   0.50  0x1.40f572p-02
//	log2      float64     5000000   0.69  0x1.200f55d2cd321p+00
//	power     float32     5000000   0.51  0x1.f32ecep-01, -0x1.b57206p+11
//	power     float64     5000000   0.83  0x1.0563750427ff2p+00, -0x1.09afb43304c78p+15
//	sin       float32         all   0.51  0x1.33333p+13
//	sin       float64     5000000   0.73  0x1.921fb54429aa5p-01
//	sinh      float32         all   0.51  0x1.250bfep-11
//	sinh      float64     5000000   0.81  0x1.6aa974f4c911cp-02
//	sqrt      float32         all   0.50  0x1.fffffep-125
//	sqrt      float64     5000000   0.50  0x1.0000000000001p+00
//	tan       float32         all   0.50  0x1.fa6748p+64
//	tan       float64     5000000   0.80  -0x1.5c00e44b21b52p+17
//	tanh      float32         all   0.50  0x1.86fbc4p-10
//	tanh      float64     5000000   0.53  -0x1.4cb5af1da5625p-07
//
// End of the errors found.
package kernels
