// Package expr compiles expressions over arrays, written as NumPy users write
// them, to programs that workers run block by block.
//
// It trusts nobody: text may be anything and leads to an [*Error] with a
// position; bytes of programs and partials may come from a process that has gone
// wrong, and [Decode] and [Merger.Add] refuse what they cannot be. A program that
// Decode accepts stays within its memory, whatever it computes. Slices that are
// passed in are not kept.
//
//	text --Compile--> Plan --Start--> Run --Next--> Pass --> Program (bytes)
//	                                   ^                        | Decode, Runner
//	                                   +-- Finish <-- Merger <--+ partials of chunks
//
// # The language
//
//	a if c else b                  where(c, a, b)
//	or  and  not                   of masks only
//	< <= > >= == !=                a < b < c is a < b and b < c
//	|  ^  &  << >>                 of integers; | ^ & of masks too
//	+ -  * / // %  + - ~  **       / is true division, // and % round down
//	x[2:10]  x[::-1, 3]  x[..., None]    NumPy's basic slices, bounds that are known
//	1_000  0x1f  .5  1e-3  pi e inf nan True False   `any name`  ( )
//
// Each line binds tighter than those above it, as in Python; -x**2 is -(x**2).
// Expressions that commas separate share what they have in common. One may be given
// a name, for where results have names: y = 2*x, `any name` = x+1.
//
//	elements    abs sign sqrt cbrt square exp exp2 expm1 log log2 log10 log1p sin
//	            cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh
//	            arctanh erf hypot floor ceil trunc rint round clip(x, lo, hi)
//	            where minimum maximum fmod fma isnan isinf isfinite signbit,
//	            NumPy's names of operators (add, logical_and, ...), math's (atan2)
//	casts       float64(x) ... bool(x), astype(x, f4): as NumPy's astype
//	reductions  sum mean prod min max var std argmin argmax, each with a nan-variant
//	            that leaves NaN out; any all count_nonzero count (of what is not
//	            NaN) size len skew kurtosis norm(x, ord=2) dot corr covariance;
//	            var, std and covariance take ddof, 0 if it is not said; those of one
//	            array take axis=0, -1 or (0, 1), and keepdims=True
//	quantiles   median(x) quantile(x, q) percentile(x, p), each with a nan-variant,
//	            and method=linear lower higher nearest midpoint
//
// A reduction may stand anywhere. What needs its value is computed in a later
// pass: (x-mean(x))/std(x) takes two. min and max of two arguments are minimum
// and maximum. What Python or NumPy would read differently is refused.
//
// # Shapes
//
// Arrays go together by NumPy's broadcasting: axes are lined up at the last, and one
// of length 1, or that is not there, goes with any. What is sliced or broadcast is
// computed for the elements that are asked for, and not before.
//
// A reduction along axes is an array of NumPy's type: that of the elements for min,
// max and, of floats, for sum, mean and the like, float64 for means of integers, int64
// or uint64 for their sums and for places and counts. Each row or column is reduced as
// the array that it is: mean(x, axis=0)[3] has the bits of mean(x[:, 3]), rounded to
// that type, whatever the order in which elements lie. Places (argmin) are counted in
// C's order. Of all elements, results of more than one axis and reductions go in
// Fortran's order if all arrays that are read, and are not broadcast, lie in it.
//
// Other passes get the values along axes as a [Table], another array.
//
// # What it means
//
//	types       NumPy 2's promotion (NEP 50). A number in the text is weak, it
//	            takes the type of the array that it meets: float32 array * 0.5 is
//	            float32, int array * 0.5 float64. One out of an integer type's
//	            bounds is an error, but compares as the number it is.
//	            float16 with bfloat16 is float32; bfloat16 with int8 and uint8 is
//	            bfloat16
//	scalars     numbers and values of reductions: integers of any size as Python
//	            has them (an integer division by 0 is an error), floats in float64
//	            and full precision. A cast makes them elements of that type
//	integers    arithmetic of arrays wraps; sums and products are exact, and an
//	            error if the result does not fit 64 bits
//	float16     computed as float32, and rounded after each operation; so
//	bfloat16    is bfloat16. A NaN that comes out is the canonical one
//	functions   of integers as NumPy's: 8 bits give float16, 16 float32, others
//	            float64. floor, ceil, trunc and round leave integers as they are
//	masks       + is or, * is and; - is refused; arithmetic on truth values without
//	            an array is refused, where Python would count them
//	**          x**2 is x*x, as NumPy has it; other powers to 1 ULP. An integer to
//	            a negative number is an error, but among the elements of an array
//	            the integer part
//	NaN         sum, mean and others are NaN if any element is, see [Run.Notes];
//	            any and all take it for true. Of no elements mean, var and std are
//	            NaN, min, max, argmin and argmax errors
//	quantiles   exact, and rounded once to float64; integers that method=lower, higher
//	            and nearest choose stay such. q and p are numbers that are known,
//	            taken in decimal. Of no elements NaN, but an integer is an error
//	dot, corr   are NaN if any element is; dot takes floats
//	comparisons of values, never rounded: int64 with uint64 too
//
// What else elements do at the edges is in the table of package kernels. Parts
// without arrays are computed by the same kernels, so with the same bits, ahead
// of time. What is written twice is computed once. A division by a power of two
// becomes a multiplication where that has the same bits.
//
// Under [Options.Where] reductions pass over elements: these become what does not
// count (NaN, 0, 1 or the type's end) in their place, so that lanes and blocks
// are those of all elements, and so are indices. For var, std, skew, kurtosis,
// corr, covariance, argmin and argmax integers of 32 bits and less become
// float64; those of 64 bits are refused there.
//
// # Limits
//
// Quantiles are of all elements of an array: those along axes are refused, as are slices
// by masks. Whoever runs the plan finds them before the first pass, by surveys that go over
// what is computed once or twice more, see [Plan.Quantiles]; 256 of one array. Arrays have
// 64 axes at most. Along axes, the values of all rows are put together in one process, at some
// microseconds for each row and chunk. 65,536 bytes of text, 1,000 parts, nested 200
// deep; 64 arrays and views of them, 64 reductions of different operands in a pass, 64 arrays as
// results; integers without an array have 1,024 bits.
//
// # Programs
//
// The operations of a program run over tiles, parts of a block that a few
// registers fit the cache with. What a reduction takes is made as a whole block
// first: lanes are defined on blocks. Reductions are those of package kernels,
// and so is their tree: results do not depend on tiles or chunks.
//
//	 0  "GSX" 1                     its layout's version
//	 4  inputs, constants, kernels, operations,
//	    registers, blocks, reductions, results: 16 bits each
//	20  inputs      [type 8]
//	    constants   [type 8 | bits 64]
//	    kernels     [result 8 | operands 3 x 8 | length 8 | name]
//	    operations  [kernel 16 | result 16 | operands 3 x 16]
//	    reductions  [kind 8 | operand 16 | operand 16]
//	    results     [operand 16]
//
// Little-endian, nothing between or behind. An operand is 2 bits of class (input,
// constant, register, block) above 14 of index; 0xffff is none. Kernels go by
// name, so that a program outlives a change of their numbers.
package expr
