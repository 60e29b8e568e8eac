package catalogue

import (
	"math"
	"slices"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// Folds returns every fold.
func Folds() (all []*ir.Fold) {
	for _, t := range []ir.Elem{ir.Float64, ir.Float32, ir.Float16, ir.BFloat16} {
		all = append(all, total(t), sum(t), scan(t), scanSpecial(t), signs(t), deviationsSpecial(t), powers(t), norms(t))
	}
	for _, t := range integers {
		if t.Size() > 1 {
			all = append(all, powersInteger(t))
		}
		if t.Size() > 2 {
			all = append(all, scanInteger(t), normsInteger(t))
		}
		if t.Size() == 4 {
			all = append(all, totalInteger(t))
		}
		if t.Size() == 8 {
			all = append(all, sumInteger(t), deviationsInteger(t))
		}
	}
	return append(all, scanTruth(), scanBytes(), scanWords(), powersBytes(), magnitudesBytes(), magnitudesWords(), product(), dot(ir.Float64), dot(ir.Float32), covariance())
}

var (
	f64 = ir.F64
	i64 = ir.I64
)

// Combinations returns how the lanes of folds fold, each once.
func Combinations() []*ir.Fold {
	return []*ir.Fold{combineScan, combineSpecial, combineSigns, combineChecked, combineSums[1], combineSums[2], combineSums[4], combineSums[5], combineNorms,
		combineSigned, combineUnsigned, combineCount, combineTwoCounts, combineBytes, combineWords, combineDot}
}

const (
	infinity         = 0x7ff0000000000000
	negativeInfinity = 0xfff0000000000000
)

var (
	combineScan = func() *ir.Fold {
		b := ir.NewCombine("scan", f64, f64, f64, f64, f64, i64)
		sum, rest := addSums(b, 0)
		return b.Done(sum, rest, b.State(2).Min(b.Other(2)), b.State(3).Max(b.Other(3)), add(b, 4), b.State(5).Or(b.Other(5)))
	}()
	combineChecked = func() *ir.Fold {
		b := ir.NewCombine("checkedSum", f64, f64, f64)
		sum, rest := addSums(b, 0)
		return b.Done(sum, rest, add(b, 2))
	}()
	combineSpecial = func() *ir.Fold {
		b := ir.NewCombine("scanSpecial", f64, f64, f64, f64, i64, i64, i64, f64)
		sum, rest := addSums(b, 0)
		return b.Done(sum, rest, b.State(2).Min(b.Other(2)), b.State(3).Max(b.Other(3)), count(b, 4), count(b, 5), count(b, 6), b.State(7).Max(b.Other(7)))
	}()
	combineSigns = func() *ir.Fold {
		b := ir.NewCombine("signs", i64, i64)
		return b.Done(b.State(0).Or(b.Other(0)), b.State(1).And(b.Other(1)))
	}()
	// combineSums adds so many states.
	combineSums = func() map[int]*ir.Fold {
		all := map[int]*ir.Fold{}
		for n, name := range map[int]string{1: "sum", 2: "twoSums", 4: "fourSums", 5: "fiveSums"} {
			b := ir.NewCombine(name, slices.Repeat([]ir.Type{f64}, n)...)
			all[n] = b.Done(adds(b, 0, n)...)
		}
		return all
	}()
	combineNorms = func() *ir.Fold {
		b := ir.NewCombine("norms", f64, f64, f64, f64)
		sum, rest := addSums(b, 0)
		squares, rest2 := addSums(b, 2)
		return b.Done(sum, rest, squares, rest2)
	}()
	combineSigned   = combineInteger("scanSigned", ir.V.ILt)
	combineUnsigned = combineInteger("scanUnsigned", ir.V.ULt)
	combineCount    = func() *ir.Fold {
		b := ir.NewCombine("count", i64)
		return b.Done(count(b, 0))
	}()
	combineTwoCounts = func() *ir.Fold {
		b := ir.NewCombine("twoCounts", i64, i64)
		return b.Done(count(b, 0), count(b, 1))
	}()
	combineBytes = combinePacked("bytes", ir.V.IAdd, ir.V.MinBytes, ir.V.MaxBytes)
	combineWords = combinePacked("words", ir.V.AddHalves, ir.V.MinWords, ir.V.MaxWords)
	combineDot   = func() *ir.Fold {
		b := ir.NewCombine("dot", f64, f64)
		sum, rest := addSums(b, 0)
		return b.Done(sum, rest)
	}()
)

func combineInteger(name string, below func(x, y ir.V) ir.V) *ir.Fold {
	b := ir.NewCombine(name, i64, i64, i64, i64, f64)
	return b.Done(count(b, 0), count(b, 1),
		below(b.Other(2), b.State(2)).Select(b.Other(2), b.State(2)),
		below(b.State(3), b.Other(3)).Select(b.Other(3), b.State(3)), add(b, 4))
}

func combinePacked(name string, sum, least, most func(x, y ir.V) ir.V) *ir.Fold {
	b := ir.NewCombine(name, i64, i64, i64, i64)
	return b.Done(sum(b.State(0), b.Other(0)), count(b, 1), least(b.State(2), b.Other(2)), most(b.State(3), b.Other(3)))
}

// addSums adds sum i and its compensation, state i+1.
func addSums(b *ir.FoldB, i int) (sum, rest ir.V) {
	sum, err := twoSum(b.State(i), b.Other(i))
	return sum, b.State(i + 1).Add(b.Other(i + 1)).Add(err)
}

func add(b *ir.FoldB, i int) ir.V   { return b.State(i).Add(b.Other(i)) }
func count(b *ir.FoldB, i int) ir.V { return b.State(i).IAdd(b.Other(i)) }

func adds(b *ir.FoldB, from, n int) (all []ir.V) {
	for i := range n {
		all = append(all, add(b, from+i))
	}
	return all
}

// total sums elements, of a row say. State: the sum.
func total(t ir.Elem) *ir.Fold {
	b := ir.NewFold("total", []ir.Type{f64}, nil, t)
	b.Combine(combineSums[1])
	return b.Done(b.State(0).Add(load(b)))
}

// totalInteger is total of integers that are narrower than the sum.
func totalInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("total", []ir.Type{i64}, nil, t)
	b.Combine(combineCount)
	return b.Done(b.State(0).IAdd(widen(b.In(0), t)))
}

// load returns operand 0 as a float64 lane.
func load(b *ir.FoldB) ir.V {
	if x := b.In(0); x.Type() == ir.F32 {
		return x.Widen()
	} else {
		return x
	}
}

// sum is scan without all but the sum. States: sum, its compensation, and of float64
// what is not finite if any element has a magnitude of 2^199 or more, one that
// belongs to a higher band: multiplications are free beside so many additions.
func sum(t ir.Elem) *ir.Fold {
	if t != ir.Float64 {
		b := ir.NewFold("sum", []ir.Type{f64, f64}, nil, t)
		b.Combine(combineDot)
		sum, err := twoSum(b.State(0), load(b))
		return b.Done(sum, b.State(1).Add(err))
	}
	b := ir.NewFold("sum", []ir.Type{f64, f64, f64}, nil, t)
	b.Start(0, 0, math.Float64bits(1)) // so that no square is subnormal
	b.Combine(combineChecked)
	x := load(b)
	sum, err := twoSum(b.State(0), x)
	large := x.Mul(x.C(0x1p313))
	return b.Done(sum, b.State(1).Add(err), large.FMA(large, b.State(2)))
}

// sumInteger is sum of 64-bit integers. States: as the first two of scanInteger.
func sumInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("sum", []ir.Type{i64, i64}, nil, t)
	b.Combine(combineTwoCounts)
	x := widen(b.In(0), t)
	low, top := halvesOf(b, x, t)
	return b.Done(b.State(0).IAdd(low), b.State(1).IAdd(top))
}

// halvesOf returns the low 32 bits of a 64-bit integer, and those above.
func halvesOf(b *ir.FoldB, x ir.V, t ir.Elem) (low, top ir.V) {
	top = x.SarI(32)
	if t.IsUnsigned() {
		top = x.ShrI(32)
	}
	return x.And(b.Int(i64, 1<<32-1)), top
}

// scan is all that an ordinary block needs. Uniform operand: a pivot. States:
// sum, its compensation, least and greatest element (of zeros, either), sum of
// squared deviations from the pivot, bits of all elements.
func scan(t ir.Elem) *ir.Fold {
	b := ir.NewFold("scan", []ir.Type{f64, f64, f64, f64, f64, i64}, []ir.Type{f64}, t)
	b.Start(0, 0, infinity, negativeInfinity)
	b.Combine(combineScan)
	x := load(b)
	sum, err := twoSum(b.State(0), x)
	d := x.Sub(b.Param(0))
	return b.Done(sum, b.State(1).Add(err), x.Min(b.State(2)), x.Max(b.State(3)), d.FMA(d, b.State(4)), b.State(5).Or(x.Bits()))
}

// scanSpecial is scan where there are NaN and infinities, which count as 0 for
// the sum; infinities take part in the extremes. Uniform operand: the unit in
// which the sum is. States: as of scan, then how many are NaN, +Inf, -Inf, and
// the largest finite magnitude.
func scanSpecial(t ir.Elem) *ir.Fold {
	b := ir.NewFold("scanSpecial", []ir.Type{f64, f64, f64, f64, i64, i64, i64, f64}, []ir.Type{f64}, t)
	b.Start(0, 0, infinity, negativeInfinity)
	b.Combine(combineSpecial)
	x := load(b)
	zero := x.C(0)
	finite := x.Sub(x).Eq(zero)
	sum, err := twoSum(b.State(0), finite.Select(x.Mul(b.Param(0)), zero))
	tally := func(state int, m ir.V) ir.V {
		return b.State(state).IAdd(m.Select(b.Int(i64, 1), b.Int(i64, 0)))
	}
	infinite := b.Int(i64, infinity).AsFloat()
	negative := b.Int(i64, negativeInfinity).AsFloat()
	return b.Done(sum, b.State(1).Add(err), x.Min(b.State(2)), x.Max(b.State(3)),
		tally(4, x.Ne(x)), tally(5, x.Eq(infinite)), tally(6, x.Eq(negative)),
		finite.Select(abs(b.B, x), zero).Max(b.State(7)))
}

// signs combines the bits of those elements that are zeros. States: or, and.
func signs(t ir.Elem) *ir.Fold {
	b := ir.NewFold("signs", []ir.Type{i64, i64}, nil, t)
	b.Start(0, 1<<63)
	b.Combine(combineSigns)
	x := load(b)
	zero := x.Eq(x.C(0))
	return b.Done(b.State(0).Or(zero.Select(x.Bits(), b.Int(i64, 0))), b.State(1).And(zero.Select(x.Bits(), b.Int(i64, 1<<63))))
}

// deviationsSpecial is the second look at a block with NaN and infinities, which
// do not count. Uniform operands: a pivot, the unit in which it is. States: sum
// of squared deviations from it, and of deviations.
func deviationsSpecial(t ir.Elem) *ir.Fold {
	b := ir.NewFold("deviationsSpecial", []ir.Type{f64, f64}, []ir.Type{f64, f64}, t)
	b.Combine(combineSums[2])
	x := load(b)
	d := x.Sub(x).Eq(x.C(0)).Select(x.Mul(b.Param(1)).Sub(b.Param(0)), x.C(0))
	return b.Done(b.State(0).Add(d.Mul(d)), b.State(1).Add(d))
}

// scanInteger is what a block of integers needs. Uniform operand: a pivot.
// States: sum of the low 32 bits, sum of the bits above, least and greatest
// element, sum of squared deviations from the pivot. Elements of 32 bits have no
// bits above; of 64 bits, whose deviations need not fit, there is no
// sum of squares.
func scanInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("scan", []ir.Type{i64, i64, i64, i64, f64}, []ir.Type{i64}, t)
	x := widen(b.In(0), t)
	below := ir.V.ILt
	if t == ir.Uint64 {
		below = ir.V.ULt
		b.Start(0, 0, math.MaxUint64, 0)
		b.Combine(combineUnsigned)
	} else {
		b.Start(0, 0, math.MaxInt64, 1<<63)
		b.Combine(combineSigned)
	}
	least := below(x, b.State(2)).Select(x, b.State(2))
	most := below(b.State(3), x).Select(x, b.State(3))
	if t.Size() < 8 {
		d := toFloat(b.B, x.ISub(b.Param(0)), true)
		return b.Done(b.State(0).IAdd(x), b.State(1), least, most, d.FMA(d, b.State(4)))
	}
	low, top := halvesOf(b, x, t)
	return b.Done(b.State(0).IAdd(low), b.State(1).IAdd(top), least, most, b.State(4))
}

// deviationsInteger is the second look at a block of 64-bit integers whose
// deviations from a pivot, the uniform operand, fit 64 bits with their sign.
// States: as of deviationsSpecial.
func deviationsInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("deviations", []ir.Type{f64, f64}, []ir.Type{i64}, t)
	b.Combine(combineSums[2])
	d := toFloat(b.B, widen(b.In(0), t).ISub(b.Param(0)), t.Size() < 8)
	return b.Done(b.State(0).Add(d.Mul(d)), b.State(1).Add(d))
}

// scanTruth counts the elements that hold.
func scanTruth() *ir.Fold {
	b := ir.NewFold("scan", []ir.Type{i64}, nil, ir.Bool)
	b.Combine(combineCount)
	return b.Done(b.State(0).IAdd(b.In(0).Select(b.Int(i64, 1), b.Int(i64, 0))))
}

// powers is deviationsSpecial up to the fourth power. States: sums of the
// deviations, their squares, cubes and fourth powers.
func powers(t ir.Elem) *ir.Fold {
	b := ir.NewFold("powers", []ir.Type{f64, f64, f64, f64}, []ir.Type{f64, f64}, t)
	b.Combine(combineSums[4])
	x := load(b)
	return sumPowers(b, x.Sub(x).Eq(x.C(0)).Select(x.Mul(b.Param(1)).Sub(b.Param(0)), x.C(0)))
}

// powersInteger is powers where deviations fit as for deviationsInteger.
func powersInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("powers", []ir.Type{f64, f64, f64, f64}, []ir.Type{i64}, t)
	b.Combine(combineSums[4])
	return sumPowers(b, toFloat(b.B, widen(b.In(0), t).ISub(b.Param(0)), t.Size() < 8))
}

func sumPowers(b *ir.FoldB, d ir.V) *ir.Fold {
	d2 := d.Mul(d)
	return b.Done(b.State(0).Add(d), b.State(1).Add(d2), b.State(2).Add(d2.Mul(d)), b.State(3).Add(d2.Mul(d2)))
}

// norms sums magnitudes and squares of finite elements. Uniform operand: the
// unit they are in. States: sum of magnitudes, its compensation, sum of
// squares, its compensation (Ogita, Rump and Oishi 2005, Dot2).
func norms(t ir.Elem) *ir.Fold {
	b := ir.NewFold("norms", []ir.Type{f64, f64, f64, f64}, []ir.Type{f64}, t)
	b.Combine(combineNorms)
	x := load(b)
	return sumNorms(b, x.Sub(x).Eq(x.C(0)).Select(abs(b.B, x).Mul(b.Param(0)), x.C(0)))
}

// normsInteger is norms of integers, each rounded to a float64 first.
func normsInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("norms", []ir.Type{f64, f64, f64, f64}, nil, t)
	b.Combine(combineNorms)
	x := widen(b.In(0), t)
	if t == ir.Uint64 {
		return sumNorms(b, toFloatUnsigned(b.B, x))
	}
	return sumNorms(b, abs(b.B, toFloat(b.B, x, t.Size() < 8)))
}

func sumNorms(b *ir.FoldB, a ir.V) *ir.Fold {
	sum, err := twoSum(b.State(0), a)
	h := a.Mul(a)
	squares, rest := twoSum(b.State(2), h)
	return b.Done(sum, b.State(1).Add(err), squares, b.State(3).Add(a.FMS(a, h).Add(rest)))
}

// Integers of 8 and 16 bits are folded as they are packed in 64-bit elements, for
// their sums are exact in any order. Uniform operand: what turns the sign bits of all,
// so that bytes become unsigned and words signed. States: sums, sums of squares, least
// and greatest parts.

// scanBytes has sums of squares in halves of 32 bits, which those of a block fit.
func scanBytes() *ir.Fold {
	b := ir.NewFold("scanBytes", []ir.Type{i64, i64, i64, i64}, []ir.Type{i64}, ir.Uint64)
	b.Start(0, 0, math.MaxUint64, 0)
	b.Combine(combineBytes)
	x := b.In(0).Xor(b.Param(0))
	words := b.Int(i64, 0x00ff00ff00ff00ff)
	even, odd := x.And(words), x.ShrI(8).And(words)
	squares := even.DotWords(even).IAdd(odd.DotWords(odd))
	return b.Done(b.State(0).IAdd(x.SumBytes(b.Int(i64, 0))), b.State(1).IAdd(squares), b.State(2).MinBytes(x), b.State(3).MaxBytes(x))
}

// scanWords has sums in halves of 32 bits, with their signs.
func scanWords() *ir.Fold {
	b := ir.NewFold("scanWords", []ir.Type{i64, i64, i64, i64}, []ir.Type{i64}, ir.Uint64)
	b.Start(0, 0, 0x7fff7fff7fff7fff, 0x8000800080008000)
	b.Combine(combineWords)
	x := b.In(0).Xor(b.Param(0))
	squares := x.DotWords(x)
	squares = squares.And(b.Int(i64, 1<<32-1)).IAdd(squares.ShrI(32))
	return b.Done(b.State(0).AddHalves(x.DotWords(b.Int(i64, 0x0001000100010001))), b.State(1).IAdd(squares), b.State(2).MinWords(x), b.State(3).MaxWords(x))
}

// powersBytes has sums of cubes and of fourth powers of signed bytes. Each cube is that
// much greater: by 2^21, which is as much as one may be below 0.
func powersBytes() *ir.Fold {
	b := ir.NewFold("powersBytes", []ir.Type{i64, i64}, []ir.Type{i64}, ir.Uint64)
	b.Combine(combineTwoCounts)
	x := b.In(0).Xor(b.Param(0))
	low, high := x.LowBytes(), x.HighBytes()
	low2, high2 := low.MulWords(low), high.MulWords(high)
	sum := func(halves ir.V) ir.V { return halves.And(b.Int(i64, 1<<32-1)).IAdd(halves.ShrI(32)) }
	cubes := low2.DotWords(low).AddHalves(high2.DotWords(high)).AddHalves(b.Int(i64, 4<<21|4<<53))
	fourths := low2.DotWords(low2).IAdd(high2.DotWords(high2))
	return b.Done(b.State(0).IAdd(sum(cubes)), b.State(1).IAdd(sum(fourths)))
}

// magnitudesBytes sums the magnitudes of signed bytes.
func magnitudesBytes() *ir.Fold {
	b := ir.NewFold("magnitudesBytes", []ir.Type{i64}, nil, ir.Uint64)
	b.Combine(combineCount)
	signs := b.Int(i64, 0x8080808080808080)
	return b.Done(b.State(0).IAdd(b.In(0).Xor(signs).SumBytes(signs)))
}

// magnitudesWords sums those of signed words that are positive, in halves of 32 bits.
func magnitudesWords() *ir.Fold {
	b := ir.NewFold("magnitudesWords", []ir.Type{i64}, nil, ir.Uint64)
	b.Combine(combineCount)
	return b.Done(b.State(0).IAdd(b.In(0).MaxWords(b.Int(i64, 0)).DotWords(b.Int(i64, 0x0001000100010001))))
}

// product multiplies significands, which are of [1, 2), and adds exponents, so
// that nothing overflows. States: product, its compensation, sum of biased
// exponents, parity of signs (the sign bit), and how many elements are zero,
// subnormal, infinite or NaN, whose significands mean nothing here.
func product() *ir.Fold {
	b := ir.NewFold("product", []ir.Type{f64, f64, i64, i64, i64}, nil, ir.Float64)
	b.Start(math.Float64bits(1))
	x := b.In(0).Bits()
	biased := x.ShrI(52).And(b.Int(i64, 0x7ff))
	m := x.And(b.Int(i64, 1<<52-1)).Or(b.Int(i64, 0x3ff<<52)).AsFloat()
	p := b.State(0).Mul(m)
	special := b.Int(i64, 0x7fd).ULt(biased.ISub(b.Int(i64, 1)))
	return b.Done(p, b.State(1).FMA(m, b.State(0).FMS(m, p)), b.State(2).IAdd(biased),
		b.State(3).Xor(x), b.State(4).IAdd(special.Select(b.Int(i64, 1), b.Int(i64, 0))))
}

// dot sums products. States: the sum, its compensation (Ogita, Rump and Oishi
// 2005, Dot2). Products of float32 are exact in float64.
func dot(t ir.Elem) *ir.Fold {
	b := ir.NewFold("dot", []ir.Type{f64, f64}, nil, t, t)
	b.Combine(combineDot)
	if t == ir.Float32 {
		sum, err := twoSum(b.State(0), b.In(0).Widen().Mul(b.In(1).Widen()))
		return b.Done(sum, b.State(1).Add(err))
	}
	product, tail := twoProduct(b.In(0), b.In(1))
	sum, err := twoSum(b.State(0), product)
	return b.Done(sum, b.State(1).Add(tail.Add(err)))
}

// covariance is the second look at pairs of elements. Uniform operands: a pivot for
// each of the two. States: sums of the deviations' squares, of their products, and
// of the deviations.
func covariance() *ir.Fold {
	b := ir.NewFold("covariance", []ir.Type{f64, f64, f64, f64, f64}, []ir.Type{f64, f64}, ir.Float64, ir.Float64)
	b.Combine(combineSums[5])
	dx, dy := b.In(0).Sub(b.Param(0)), b.In(1).Sub(b.Param(1))
	return b.Done(b.State(0).Add(dx.Mul(dx)), b.State(1).Add(dy.Mul(dy)), b.State(2).Add(dx.Mul(dy)), b.State(3).Add(dx), b.State(4).Add(dy))
}
