package expr

import (
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/gangsaw/gangsaw/kernels"
)

// function is an operator or a function of elements.
type function struct {
	least, most int // arguments
	operator    bool
	// build returns nil where it does not take these types.
	build func(b *builder, s *syntax, args []*node) *node
}

// aliases are other names of functions: NumPy's, math's and Python's.
var aliases = map[string]string{
	"abs": "absolute", "fabs": "absolute", "pow": "power", "mod": "remainder", "true_divide": "divide",
	"acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atanh": "arctanh", "atan2": "arctan2",
	"around": "round", "fix": "trunc", "bitwise_not": "invert", "bitwise_invert": "invert", "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift",
	"bool_": "bool", "len": "size", "amin": "min", "amax": "max", "product": "prod", "ceiling": "ceil", "average": "mean", "inner": "dot", "vdot": "dot",
}

func canonical(name string) string {
	if other := aliases[name]; other != "" {
		return other
	}
	return name
}

// refused are NumPy's functions that users look for, and what they may do.
var refused = map[string]string{
	"cov": "NumPy's is a matrix: write covariance(x, y, ddof=1)", "corrcoef": "NumPy's is a matrix: write corr(x, y)",
	"int": "write int64(x)", "float": "write float64(x)", "cumsum": "each element depends on one place only", "sort": "each element depends on one place only",
	"float_power": "write float64(x)**y", "ln": "write log(x)", "copysign": "write where(signbit(y), -abs(x), abs(x))",
	"fmin": "write where(isnan(x), y, minimum(x, y))", "fmax": "write where(isnan(x), y, maximum(x, y))",
}

var (
	vocabulary     sync.Once
	functionTable  map[string]function
	reductionTable map[string]reducer
	quantileTable  map[string]order
)

// functions, reductions and orders return what expressions can call, by name. They are
// made when the first expression is compiled, which most processes, workers among them,
// never do; functions call one another by name, so that no initialiser can have them.
func functions() map[string]function { vocabulary.Do(speak); return functionTable }
func reductions() map[string]reducer { vocabulary.Do(speak); return reductionTable }
func orders() map[string]order       { vocabulary.Do(speak); return quantileTable }

func speak() {
	functionTable, reductionTable, quantileTable = makeFunctions(), makeReductions(), makeOrders()
}

func makeFunctions() map[string]function {
	functions := map[string]function{
		isAnd: {2, 2, true, masksOnly("logical_and")}, isOr: {2, 2, true, masksOnly("logical_or")}, isNot: {1, 1, true, masksOnly("logical_not")},
		isIfElse: {3, 3, true, ifElse}, "where": {3, 3, false, where}, "clip": {3, 3, false, arithmetic("clip", 0)},
		"add": {2, 2, false, sum}, "subtract": {2, 2, false, arithmetic("subtract", 0)}, "multiply": {2, 2, false, product},
		"divide": {2, 2, false, divide}, "floor_divide": {2, 2, false, arithmetic("floor_divide", kernels.Int8)},
		"remainder": {2, 2, false, arithmetic("remainder", kernels.Int8)}, "fmod": {2, 2, false, arithmetic("fmod", kernels.Int8)},
		"power": {2, 2, false, power}, "square": {1, 1, false, square}, "fma": {3, 3, false, fma},
		"minimum": {2, 2, false, extreme("minimum", "logical_and")}, "maximum": {2, 2, false, extreme("maximum", "logical_or")},
		"negative": {1, 1, false, arithmetic("negative", 0)}, "positive": {1, 1, false, positive}, "absolute": {1, 1, false, absolute},
		"sign": {1, 1, false, arithmetic("sign", 0)}, "signbit": {1, 1, false, signbit},
		"isnan": {1, 1, false, classify("isnan", false)}, "isinf": {1, 1, false, classify("isinf", false)}, "isfinite": {1, 1, false, classify("isfinite", true)},
		"invert":      {1, 1, false, invert},
		"logical_not": {1, 1, false, logical("logical_not")},
		"arctan2":     {2, 2, false, floating("arctan2")}, "hypot": {2, 2, false, floating("hypot")},
	}
	for name, kernel := range map[string]string{"floor": "floor", "ceil": "ceil", "trunc": "trunc", "round": "rint"} {
		functions[name] = function{1, 1, false, rounding(kernel)}
	}
	for name, ofMasks := range map[string]string{"bitwise_and": "logical_and", "bitwise_or": "logical_or", "bitwise_xor": "logical_xor"} {
		functions[name] = function{2, 2, false, bitwise(name, ofMasks)}
		functions[ofMasks] = function{2, 2, false, logical(ofMasks)}
	}
	for _, name := range []string{"left_shift", "right_shift"} {
		functions[name] = function{2, 2, false, bitwise(name, "")}
	}
	for _, name := range comparisons {
		functions[name] = function{2, 2, false, comparison(name)}
	}
	for _, name := range []string{"sqrt", "cbrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos",
		"arctan", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "erf", "rint"} {
		functions[name] = function{1, 1, false, floating(name)}
	}
	return functions
}

func isFunction(name string) bool { return slices.Contains(functionNames(), name) }

// functionNames lists all that can be called.
func functionNames() []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(reductions())), maps.Keys(orders()))
	for name, f := range functions() {
		if !f.operator {
			names = append(names, name)
		}
	}
	for _, t := range kernels.Types() {
		names = append(names, t.String())
	}
	return slices.AppendSeq(append(names, "astype"), maps.Keys(aliases))
}

type building = func(b *builder, s *syntax, args []*node) *node

// arithmetic is a kernel of numbers. Masks are computed as ofMasks, NumPy's type
// for them; not at all if that is 0.
func arithmetic(name string, ofMasks kernels.Type) building {
	return func(b *builder, _ *syntax, args []*node) *node {
		d := common(args)
		if d.isBool() {
			if ofMasks == 0 || !anyArray(args) {
				return nil
			}
			d = strong(ofMasks)
		}
		return b.compute(name, d, args...)
	}
}

func anyArray(args []*node) bool {
	return slices.ContainsFunc(args, func(a *node) bool { return a.array })
}

// sum and product of masks are or and and, as NumPy has them. Python's own truth
// values would be added as 0 and 1, so without an array they are refused.
func sum(b *builder, s *syntax, args []*node) *node { return b.onMasks("add", "logical_or", args) }

func product(b *builder, s *syntax, args []*node) *node {
	return b.onMasks("multiply", "logical_and", args)
}

func (b *builder) onMasks(name, ofMasks string, args []*node) *node {
	d := common(args)
	switch {
	case d.isBool() && anyArray(args):
		return b.kernel(ofMasks, args...)
	case d.isBool():
		return nil
	}
	return b.compute(name, d, args...)
}

// extreme is the lesser or the greater; of masks too.
func extreme(name, ofMasks string) building {
	return func(b *builder, _ *syntax, args []*node) *node {
		d := common(args)
		if d.isBool() {
			return b.kernel(ofMasks, args...)
		}
		return b.compute(name, d, args...)
	}
}

// floating is a kernel of floats; integers are taken as NumPy takes them.
func floating(name string) building {
	return func(b *builder, _ *syntax, args []*node) *node {
		return b.compute(name, floatsOf(common(args)), args...)
	}
}

func floatsOf(d dtype) dtype {
	if d.weak {
		return weakFloat
	}
	return strong(floatOf(d.elem, kernels.Float16))
}

func fma(b *builder, _ *syntax, args []*node) *node {
	d := common(args)
	if !d.isFloat() || d.is16() { // 16 bits would be rounded twice
		return nil
	}
	return b.compute("fma", d, args...)
}

// divide is true division. A power of two divides as its inverse multiplies,
// which is exact as long as the inverse is a normal number.
func divide(b *builder, s *syntax, args []*node) *node {
	d := common(args)
	y := args[1]
	switch {
	case d == weakInt:
	case d.weak && args[0].op == opConst && y.op == opConst && (y.whole() == 0 || y.value.bits<<1 == 0 && y.dtype == weakFloat):
		b.fail(s.span, "write inf or nan", "a number is divided by 0")
	case !d.isFloat():
		d = strong(kernels.Float64)
	}
	if y.op == opConst && y.weak && d.isFloat() && !d.weak && !d.is16() {
		if f := y.value.float(); f != 0 && powerOfTwo(f) && math.Abs(f) > 0x1p-100 && math.Abs(f) < 0x1p100 {
			return b.compute("multiply", d, args[0], b.constant(floatConstant(1/f)))
		}
	}
	return b.compute("divide", d, args...)
}

// whole returns a constant weak integer as far as it is small, else 1.
func (n *node) whole() int64 {
	if n.value.big != nil && n.value.big.IsInt64() {
		return n.value.big.Int64()
	}
	return 1
}

func powerOfTwo(f float64) bool {
	fraction, _ := math.Frexp(math.Abs(f))
	return fraction == 0.5
}

// power is x**y. The square is x*x, as NumPy has it too: rounded once, where the
// kernel of powers is good to 1 ULP.
func power(b *builder, s *syntax, args []*node) *node {
	d := common(args)
	x, y := args[0], args[1]
	known := y.op == opConst && y.dtype == weakInt
	switch {
	case known && y.whole() == 2 && !d.isBool() && !x.isBool():
		return b.compute("multiply", d, x, x)
	case known && d == weakInt && y.value.big.Sign() < 0:
		return b.compute("power", weakFloat, args...)
	case d.isBool() && !anyArray(args):
		return nil
	case d.isBool():
		d = strong(kernels.Int8)
	case d.isInt() && !d.weak && y.dtype == weakInt:
		y = b.made(node{op: opConvert, dtype: d, name: naturalExponent, args: []*node{y}})
	}
	return b.compute("power", d, x, y)
}

// square is that of NumPy, which has none of masks: int8 is.
func square(b *builder, s *syntax, args []*node) *node {
	return arithmetic("multiply", kernels.Int8)(b, s, []*node{args[0], args[0]})
}

func positive(_ *builder, _ *syntax, args []*node) *node {
	if args[0].isBool() {
		return nil
	}
	return args[0]
}

// absolute leaves what has no sign as it is.
func absolute(b *builder, _ *syntax, args []*node) *node {
	if x := args[0]; x.isBool() || x.isInt() && !x.elem.IsSigned() {
		return x
	}
	return b.compute("absolute", args[0].dtype, args[0])
}

// rounding leaves integers as they are, as NumPy 2.1 does.
func rounding(name string) building {
	return func(b *builder, _ *syntax, args []*node) *node {
		if !args[0].isFloat() {
			return args[0]
		}
		return b.compute(name, args[0].dtype, args[0])
	}
}

// classify is a test of floats whose result for all integers is ofIntegers.
func classify(name string, ofIntegers bool) building {
	return func(b *builder, _ *syntax, args []*node) *node {
		x := args[0]
		switch {
		case x.isFloat():
			return b.compute(name, x.dtype, x)
		case ofIntegers:
			return b.compare("equal", x, x)
		}
		return b.compare("not_equal", x, x)
	}
}

func signbit(b *builder, _ *syntax, args []*node) *node {
	switch x := args[0]; {
	case x.isFloat():
		return b.compute("signbit", x.dtype, x)
	default:
		return b.compare("less", x, b.constant(intConstant(zero)))
	}
}

// bitwise is a kernel of integers; of masks it is ofMasks, if that is not "".
func bitwise(name, ofMasks string) building {
	return func(b *builder, _ *syntax, args []*node) *node {
		d := common(args)
		switch {
		case d.isBool() && ofMasks != "":
			return b.kernel(ofMasks, args...)
		case d.isBool() && anyArray(args):
			d = strong(kernels.Int8) // as NumPy shifts them
		case !d.isInt():
			return nil
		}
		return b.compute(name, d, args...)
	}
}

func invert(b *builder, s *syntax, args []*node) *node {
	x := args[0]
	switch {
	case x.isBool() && x.op == opConst:
		b.fail(s.span, "write not", "~ of True or False, which Python takes for 1 or 0")
	case x.isBool():
		return b.kernel("logical_not", x)
	case !x.isInt():
		return nil
	}
	return b.compute("invert", x.dtype, x)
}

// masksOnly is logic of what is a mask already.
func masksOnly(name string) building {
	return func(b *builder, _ *syntax, args []*node) *node {
		if slices.ContainsFunc(args, func(a *node) bool { return !a.isBool() }) {
			return nil
		}
		return b.kernel(name, args...)
	}
}

// logical is logic of whether elements are not 0.
func logical(name string) building {
	return func(b *builder, _ *syntax, args []*node) *node {
		truths := make([]*node, len(args))
		for i, a := range args {
			truths[i] = b.explicit(a, kernels.Bool)
		}
		return b.kernel(name, truths...)
	}
}

func ifElse(b *builder, s *syntax, args []*node) *node {
	if !args[0].isBool() {
		return nil
	}
	return where(b, s, args)
}

func where(b *builder, _ *syntax, args []*node) *node {
	condition := b.explicit(args[0], kernels.Bool)
	d := common(args[1:])
	if d == weakInt && !condition.array {
		return b.made(node{op: opExact, dtype: weakInt, name: "where", args: []*node{condition, args[1], args[2]}})
	}
	if condition.array {
		d.weak = false
	}
	wide := d
	if d.is16() {
		wide = strong(kernels.Float32)
	}
	yes := b.convert(b.convert(args[1], d), wide)
	no := b.convert(b.convert(args[2], d), wide)
	return b.convert(b.kernel("where", condition, yes, no), d)
}
