package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor"
)

// Eval is the report of gangsaw eval where nothing is written.
type Eval struct{ Results []supervisor.Evaluated }

// result is what the JSON says of one expression: a value, or the shape and the
// first and last elements of an array.
type result struct {
	Expr  string   `json:"expr"`
	Value *scalar  `json:"value,omitempty"`
	DType string   `json:"dtype"`
	Shape *[]int   `json:"shape,omitempty"`
	Head  []scalar `json:"head,omitempty"`
	Tail  []scalar `json:"tail,omitempty"`
}

// scalar prints as a JSON number where every reader gets the same value, and as a
// string where that fails.
type scalar struct {
	text    string
	integer bool
}

func (s scalar) MarshalJSON() ([]byte, error) {
	switch s.text {
	case "True", "true":
		return []byte("true"), nil
	case "False", "false":
		return []byte("false"), nil
	case "NaN", "Infinity", "-Infinity":
		return json.Marshal(s.text)
	}
	// 2^53 has 16 digits.
	if digits := strings.TrimPrefix(s.text, "-"); s.integer && (len(digits) > 16 || len(digits) == 16 && digits > exactInteger.String()) {
		return json.Marshal(s.text)
	}
	return []byte(s.text), nil
}

func scalarOf(v expr.Value) scalar { return scalar{v.String(), v.Big() != nil} }

// elements returns the elements in bytes.
func elements(t kernels.Type, b []byte) (all []scalar) {
	for ; len(b) > 0; b = b[t.Size():] {
		all = append(all, scalar{t.Text(b[:t.Size()]), !t.IsFloat()})
	}
	return all
}

// Write prints the report. A single scalar stands alone, for scripts.
func (e *Eval) Write(w io.Writer, form Form, run Run) error {
	switch form {
	case JSON:
		results := []result{}
		for _, v := range e.Results {
			r := result{Expr: v.Expr, DType: v.Type.String()}
			if v.Array {
				shape := append([]int{}, v.Shape...)
				r.Shape, r.Head, r.Tail = &shape, elements(v.Type, v.Head), elements(v.Type, v.Tail)
			} else {
				value := scalarOf(v.Scalar)
				r.Value = &value
			}
			results = append(results, r)
		}
		return writeJSON(w, struct {
			Schema  int      `json:"schema"`
			Results []result `json:"results"`
			Run     Run      `json:"run"`
		}{schema, results, run})
	case CSV:
		var rows [][]string
		for _, v := range e.Results {
			rows = append(rows, []string{v.Expr, valueText(v), v.Type.String()})
		}
		return writeCSV(w, []string{"expr", "value", "dtype"}, rows)
	}
	if len(e.Results) == 1 {
		_, err := fmt.Fprintln(w, valueText(e.Results[0]))
		return err
	}
	width := 0
	for _, v := range e.Results {
		width = max(width, len(v.Expr))
	}
	for _, v := range e.Results {
		if _, err := fmt.Fprintf(w, "%-*s  %s\n", width, Printable(v.Expr), valueText(v)); err != nil {
			return err
		}
	}
	return nil
}

// valueText is a scalar, or the ends of an array, its type and its shape.
func valueText(v supervisor.Evaluated) string {
	if !v.Array {
		return v.Scalar.String()
	}
	var parts []string
	for _, s := range elements(v.Type, v.Head) {
		parts = append(parts, s.text)
	}
	if len(v.Tail) > 0 {
		parts = append(parts, "...")
	}
	for _, s := range elements(v.Type, v.Tail) {
		parts = append(parts, s.text)
	}
	a := format.Array{}
	for _, n := range v.Shape {
		a.Shape = append(a.Shape, int64(n))
	}
	return fmt.Sprintf("[%s] %v %s", strings.Join(parts, " "), v.Type, a.ShapeString())
}

// Note says why a result is NaN.
func Note(n expr.Note) string {
	s := fmt.Sprintf("%s is NaN because %d of its elements are", n.Expr, n.NaN)
	if n.NaN == 1 {
		s = fmt.Sprintf("%s is NaN because one of its elements is", n.Expr)
	}
	if n.Variant != "" {
		s += ": " + n.Variant + " leaves them out"
	}
	return s
}

// Output is the report of a command that wrote an array.
type Output struct {
	File  string
	Array format.Array
}

// Write prints the report, of which tables have nothing: the file is there.
func (o *Output) Write(w io.Writer, form Form, run Run) error {
	switch form {
	case JSON:
		type output struct {
			File  string  `json:"file"`
			DType string  `json:"dtype"`
			Shape []int64 `json:"shape"`
		}
		return writeJSON(w, struct {
			Schema int    `json:"schema"`
			Output output `json:"output"`
			Run    Run    `json:"run"`
		}{schema, output{o.File, o.Array.Type.String(), shapeOf(o.Array)}, run})
	case CSV:
		return writeCSV(w, []string{"file", "dtype", "shape"}, [][]string{{o.File, o.Array.Type.String(), o.Array.ShapeString()}})
	}
	return nil
}

// Resumed is the report of gangsaw resume.
type Resumed struct{ File string }

// Write prints the report, of which tables have nothing: the file is changed.
func (r *Resumed) Write(w io.Writer, form Form, run Run) error {
	if form != JSON {
		return nil
	}
	type resumed struct {
		File string `json:"file"`
	}
	return writeJSON(w, struct {
		Schema  int     `json:"schema"`
		Resumed resumed `json:"resumed"`
		Run     Run     `json:"run"`
	}{schema, resumed{r.File}, run})
}

// Ranges says how much of a file was changed.
func Ranges(applied, rest []supervisor.Range) string {
	length := func(ranges []supervisor.Range) (n uint64) {
		for _, r := range ranges {
			n += r.Last - r.First + 1
		}
		return n
	}
	return fmt.Sprintf("%d bytes of the array are changed, %d are not", length(applied), length(rest))
}
