package expr

import (
	"fmt"
	"math"
	"math/big"

	"github.com/gangsaw/gangsaw/kernels"
)

func makeReductions() map[string]reducer {
	reductions := map[string]reducer{
		"size":          {arrays: 1, most: 1, make: makeSize},
		"count":         {arrays: 1, most: 1, make: makeCount},
		"any":           {arrays: 1, most: 1, make: truth("any", false, mask, func(t *kernels.Truth) result { return result{value: boolConstant(t.Any())} })},
		"all":           {arrays: 1, most: 1, make: truth("all", true, mask, func(t *kernels.Truth) result { return result{value: boolConstant(t.All())} })},
		"count_nonzero": {arrays: 1, most: 1, make: truth("count_nonzero", false, weakInt, func(t *kernels.Truth) result { return counted(t.CountNonzero()) })},
		"dot":           {arrays: 2, most: 2, make: makeDot},
		"corr":          {arrays: 2, most: 2, make: makeCorr},
		"covariance":    {arrays: 2, most: 2, keywords: []string{"ddof"}, make: makeCovariance},
		"norm":          {arrays: 1, most: 2, keywords: []string{"ord"}, make: makeNorm},
		"skew":          {arrays: 1, most: 1, make: moment("skew", (*kernels.Moments).Skewness)},
		"kurtosis":      {arrays: 1, most: 1, make: moment("kurtosis", (*kernels.Moments).Kurtosis)},
	}
	for _, ignore := range []bool{false, true} {
		add := func(name string, r reducer, make func(name string, ignore bool) making) {
			r.arrays, r.most, r.make = 1, max(1, r.most), make(name, ignore)
			if ignore {
				name, r.elementwise = "nan"+name, ""
			}
			reductions[name] = r
		}
		ddof := reducer{keywords: []string{"ddof"}}
		add("sum", reducer{}, total)
		add("mean", reducer{}, mean)
		add("prod", reducer{}, multiplied)
		add("var", ddof, deviation)
		add("std", ddof, deviation)
		add("min", reducer{elementwise: "minimum"}, least)
		add("max", reducer{elementwise: "maximum"}, least)
		add("argmin", reducer{}, firstAt)
		add("argmax", reducer{}, firstAt)
	}
	return reductions
}

type making = func(b *builder, s *syntax, args []*node) reduction

// named makes a reduction that has a variant which leaves NaN out.
func named(name string, ignore bool, typ dtype, folds []*fold, finish func([]any) result) reduction {
	if ignore {
		return reduction{name: "nan" + name, typ: typ, folds: folds, finish: finish}
	}
	return reduction{name: name, variant: "nan" + name, typ: typ, folds: folds, finish: finish}
}

func makeSize(b *builder, _ *syntax, args []*node) reduction {
	if b.filter == nil {
		return reduction{}
	}
	return reduction{name: "size", typ: weakInt, folds: b.filtered(), finish: func(parts []any) result {
		return counted(parts[0].(*kernels.Truth).CountNonzero())
	}}
}

// makeCount counts what is not NaN.
func makeCount(b *builder, s *syntax, args []*node) reduction {
	if !args[0].isFloat() && (b.axes == nil || b.filter != nil) {
		return makeSize(b, s, args)
	}
	folds := []*fold{b.fold(foldSum, b.withNaN(s, args[0]), nil)}
	return reduction{name: "count", typ: weakInt, folds: folds, finish: func(parts []any) result {
		s := totalOf(parts[0])
		return counted(s.Count() - s.NaN())
	}}
}

// truth is a reduction of whether elements are not 0; otherwise stands for those
// that the filter leaves out.
func truth(name string, otherwise bool, typ dtype, finish func(*kernels.Truth) result) making {
	return func(b *builder, _ *syntax, args []*node) reduction {
		x := args[0]
		if b.filter != nil {
			x = b.masked(b.explicit(x, kernels.Bool), boolConstant(otherwise))
		}
		return reduction{name: name, typ: typ, folds: []*fold{b.fold(foldTruth, x, nil)}, finish: func(parts []any) result {
			return finish(parts[0].(*kernels.Truth))
		}}
	}
}

// total is the sum: of integers exact, and an error where 64 bits do not hold it.
func total(name string, ignore bool) making {
	return func(b *builder, s *syntax, args []*node) reduction {
		x := args[0]
		if !x.isFloat() {
			return named(name, ignore, weakInt, b.integers(foldSum, x, zero), func(parts []any) result {
				return fitting(name, x, totalOf(parts[0]).Sum().Big())
			})
		}
		return b.ofNumbers(foldSum, name, ignore, b.withNaN(s, x), func(part any) kernels.Value { return totalOf(part).Sum() })
	}
}

// fitting returns an integer, if the type of a sum holds it.
func fitting(name string, x *node, i *big.Int) result {
	t := kernels.Int64
	if !x.isBool() && !x.elem.IsSigned() {
		t = kernels.Uint64
	}
	if !holds(t, i) {
		return none(fmt.Sprintf("the %s, %s, does not fit %v", name, i, t), "cast the elements: "+name+"(float64(x))")
	}
	return whole(i)
}

// integers are the folds of the total or the summary of integers, of those that the
// filter leaves out as if they were otherwise.
func (b *builder) integers(kind foldKind, x *node, otherwise *big.Int) []*fold {
	c := intConstant(otherwise)
	if x.isBool() {
		c = boolConstant(otherwise.Sign() != 0)
	}
	return b.filtered(b.fold(kind, b.masked(x, c), nil))
}

// ofNumbers is a result of the total or the summary of floats, of which what the filter leaves
// out is NaN. It is NaN if any other is, unless NaN are ignored, and NaN of no
// elements.
func (b *builder) ofNumbers(kind foldKind, name string, ignore bool, x *node, value func(part any) kernels.Value) reduction {
	folds := b.filtered(b.fold(kind, x, nil))
	return named(name, ignore, weakFloat, folds, func(parts []any) result {
		s := totalOf(parts[0])
		if nan := nanIn(parts, s.Count(), s.NaN()); nan > 0 && !ignore {
			return nanOf(nan)
		}
		return float(value(parts[0]).Float64())
	})
}

// mean is the exact mean, rounded once.
func mean(name string, ignore bool) making {
	return func(b *builder, s *syntax, args []*node) reduction {
		x := args[0]
		if x.isFloat() {
			return b.ofNumbers(foldSum, name, ignore, b.withNaN(s, x), func(part any) kernels.Value { return totalOf(part).Mean() })
		}
		return named(name, ignore, weakFloat, b.integers(foldSum, x, zero), func(parts []any) result {
			s := totalOf(parts[0])
			n := selected(parts, s.Count())
			if n == 0 {
				return float(math.NaN())
			}
			f, _ := new(big.Rat).SetFrac(s.Sum().Big(), new(big.Int).SetUint64(n)).Float64()
			return float(f)
		})
	}
}

func deviation(name string, ignore bool) making {
	return func(b *builder, s *syntax, args []*node) reduction {
		ddof := b.number(s, 1, "ddof", 0)
		x := b.withNaN(s, args[0])
		value := func(part any) kernels.Value { return summaryOf(part).Var(ddof) }
		if name == "std" {
			value = func(part any) kernels.Value { return summaryOf(part).Std(ddof) }
		}
		r := b.ofNumbers(foldSummary, name, ignore, x, value)
		if !x.isFloat() { // none is NaN
			r.finish = func(parts []any) result { return float(value(parts[0]).Float64()) }
		}
		r.name += fmt.Sprint(" ", ddof)
		return r
	}
}

// least is the least or the greatest element.
func least(name string, ignore bool) making {
	value := func(part any) kernels.Value { return summaryOf(part).Min() }
	if name == "max" {
		value = func(part any) kernels.Value { return summaryOf(part).Max() }
	}
	return func(b *builder, s *syntax, args []*node) reduction {
		x := args[0]
		empty := none(name+" of no elements", "")
		if x.isFloat() {
			r := b.ofNumbers(foldSummary, name, ignore, b.withNaN(s, x), value)
			finish := r.finish
			r.finish = func(parts []any) result {
				if selected(parts, totalOf(parts[0]).Count()) == 0 {
					return empty
				}
				return finish(parts)
			}
			return r
		}
		typ := weakInt
		otherwise, hi := bounds(x.elem)
		if x.isBool() {
			typ, otherwise, hi = mask, zero, big.NewInt(1)
		}
		if name == "min" {
			otherwise = hi
		}
		return named(name, ignore, typ, b.integers(foldSummary, x, otherwise), func(parts []any) result {
			switch {
			case selected(parts, totalOf(parts[0]).Count()) == 0:
				return empty
			case x.isBool():
				return result{value: boolConstant(value(parts[0]).Big().Sign() != 0)}
			}
			return whole(value(parts[0]).Big())
		})
	}
}

// firstAt is the index of the first of the least or the greatest elements.
func firstAt(name string, ignore bool) making {
	return func(b *builder, s *syntax, args []*node) reduction {
		x := b.withNaN(s, args[0])
		folds := []*fold{b.fold(foldExtremes, x, nil)}
		if b.filter != nil {
			nan := b.kernel("logical_and", b.filter, functions()["isnan"].build(b, s, args))
			folds = append(folds, b.fold(foldExtremes, nan, nil), b.fold(foldTruth, nan, nil))
		}
		return named(name, ignore, weakInt, folds, func(parts []any) result {
			at, ok := firstOf(name, ignore, parts)
			if !ok {
				return none(name+" of no elements", "")
			}
			return counted(at)
		})
	}
}

func firstOf(name string, ignore bool, parts []any) (uint64, bool) {
	p := parts[0].(*kernels.Extremes)
	find := map[string]func() (uint64, bool){"argmin": p.ArgMin, "argmax": p.ArgMax}
	if len(parts) > 1 || ignore { // what a filter leaves out is NaN
		find = map[string]func() (uint64, bool){"argmin": p.NaNArgMin, "argmax": p.NaNArgMax}
	}
	if len(parts) > 1 && !ignore && parts[2].(*kernels.Truth).Any() {
		return parts[1].(*kernels.Extremes).ArgMax()
	}
	return find[name]()
}

func multiplied(name string, ignore bool) making {
	return func(b *builder, _ *syntax, args []*node) reduction {
		x := args[0]
		typ, one := weakInt, intConstant(big.NewInt(1))
		switch {
		case x.isFloat():
			typ = weakFloat
		case x.isBool():
			one = boolConstant(true)
		}
		return named(name, ignore, typ, []*fold{b.fold(foldProduct, b.masked(x, one), nil)}, func(parts []any) result {
			p := parts[0].(*kernels.Product)
			if p.NaN() > 0 && !ignore {
				return nanOf(p.NaN())
			}
			v, err := p.Result()
			switch {
			case err != nil:
				return none("the product does not fit 64 bits", "cast the elements: "+name+"(float64(x))")
			case v.IsInteger():
				return whole(v.Big())
			}
			return float(v.Float64())
		})
	}
}

func moment(name string, value func(*kernels.Moments) kernels.Value) making {
	return func(b *builder, s *syntax, args []*node) reduction {
		x := b.withNaN(s, args[0])
		return reduction{name: name, typ: weakFloat, folds: b.filtered(b.fold(foldMoments, x, nil)), finish: func(parts []any) result {
			m := parts[0].(*kernels.Moments)
			if nan := nanIn(parts, m.Count(), m.NaN()); x.isFloat() && nan > 0 {
				return nanOf(nan)
			}
			return float(value(m).Float64())
		}}
	}
}

func makeNorm(b *builder, s *syntax, args []*node) reduction {
	ord := b.number(s, 1, "ord", 2)
	if ord != 1 && ord != 2 && !math.IsInf(ord, 1) {
		b.fail(s.span, "ord is 1, 2 or inf", "there is no such norm")
	}
	x := args[0]
	otherwise := intConstant(zero)
	if x.isBool() {
		otherwise = boolConstant(false)
	}
	folds := []*fold{b.fold(foldNorms, b.masked(x, otherwise), nil)}
	return reduction{name: fmt.Sprint("norm ", ord), typ: weakFloat, folds: folds, finish: func(parts []any) result {
		p := parts[0].(*kernels.Norms)
		switch {
		case p.NaN() > 0:
			return nanOf(p.NaN())
		case ord == 1:
			return float(p.Norm1())
		case ord == 2:
			return float(p.Norm2())
		}
		return float(p.NormInf())
	}}
}

func makeDot(b *builder, s *syntax, args []*node) reduction {
	if !args[0].isFloat() || !args[1].isFloat() {
		b.fail(s.span, "cast them: dot(float64(x), float64(y)), or write sum(x*y)", "dot of integers")
	}
	none := floatConstant(0)
	x, y := b.masked(args[0], none), b.masked(args[1], none)
	return reduction{name: "dot", typ: weakFloat, folds: b.filtered(b.fold(foldDot, x, y)), finish: func(parts []any) result {
		p := parts[0].(*kernels.Dot)
		if p.NaN() > 0 {
			return nanOf(p.NaN())
		}
		return float(p.Sum())
	}}
}

func makeCorr(b *builder, s *syntax, args []*node) reduction {
	return b.comoments("corr", s, args, (*kernels.Comoments).Correlation)
}

func makeCovariance(b *builder, s *syntax, args []*node) reduction {
	ddof := b.number(s, 2, "ddof", 0)
	return b.comoments(fmt.Sprint("covariance ", ddof), s, args, func(p *kernels.Comoments) float64 { return p.Covariance(ddof) })
}

// comoments is a reduction of pairs of elements. Those that the filter leaves out
// are NaN.
func (b *builder) comoments(name string, s *syntax, args []*node, value func(*kernels.Comoments) float64) reduction {
	folds := b.filtered(b.fold(foldCovariance, b.withNaN(s, args[0]), args[1]))
	return reduction{name: name, typ: weakFloat, folds: folds, finish: func(parts []any) result {
		p := parts[0].(*kernels.Comoments)
		if nan := nanIn(parts, p.Count(), p.NaN()); nan > 0 {
			return nanOf(nan)
		}
		return float(value(p))
	}}
}
