// Package kernels is the arithmetic of gangsaw: element types, reductions over
// plain slices, and the partials by which results of many blocks are merged.
//
// It trusts its caller for the types and lengths of the slices it is given and
// keeps no view of them after a call returns. It knows nothing of processes,
// mappings or rings.
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
// order or how often.
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
//	var, std  around each block's own mean, merged by the rule of Chan, Golub
//	          and LeVeque (1979) with means carried in double-double
//
// NaN elements are left out of everything but the counts. With infinities of
// one sign the sum and the mean are that infinity and var and std are NaN;
// with both signs all four are NaN. Without any element that is not NaN, min,
// max, mean, var and std do not exist and the sum is 0. Finite data never
// overflows on the way: partials of very large or very small numbers are held
// scaled by a power of two, so that only a result that is itself out of range
// becomes infinite. The price: where a block holds magnitudes above 2^600 as
// well as below 2^-222, the small ones may lose bits or count as 0.
//
// Sources: Knuth, TAOCP 2, 4.2.2 (two-sum); Neumaier (1974) and Ogita, Rump,
// Oishi (2005), Sum2 (compensation gathered beside the sum); Joldes, Muller,
// Popescu (2017), algorithm 6 (double-double addition).
//
//go:generate go run -C generate . ..
package kernels
