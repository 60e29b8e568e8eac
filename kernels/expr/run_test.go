package expr

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// ordinary returns arrays of numbers of everyday size.
func ordinary(n int) []array {
	r := rand.New(rand.NewPCG(3, 4))
	random := func(name string, t kernels.Type, f func() float64) array {
		values := make([]float64, n)
		for i := range values {
			values[i] = f()
		}
		if t.IsFloat() {
			return floats(name, t, values...)
		}
		bits := make([]uint64, n)
		for i, v := range values {
			bits[i] = uint64(int64(v))
		}
		return ofBits(name, t, bits...)
	}
	normal := r.NormFloat64
	return []array{
		random("x", kernels.Float64, normal), random("y", kernels.Float64, normal), random("f", kernels.Float32, normal), random("h", kernels.Float16, normal),
		random("i", kernels.Int8, func() float64 { return 20 * normal() }), random("w", kernels.Int32, func() float64 { return 1e6 * normal() }),
		random("k", kernels.Int64, func() float64 { return 1e12 * normal() }), random("u", kernels.Uint16, func() float64 { return r.Float64() * 60000 }),
		random("m", kernels.Bool, func() float64 { return float64(r.IntN(2)) }),
		random("g", kernels.Float64, func() float64 { // with NaN
			if r.IntN(50) == 0 {
				return math.NaN()
			}
			return normal()
		}),
	}
}

var broad = []string{
	"(x-mean(x))/std(x), sum(log1p(abs(x)))",
	"mean((f-mean(f))**2), f*h, sin(x)*exp(-y*y), dot(x, y), corr(x, y), covariance(x, w)",
	"skew(x), kurtosis(x), var(x), norm(x), norm(h, 1), prod(f), argmin(w), argmax(x), nanmean(g), nanstd(g), min(g), count(g)",
	"where(x > mean(x), i, u) // 7, sum(i*u), sum(w), sum(k), any(x > 3), all(m), count_nonzero(m & (x > y)), std(u), mean(k), var(k)",
	"sum((x-mean(x))**2)/size(x)/var(x), max(abs(x-mean(x))/std(x)), k - min(k), u & 255 ^ 3 << 2",
	"x if x < y else 2*x+3, i < 1000, mean(h), h**2, tanh(f) + hypot(x, y) - arctan2(x, y)",
	strings.Repeat("sin(x+", 30) + "y" + strings.Repeat(")", 30) + ", sum(" + strings.Repeat("x*(y+", 30) + "x" + strings.Repeat(")", 30) + ")",
}

func TestSameBitsForAnyChunksTilesAndTiers(t *testing.T) {
	arrays := ordinary(9*kernels.BlockLen + 321)
	defer kernels.UseTier(kernels.CurrentTier())
	tiers := []kernels.Tier{kernels.Scalar, kernels.AVX2, kernels.AVX512}
	for _, text := range broad {
		for _, where := range []string{"", "m & (f < 1)"} {
			if where != "" && strings.Contains(text, "var(k)") {
				text = strings.ReplaceAll(text, ", var(k)", "")
			}
			var want string
			for _, tier := range tiers[:max(1, rounds(len(tiers)))] {
				if kernels.UseTier(tier) != nil {
					continue
				}
				for _, h := range []how{{chunk: 1}, {chunk: 16, tile: 64}, {chunk: 4, tile: 1024, reverse: true}, {chunk: 2, tile: 4096}} {
					got, _, err := compute(text, arrays, Options{Where: where, Apart: h.reverse}, h)
					if err != nil {
						t.Fatalf("%s: %v", text, err)
					}
					shown := ""
					for _, o := range got {
						shown += fmt.Sprintf("%s %x;", o.value, o.bytes)
					}
					if want == "" {
						want = shown
					} else if shown != want {
						t.Errorf("%s where %q: %v with %+v gives other bits", text, where, tier, h)
					}
				}
			}
		}
	}
}

// selectedOnly returns the arrays without what a mask leaves out.
func selectedOnly(arrays []array, mask []byte) []array {
	out := make([]array, len(arrays))
	for i, a := range arrays {
		size := a.Type.Size()
		out[i].Input = a.Input
		for e, m := range mask {
			if m != 0 {
				out[i].bytes = append(out[i].bytes, a.bytes[e*size:(e+1)*size]...)
			}
		}
		out[i].Shape = []int{len(out[i].bytes) / size}
	}
	return out
}

func TestWhereRestrictsReductions(t *testing.T) {
	arrays := ordinary(3*kernels.BlockLen + 100)
	conditions := []string{"x > y", "x > 9", "x > 3.2", "g < 2", "g != g", "i == max(i)", "w < mean(w)"}
	for _, where := range conditions[:max(1, rounds(len(conditions)))] {
		mask, _, err := compute(where, arrays, Options{}, usual)
		if err != nil {
			t.Fatal(err)
		}
		only := selectedOnly(arrays, mask[0].bytes)
		for _, text := range []string{"sum", "mean", "min", "max", "prod", "std", "var", "argmin", "argmax", "nansum", "nanmean", "nanmin", "nanmax", "nanstd", "nanprod",
			"nanargmin", "nanargmax", "any", "all", "count_nonzero", "count", "size", "skew", "kurtosis", "norm"} {
			for _, a := range arrays {
				compareFiltered(t, text+"("+a.Name+")", where, arrays, only, mask[0].bytes)
			}
		}
		for _, text := range []string{"dot(x, y)", "dot(x, g)", "corr(x, f)", "corr(g, x)", "covariance(x, w, ddof=1)", "norm(f, 1)", "norm(w, inf)", "std(f, ddof=1)", "any(g > 3)", "all(x < 2)"} {
			compareFiltered(t, text, where, arrays, only, mask[0].bytes)
		}
	}
}

func compareFiltered(t *testing.T, text, where string, arrays, only []array, mask []byte) {
	t.Helper()
	got, _, err := compute(text, arrays, Options{Where: where}, usual)
	want, _, werr := compute(text, only, Options{}, usual)
	if err != nil && strings.Contains(err.Error(), "64-bit integers under a condition") && strings.Contains(text, "(k)") {
		return
	}
	if (err == nil) != (werr == nil) {
		t.Errorf("%s where %s: %v, without the rest: %v", text, where, err, werr)
		return
	}
	if err != nil {
		return
	}
	g, w := got[0].value, want[0].value
	if strings.Contains(text, "arg") { // the index among all
		left := w.Big().Int64()
		for i, m := range mask {
			if m != 0 {
				left--
			}
			if left < 0 {
				w = Value{typ: kernels.Int64, float: float64(i)}
				break
			}
		}
		if g.Big().Int64() != int64(w.float) {
			t.Errorf("%s where %s is %v, want %v", text, where, g, w.float)
		}
		return
	}
	a, b := g.Float64(), w.Float64()
	if g.Type() != w.Type() || g.String() != w.String() && !(math.Abs(a-b) <= 1e-11*math.Max(math.Abs(b), 1e-2)) {
		t.Errorf("%s where %s is %v, without the rest %v", text, where, g, w)
	}
}

func TestEmptyArrays(t *testing.T) {
	empty := []array{floats("x", kernels.Float64), integers("i", kernels.Int32)}
	for text, want := range map[string]string{"sum(x)": "0", "mean(x)": "NaN", "prod(i)": "1", "size(x)": "0", "any(x)": "False", "all(x)": "True", "sum(i)": "0", "mean(i)": "NaN",
		"std(i)": "NaN", "nansum(x)": "0", "count(x)": "0", "norm(x)": "0", "dot(x, x)": "0"} {
		got, _, err := compute(text, empty, Options{}, usual)
		if err != nil || got[0].value.String() != want {
			t.Errorf("%s of nothing is %v, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"min(x)", "max(i)", "argmin(x)", "nanargmax(x)", "nanmin(x)"} {
		_, _, err := compute("1 + "+text, empty, Options{}, usual)
		var e *Error
		if !errors.As(err, &e) || e.Col != 4 || !strings.Contains(e.Msg, "of no elements") {
			t.Errorf("%s of nothing: %v", text, err)
		}
	}
}

func TestPassesAreAsFewAsCanBe(t *testing.T) {
	var inputs []Input
	for _, a := range ordinary(1) {
		inputs = append(inputs, a.Input)
	}
	for _, c := range []struct {
		text   string
		apart  bool
		passes string // reductions+results of each
	}{
		{"1+2", false, ""},
		{"mean(x), std(x), sum(x), min(x)", false, "1+0"},
		{"mean(x), skew(x)", false, "1+0"},
		{"sum(x), mean(x), count(x)", false, "1+0"},
		{"sum(x), std(x), skew(x)", false, "1+0"},
		{"(x-mean(x))/std(x)", false, "1+0 0+1"},
		{"x*2, mean(x)", false, "1+1"},
		{"x*2, mean(x)", true, "1+0 0+1"},
		{"x*2, (x-mean(x))/std(x), sum(y)", false, "2+0 0+2"},
		{"mean((x-mean(x))**2), x", false, "1+1 1+0"},
		{"mean((x-mean(x))**2)+0*x", false, "1+0 1+0 0+1"},
		{"size(x)", false, ""},
		{"x+1", true, "0+1"},
		{"sum(x+y) + sum(x+y) - sum(y+x)", false, "2+0"},
	} {
		plan, err := Compile(c.text, inputs, Options{Apart: c.apart})
		if err != nil {
			t.Fatal(err)
		}
		shown := ""
		for _, p := range plan.passes {
			shown += fmt.Sprintf(" %d+%d", len(p.folds), len(p.outs))
		}
		if strings.TrimSpace(shown) != c.passes {
			t.Errorf("%s takes%s, want %s", c.text, shown, c.passes)
		}
	}
}

func TestPartsAreComputedOnce(t *testing.T) {
	var inputs []Input
	for _, a := range ordinary(1) {
		inputs = append(inputs, a.Input)
	}
	for text, want := range map[string]int{
		"sqrt(x)+sqrt(x)": 2, "sqrt(x)*y, sum(sqrt(x))": 2, "x+2*3": 1, "x/8": 1, "x**2": 1, "(x < y) & (x < y)": 2, "h*h": 3, "i < 300": 0, "x": 0, "float64(x)": 0, "x*(1+0.5)": 1,
	} {
		plan, err := Compile(text, inputs, Options{})
		if err != nil {
			t.Fatal(err)
		}
		pass, err := plan.Start().Next()
		if err != nil || len(pass.program.ops) != want {
			t.Errorf("%s takes %d operations, want %d (%v)", text, len(pass.program.ops), want, err)
		}
	}
}

// Registers are used again: a sum of many terms takes two.
func TestRegistersAreFew(t *testing.T) {
	inputs := []Input{{Name: "x", Type: kernels.Float64, Shape: []int{1}}, {Name: "f", Type: kernels.Float32, Shape: []int{1}}}
	for text, want := range map[string]int{
		"sin(x)" + strings.Repeat("+sin(x*2)*x", 90):                                       2,
		"x" + strings.Repeat("*(x+1)", 50) + "+sin(x)":                                     2,
		strings.Repeat("sin(x)+(", 40) + "x" + strings.Repeat(")", 40):                     2,
		strings.Repeat("(sin(x)+1.5)*(", 40) + "cos(x)+sin(f)" + strings.Repeat("+x)", 40): 3,
	} {
		plan, err := Compile(text, inputs, Options{})
		if err != nil {
			t.Fatal(err)
		}
		pass, err := plan.Start().Next()
		if err != nil || pass.program.registers > want {
			t.Errorf("%.30s... takes %d registers, want %d (%v)", text, pass.program.registers, want, err)
		}
	}
}

func TestSumThatDoesNotFitIsAnError(t *testing.T) {
	arrays := []array{integers("k", kernels.Int64, math.MaxInt64, 1), integers("v", kernels.Uint64, -1, 1)}
	for text, col := range map[string]int{"2 + sum(k)": 4, "sum(v) - 1": 0, "k - sum(v)": 4, "prod(k*k*0+k)+prod(v*2)": 14} {
		_, _, err := compute(text, arrays, Options{}, usual)
		var e *Error
		if !errors.As(err, &e) || e.Col != col || !strings.Contains(e.Msg, "does not fit") {
			t.Errorf("%s: %v", text, err)
		}
	}
	got, _, err := compute("float64(sum(float64(k)))", arrays, Options{}, usual)
	if err != nil || got[0].value.Float64() != 0x1p63 {
		t.Errorf("the sum of floats is %v, %v", got, err)
	}
}

func TestValueThatDoesNotFitTheArrayIsAnErrorWhenItIsKnown(t *testing.T) {
	_, _, err := compute("3*(i - sum(i))", []array{integers("i", kernels.Int8, 100, 100)}, Options{}, usual)
	var e *Error
	if !errors.As(err, &e) || e.Src[e.Col:e.Col+e.Len] != "(i - sum(i))" || !strings.Contains(e.Msg, "200 is out of bounds for int8") {
		t.Error(err)
	}
	// Also where the comparison is known without it.
	_, _, err = compute("i - sum(i) < 300", []array{integers("i", kernels.Int8, 100, 100)}, Options{}, usual)
	if err == nil || !strings.Contains(err.Error(), "200 is out of bounds for int8") {
		t.Error(err)
	}
}

func TestNotesNameTheVariant(t *testing.T) {
	arrays := []array{floats("x", kernels.Float64, 1, math.NaN(), math.NaN())}
	_, notes, err := compute("mean(x), nansum(x), max(x), norm(x), std(x*1)", arrays, Options{Where: "x != 1"}, usual)
	want := "[{mean(x) 2 nanmean} {max(x) 2 nanmax} {norm(x) 2 } {std(x*1) 2 nanstd}]"
	if fmt.Sprint(notes) != want || err != nil {
		t.Errorf("%v, %v, want %s", notes, err, want)
	}
}

func TestResultsAndInPlace(t *testing.T) {
	inputs := []Input{{Name: "x", Type: kernels.Float32, Shape: []int{2, 3}}, {Name: "y", Type: kernels.Float64, Shape: []int{2, 3}}, {Name: "i", Type: kernels.Int16, Shape: []int{2, 3}}}
	for _, c := range []struct {
		text    string
		options Options
		input   int
		msg     string
	}{
		{"(x-mean(x))/std(x)", Options{Apart: true}, 0, ""},
		{"x*y", Options{Apart: true}, 0, "cast it"},
		{"x*y", Options{Apart: true, As: kernels.Float32}, 0, ""},
		{"i+70000*y", Options{Apart: true}, 1, ""},
		{"i*2", Options{Apart: true}, 2, ""},
		{"i*2", Options{Apart: true, As: kernels.Float64}, 1, ""},
		{"x, x", Options{Apart: true}, 0, "one expression"},
		{"mean(x)", Options{Apart: true}, 0, "whose value is an array"},
		{"x*2", Options{}, 0, ""},
	} {
		plan, err := Compile(c.text, inputs, c.options)
		if err != nil {
			t.Fatal(err)
		}
		err = plan.CheckInPlace(c.input)
		if (err == nil) != (c.msg == "") || err != nil && !strings.Contains(err.Error(), c.msg) {
			t.Errorf("%s: %v, want %q", c.text, err, c.msg)
		}
	}
	if _, err := Compile("i/2", inputs, Options{As: kernels.Int16}); err == nil || !strings.Contains(err.Error(), "float64 does not go into an array of int16") {
		t.Error(err)
	}
	if _, err := Compile("i+1", inputs, Options{As: kernels.Uint16}); err == nil {
		t.Error("signed integers went into an array of unsigned ones")
	}
	plan, err := Compile(" (sum(y)*x) , i < (3), i + mean(y),", inputs, Options{Where: "x > 0"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(plan.Results()); got != "[{(sum(y)*x)  true float32 [2 3] false} {i < (3)  true bool [2 3] false} {i + mean(y)  true float64 [2 3] false}]" {
		t.Error(got)
	}
	if got := fmt.Sprint(plan.Inputs(), plan.Passes()); got != "[0 1 2] 2" {
		t.Error(got)
	}
	for _, c := range []struct {
		inputs []Input
		where  string
	}{{[]Input{{Name: "x", Type: 0, Shape: nil}}, ""}, {append(inputs, inputs[0]), ""}, {inputs, "y"}, {inputs, "True"}, {inputs, "x>0, y>0"}} {
		if _, err := Compile("1", c.inputs, Options{Where: c.where}); err == nil {
			t.Errorf("%v where %s was compiled", c.inputs, c.where)
		}
	}
}

// A preview runs the last pass for some blocks, whose bytes are those of a run
// over all.
func TestPreviewIsPartOfTheResult(t *testing.T) {
	arrays := ordinary(3*kernels.BlockLen + 50)
	inputs := []Input{arrays[0].Input}
	all, _, err := compute("x*2+1", arrays, Options{}, usual)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Compile("x*2+1", inputs, Options{Apart: true})
	if err != nil {
		t.Fatal(err)
	}
	pass, err := plan.Start().Next()
	if err != nil {
		t.Fatal(err)
	}
	prog, err := Decode(pass.Program)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]byte, 50*8)
	prog.NewRunner().Block(50, [][]byte{dst}, [][]byte{arrays[0].bytes[3*kernels.BlockLen*8:]})
	if !bytes.Equal(dst, all[0].bytes[3*kernels.BlockLen*8:]) {
		t.Error("the last block differs")
	}
}

func TestPartialsThatNobodyWroteAreRefused(t *testing.T) {
	plan, err := Compile("mean(x), dot(x, x)", []Input{{Name: "x", Type: kernels.Float64, Shape: []int{10}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	run := plan.Start()
	pass, err := run.Next()
	if err != nil {
		t.Fatal(err)
	}
	m := run.NewMerger(pass, 1)
	for _, b := range [][]byte{nil, make([]byte, pass.PartialSize()-1), make([]byte, pass.PartialSize()+1), bytes.Repeat([]byte{255}, pass.PartialSize())} {
		if m.Add(0, 0, b) == nil {
			t.Errorf("%d bytes of %x were taken", len(b), b[:min(1, len(b))])
		}
	}
}
