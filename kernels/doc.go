// Package kernels is the arithmetic of gangsaw: element types, elementwise
// kernels and reductions over blocks of elements, and the partials by which
// results of many blocks are merged.
//
// It trusts its caller for the types and lengths of the slices it is given and
// keeps no view of them after a call returns. It knows nothing of processes,
// mappings or rings.
//
// # Tiers
//
// Every kernel has one description, from which package generate, a module of
// its own below this one, makes portable Go, AVX2 and AVX-512 code. Which runs
// is chosen once, see [CurrentTier]. Assembly crosses whole vectors; tails, and
// vectors with an element of a rare kind, are left to the portable code, which
// is in every build and is what the tests hold the others against.
//
// # The same bits everywhere
//
// An array is cut by logical index into blocks of [BlockLen] elements. Inside
// a block, element i belongs to virtual lane i mod [Lanes]; lanes accumulate
// independently and fold in a fixed order (lane j with lane j+16, then j+8,
// j+4, j+2, j+1). Block partials combine on a binary tree over the block
// number: node i of level k covers blocks i*2^k up to (i+1)*2^k, and a node
// whose right half lies behind the end of the array is its left half. A chunk
// is an aligned subtree. The result therefore depends on the numbers and their
// order alone, not on how many workers computed it, in what chunks, in what
// order or how often, nor on the tier: each operation has one exact meaning,
// products and sums are fused only where that is written, and no kernel uses
// an instruction whose result is only about right. Hashes of all results over a
// fixed corpus are in testdata/hashes.txt.
//
// # Elementwise kernels
//
// Names are NumPy's. A kernel computes with the type of its operands; float16
// and bfloat16 are cast to float32 first. Every operand may be a single element
// that serves for all.
//
//	add subtract multiply     floats: IEEE 754, rounded to nearest, ties to even;
//	                          integers wrap
//	divide sqrt fma           floats; fma rounds once
//	floor_divide remainder    the quotient rounded down, the rest with y's sign;
//	                          of floats computed as NumPy does, (x-rest)/y
//	trunc_divide fmod         the quotient cut off, the rest with x's sign, as
//	                          Go's / and %; trunc_divide of integers only
//	negative absolute sign    integers wrap
//	minimum maximum clip      NaN if any operand is; -0 < +0
//	floor ceil trunc rint     floats; rint: ties to even
//	equal ... greater_equal   false with NaN, but not_equal true; -0 = +0
//	isnan isinf isfinite signbit
//	logical_and, _or, _xor, _not   of bool
//	where                     of a bool and two of one type
//	bitwise_and, _or, _xor, invert, left_shift, right_shift, byteswap
//	cast saturate fits_*     between types
//	cell                     of a [Survey]
//	cbrt hypot power exp exp2 expm1 log log2 log10 log1p
//	sin cos tan arcsin arccos arctan arctan2
//	sinh cosh tanh arcsinh arccosh arctanh erf
//
// Elements that lie apart from one another, or in the other byte order, are
// decoded into contiguous ones first, and encoded afterwards: see [Layout].
//
// # What happens at the edges
//
//	NaN that arithmetic makes      always 0x7ff8000000000000 (float32: 0x7fc00000):
//	                               positive, quiet, without payload, also where an
//	                               operand was another NaN
//	NaN that is moved              where keeps it as it is; negative and absolute
//	                               change its sign alone
//	-0                             as IEEE 754 has it; minimum and maximum order it
//	                               below +0; sign(-0) is -0
//	infinities                     as IEEE 754 and C99, annex F, have them
//	subnormals                     are numbers like all others, never flushed to 0
//	overflow of floats             to infinity
//	overflow of integers           wraps: so do negative and absolute of the least
//	                               integer, and its quotient by -1, which is itself
//	power of integers              wraps; a negative exponent gives the integer part
//	                               of 1/x^-y: 1, -1 or 0
//	integer division by zero       quotient and remainder are 0
//	float division by zero         divide: IEEE 754; fmod, remainder: NaN;
//	                               floor_divide: that of the quotient
//	shift by the width or more,    everything is shifted out: 0, or -1 for a
//	or by a negative number        right_shift of a negative number
//	cast, float to integer         cuts off, then wraps; NaN and infinities are 0
//	cast, integer to integer       wraps
//	cast to a narrower float       rounds to nearest, ties to even; beyond the range
//	                               to infinity; also to 16 bits
//	cast to bool                   whether it is not 0; NaN is true
//	saturate, to integers          cuts off, then the nearest in range; NaN is 0
//	fits_int8 and so on            whether cutting off leaves a number in range;
//	                               NaN does not
//	cell(x, a, b)                  x*a+b, rounded once, cut off, and the nearest of
//	                               0 to 2047; NaN is 0
//	bool from a file               any byte but 0 is true
//
// # What the summary reduction returns
//
//	count     every element, NaN included
//	nan, inf  how many elements are NaN, how many are plus or minus infinity
//	min, max  over elements that are not NaN; infinities take part; -0 < +0
//	sum       floats: two-sum compensation in every lane and in every merge,
//	          about 106 bits, so with an error of some 2^-100 of the sum of
//	          magnitudes, rounded once; integers: exact, in 128 bits
//	mean      the unrounded sum divided by the number of elements that are not
//	          NaN, rounded once
//	var, std  around a pivot of each block, the mean of its first row of lanes,
//	          put right to the block's mean, and merged by the rule of Chan,
//	          Golub and LeVeque (1979) with means carried in double-double
//
// NaN elements are left out of everything but the counts. With infinities of
// one sign the sum and the mean are that infinity and var and std are NaN;
// with both signs all four are NaN. Without any element that is not NaN, min,
// max, mean, var and std do not exist and the sum is 0. Finite data never
// overflows on the way: partials of very large or very small numbers are held
// scaled by a power of two, so that only a result that is itself out of range
// becomes infinite. The price: where an array holds magnitudes above 2^200 as
// well as others 2^800 times smaller, those may lose bits or count as 0.
//
// # Other reductions
//
// By name, see [LookupReduction] and, of pairs, [LookupPairReduction]. What they
// make of NaN, infinities and no elements:
//
//	sum         [AddUp]            count, nan, inf, sum and mean of the summary, to
//	                               the last bit
//	moments     [DescribeMoments]  NaN are left out and counted; skewness and
//	                               kurtosis are NaN with infinities, and where all
//	                               elements are equal
//	norms       [MeasureNorms]     NaN are left out and counted; infinite with an
//	                               infinity; 0 of none
//	product     [Multiply]         NaN are left out and counted; infinity by zero is
//	                               NaN; 1 of none; integers exact, or an error
//	extremes    [FindExtremes]     places of the first least and greatest, of the
//	                               first NaN apart; of none there is none
//	truth       [CountTruth]       NaN is true
//	dot         [SumProducts]      pairs with a NaN are left out and counted;
//	                               infinities as plain addition has them; 0 of none;
//	                               compensated products and sums, rounded once
//	covariance  [Covary]           pairs with a NaN are left out and counted;
//	                               covariance and correlation are NaN with an
//	                               infinity and of too few pairs, the correlation
//	                               also where either side is constant
//
// A [Histogram] goes by no name: it needs bounds and a number of bins, which come
// out of a look at the data, and its partial may be longer than [MaxPartial]. It is
// counted by a [Survey], together with quantiles and in one pass, which takes
// parameters and has partials of any length; or block by block in one process.
//
// Sources: Knuth, TAOCP 2, 4.2.2 (two-sum); Neumaier (1974) and Ogita, Rump,
// Oishi (2005), Sum2 and Dot2 (compensation gathered beside the sum); Joldes,
// Muller, Popescu (2017), algorithm 6 (double-double addition); Pébay (2008)
// (moments).
//
//go:generate go run -C generate . ..
package kernels
