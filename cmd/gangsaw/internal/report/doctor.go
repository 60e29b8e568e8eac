package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/doctor"
)

// Doctor is the report of gangsaw doctor.
type Doctor []doctor.Finding

// Write prints the report.
func (d Doctor) Write(w io.Writer, form Form) error {
	switch form {
	case JSON:
		return writeJSON(w, struct {
			Schema   int              `json:"schema"`
			Findings []doctor.Finding `json:"findings"`
		}{schema, append([]doctor.Finding{}, d...)})
	case CSV:
		rows := make([][]string, len(d))
		for i, f := range d {
			rows[i] = []string{f.Name, f.Value, string(f.Level), f.Advice}
		}
		return writeCSV(w, []string{"name", "value", "level", "advice"}, rows)
	}
	width := 0
	for _, f := range d {
		width = max(width, len(f.Name))
	}
	var t strings.Builder
	for _, f := range d {
		fmt.Fprintf(&t, "%-7s  %-*s  %s\n", f.Level, width, Printable(f.Name), Printable(f.Value))
		if f.Advice != "" {
			fmt.Fprintf(&t, "%-7s  %-*s  %s\n", "", width, "", Printable(f.Advice))
		}
	}
	_, err := io.WriteString(w, t.String())
	return err
}
