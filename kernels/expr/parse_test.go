package expr

import (
	"errors"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// tree returns what was parsed, fully in parentheses.
func tree(s *syntax) string {
	switch s.op {
	case isLiteral:
		return s.shown
	case isName:
		return s.name
	}
	text := "(" + s.op
	if s.op == isCall {
		text = "(" + s.name + "()"
	}
	for _, a := range s.args {
		text += " " + tree(a)
	}
	for _, k := range s.keywords {
		text += " " + k.name + "=" + tree(k.value)
	}
	return text + ")"
}

func TestPrecedenceIsPythons(t *testing.T) {
	for text, want := range map[string]string{
		"a+b*c":                     "(add a (multiply b c))",
		"a-b-c":                     "(subtract (subtract a b) c)",
		"a/b//c%d":                  "(remainder (floor_divide (divide a b) c) d)",
		"-a**-b**c":                 "(negative (power a (negative (power b c))))",
		"~a+b":                      "(add (invert a) b)",
		"a**b**c":                   "(power a (power b c))",
		"a|b^c&d<<e+f":              "(bitwise_or a (bitwise_xor b (bitwise_and c (left_shift d (add e f)))))",
		"a<b|c":                     "(less a (bitwise_or b c))",
		"not a == b":                "(not (equal a b))",
		"not a and b or c":          "(or (and (not a) b) c)",
		"a<b<=c!=d":                 "(and (and (less a b) (less_equal b c)) (not_equal c d))",
		"a if b else c if d else":   "",
		"a if b else c if d else f": "(if b a (if d c f))",
		"a or b if c and d else f":  "(if (and c d) (or a b) f)",
		"f(a, b=c, d=1,)":           "(f() a b=c d=1)",
		"f(a if b else c)":          "(f() (if b a c))",
		"(a)*`a b`":                 "(multiply a a b)",
		"+a - +b":                   "(subtract (positive a) (positive b))",
		"not not a":                 "(not (not a))",
		"1.e3 + .5 + 0b11":          "(add (add 1.e3 .5) 0b11)",
		"a\n+ b":                    "(add a b)",
	} {
		parsed, err := parse(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q was read", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := tree(parsed[0]); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
	if parsed, err := parse("a, b+c, "); err != nil || len(parsed) != 2 {
		t.Errorf("two expressions are %d, %v", len(parsed), err)
	}
}

func TestNumbersArePythons(t *testing.T) {
	for text, want := range map[string]string{
		"1_000": "1000", "0x_ff": "255", "0o17": "15", "0B11": "3", "00": "0", "0": "0", "1e3": "1000", "1.": "1", "1_0.5_0": "10.5", "1e400": "Infinity",
		"9007199254740993": "9007199254740993", "0e0": "0", "1E-2": "0.01",
	} {
		got, _, err := compute(text, sample(), Options{}, usual)
		if err != nil || got[0].value.String() != want {
			t.Errorf("%s is %v, %v, want %s", text, got, err, want)
		}
	}
}

// faulty are texts with the part at fault between guillemets, and parts of the
// message and the remedy.
var faulty = []struct{ text, msg, remedy string }{
	{"x + «z»", `no array has the name "z"`, ""},
	{"«xx» + 1", `no array has the name "xx"`, "did you mean x?"},
	{"«maen»(x)", `no function has the name "maen"`, "did you mean mean?"},
	{"«mean» + 1", `"mean" is a function`, "mean(x)"},
	{"«`mean`»", `no array has the name "mean"`, ""},
	{"x «&&» y", `"&&"`, "use & or and"},
	{"x «||» y", `"||"`, "use | or or"},
	{"«!»m", `"!"`, "~ or not"},
	{"x «<>» y", `"<>"`, "!="},
	{"x = «3»", `"x" is an array`, "=="},
	{"x + y «=» 3", `"=" is unexpected`, "=="},
	{"x «?» 1 : 2", `"?"`, "if condition else"},
	{"x «;» y", `";"`, "commas"},
	{"x «@» y", `"@"`, "dot(a, b)"},
	{"y «:=» x", `":="`, ""},
	{"«'»x'", "", "backquotes"},
	{"«x ^ y»", `"^" does not apply to float64 and float64`, "**"},
	{"«x & m»", `"&" does not apply to float64 and bool`, "int64"},
	{"«x and y»", `"and" does not apply`, "x != 0"},
	{"«not i»", `"not" does not apply to int8`, "x != 0"},
	{"«x if i else y»", `"if" does not apply`, "x != 0"},
	{"«m - m»", `"-" does not apply to bool`, "where(m, 1, 0)"},
	{"«-m»", `"-" does not apply to bool`, ""},
	{"«any(m) + any(m)»", `"+" does not apply to bool and bool`, ""},
	{"«~True»", "Python takes for 1 or 0", "not"},
	{"«~x»", `"~" does not apply to float64`, ""},
	{"«v & k»", `"&" does not apply`, ""},
	{"«i + 300»", "300 is out of bounds for int8", "cast the array"},
	{"«u + -1»", "-1 is out of bounds for uint8", ""},
	{"«i ** -1»", "negative power", "float64"},
	{"«1/0»", "divided by 0", ""},
	{"«1//0»", "divided by 0", ""},
	{"«1.0/0.0»", "divided by 0", "inf"},
	{"«1 << 5000»", "more than 1024 bits", ""},
	{"«10 ** 1000»", "more than 1024 bits", ""},
	{"«1 << -1»", "negative", ""},
	{"«1j»", "complex", "real"},
	{"«2x»", "no number", ""},
	{"«0777»", "leading 0", "0o"},
	{"«1__0»", "no number", "underscore"},
	{"«1e»", "no number", "exponent"},
	{"«0x»", "no number", ""},
	{"x + «»", "end of the expression", "not complete"},
	{"«»", "end of the expression", ""},
	{"(x + y«»", `end of the expression where ")"`, ""},
	{"(x«,» y)", "no tuples", ""},
	{"x «x»", `"x" is unexpected`, ""},
	{"2«(»x)", "cannot be called", "*"},
	{"(x)«(»y)", "", ""},
	{"x[«4»]", "no place 4 on axis 0, of length 4", ""},
	{"x[«-5»]", "no place -5", ""},
	{"«x[0, 0]»", "2 indices of an array of shape [4]", ""},
	{"x[..., «...»]", "... stands twice", ":"},
	{"x[::«0»]", "the step of a slice is 0", ""},
	{"x[«m»]", "a mask selects", "where(mask"},
	{"x[«0.5»]", "an index is an integer", "x[3]"},
	{"x[«x»]", "an index is an integer", ""},
	{"x[«0.5»:]", "a bound is an integer", ""},
	{"«mean(x)[0]»", "a slice of what is no array", "one number"},
	{"x[«]»", `"]" is unexpected`, ""},
	{"x[0«»", `end of the expression where "]"`, ""},
	{"x + «None»", `"None" is unexpected`, "leave the argument out"},
	{"x«.»mean()", `"." is unexpected`, "mean(x)"},
	{"np«.»mean(x)", `"." is unexpected`, "np."},
	{"mean(x, axis=«1»)", "no axis 1 of an array of shape [4]", "counted from 0"},
	{"mean(x, axis=«-2»)", "no axis -2", ""},
	{"mean(x, axis=«0.0»)", "an axis is an integer", "axis=0"},
	{"mean(x, axis=«(0, 0)»)", "an axis is named twice", ""},
	{"mean(x, keepdims=«1»)", "keepdims is True or False", "keepdims=True"},
	{"dot(x, y, «axis»=0)", "dot has no argument axis", ""},
	{"mean(x, «foo»=1)", "no argument foo", ""},
	{"«std(x, 1)»", "takes 1 argument, not 2", "by name"},
	{"std(x, ddof=«x»)", "no number", ""},
	{"percentile(«mean(x)», 5)", "no array", "one number"},
	{"median(«m»)", "median of a mask", "mean(m)"},
	{"median(x, «axis»=0)", "of all elements", "x[0]"},
	{"quantile(x, 0.5, «keepdims»=True)", "of all elements", ""},
	{"1 + «quantile(x)»", "quantile of which q", "quantile(x, 0.99)"},
	{"«nanpercentile(x)»", "of which q", "nanpercentile(x, 99)"},
	{"quantile(x, «1.5»)", "no quantile 1.5", "from 0 to 1"},
	{"quantile(x, q=«-1»)", "no quantile -1", ""},
	{"quantile(x, «nan»)", "no quantile NaN", ""},
	{"nanpercentile(x, «100.5»)", "no percentile 100.5", "from 0 to 100"},
	{"quantile(x, «y»)", "no number that is known", "write a number"},
	{"quantile(x, «mean(x)»)", "no number that is known", ""},
	{"quantile(x, 0.5, «q»=0.5)", "q is given twice", ""},
	{"quantile(x, 0.5, method=«hazen»)", "no such method", "midpoint"},
	{"quantile(x, 0.5, method=«1»)", "no such method", ""},
	{"«median(x, 0.5)»", "takes 1 argument, not 2", ""},
	{"median(x, «q»=0.5)", "no argument q", ""},
	{"«median» + 1", `"median" is a function`, "median(x)"},
	{"«qantile»(x, 1)", "no function", "did you mean quantile?"},
	{"«cov»(x, y)", `"cov" is not available`, "covariance"},
	{"«sqrt(x, y)»", "takes 1 argument, not 2", ""},
	{"«where(m, x)»", "takes 3 arguments, not 2", ""},
	{"«clip()»", "takes 3 arguments", ""},
	{"mean(«3»)", "no array", "one number"},
	{"mean(«mean(x)»)", "no array", ""},
	{"«dot(i, i)»", "dot of integers", "float64"},
	{"«norm(x, 3)»", "no such norm", ""},
	{"astype(x, «y»)", "name of a type", "float64"},
	{"f(a=1, «x»)", "without a name after a=", ""},
	{"x «in» y", `"in"`, "=="},
	{"«lambda» x: x", `"lambda"`, ""},
	{"«#»x", `"#"`, ""},
	{"x + «$»", `"$"`, ""},
	{"x + «é»", `no array has the name "é"`, ""},
	{"`x y` + «`»", "quoted name", "two backquotes"},
	{"x == «not» m", `"not" is unexpected`, "parentheses"},
	{"«x + r»", `the shapes [4] and [2] do not go together`, "lined up at the last"},
	{"«dot(x, r)»", "dot of the shapes [4] and [2]", ""},
	{"x * «(x ^ y)»", "does not apply", ""},
	{"sum((y)«=»1)", `"=" where ")" should be`, "=="},
	{"«e»", "an array and a number", "`e`"},
	{"x if m «»", `where "else"`, ""},
}

func TestErrorsPointAtTheFault(t *testing.T) {
	inputs := []Input{{Name: "r", Type: kernels.Float64, Shape: []int{2}}, {Name: "e", Type: kernels.Float64, Shape: []int{4}}, {Name: "x y", Type: kernels.Float64, Shape: []int{4}}}
	for _, a := range sample() {
		inputs = append(inputs, a.Input)
	}
	for _, c := range faulty {
		before, rest, ok := strings.Cut(c.text, "«")
		part, after, _ := strings.Cut(rest, "»")
		if !ok {
			t.Fatalf("%s: no part is marked", c.text)
		}
		_, err := Compile(before+part+after, inputs, Options{})
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if e.Col != len(before) || e.Len != len(part) {
			t.Errorf("%s: the error points at %q: %v", c.text, e.Src[e.Col:e.Col+e.Len], err)
		}
		if !strings.Contains(e.Msg, c.msg) || !strings.Contains(e.Remedy, c.remedy) {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

func TestErrorShowsTheExpression(t *testing.T) {
	_, err := Compile("mean(é) + maen(é)", []Input{{Name: "é", Type: kernels.Float64, Shape: []int{3}}}, Options{})
	const want = `no function has the name "maen", at column 11
  mean(é) + maen(é)
            ^^^^
did you mean mean?`
	if err == nil || err.Error() != want {
		t.Errorf("%v, want\n%s", err, want)
	}
	_, err = Compile(strings.Repeat("1+", 200)+"\nz +"+strings.Repeat("1+", 200)+"2", nil, Options{})
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 4 || len(lines[1]) > width+2 || lines[1][strings.Index(lines[2], "^")] != 'z' {
		t.Errorf("a long expression is shown as\n%v", err)
	}
}

func TestLimits(t *testing.T) {
	x := []Input{{Name: "x", Type: kernels.Float64, Shape: []int{4}}}
	many := make([]Input, 70)
	names := make([]string, 70)
	sums := make([]string, 70)
	for i := range many {
		names[i] = strings.Repeat("a", i+1)
		many[i] = Input{Name: names[i], Type: kernels.Float64, Shape: []int{4}}
		sums[i] = "sum(" + names[i] + ")"
	}
	different := make([]string, 70)
	for i := range different {
		different[i] = "sum(x + " + strings.Repeat("1", i+1) + ".0)"
	}
	for _, c := range []struct {
		text   string
		inputs []Input
		msg    string
	}{
		{strings.Repeat("x+", 499) + "x", x, ""},
		{strings.Repeat("x+", 600) + "x", x, "more than 1000 parts"},
		{strings.Repeat("(", 199) + "x" + strings.Repeat(")", 199), x, ""},
		{strings.Repeat("(", 300) + "x" + strings.Repeat(")", 300), x, "nested deeper"},
		{strings.Repeat("-", 100000), x, "longer than"},
		{strings.Repeat("-", 1000) + "x", x, "nested deeper"},
		{strings.Repeat("not ", 1000) + "x", x, "nested deeper"},
		{strings.Repeat("x**", 300) + "x", x, "nested deeper"},
		{strings.Repeat("x if x<1 else ", 300) + "x", x, "nested deeper"},
		{strings.Repeat("abs(", 300) + "x", x, "nested deeper"},
		{strings.Repeat("(0<", 100) + "x" + strings.Repeat("<1)", 100), x, ""},
		{strings.Join(names[:64], "+"), many, ""},
		{strings.Join(names, "+"), many, "use 70 arrays"},
		{strings.Join(sums[:64], "+"), many, ""},
		{strings.Join(different[:64], ","), x, ""},
		{strings.Join(different, ","), x, "70 reductions"},
		{strings.Repeat("x,", 65), x, "65 arrays as results"},
		{"1" + strings.Repeat("0", 2000), x, "too large"},
	} {
		_, err := Compile(c.text, c.inputs, Options{})
		if (err == nil) != (c.msg == "") || err != nil && !strings.Contains(err.Error(), c.msg) {
			t.Errorf("%.40s...: %v, want %q", c.text, err, c.msg)
		}
	}
}
