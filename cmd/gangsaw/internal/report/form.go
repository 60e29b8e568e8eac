// Package report prints results: tables for people, JSON and CSV for programs.
// It formats what it is given and computes nothing.
package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"strings"
	"unicode"

	"github.com/gangsaw/gangsaw/kernels"
)

// Form is the form of a report.
type Form int

// The forms.
const (
	Table Form = iota
	JSON
	CSV
)

// ParseForm reads the name of a form.
func ParseForm(s string) (Form, error) {
	switch s {
	case "table":
		return Table, nil
	case "json":
		return JSON, nil
	case "csv":
		return CSV, nil
	}
	return Table, fmt.Errorf("%q is none of table, json, csv", s)
}

// schema is the version of the JSON.
const schema = 1

// number prints as a JSON number where every reader gets the same value, and
// as a string where that fails: NaN, infinities, integers beyond 2^53. What
// does not exist is null.
type number struct{ kernels.Value }

// exactInteger is the largest integer up to which a JSON reader that knows
// only float64 is exact.
var exactInteger = big.NewInt(1 << 53)

func (n number) MarshalJSON() ([]byte, error) {
	text := n.String()
	switch {
	case !n.Exists():
		return []byte("null"), nil
	case n.IsInteger():
		if n.Big().CmpAbs(exactInteger) > 0 {
			return json.Marshal(text)
		}
	case math.IsNaN(n.Float64()) || math.IsInf(n.Float64(), 0):
		return json.Marshal(text)
	}
	return []byte(text), nil
}

// writeJSON writes v indented, since people read it too.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// writeCSV writes rows below a header.
func writeCSV(w io.Writer, header []string, rows [][]string) error {
	c := csv.NewWriter(w)
	c.Write(header)
	c.WriteAll(rows)
	return c.Error()
}

// Printable returns s with everything replaced that a terminal would obey
// rather than show, line breaks included.
func Printable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return unicode.ReplacementChar
	}, s)
}

// field is a line of a table.
type field struct{ name, value string }

// writeFields writes a heading and aligned lines below it.
func writeFields(w io.Writer, heading string, fields []field) error {
	width := 0
	for _, f := range fields {
		width = max(width, len(f.name))
	}
	var b strings.Builder
	b.WriteString(Printable(heading) + "\n")
	for _, f := range fields {
		value := f.value
		if value == "" {
			value = "-" // does not exist
		}
		fmt.Fprintf(&b, "  %-*s  %s\n", width, f.name, value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
