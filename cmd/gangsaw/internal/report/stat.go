package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor"
)

// Stat is the report of gangsaw stat.
type Stat struct {
	Arrays []Array
	Canvas Canvas // of histograms in a table
}

// Array is what stat says of one array. NaN are left out of everything but the
// counts. Counts and values are null when a chunk is missing.
type Array struct {
	File  string  `json:"file"`
	Name  string  `json:"name"`
	DType string  `json:"dtype"`
	Shape []int64 `json:"shape"`
	// Column is which of an array's this is, if it is one.
	Column *int    `json:"column,omitempty"`
	Count  *uint64 `json:"count"`
	NaN    *uint64 `json:"nan"`
	Inf    *uint64 `json:"inf"`
	Nulls  *uint64 `json:"nulls,omitempty"` // that are left out as NaN are, of files that have such
	Min    number  `json:"min"`
	Max    number  `json:"max"`
	Sum    number  `json:"sum"`
	Mean   number  `json:"mean"`
	Std    number  `json:"std"`
	DDOF   int     `json:"ddof"`

	Skewness number `json:"skewness"`
	Kurtosis number `json:"kurtosis"`
	// What takes a second pass.
	Negative  *uint64    `json:"negative,omitempty"`
	Zeros     *uint64    `json:"zeros,omitempty"`
	Quantiles *Quantiles `json:"quantiles,omitempty"`
	Histogram *Histogram `json:"histogram,omitempty"`
	// Missing are the bytes of the file that could not be worked on.
	Missing []ByteRange `json:"missing,omitempty"`

	shape string
}

// Quantiles are quantiles by the names that they were asked for under, in that order.
type Quantiles struct {
	Names  []string
	Values []kernels.Value // empty if a chunk is missing
}

// MarshalJSON keeps the order.
func (q *Quantiles) MarshalJSON() ([]byte, error) {
	b := []byte("{")
	for i, name := range q.Names {
		if i > 0 {
			b = append(b, ',')
		}
		value, err := json.Marshal(q.value(i))
		if err != nil {
			return nil, err
		}
		b = append(strconv.AppendQuote(b, name), ':')
		b = append(b, value...)
	}
	return append(b, '}'), nil
}

func (q *Quantiles) value(i int) (v number) {
	if len(q.Values) > 0 {
		v.Value = q.Values[i]
	}
	return v
}

// Histogram is counts between edges, of which there is one more.
type Histogram struct {
	Edges  []number `json:"edges"`
	Counts []uint64 `json:"counts"`
}

// ByteRange is a range of bytes in a file, both ends included.
type ByteRange struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	Cause string `json:"cause"`
}

// Run tells how the work went.
type Run struct {
	Workers        int     `json:"workers"`
	Chunks         uint64  `json:"chunks"`
	Bytes          uint64  `json:"bytes"`
	Seconds        float64 `json:"seconds"`
	BytesPerSecond float64 `json:"bytes_per_second"`
	Retries        uint64  `json:"retries"`
	Respawns       uint64  `json:"respawns"`
	Quarantined    uint64  `json:"quarantined"`
	ISA            string  `json:"isa"`
}

// NewRun states a pool's totals.
func NewRun(c supervisor.Counters, took time.Duration, isa string) Run {
	r := Run{
		Workers: c.Workers, Chunks: c.Chunks, Bytes: c.Bytes, Seconds: took.Seconds(),
		Retries: c.Retries, Respawns: c.Respawns, Quarantined: c.Quarantined, ISA: isa,
	}
	if r.Seconds > 0 {
		r.BytesPerSecond = float64(r.Bytes) / r.Seconds
	}
	return r
}

// Line states the run in one line. Rows and ceiling, bytes per second that the
// machine reads at best, are left out if they are 0.
func (r Run) Line(inProcess bool, rows uint64, ceiling float64) string {
	what := "worker process"
	if inProcess {
		what = "goroutine"
	}
	rate := humanize.IBytes(uint64(r.BytesPerSecond)) + "/s"
	if ceiling > 0 {
		rate += fmt.Sprintf(", %.0f %% of this machine's ceiling", 100*r.BytesPerSecond/ceiling)
	}
	elements := ""
	if rows > 0 {
		elements = english.Plural(int(rows), "element", "") + ", "
	}
	return fmt.Sprintf("read %s in %.3f s (%s) on %s: %s%s, %s, %s",
		humanize.IBytes(r.Bytes), r.Seconds, rate, english.Plural(r.Workers, what, ""), elements,
		english.Plural(int(r.Chunks), "chunk", ""), english.Plural(int(r.Retries), "retry", ""), english.Plural(int(r.Respawns), "respawn", ""))
}

// DescribedArray states what is known of an array. Quantiles have the names that they
// were asked for under.
func DescribedArray(file string, a format.Array, d *supervisor.Description, quantiles []string) Array {
	row := newArray(file, a)
	row.describe(&d.Moments)
	if d.Counted {
		row.Negative, row.Zeros = &d.Negative, &d.Zeros
	}
	if len(quantiles) > 0 {
		row.Quantiles = &Quantiles{quantiles, d.Quantiles}
	}
	if h := d.Histogram; h != nil {
		row.Histogram = &Histogram{Counts: h.Counts()}
		for _, e := range h.Edges() {
			row.Histogram.Edges = append(row.Histogram.Edges, number{kernels.FloatValue(e)})
		}
	}
	return row
}

// WithNulls states how many elements are null, which were counted as NaN.
func (a Array) WithNulls(nulls uint64) Array {
	nan := *a.NaN - nulls
	a.NaN, a.Nulls = &nan, &nulls
	return a
}

// ColumnArray states the moments of a column of an array of two dimensions.
func ColumnArray(file string, a format.Array, column int, m *kernels.Moments) Array {
	a.Name, a.Shape = fmt.Sprintf("%s[:, %d]", a.Name, column), a.Shape[:1]
	row := newArray(file, a)
	row.Column = &column
	row.describe(m)
	return row
}

func (a *Array) describe(m *kernels.Moments) {
	count, nan, inf := m.Count(), m.NaN(), m.Inf()
	a.Count, a.NaN, a.Inf = &count, &nan, &inf
	a.Min, a.Max, a.Sum = number{m.Min()}, number{m.Max()}, number{m.Sum()}
	a.Mean, a.Std = number{m.Mean()}, number{m.Std(0)}
	a.Skewness, a.Kurtosis = number{m.Skewness()}, number{m.Kurtosis()}
}

// MissingArray states that chunks are missing, and no value.
func MissingArray(file string, a format.Array, chunks []supervisor.Quarantined, quantiles []string) Array {
	row := newArray(file, a)
	if len(quantiles) > 0 {
		row.Quantiles = &Quantiles{Names: quantiles}
	}
	for _, c := range chunks {
		row.Missing = append(row.Missing, ByteRange{c.First, c.Last, c.Cause})
	}
	return row
}

func newArray(file string, a format.Array) Array {
	return Array{File: file, Name: a.Name, DType: a.Type.String(), Shape: shapeOf(a), shape: a.ShapeString()}
}

// shapeOf returns the shape, never nil, so that JSON has [] for a scalar.
func shapeOf(a format.Array) []int64 { return append([]int64{}, a.Shape...) }

// Write prints the report.
func (s *Stat) Write(w io.Writer, form Form, run Run) error {
	switch form {
	case JSON:
		return writeJSON(w, struct {
			Schema int     `json:"schema"`
			Arrays []Array `json:"arrays"`
			Run    Run     `json:"run"`
		}{schema, append([]Array{}, s.Arrays...), run})
	case CSV:
		rows := make([][]string, len(s.Arrays))
		for i, a := range s.Arrays {
			rows[i] = []string{a.File, a.Name, a.DType, a.shape}
			for _, f := range a.fields() {
				rows[i] = append(rows[i], f.value)
			}
		}
		header := []string{"file", "name", "dtype", "shape"}
		model := new(Array)
		if len(s.Arrays) > 0 {
			model = &s.Arrays[0]
		}
		for _, f := range model.fields() {
			header = append(header, f.name)
		}
		return writeCSV(w, header, rows)
	}
	for i := 0; i < len(s.Arrays); i++ {
		a := s.Arrays[i]
		if n := columnsFrom(s.Arrays[i:]); n > 0 {
			if err := writeColumns(w, s.Arrays[i:i+n]); err != nil {
				return err
			}
			i += n - 1
			continue
		}
		heading := fmt.Sprintf("%s: array %q, %s %s", a.File, a.Name, a.DType, a.shape)
		fields := a.shown()
		if len(a.Missing) > 0 {
			var missing []string
			for _, m := range a.Missing {
				missing = append(missing, fmt.Sprintf("%d-%d", m.First, m.Last))
			}
			fields = []field{{"no result, missing bytes", strings.Join(missing, ", ")}}
		}
		if err := writeFields(w, heading, fields); err != nil {
			return err
		}
		if a.Histogram != nil {
			if _, err := io.WriteString(w, a.Histogram.draw(s.Canvas)); err != nil {
				return err
			}
		}
	}
	return nil
}

// columnsFrom returns how many of the first arrays are columns of one.
func columnsFrom(all []Array) (n int) {
	for n < len(all) && all[n].Column != nil && *all[n].Column == n {
		n++
	}
	return n
}

// writeColumns writes columns one below the other, in aligned fields.
func writeColumns(w io.Writer, columns []Array) error {
	header := []string{"column"}
	for _, f := range columns[0].shown() {
		header = append(header, f.name)
	}
	rows := [][]string{header}
	for _, c := range columns {
		row := []string{strconv.Itoa(*c.Column)}
		for _, f := range c.shown() {
			if f.value == "" {
				f.value = "-" // does not exist
			}
			row = append(row, f.value)
		}
		rows = append(rows, row)
	}
	width := make([]int, len(header))
	for _, row := range rows {
		for i, cell := range row {
			width[i] = max(width[i], len(cell))
		}
	}
	var b strings.Builder
	name, _, _ := strings.Cut(columns[0].Name, "[:, ")
	fmt.Fprintf(&b, "%s\n", Printable(fmt.Sprintf("%s: array %q, %s, %d columns of %d", columns[0].File, name, columns[0].DType, len(columns), columns[0].Shape[0])))
	for _, row := range rows {
		for i, cell := range row {
			fmt.Fprintf(&b, "  %*s", width[i], cell)
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// shown are the fields of a table, which has nulls only where the file knows such.
func (a *Array) shown() []field {
	all := a.fields()
	if a.Nulls == nil {
		all = slices.DeleteFunc(all, func(f field) bool { return f.name == "nulls" })
	}
	return all
}

// fields are the statistics by name; empty where there is no value.
func (a *Array) fields() []field {
	count := func(n *uint64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatUint(*n, 10)
	}
	all := []field{
		{"count", count(a.Count)},
		{"nan", count(a.NaN)},
		{"inf", count(a.Inf)},
		{"min", a.Min.String()},
		{"max", a.Max.String()},
		{"sum", a.Sum.String()},
		{"mean", a.Mean.String()},
		{"std", a.Std.String()},
		{"skewness", a.Skewness.String()},
		{"kurtosis", a.Kurtosis.String()},
		{"nulls", count(a.Nulls)},
	}
	if a.Quantiles != nil {
		all = append(all, field{"negative", count(a.Negative)}, field{"zeros", count(a.Zeros)})
		for i, name := range a.Quantiles.Names {
			all = append(all, field{"q" + name, a.Quantiles.value(i).String()})
		}
	}
	return all
}
