package expr

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// array is an input with its elements.
type array struct {
	Input
	bytes []byte
}

// put writes the bits of element i.
func put(dst []byte, t kernels.Type, i int, bits uint64) {
	copy(dst[i*t.Size():], constant{dtype: strong(t), bits: bits}.element())
}

// get returns the bits of element i.
func get(src []byte, t kernels.Type, i int) uint64 {
	size := t.Size()
	return elementConstant(strong(t), src[i*size:(i+1)*size]).bits
}

func ofBits(name string, t kernels.Type, bits ...uint64) array {
	a := array{Input{Name: name, Type: t, Shape: []int{len(bits)}}, make([]byte, len(bits)*t.Size())}
	for i, b := range bits {
		put(a.bytes, t, i, b)
	}
	return a
}

func floats(name string, t kernels.Type, values ...float64) array {
	bits := make([]uint64, len(values))
	for i, v := range values {
		bits[i] = t.FloatBits(v)
	}
	return ofBits(name, t, bits...)
}

func integers(name string, t kernels.Type, values ...int64) array {
	bits := make([]uint64, len(values))
	for i, v := range values {
		bits[i] = uint64(v)
	}
	return ofBits(name, t, bits...)
}

// how is how a plan is run: none of it may matter.
type how struct {
	chunk   int  // blocks of a chunk
	tile    int  // elements, 0 for what the runner chooses
	reverse bool // partials come in the other order
}

// outcome is what a plan gave: elements of an array, or a scalar.
type outcome struct {
	Result
	bytes []byte
	value Value
}

// compute runs a plan as a pool would.
func compute(text string, arrays []array, options Options, h how) ([]outcome, []Note, error) {
	inputs := make([]Input, len(arrays))
	for i, a := range arrays {
		inputs[i] = a.Input
	}
	plan, err := Compile(text, inputs, options)
	if err != nil {
		return nil, nil, err
	}
	out := make([]outcome, len(plan.Results()))
	for i, r := range plan.Results() {
		out[i].Result = r
		if r.Array {
			out[i].bytes = make([]byte, length(r.Shape)*r.Type.Size())
		}
	}
	run := plan.Start()
	values, err := quantilesFor(plan, arrays, options)
	if err != nil {
		return nil, nil, err
	}
	if err := run.Know(values); err != nil {
		return nil, nil, err
	}
	for {
		pass, err := run.Next()
		if err != nil {
			return nil, nil, err
		}
		if pass == nil {
			break
		}
		m := run.NewMerger(pass, (pass.RowLength()+uint64(h.chunk*kernels.BlockLen)-1)/uint64(h.chunk*kernels.BlockLen))
		if err := runPass(pass, m, arrays, out, h); err != nil {
			return nil, nil, err
		}
		if err := run.Finish(m); err != nil {
			return nil, nil, err
		}
	}
	for i, r := range plan.Results() {
		if !r.Array {
			if out[i].value, err = run.Value(i); err != nil {
				return nil, nil, err
			}
		}
	}
	return out, run.Notes(), nil
}

func runPass(pass *Pass, m *Merger, arrays []array, out []outcome, h how) error {
	prog, err := Decode(pass.Program)
	if err != nil {
		return err
	}
	runner := prog.NewRunner()
	if h.tile > 0 {
		runner = prog.newRunner(h.tile)
	}
	src := make([][]byte, len(pass.Inputs))
	for i, in := range pass.Inputs {
		src[i] = gathered(pass, in, arrays)
	}
	n := int(pass.RowLength())
	step := h.chunk * kernels.BlockLen
	chunks := (n + step - 1) / step
	for c := range int(pass.RowCount()) * chunks {
		if h.reverse {
			c = int(pass.RowCount())*chunks - 1 - c
		}
		row, c := c/chunks, c%chunks
		runner.Select(row % 3)
		runner.Reset()
		for from := c * step; from < min(n, (c+1)*step); from += kernels.BlockLen {
			to := min(n, from+kernels.BlockLen)
			part := func(b []byte, t kernels.Type) []byte { return b[(row*n+from)*t.Size() : (row*n+to)*t.Size()] }
			var blocks, dst [][]byte
			for i, t := range prog.Inputs() {
				blocks = append(blocks, part(src[i], t))
			}
			for _, i := range pass.Outputs {
				dst = append(dst, part(out[i].bytes, out[i].Type))
			}
			runner.Block(to-from, dst, blocks)
		}
		partial := make([]byte, pass.PartialSize())
		runner.Partial(partial)
		if err := m.Add(row, uint64(c), partial); err != nil {
			return err
		}
	}
	return nil
}

// gathered returns the elements of an operand one after another, as the pass goes.
func gathered(pass *Pass, in Operand, arrays []array) []byte {
	t, shape, b, fortran := kernels.Type(0), []int(nil), []byte(nil), false
	if in.Table != nil {
		t, shape, b = in.Table.Type, in.Table.Shape, in.Table.Bytes
	} else {
		a := arrays[in.Input]
		t, shape, b, fortran = a.Type, a.Shape, a.bytes, a.Fortran
	}
	var out []byte
	at := make([]int, len(pass.Shape))
	for range length(pass.Shape) {
		place := slices.Clone(in.From)
		for i, axis := range in.Axes {
			if axis >= 0 {
				place[axis] += in.Steps[i] * at[i]
			}
		}
		e := offsetOf(shape, place, fortran) * t.Size()
		out = append(out, b[e:e+t.Size()]...)
		for i := len(at) - 1; i >= 0; i-- {
			if at[i]++; at[i] < pass.Shape[i] {
				break
			}
			at[i] = 0
		}
	}
	return out
}

// offsetOf returns which element of an array is at a place.
func offsetOf(shape, place []int, fortran bool) int {
	offset, stride := 0, 1
	for i := range shape {
		axis := i
		if !fortran {
			axis = len(shape) - 1 - i
		}
		offset += place[axis] * stride
		stride *= shape[axis]
	}
	return offset
}

var usual = how{chunk: 2}

// shownOf returns an outcome as text.
func shownOf(o outcome) string {
	if !o.Array {
		return o.value.String()
	}
	text := ""
	for i := range length(o.Shape) {
		c := elementConstant(strong(o.Type), o.bytes[i*o.Type.Size():(i+1)*o.Type.Size()])
		var s string
		switch {
		case c.isBool():
			s = fmt.Sprint(c.bits != 0)
		case c.isFloat():
			for c.elem != kernels.Float64 {
				c = widened(c)
			}
			s = kernels.FormatFloat(math.Float64frombits(c.bits))
		default:
			s = elementInteger(c).String()
		}
		text += " " + s
	}
	return text[min(1, len(text)):]
}

// The arrays of tables.
func sample() []array {
	return []array{
		floats("x", kernels.Float64, 1, 2, 3, 4), floats("y", kernels.Float64, 4, 3, 2, 1), floats("f", kernels.Float32, 1, 2, 3, 4),
		floats("h", kernels.Float16, 1, 2, 3, 4), floats("b", kernels.BFloat16, 1, 2, 3, 4),
		integers("i", kernels.Int8, 1, 2, 3, 127), integers("u", kernels.Uint8, 1, 2, 3, 255), integers("w", kernels.Int32, 1, 2, 3, 4),
		integers("k", kernels.Int64, -1, 2, 3, math.MaxInt64), integers("v", kernels.Uint64, 0, 2, -1, 4), ofBits("m", kernels.Bool, 1, 0, 1, 0),
		floats("n", kernels.Float64, 1, math.NaN(), 3, math.Inf(1)), integers("s", kernels.Int16, -3, 3, -7, 7),
	}
}

func TestExpressionsMeanWhatNumPySays(t *testing.T) {
	for _, c := range []struct{ text, typ, want string }{
		{"x*0.5", "float64", "0.5 1 1.5 2"},
		{"f*0.5", "float32", "0.5 1 1.5 2"},
		{"f*x", "float64", "1 4 9 16"},
		{"h*0.1", "float16", "0.0999755859375 0.199951171875 0.2998046875 0.39990234375"},
		{"i*0.5", "float64", "0.5 1 1.5 63.5"},
		{"i+1", "int8", "2 3 4 -128"},
		{"u-2", "uint8", "255 0 1 253"},
		{"i+u", "int16", "2 4 6 382"},
		{"u+w", "int32", "2 4 6 259"},
		{"w+f", "float64", "2 4 6 8"},
		{"i+h", "float16", "2 4 6 131"},
		{"i/2", "float64", "0.5 1 1.5 63.5"},
		{"s//2", "int16", "-2 1 -4 3"},
		{"s%2", "int16", "1 1 1 1"},
		{"fmod(s,2)", "int16", "-1 1 -1 1"},
		{"-x**2", "float64", "-1 -4 -9 -16"},
		{"2**-1", "float64", "0.5"},
		{"2**3**2", "int64", "512"},
		{"-2**2", "int64", "-4"},
		{"7//-2, -7%3, 7/2", "", "-4;2;3.5"},
		{"m+m", "bool", "true false true false"},
		{"m*1", "int64", "1 0 1 0"},
		{"m&(x>2)", "bool", "false false true false"},
		{"~m", "bool", "false true false true"},
		{"not m", "bool", "false true false true"},
		{"1 < x < 4", "bool", "false true true false"},
		{"x<2 or x>3", "bool", "true false false true"},
		{"x if m else y", "float64", "1 3 3 1"},
		{"where(m, 1, 0)", "int64", "1 0 1 0"},
		{"where(x, f, 7)", "float32", "1 2 3 4"},
		{"i < 300", "bool", "true true true true"},
		{"u == -1", "bool", "false false false false"},
		{"300 < i", "bool", "false false false false"},
		{"k < v", "bool", "true false true false"},
		{"v >= k", "bool", "true true true false"},
		{"k == v", "bool", "false true false false"},
		{"sqrt(i)", "float16", "1 1.4140625 1.732421875 11.265625"},
		{"floor(x/2), round(2.5), abs(s)", "", "0 1 1 2;2;3 3 7 7"},
		{"min(x, y), max(x)", "", "1 2 2 1;4"},
		{"isnan(n), isfinite(i)", "", "false true false false;true true true true"},
		{"sum(x), mean(x), std(x), var(x, ddof=1)", "", "10;2.5;1.118033988749895;1.6666666666666667"},
		{"sum(u), prod(w), sum(m), mean(m)", "", "261;24;2;0.5"},
		{"sum(n), nansum(n), nanmean(n), count(n), len(n)", "", "NaN;Infinity;Infinity;3;4"},
		{"min(n), nanmin(n), argmin(n), nanargmax(n)", "", "NaN;1;1;3"},
		{"any(x>3), all(x>3), count_nonzero(m)", "", "True;False;2"},
		{"dot(x, y), corr(x, y), norm(x, 1), norm(x, ord=inf)", "", "20;-1;10;4"},
		{"(x-mean(x))/std(x)", "float64", "-1.3416407864998738 -0.4472135954999579 0.4472135954999579 1.3416407864998738"},
		{"f-mean(f)", "float32", "-1.5 -0.5 0.5 1.5"},
		{"u-min(u)", "uint8", "0 1 2 254"},
		{"sum(where(x > mean(x), x, 0))", "float64", "7"},
		{"mean((x-mean(x))**2)", "float64", "1.25"},
		{"float32(x), astype(x, i1), bool(x)", "", "1 2 3 4;1 2 3 4;true true true true"},
		{"int8(w*100)", "int8", "100 -56 44 -112"},
		{"x*2 == `x`+x", "bool", "true true true true"},
		{"1_000 + 0x1f + .5e1", "float64", "1036"},
		{"pi > e, inf, -inf, nan", "", "True;Infinity;-Infinity;NaN"},
		{"clip(x, 2, 3)", "float64", "2 2 3 3"},
		{"x**0.5", "float64", "1 1.4142135623730951 1.7320508075688772 2"},
		{"x/4", "float64", "0.25 0.5 0.75 1"},
		{"m == m, m < True", "", "true true true true;false true false true"},
		{"sum(x)*sum(w), count(x) // 3", "", "100;1"},
		{"min(u) < u", "bool", "false true true true"},
		{"max(k), max(v)", "", "9223372036854775807;18446744073709551615"},
		{"skew(x), kurtosis(x)", "", "0;-1.36"},
		{"1 if any(m) else 0", "int64", "1"},
		{"b*3", "bfloat16", "3 6 9 12"},
		{"b+h", "float32", "2 4 6 8"},
		{"m**2, m//1", "", "1 0 1 0;1 0 1 0"},
		{"fma(x, 2, f), square(s), square(m)", "", "3 6 9 12;9 9 49 49;1 0 1 0"},
		{"+x, +2, signbit(-x), signbit(s), signbit(-2)", "", "1 2 3 4;2;true true true true;true false true false;True"},
		{"logical_and(x, s), logical_not(n), logical_xor(m, 1), logical_or(0, 0.0)", "", "true true true true;false false false false;false true false true;False"},
		{"add(x, 1), less(x, 2), bitwise_and(w, 1), left_shift(i, 1), greater_equal(2, 1)", "", "2 3 4 5;true false false false;1 0 1 0;2 4 6 -2;True"},
		{"bool(2), bool(0.0), bool(nan), int8(3.7), float32(0.1), uint8(200) + 100", "", "True;False;True;3;0.10000000149011612;44"},
		{"float64(h), int32(b), float16(w), bfloat16(x), bool(h), float16(2**20)", "", "1 2 3 4;1 2 3 4;1 2 3 4;1 2 3 4;true true true true;Infinity"},
		{"atan2(x, y) == arctan2(x, y), pow(w, 3), pow(0, 5), (-1)**101, 2**10", "", "true true true true;1 8 27 64;0;-1;1024"},
		{"covariance(x, y, ddof=1), covariance(x, y), std(x, ddof=1), norm(n), dot(n, n)", "", "-1.6666666666666667;-1.25;1.2909944487358056;NaN;NaN"},
		{"min(m), max(m), argmax(m), any(n), prod(m), nanprod(n), argmin(k)", "", "False;True;0;True;0;Infinity;0"},
		{"h if m else f, where(m, h, 1), clip(s, -5, 5), 3 if True else 4.5", "", "1 2 3 4;1 1 3 1;-3 3 -5 5;3"},
		{"mean(h), sum(f)*0.1, max(u)+1, max(i)*i", "", "2.5;1;256;127 -2 125 1"},
		{"isinf(n), rint(x/2), rint(w)/2, round(w)//2, round(h), trunc(-x/2), ceil(x/2)", "", "false false false true;0 1 2 2;0.5 1 1.5 2;0 1 1 2;1 2 3 4;-0 -1 -1 -2;1 1 2 2"},
		{"clip(i, u, h)", "float16", "1 2 3 4"},
		{"f*0 + 1152921573326323713 == 2**60 + 2**37", "bool", "true true true true"}, // rounded once
		{"f/2.0**130, x*2, x*2", "", "0 0 0 0;2 4 6 8;2 4 6 8"},
		{"10 << 2, 10 >> 1, 6 & 3, 6 | 3, 6 ^ 3, ~6, 5 % -3, abs(-5), -7 // 2", "", "40;5;2;7;5;-7;-1;5;-4"},
		{"nan == nan, 1 < 2.5, 2**0.5 == sqrt(2), 3 == 3.0, True == 1", "", "False;True;True;True;True"},
		{"v < 2**64, k > -2**70, v != -1, i >= 128, -129 < i", "", "true true true true;true true true true;true true true true;false false false false;true true true true"},
	} {
		got, _, err := compute(c.text, sample(), Options{}, usual)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		text := ""
		for i, o := range got {
			if i > 0 {
				text += ";"
			}
			text += shownOf(o)
			if c.typ != "" && (o.Type.String() != c.typ || !o.Array && o.value.Type() != o.Type) {
				t.Errorf("%s is of %v, want %s", c.text, o.Type, c.typ)
			}
		}
		if text != c.want {
			t.Errorf("%s is %s, want %s", c.text, text, c.want)
		}
	}
}
