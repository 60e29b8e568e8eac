package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// Folds returns every fold.
func Folds() (all []*ir.Fold) {
	for _, t := range []ir.Elem{ir.Float64, ir.Float32, ir.Float16, ir.BFloat16} {
		all = append(all, scan(t), scanSpecial(t), signs(t), deviationsSpecial(t), powers(t), norms(t))
	}
	for _, t := range integers {
		all = append(all, scanInteger(t), powersInteger(t), normsInteger(t))
		if t.Size() == 8 {
			all = append(all, deviationsInteger(t))
		}
	}
	return append(all, scanTruth(), product(), pairs())
}

var (
	f64 = ir.F64
	i64 = ir.I64
)

// load returns operand 0 as a float64 lane.
func load(b *ir.FoldB) ir.V {
	if x := b.In(0); x.Type() == ir.F32 {
		return x.Widen()
	} else {
		return x
	}
}

// scan is all that an ordinary block needs. Uniform operand: a pivot. States:
// sum, its compensation, least and greatest element (of zeros, either), sum of
// squared deviations from the pivot.
func scan(t ir.Elem) *ir.Fold {
	b := ir.NewFold("scan", []ir.Type{f64, f64, f64, f64, f64}, []ir.Type{f64}, t)
	b.Prefetch()
	x := load(b)
	sum, err := twoSum(b.State(0), x)
	d := x.Sub(b.Param(0))
	return b.Done(sum, b.State(1).Add(err), x.Min(b.State(2)), x.Max(b.State(3)), d.FMA(d, b.State(4)))
}

// scanSpecial is scan where there are NaN and infinities, which count as 0 for
// the sum; infinities take part in the extremes. Uniform operand: the unit in
// which the sum is. States: as of scan, then how many are NaN, +Inf, -Inf, and
// the largest finite magnitude.
func scanSpecial(t ir.Elem) *ir.Fold {
	b := ir.NewFold("scanSpecial", []ir.Type{f64, f64, f64, f64, i64, i64, i64, f64}, []ir.Type{f64}, t)
	x := load(b)
	zero := x.C(0)
	finite := x.Sub(x).Eq(zero)
	sum, err := twoSum(b.State(0), finite.Select(x.Mul(b.Param(0)), zero))
	count := func(state int, m ir.V) ir.V {
		return b.State(state).IAdd(m.Select(b.Int(i64, 1), b.Int(i64, 0)))
	}
	infinite := b.Int(i64, 0x7ff0000000000000).AsFloat()
	negative := b.Int(i64, 0xfff0000000000000).AsFloat()
	return b.Done(sum, b.State(1).Add(err), x.Min(b.State(2)), x.Max(b.State(3)),
		count(4, x.Ne(x)), count(5, x.Eq(infinite)), count(6, x.Eq(negative)),
		finite.Select(abs(b.B, x), zero).Max(b.State(7)))
}

// signs combines the bits of those elements that are zeros. States: or, and.
func signs(t ir.Elem) *ir.Fold {
	b := ir.NewFold("signs", []ir.Type{i64, i64}, nil, t)
	x := load(b)
	zero := x.Eq(x.C(0))
	return b.Done(b.State(0).Or(zero.Select(x.Bits(), b.Int(i64, 0))), b.State(1).And(zero.Select(x.Bits(), b.Int(i64, 1<<63))))
}

// deviationsSpecial is the second look at a block with NaN and infinities, which
// do not count. Uniform operands: a pivot, the unit in which it is. States: sum
// of squared deviations from it, and of deviations.
func deviationsSpecial(t ir.Elem) *ir.Fold {
	b := ir.NewFold("deviationsSpecial", []ir.Type{f64, f64}, []ir.Type{f64, f64}, t)
	x := load(b)
	d := x.Sub(x).Eq(x.C(0)).Select(x.Mul(b.Param(1)).Sub(b.Param(0)), x.C(0))
	return b.Done(b.State(0).Add(d.Mul(d)), b.State(1).Add(d))
}

// scanInteger is what a block of integers needs. Uniform operand: a pivot.
// States: sum of the low 32 bits, sum of the bits above, least and greatest
// element, sum of squared deviations from the pivot. Elements of up to 32 bits
// have no bits above; of 64 bits, whose deviations need not fit, there is no
// sum of squares.
func scanInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("scan", []ir.Type{i64, i64, i64, i64, f64}, []ir.Type{i64}, t)
	b.Prefetch()
	x := widen(b.In(0), t)
	below := ir.V.ILt
	if t == ir.Uint64 {
		below = ir.V.ULt
	}
	least := below(x, b.State(2)).Select(x, b.State(2))
	most := below(b.State(3), x).Select(x, b.State(3))
	if t.Size() < 8 {
		d := toFloat(b.B, x.ISub(b.Param(0)), true)
		return b.Done(b.State(0).IAdd(x), b.State(1), least, most, d.FMA(d, b.State(4)))
	}
	top := x.SarI(32)
	if t.IsUnsigned() {
		top = x.ShrI(32)
	}
	return b.Done(b.State(0).IAdd(x.And(b.Int(i64, 1<<32-1))), b.State(1).IAdd(top), least, most, b.State(4))
}

// deviationsInteger is the second look at a block of 64-bit integers whose
// deviations from a pivot, the uniform operand, fit 64 bits with their sign.
// States: as of deviationsSpecial.
func deviationsInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("deviations", []ir.Type{f64, f64}, []ir.Type{i64}, t)
	d := toFloat(b.B, widen(b.In(0), t).ISub(b.Param(0)), t.Size() < 8)
	return b.Done(b.State(0).Add(d.Mul(d)), b.State(1).Add(d))
}

// scanTruth counts the elements that hold.
func scanTruth() *ir.Fold {
	b := ir.NewFold("scan", []ir.Type{i64}, nil, ir.Bool)
	return b.Done(b.State(0).IAdd(b.In(0).Select(b.Int(i64, 1), b.Int(i64, 0))))
}

// powers is deviationsSpecial up to the fourth power. States: sums of the
// deviations, their squares, cubes and fourth powers.
func powers(t ir.Elem) *ir.Fold {
	b := ir.NewFold("powers", []ir.Type{f64, f64, f64, f64}, []ir.Type{f64, f64}, t)
	x := load(b)
	return sumPowers(b, x.Sub(x).Eq(x.C(0)).Select(x.Mul(b.Param(1)).Sub(b.Param(0)), x.C(0)))
}

// powersInteger is powers where deviations fit as for deviationsInteger.
func powersInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("powers", []ir.Type{f64, f64, f64, f64}, []ir.Type{i64}, t)
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
	x := load(b)
	return sumNorms(b, x.Sub(x).Eq(x.C(0)).Select(abs(b.B, x).Mul(b.Param(0)), x.C(0)))
}

// normsInteger is norms of integers, each rounded to a float64 first.
func normsInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("norms", []ir.Type{f64, f64, f64, f64}, nil, t)
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

// product multiplies significands, which are of [1, 2), and adds exponents, so
// that nothing overflows. States: product, its compensation, sum of biased
// exponents, parity of signs (the sign bit), and how many elements are zero,
// subnormal, infinite or NaN, whose significands mean nothing here.
func product() *ir.Fold {
	b := ir.NewFold("product", []ir.Type{f64, f64, i64, i64, i64}, nil, ir.Float64)
	x := b.In(0).Bits()
	biased := x.ShrI(52).And(b.Int(i64, 0x7ff))
	m := x.And(b.Int(i64, 1<<52-1)).Or(b.Int(i64, 0x3ff<<52)).AsFloat()
	p := b.State(0).Mul(m)
	special := b.Int(i64, 0x7fd).ULt(biased.ISub(b.Int(i64, 1)))
	return b.Done(p, b.State(1).FMA(m, b.State(0).FMS(m, p)), b.State(2).IAdd(biased),
		b.State(3).Xor(x), b.State(4).IAdd(special.Select(b.Int(i64, 1), b.Int(i64, 0))))
}

// pairs is the second look at pairs of elements. Uniform operands: a pivot for
// each of the two. States: dot product, its compensation (Ogita, Rump and Oishi
// 2005, Dot2), and the sums of the deviations' squares, of their products, and
// of the deviations.
func pairs() *ir.Fold {
	b := ir.NewFold("pairs", []ir.Type{f64, f64, f64, f64, f64, f64, f64}, []ir.Type{f64, f64}, ir.Float64, ir.Float64)
	x, y := b.In(0), b.In(1)
	h := x.Mul(y)
	dot, err := twoSum(b.State(0), h)
	dx, dy := x.Sub(b.Param(0)), y.Sub(b.Param(1))
	return b.Done(dot, b.State(1).Add(x.FMS(y, h).Add(err)),
		b.State(2).Add(dx.Mul(dx)), b.State(3).Add(dy.Mul(dy)), b.State(4).Add(dx.Mul(dy)), b.State(5).Add(dx), b.State(6).Add(dy))
}
