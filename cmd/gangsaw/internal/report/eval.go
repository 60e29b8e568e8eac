package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
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
	Name  string   `json:"name,omitempty"`
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
			r := result{Expr: v.Expr, Name: v.Name, DType: v.Type.String()}
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
			rows = append(rows, []string{label(v), valueText(v), v.Type.String()})
		}
		return writeCSV(w, []string{"expr", "value", "dtype"}, rows)
	}
	if len(e.Results) == 1 {
		_, err := fmt.Fprintln(w, valueText(e.Results[0]))
		return err
	}
	width := 0
	for _, v := range e.Results {
		width = max(width, len(label(v)))
	}
	for _, v := range e.Results {
		if _, err := fmt.Fprintf(w, "%-*s  %s\n", width, Printable(label(v)), valueText(v)); err != nil {
			return err
		}
	}
	return nil
}

// label is what a result is called: by its name, if it has one.
func label(v supervisor.Evaluated) string {
	if v.Name != "" {
		return v.Name
	}
	return v.Expr
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

// Output is the report of a command that wrote arrays: one, or several by their names.
type Output struct {
	File   string
	Arrays []format.Array
}

// output is what the JSON says of a file: what is in it, or which arrays are.
type output struct {
	File string `json:"file"`
	*written
	Arrays []written `json:"arrays,omitempty"`
}

type written struct {
	Name  string  `json:"name,omitempty"`
	DType string  `json:"dtype"`
	Shape []int64 `json:"shape"`
}

// Write prints the report, of which tables have nothing: the file is there.
func (o *Output) Write(w io.Writer, form Form, run Run) error {
	var all []written
	rows := [][]string{}
	for _, a := range o.Arrays {
		all = append(all, written{a.Name, a.Type.String(), shapeOf(a)})
		rows = append(rows, []string{o.File, a.Name, a.Type.String(), a.ShapeString()})
	}
	head, made := []string{"file", "name", "dtype", "shape"}, output{File: o.File, Arrays: all}
	if len(all) == 1 {
		all[0].Name = ""
		made = output{File: o.File, written: &all[0]}
		head, rows[0] = slices.Delete(head, 1, 2), slices.Delete(rows[0], 1, 2)
	}
	switch form {
	case JSON:
		return writeJSON(w, struct {
			Schema int    `json:"schema"`
			Output output `json:"output"`
			Run    Run    `json:"run"`
		}{schema, made, run})
	case CSV:
		return writeCSV(w, head, rows)
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

// Ranges says how much of a file was changed, if the journal told.
func Ranges(applied, rest []supervisor.Range) string {
	if len(applied)+len(rest) == 0 {
		return "the journal does not tell which bytes of the array are changed"
	}
	length := func(ranges []supervisor.Range) (n uint64) {
		for _, r := range ranges {
			n += r.Last - r.First + 1
		}
		return n
	}
	return fmt.Sprintf("%d bytes of the array are changed, %d are not", length(applied), length(rest))
}
