package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/measure"
)

// Bench is the report of gangsaw bench.
type Bench struct{ *measure.Report }

// Write prints the report. The table has the kernels of a name on one line, the
// other forms have each.
func (b Bench) Write(w io.Writer, form Form) error {
	switch form {
	case JSON:
		return writeJSON(w, struct {
			Schema int `json:"schema"`
			*measure.Report
		}{schema, b.Report})
	case CSV:
		var rows [][]string
		row := func(kind, name string, workers int, rate, share float64) {
			rows = append(rows, []string{kind, name, strconv.Itoa(workers), strconv.FormatFloat(rate, 'f', 0, 64), strconv.FormatFloat(share, 'f', 4, 64)})
		}
		for _, c := range b.Ceilings {
			row("ceiling", c.What+" "+c.From+" "+c.Mapping, c.Workers, c.Rate, 1)
		}
		for _, j := range b.Jobs {
			row("job", j.Name, j.Workers, j.Rate, j.Share)
		}
		for _, k := range b.Kernels {
			row("kernel", k.Name, 1, k.Rate, k.Share)
		}
		return writeCSV(w, []string{"kind", "name", "workers", "bytes_per_second", "share"}, rows)
	}
	var t strings.Builder
	fmt.Fprintf(&t, "ceilings of this machine, %s, GB/s read, or read and written; fresh: mapped anew by each run\n", humanize.IBytes(uint64(b.Size)))
	for _, c := range b.Ceilings {
		fmt.Fprintf(&t, "  %s  %-6s %-5s  %2d workers  %6.1f  %s\n", c.What, c.From, c.Mapping, c.Workers, c.Rate/1e9, c.Loop)
	}
	fmt.Fprintf(&t, "count, minimum, maximum, sum and squares of the file, as a share of reading it warm\n")
	for _, j := range b.Jobs {
		fmt.Fprintf(&t, "  %-24s  %2d workers  %6.1f  %4.0f %%\n", j.Name, j.Workers, j.Rate/1e9, 100*j.Share)
	}
	fmt.Fprintf(&t, "kernels on one core over memory, as a share of what reading (reductions) or copying gives: least, median and most over the types\n")
	for _, g := range b.Groups() {
		fmt.Fprintf(&t, "  %-16s %s  %3d kernels  %4.0f  %4.0f  %4.0f %%\n", g.Name, g.Ceiling, g.Kernels, 100*g.Least, 100*g.Median, 100*g.Most)
	}
	if b.Skipped > 0 {
		fmt.Fprintf(&t, "  %d kernels are left out: give more --time\n", b.Skipped)
	}
	_, err := io.WriteString(w, t.String())
	return err
}
