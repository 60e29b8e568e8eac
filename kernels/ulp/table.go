package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// entry is a row of the table.
type entry struct {
	function, typ, points, error, at string
}

var heading = entry{"function", "type", "points", "ULP", "at"}

// entryOf describes what a sweep found.
func entryOf(s *sweep, o outcome) entry {
	points := strconv.Itoa(s.points)
	if s.step == 1 {
		points = "all"
	}
	return entry{s.kernel.Name(), s.f.name, points, roundedUp(o.error), arguments(o.operands)}
}

// roundedUp returns an error with two decimals, never less than it is.
func roundedUp(e float64) string {
	text := strconv.FormatFloat(e, 'f', 2, 64)
	if shown, _ := strconv.ParseFloat(text, 64); shown < e {
		text = strconv.FormatFloat(math.Ceil(e*100)/100, 'f', 2, 64)
	}
	return text
}

// arguments returns numbers in hexadecimal.
func arguments(x []float64) string {
	text := make([]string, len(x))
	for i := range x {
		text[i] = strconv.FormatFloat(x[i], 'x', -1, 64)
	}
	return strings.Join(text, ", ")
}

func (e entry) String() string {
	return strings.TrimRight(fmt.Sprintf("%-9s %-8s %10s  %5s  %s", e.function, e.typ, e.points, e.error, e.at), " ")
}

// The lines between which the table stands in a Go comment.
const (
	beginMark = "// Largest errors found, in ULP:"
	endMark   = "// End of the errors found."
)

// replaceTable returns a Go file with entries as its table. Entries of the old
// table stay if keep says so.
func replaceTable(file []byte, entries []entry, keep func(function, typ string) bool) ([]byte, error) {
	head, rest, ok := bytes.Cut(file, []byte(beginMark+"\n"))
	old, tail, ok2 := bytes.Cut(rest, []byte(endMark+"\n"))
	if !ok || !ok2 {
		return nil, fmt.Errorf("no line %q before a line %q", beginMark, endMark)
	}
	var rows []string
	for _, e := range entries {
		rows = append(rows, e.String())
	}
	for line := range strings.Lines(string(old)) {
		row := strings.TrimSpace(strings.TrimPrefix(line, "//"))
		if f := strings.Fields(row); len(f) > 2 && f[0] != heading.function && keep(f[0], f[1]) {
			rows = append(rows, row)
		}
	}
	slices.Sort(rows)
	var out bytes.Buffer
	out.Write(head)
	fmt.Fprintf(&out, "%s\n//\n//\t%s\n", beginMark, heading)
	for _, row := range rows {
		fmt.Fprintf(&out, "//\t%s\n", row)
	}
	fmt.Fprintf(&out, "//\n%s\n", endMark)
	out.Write(tail)
	return out.Bytes(), nil
}

// writeTable rewrites the table of a Go file.
func writeTable(path string, entries []entry, keep func(function, typ string) bool) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if file, err = replaceTable(file, entries, keep); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, file, 0o666)
}
