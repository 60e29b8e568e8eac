package expr

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// quantilesFor finds the quantiles that a plan needs as a pool would, of few elements.
func quantilesFor(plan *Plan, arrays []array, options Options) ([]QuantileValue, error) {
	var all []QuantileValue
	for _, q := range plan.Quantiles() {
		typ, data, err := quantileData(q, arrays, options)
		if err != nil {
			return nil, err
		}
		n := uint64(len(data) / typ.Size())
		search, err := kernels.NewQuantiles(typ, n, q.Q)
		if err != nil {
			panic(err)
		}
		if n > 0 {
			cuts := kernels.NewCuts(typ)
			search.Cut(cuts)
			s, _ := cuts.Survey(nil)
			var memory []byte
			b, err := s.NewSurveyor(typ).Chunk(0, data, func(int) {}, func(n int) ([]byte, uint64) {
				memory = make([]byte, n)
				return memory, 0
			})
			if err != nil {
				panic(err)
			}
			found, err := s.Decode(typ, n, b)
			if err != nil {
				panic(err)
			}
			kept := make([][]uint64, len(s.Keep))
			for i, keep := range s.Keep {
				if keep {
					kept[i] = kernels.AppendKeys([]uint64{}, memory[:8*found.Counts[i]])
					memory = memory[8*found.Counts[i]:]
				}
			}
			if !search.Learn(kernels.NewTally(typ, s, found.Counts, kept)) {
				panic("few elements take one survey")
			}
		}
		all = append(all, QuantileValue{search.Values(q.Method)[0], search.NaN()})
	}
	return all, nil
}

// quantileData returns the elements of which a quantile is.
func quantileData(q *Quantile, arrays []array, options Options) (kernels.Type, []byte, error) {
	if q.Of != nil {
		return arrays[q.Of.Input].Type, gathered(&Pass{Shape: q.Shape}, *q.Of, arrays), nil
	}
	o := Options{Order: COrder}
	if q.Where {
		o.Where, o.Pick = options.Where, PickElements
	}
	got, _, err := compute(q.Text, arrays, o, usual)
	if err != nil {
		return 0, nil, q.Within(err)
	}
	if !q.Where {
		return got[0].Type, got[0].bytes, nil
	}
	var picked []byte
	size := got[0].Type.Size()
	for i, m := range got[1].bytes {
		if m != 0 {
			picked = append(picked, got[0].bytes[i*size:(i+1)*size]...)
		}
	}
	return got[0].Type, picked, nil
}

// quantileIn is the quantile of numbers by its definition, in fractions; q is decimal.
func quantileIn(xs []*big.Rat, q, method string) *big.Rat {
	xs = slices.SortedFunc(slices.Values(xs), func(a, b *big.Rat) int { return a.Cmp(b) })
	at, _ := new(big.Rat).SetString(q)
	at.Mul(at, big.NewRat(int64(len(xs)-1), 1))
	i := 0
	for i+1 < len(xs) && at.Cmp(big.NewRat(int64(i+1), 1)) >= 0 {
		i++
	}
	part := at.Sub(at, big.NewRat(int64(i), 1))
	half := big.NewRat(1, 2)
	switch between := part.Sign() > 0; {
	case !between:
	case method == "lower", method == "nearest" && (part.Cmp(half) < 0 || part.Cmp(half) == 0 && i%2 == 0):
		part = new(big.Rat)
	case method == "midpoint":
		part = half
	case method != "linear":
		part = big.NewRat(1, 1)
	}
	if part.Sign() == 0 {
		return xs[i]
	}
	step := new(big.Rat).Sub(xs[i+1], xs[i])
	return step.Mul(step, part).Add(step, xs[i])
}

// ratsOf returns the numbers among the elements of an array, and how many are none.
func ratsOf(a array) (xs []*big.Rat, nan int) {
	for _, n := range columnOf(a).n {
		switch {
		case !a.Type.IsFloat():
			xs = append(xs, new(big.Rat).SetInt(n.i))
		case n.f != n.f:
			nan++
		default:
			xs = append(xs, new(big.Rat).SetFloat64(n.f))
		}
	}
	return xs, nan
}

// Quantiles are those of the elements in order, by exact arithmetic and rounded once.
func TestQuantilesAreAsTheOracleSays(t *testing.T) {
	const seed = 41
	r := rand.New(rand.NewPCG(seed, 0))
	types := []kernels.Type{kernels.Int8, kernels.Uint8, kernels.Int16, kernels.Uint16, kernels.Int32, kernels.Uint32, kernels.Int64, kernels.Uint64,
		kernels.BFloat16, kernels.Float16, kernels.Float32, kernels.Float64}
	for range rounds(200) {
		typ := types[r.IntN(len(types))]
		bits := make([]uint64, 1+r.IntN(12))
		for i := range bits {
			bits[i] = r.Uint64()
			if typ.IsFloat() {
				bits[i] = typ.FloatBits(r.NormFloat64() * 100)
				if r.IntN(30) == 0 {
					bits[i] = typ.FloatBits(math.NaN())
				}
			}
		}
		x := ofBits("x", typ, bits...)
		xs, nan := ratsOf(x)
		method := []string{"linear", "lower", "higher", "nearest", "midpoint"}[r.IntN(5)]
		thousandths := r.IntN(1001)
		q := fmt.Sprint(big.NewRat(int64(thousandths), 1000).FloatString(3))
		for _, form := range []string{"quantile(x, " + q + ", method=" + method + ")", fmt.Sprintf("percentile(x, q=%v, method=%s)", float64(thousandths)/10, method), "median(x)"} {
			by, at := method, q
			if form == "median(x)" {
				by, at = "linear", "0.5"
			}
			for _, text := range []string{form, "nan" + form} {
				got, _, err := compute(text, []array{x}, Options{}, usual)
				if err != nil {
					t.Fatalf("seed %d: %s of %v %x: %v", seed, text, typ, bits, err)
				}
				want := math.NaN()
				exact := new(big.Rat)
				if len(xs) > 0 && (nan == 0 || strings.HasPrefix(text, "nan")) {
					exact = quantileIn(xs, at, by)
					want, _ = exact.Float64()
				}
				v := got[0].value
				if v.Float64() != want && !(want != want && v.Float64() != v.Float64()) {
					t.Errorf("seed %d: %s of %v %x is %v, want %v", seed, text, typ, bits, v, want)
				}
				if whole := !typ.IsFloat() && by != "linear" && by != "midpoint"; whole != (v.Big() != nil) || whole && v.Big().Cmp(exact.Num()) != 0 {
					t.Errorf("seed %d: %s of %v %x is %v, want %v", seed, text, typ, bits, v, exact)
				}
			}
		}
	}
}

// A quantile is a number like the value of any other reduction.
func TestQuantilesStandAnywhere(t *testing.T) {
	for text, want := range map[string]string{
		"median(x)": "2.5", "median(x, axis=None)": "2.5", "sum(where(x > quantile(x, .7), x, 0))": "4", "(x-median(x))/(quantile(x,.75)-quantile(x,.25))": "-1 -0.3333333333333333 0.3333333333333333 1",
		"f - median(f)": "-1.5 -0.5 0.5 1.5", "mean(x) - median(y) + std(i*median(x))*0": "0", "median(x[1:3])": "2.5", "median(x[:3])": "2", "median(x[1])": "2",
		"quantile(k, 1, method=higher)": "9223372036854775807", "quantile(v, 1, method=lower) // 2": "9223372036854775807", "percentile(v, 100)": "1.8446744073709552e+19",
		"median(n)": "NaN", "nanmedian(n)": "3", "percentile(n, 100)": "NaN", "nanpercentile(n, 100)": "Infinity", "nanquantile(n, 0.75)": "Infinity",
		"i > median(i)": "false false true true",
		"median(x) + 1, percentile(x, 50), sum(x)": "3.5",
		"median(abs(x - median(x)))":               "1", "quantile(x*2, .5)": "5", "median(x - mean(x))": "0", "median(x + y[:4]*0) + median(x)": "5",
		"quantile(int64(x) + v, 0, method=lower)": "1", "median(where(x > median(x), x, -x))": "1", "nanmedian(n + 1)": "4", "median(n + 1)": "NaN",
	} {
		got, _, err := compute(text, sample(), Options{}, usual)
		if err != nil || shownOf(got[0]) != want {
			t.Errorf("%s is %v, %v, want %s", text, got, err, want)
		}
	}
	got, _, err := compute("mean(x), count(x)", sample(), Options{Where: "x > median(x)"}, usual)
	if err != nil || got[0].value.String() != "3.5" || got[1].value.String() != "2" {
		t.Errorf("%v, %v", got, err)
	}
}

// What several expressions need is asked for once, and takes no pass of the plan.
func TestQuantilesAreAskedForOnce(t *testing.T) {
	inputs := []Input{{Name: "x", Type: kernels.Float32, Shape: []int{6}}, {Name: "y", Type: kernels.Float32, Shape: []int{2, 3}, Fortran: true}}
	plan, err := Compile("median(x), percentile(x, 50) + 1, quantile(x, 0.999) - percentile(x, 99.9), quantile(x, .5, method=lower), nanmedian(x), median(y), median(y[:, 1]) ", inputs, Options{Apart: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, q := range plan.Quantiles() {
		got = append(got, fmt.Sprint(q.Of.Input, q.Shape, q.Q, q.Method))
	}
	if want := "0 [6] 0.5 linear; 0 [6] 0.999 linear; 0 [6] 0.5 lower; 0 [6] 0.5 linear; 1 [2 3] 0.5 linear; 1 [2] 0.5 linear"; strings.Join(got, "; ") != want {
		t.Errorf("%v, want %s", got, want)
	}
	if got := fmt.Sprint(plan.Inputs(), plan.Passes()); got != "[0 1] 0" {
		t.Errorf("%s", got)
	}
	of := plan.Quantiles()[5].Of
	if fmt.Sprint(of.From, of.Axes, of.Steps) != "[0 1] [0] [1]" {
		t.Errorf("%+v", of)
	}
	var many []string
	for i := range 257 {
		many = append(many, fmt.Sprintf("quantile(x,%v)", float64(i)/256))
	}
	var e *Error
	if _, err := Compile(strings.Join(many[:256], ", "), inputs, Options{}); err != nil {
		t.Error(err)
	}
	if _, err := Compile(strings.Join(many, ", "), inputs, Options{}); !errors.As(err, &e) || !strings.Contains(e.Msg, "more than 256 quantiles") {
		t.Errorf("%v", err)
	}
}

func TestQuantilesOfNoNumbers(t *testing.T) {
	arrays := []array{floats("x", kernels.Float32), integers("i", kernels.Int8), floats("n", kernels.Float64, math.NaN())}
	got, notes, err := compute("median(x), quantile(i, 0), nanmedian(n), median(n)", arrays, Options{}, usual)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range got {
		if o.value.String() != "NaN" {
			t.Errorf("%s is %v", o.Expr, o.value)
		}
	}
	if fmt.Sprint(notes) != "[{median(n) 1 nanmedian}]" {
		t.Errorf("%v", notes)
	}
	var e *Error
	if _, _, err := compute("1 + quantile(i, 0, method=lower)", arrays, Options{}, usual); !errors.As(err, &e) || e.Col != 4 || !strings.Contains(e.Msg, "no elements") {
		t.Errorf("%v", err)
	}
	// An error in what is computed has its place in the whole text.
	if _, _, err := compute("1 + median(x * median(x + min(i)))", arrays, Options{}, usual); !errors.As(err, &e) || e.Col != 26 || !strings.Contains(e.Msg, "min of no elements") || len(e.Src) < 30 {
		t.Errorf("%v", err)
	}
}

// Under a condition quantiles are of the elements that it holds for, but in the condition
// itself; so are what their operands reduce.
func TestQuantilesUnderACondition(t *testing.T) {
	for text, want := range map[string]string{
		"median(x)": "3.5", "median(x) - median(x[1:])*0": "3.5", "median(abs(x - mean(x)))": "0.5", "nanmedian(n)": "Infinity",
		"quantile(int64(x), 1, method=lower)": "4", "median(x - median(x))": "0",
	} {
		got, _, err := compute(text, sample(), Options{Where: "x > median(x)"}, usual)
		if strings.Contains(text, "[1:]") {
			if err == nil || !strings.Contains(err.Error(), "has the shape") {
				t.Errorf("%s: %v, %v", text, got, err)
			}
			continue
		}
		if err != nil || shownOf(got[0]) != want {
			t.Errorf("%s is %v, %v, want %s", text, got, err, want)
		}
	}
}

// A condition that goes with the shape of what it restricts is stretched to it.
func TestPickingStretchesTheCondition(t *testing.T) {
	x := ofBits("x", kernels.Uint8, 1, 2, 3, 4, 5, 6)
	x.Shape = []int{2, 3}
	c := ofBits("c", kernels.Uint8, 1, 0, 1)
	got, _, err := compute("x, x+1", []array{x, c}, Options{Where: "c > 0", Pick: PickElements, Order: COrder}, usual)
	if err != nil || len(got) != 3 || shownOf(got[2]) != "true false true true false true" {
		t.Fatalf("%v, %v", got, err)
	}
	mask, _, err := compute("x, x+1", []array{x, c}, Options{Where: "c > 0", Pick: PickMask, Order: COrder}, usual)
	if err != nil || len(mask) != 1 || shownOf(mask[0]) != shownOf(got[2]) {
		t.Errorf("%v, %v", mask, err)
	}
	for text, want := range map[string]string{"x[:, 1]": "the condition has the shape [3]", "x, c": "different shapes", "x, sum(x)": "is a scalar"} {
		if _, _, err := compute(text, []array{x, c}, Options{Where: "c > 0", Pick: PickElements}, usual); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestResultsAreGivenNames(t *testing.T) {
	inputs := []Input{{Name: "x", Type: kernels.Float32, Shape: []int{6}}}
	plan, err := Compile("y = x*2, x == 3, `the mean` = mean(x), x = x+1, ", inputs, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range plan.Results() {
		got = append(got, r.Name+": "+r.Expr)
	}
	if want := "y: x*2; : x == 3; the mean: mean(x); x: x+1"; strings.Join(got, "; ") != want {
		t.Errorf("%s, want %s", strings.Join(got, "; "), want)
	}
	for text, want := range map[string]string{"x = 3": "use == to compare", "y = x = 2": "use == to compare", "sum(y = x)": "no argument y", "y =": "not complete"} {
		if _, err := Compile(text, inputs, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := Compile("x", inputs, Options{Where: "x = x > 3"}); err == nil || !strings.Contains(err.Error(), "use == to compare") {
		t.Errorf("%v", err)
	}
}
