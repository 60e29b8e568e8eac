package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// Folds returns every fold.
func Folds() (all []*ir.Fold) {
	for _, t := range []ir.Elem{ir.Float64, ir.Float32, ir.Float16, ir.BFloat16} {
		all = append(all, scan(t), scanSpecial(t), signs(t), deviations(t), deviationsSpecial(t))
	}
	for _, t := range integers {
		all = append(all, scanInteger(t), deviationsInteger(t))
	}
	return append(all, scanTruth())
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

// twoSum returns s+x and the rounding error of that sum, exactly (Knuth).
func twoSum(s, x ir.V) (sum, err ir.V) {
	sum = s.Add(x)
	z := sum.Sub(s)
	return sum, s.Sub(sum.Sub(z)).Add(x.Sub(z))
}

// scan is what an ordinary block needs first. States: sum, its compensation,
// least and greatest element (of zeros, either).
func scan(t ir.Elem) *ir.Fold {
	b := ir.NewFold("scan", []ir.Type{f64, f64, f64, f64}, nil, t)
	x := load(b)
	sum, err := twoSum(b.State(0), x)
	return b.Done(sum, b.State(1).Add(err), x.Min(b.State(2)), x.Max(b.State(3)))
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

// deviations is the second look at an ordinary block. Uniform operand: a
// pivot. States: sum of squared deviations from it, and of deviations.
func deviations(t ir.Elem) *ir.Fold {
	b := ir.NewFold("deviations", []ir.Type{f64, f64}, []ir.Type{f64}, t)
	d := load(b).Sub(b.Param(0))
	return b.Done(b.State(0).Add(d.Mul(d)), b.State(1).Add(d))
}

// deviationsSpecial is deviations where there are NaN and infinities, which do
// not count. Uniform operands: the pivot, the unit in which it is.
func deviationsSpecial(t ir.Elem) *ir.Fold {
	b := ir.NewFold("deviationsSpecial", []ir.Type{f64, f64}, []ir.Type{f64, f64}, t)
	x := load(b)
	d := x.Sub(x).Eq(x.C(0)).Select(x.Mul(b.Param(1)).Sub(b.Param(0)), x.C(0))
	return b.Done(b.State(0).Add(d.Mul(d)), b.State(1).Add(d))
}

// scanInteger is what a block of integers needs first. States: sum of the low
// 32 bits, sum of the bits above, least and greatest element. Elements of up
// to 32 bits have no bits above.
func scanInteger(t ir.Elem) *ir.Fold {
	b := ir.NewFold("scan", []ir.Type{i64, i64, i64, i64}, nil, t)
	x := widen(b.In(0), t)
	low, high := b.State(0).IAdd(x), b.State(1)
	if t.Size() == 8 {
		top := x.SarI(32)
		if t.IsUnsigned() {
			top = x.ShrI(32)
		}
		low, high = b.State(0).IAdd(x.And(b.Int(i64, 1<<32-1))), high.IAdd(top)
	}
	below := ir.V.ILt
	if t == ir.Uint64 {
		below = ir.V.ULt
	}
	return b.Done(low, high, below(x, b.State(2)).Select(x, b.State(2)), below(b.State(3), x).Select(x, b.State(3)))
}

// deviationsInteger is the second look at a block of integers whose deviations
// from a pivot, the uniform operand, fit 64 bits with their sign. States: as of
// deviations.
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
