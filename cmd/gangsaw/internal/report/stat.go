package report

import (
	"fmt"
	"io"
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
type Stat struct{ Arrays []Array }

// Array is what stat says of one array. NaN are left out of everything but the
// counts. Counts and values are null when a chunk is missing.
type Array struct {
	File  string  `json:"file"`
	Name  string  `json:"name"`
	DType string  `json:"dtype"`
	Shape []int64 `json:"shape"`
	Count *uint64 `json:"count"`
	NaN   *uint64 `json:"nan"`
	Inf   *uint64 `json:"inf"`
	Min   number  `json:"min"`
	Max   number  `json:"max"`
	Sum   number  `json:"sum"`
	Mean  number  `json:"mean"`
	Std   number  `json:"std"`
	DDOF  int     `json:"ddof"`
	// Missing are the bytes of the file that could not be worked on.
	Missing []ByteRange `json:"missing,omitempty"`

	shape string
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

// Line states the run in one line.
func (r Run) Line(inProcess bool) string {
	what := "worker process"
	if inProcess {
		what = "goroutine"
	}
	return fmt.Sprintf("read %s in %.3f s (%s/s) on %s: %s, %s, %s",
		humanize.IBytes(r.Bytes), r.Seconds, humanize.IBytes(uint64(r.BytesPerSecond)), english.Plural(r.Workers, what, ""),
		english.Plural(int(r.Chunks), "chunk", ""), english.Plural(int(r.Retries), "retry", ""), english.Plural(int(r.Respawns), "respawn", ""))
}

// SummaryArray states a summary.
func SummaryArray(file string, a format.Array, s kernels.Summary) Array {
	row := newArray(file, a)
	count, nan, inf := s.Count(), s.NaN(), s.Inf()
	row.Count, row.NaN, row.Inf = &count, &nan, &inf
	row.Min, row.Max, row.Sum = number{s.Min()}, number{s.Max()}, number{s.Sum()}
	row.Mean, row.Std = number{s.Mean()}, number{s.Std(0)}
	return row
}

// MissingArray states that chunks are missing, and no value.
func MissingArray(file string, a format.Array, chunks []supervisor.Quarantined) Array {
	row := newArray(file, a)
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
		for _, f := range new(Array).fields() {
			header = append(header, f.name)
		}
		return writeCSV(w, header, rows)
	}
	for _, a := range s.Arrays {
		heading := fmt.Sprintf("%s: array %q, %s %s", a.File, a.Name, a.DType, a.shape)
		fields := a.fields()
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
	}
	return nil
}

// fields are the statistics by name; empty where there is no value.
func (a *Array) fields() []field {
	count := func(n *uint64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatUint(*n, 10)
	}
	return []field{
		{"count", count(a.Count)},
		{"nan", count(a.NaN)},
		{"inf", count(a.Inf)},
		{"min", a.Min.String()},
		{"max", a.Max.String()},
		{"sum", a.Sum.String()},
		{"mean", a.Mean.String()},
		{"std", a.Std.String()},
	}
}
