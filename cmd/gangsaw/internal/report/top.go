package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/dustin/go-humanize/english"

	"github.com/gangsaw/gangsaw/supervisor"
)

// Top is the report of gangsaw top.
type Top []TopRun

// TopRun is a run that is at work.
type TopRun struct {
	PID      int         `json:"pid"`
	Command  string      `json:"command"`
	Files    []string    `json:"files"`
	Ready    int         `json:"ready_chunks"`
	Restarts int         `json:"restarts"`
	Rate     float64     `json:"bytes_per_second"`
	Workers  []TopWorker `json:"workers"`
}

// TopWorker is one of its workers.
type TopWorker struct {
	PID     int     `json:"pid"`
	Worker  uint32  `json:"worker"` // incarnation
	State   string  `json:"state"`
	Chunk   *uint64 `json:"chunk"` // null: none
	Attempt uint32  `json:"attempt"`
	Chunks  uint64  `json:"chunks"`
	Bytes   uint64  `json:"bytes"`
	Rate    float64 `json:"bytes_per_second"`
	Faults  uint64  `json:"page_faults"`
}

// NewTop states runs; rates are what was done since before, that long ago.
func NewTop(runs, before []supervisor.LiveRun, since time.Duration) Top {
	type key struct {
		run, worker int
		incarnation uint32
	}
	old := map[key]uint64{}
	for _, r := range before {
		for _, w := range r.Workers {
			old[key{r.PID, w.PID, w.Incarnation}] = w.Bytes
		}
	}
	top := Top{}
	for _, r := range runs {
		row := TopRun{PID: r.PID, Command: r.Command, Files: append([]string{}, r.Files...), Ready: r.Ready, Restarts: r.Restarts, Workers: []TopWorker{}}
		for _, w := range r.Workers {
			t := TopWorker{PID: w.PID, Worker: w.Incarnation, State: w.State, Attempt: w.Attempt, Chunks: w.Chunks, Bytes: w.Bytes, Faults: w.Faults}
			if w.Attempt > 0 {
				t.Chunk = &w.Chunk
			}
			if b, known := old[key{r.PID, w.PID, w.Incarnation}]; known && w.Bytes >= b && since > 0 {
				t.Rate = float64(w.Bytes-b) / since.Seconds()
			}
			row.Rate += t.Rate
			row.Workers = append(row.Workers, t)
		}
		top = append(top, row)
	}
	return top
}

// Write prints the report.
func (t Top) Write(w io.Writer, form Form) error {
	switch form {
	case JSON:
		return writeJSON(w, struct {
			Schema int      `json:"schema"`
			Runs   []TopRun `json:"runs"`
		}{schema, t})
	case CSV:
		var rows [][]string
		for _, r := range t {
			for _, k := range r.Workers {
				rows = append(rows, []string{strconv.Itoa(r.PID), strconv.Itoa(k.PID), fmt.Sprint(k.Worker), k.State, chunkText(k.Chunk, ""),
					fmt.Sprint(k.Chunks), fmt.Sprint(k.Bytes), strconv.FormatFloat(k.Rate, 'f', 0, 64), fmt.Sprint(k.Faults)})
			}
		}
		return writeCSV(w, []string{"run", "pid", "worker", "state", "chunk", "chunks", "bytes", "bytes_per_second", "page_faults"}, rows)
	}
	var b strings.Builder
	if len(t) == 0 {
		b.WriteString("no run of gangsaw is at work\n")
	}
	for _, r := range t {
		fmt.Fprintf(&b, "%d  %s\n", r.PID, Printable(r.Command))
		for _, f := range r.Files {
			fmt.Fprintf(&b, "  file %s\n", Printable(f))
		}
		fmt.Fprintf(&b, "  %s/s, %s waiting, %s\n", humanize.IBytes(uint64(r.Rate)), english.Plural(r.Ready, "chunk", ""), english.Plural(r.Restarts, "restart", ""))
		fmt.Fprintf(&b, "  %8s  %6s  %-7s  %10s  %8s  %10s  %10s\n", "pid", "worker", "state", "chunk", "chunks", "per second", "faults")
		for _, k := range r.Workers {
			fmt.Fprintf(&b, "  %8d  %6d  %-7s  %10s  %8d  %10s  %10d\n", k.PID, k.Worker, k.State, chunkText(k.Chunk, "-"), k.Chunks, humanize.IBytes(uint64(k.Rate)), k.Faults)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func chunkText(chunk *uint64, none string) string {
	if chunk == nil {
		return none
	}
	return strconv.FormatUint(*chunk, 10)
}
