package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor"
)

// outputFlags choose the form of what is printed.
type outputFlags struct {
	json   bool
	format string
}

func (f *outputFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.json, "json", false, "print JSON (short for --format json)")
	cmd.Flags().StringVar(&f.format, "format", "table", "form of the output: table, json or csv")
}

func (f *outputFlags) form() (report.Form, error) {
	if f.json && f.format != "table" && f.format != "json" {
		return report.Table, usageError{fmt.Errorf("--json and --format %s contradict each other: give one", f.format)}
	}
	if f.json {
		return report.JSON, nil
	}
	form, err := report.ParseForm(f.format)
	if err != nil {
		return form, usageError{fmt.Errorf("--format: %w", err)}
	}
	return form, nil
}

// rawFlags say what is in files of bare numbers.
type rawFlags struct {
	dtype, shape, order string
	offset              int64
	delimiter           string // of text files
	stored              bool
}

func (f *rawFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dtype, "dtype", "", "raw files: element type, such as f8 or int32")
	cmd.Flags().StringVar(&f.shape, "shape", "", "raw files: shape, such as 1000,3 (default: all elements)")
	cmd.Flags().Int64Var(&f.offset, "offset", 0, "raw files: bytes before the first element")
	cmd.Flags().BoolVar(&f.stored, "stored", false, "take stored numbers as they are, whatever the file says that they stand for (BSCALE, scale_factor, _FillValue); --raw is the same")
	cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "raw" {
			name = "stored"
		}
		return pflag.NormalizedName(name)
	})
	cmd.Flags().StringVar(&f.order, "order", "little", "raw files: byte order, little or big (as a dtype such as >f8 says, too)")
	cmd.Flags().StringVar(&f.delimiter, "delimiter", "", "text files: what stands between cells, such as ';' or tab (default: a comma, in .tsv a tab)")
}

// options returns how to open the files.
func (f *rawFlags) options(cmd *cobra.Command) ([]supervisor.FileOption, error) {
	if f.order != "little" && f.order != "big" {
		return nil, usageError{fmt.Errorf("--order %s: give little or big", f.order)}
	}
	var opts []supervisor.FileOption
	if f.delimiter != "" {
		c, err := parseDelimiter(f.delimiter)
		if err != nil {
			return nil, err
		}
		opts = append(opts, supervisor.Delimiter(c))
	}
	if f.dtype == "" {
		for _, name := range []string{"shape", "offset", "order"} {
			if cmd.Flags().Changed(name) {
				return nil, usageError{fmt.Errorf("--%s is about raw files: it needs --dtype as well", name)}
			}
		}
		if f.stored {
			opts = append(opts, supervisor.Stored())
		}
		return opts, nil
	}
	// NumPy's spellings of the byte order.
	name, order := strings.TrimLeft(f.dtype, "|="), f.order
	for mark, said := range map[string]string{"<": "little", ">": "big"} {
		if rest, marked := strings.CutPrefix(name, mark); marked {
			if cmd.Flags().Changed("order") && order != said {
				return nil, usageError{fmt.Errorf("--dtype %s --order %s: these are two byte orders: give one of them", f.dtype, f.order)}
			}
			name, order = rest, said
		}
	}
	t, err := kernels.ParseType(name)
	if err != nil {
		return nil, usageError{fmt.Errorf("--dtype: %w", err)}
	}
	layout := raw.Layout{Type: t, Offset: f.offset, Swapped: order == "big"}
	if cmd.Flags().Changed("shape") {
		if layout.Shape, err = parseShape(f.shape); err != nil {
			return nil, err
		}
	}
	return append(opts, supervisor.Raw(layout)), nil
}

// parseDelimiter reads what stands between the cells of text.
func parseDelimiter(s string) (rune, error) {
	if s == "tab" || s == `\t` {
		return '\t', nil
	}
	c, size := utf8.DecodeRuneInString(s)
	if size != len(s) || c == utf8.RuneError || strings.ContainsRune("\"\r\n", c) {
		return 0, usageError{fmt.Errorf("--delimiter %q: give one character, such as ';', or tab", s)}
	}
	return c, nil
}

// parseShape reads a shape such as 1000,3.
func parseShape(s string) ([]int64, error) {
	var shape []int64
	for _, part := range strings.Split(strings.TrimSuffix(s, ","), ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 64)
		if err != nil || n < 0 {
			return nil, usageError{fmt.Errorf("--shape %s: %q is not a length: write numbers with commas, such as 1000,3", s, part)}
		}
		shape = append(shape, n)
	}
	return shape, nil
}

// poolFlags say how work is done.
type poolFlags struct {
	workers   int
	chunk     string
	retries   int
	deadline  time.Duration
	inProcess bool
	progress  string
	isa       string
	decode    string
}

func (f *poolFlags) add(cmd *cobra.Command) {
	cmd.Flags().IntVarP(&f.workers, "workers", "j", 0, "number of workers (default: usable CPUs)")
	cmd.Flags().StringVar(&f.chunk, "chunk", "", "size of the pieces that are handed out, such as 4MiB, rounded down to a power of two of blocks of 4096 elements (default: by the array's size)")
	cmd.Flags().IntVar(&f.retries, "retries", supervisor.DefaultRetries, "how often a chunk is run again whose workers die at one place in it")
	cmd.Flags().DurationVar(&f.deadline, "deadline", 0, "how long a chunk may take, such as 30s: then its worker is killed, and the chunk is run again as --retries says (default: as long as it takes)")
	cmd.Flags().BoolVar(&f.inProcess, "in-process", false, "work in goroutines of one process instead of worker processes, as is always done outside Linux, and by stat on files of some kilobytes unless -j says otherwise")
	cmd.Flags().StringVar(&f.decode, "decode-memory", "1GiB", "files that have to be decoded: memory for what is decoded and not worked on yet")
	cmd.Flags().StringVar(&f.isa, "isa", "auto", "instruction set of the kernels: auto, scalar, avx2 or avx512; results have the same bits on all")
	cmd.Flags().StringVar(&f.progress, "progress", "auto", "progress on standard error: bar, log, json or none; auto is a bar on a terminal, lines in a file, nothing in a pipe")
}

// options returns how to start the pool.
func (f *poolFlags) options(cmd *cobra.Command) ([]supervisor.Option, error) {
	opts := []supervisor.Option{supervisor.Retries(f.retries)}
	if f.retries < 0 {
		return nil, usageError{fmt.Errorf("--retries %d: give 0 or more", f.retries)}
	}
	if cmd.Flags().Changed("deadline") {
		if f.deadline <= 0 {
			return nil, usageError{fmt.Errorf("--deadline %v: give a time above 0, such as 30s", f.deadline)}
		}
		opts = append(opts, supervisor.ChunkDeadline(f.deadline, f.retries))
	}
	if cmd.Flags().Changed("workers") {
		if f.workers < 1 || f.workers > supervisor.MaxWorkers {
			return nil, usageError{fmt.Errorf("--workers %d: give 1 to %d", f.workers, supervisor.MaxWorkers)}
		}
		opts = append(opts, supervisor.Workers(f.workers))
	}
	if cmd.Flags().Changed("chunk") {
		n, err := humanize.ParseBytes(f.chunk)
		if err != nil || n == 0 || n > math.MaxInt64 {
			return nil, usageError{fmt.Errorf("--chunk %s is not a size: write one such as 64KiB or 4MiB", f.chunk)}
		}
		opts = append(opts, supervisor.ChunkBytes(n))
	}
	if cmd.Flags().Changed("decode-memory") {
		n, err := humanize.ParseBytes(f.decode)
		if err != nil || n == 0 || n > math.MaxInt64 {
			return nil, usageError{fmt.Errorf("--decode-memory %s is not a size: write one such as 256MiB or 1GiB", f.decode)}
		}
		opts = append(opts, supervisor.DecodeMemory(int64(n)))
	}
	if cmd.Flags().Changed("isa") {
		tier, err := kernels.ParseTier(f.isa)
		if err == nil {
			err = kernels.UseTier(tier)
		}
		if err != nil {
			return nil, usageError{fmt.Errorf("--isa: %w", err)}
		}
	}
	if f.inProcess {
		opts = append(opts, supervisor.InProcess())
	}
	return opts, nil
}

// targetFlags are about files that are changed in place.
type targetFlags struct {
	journal string
	force   bool
}

func (f *targetFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.journal, "journal", "", "directory for the journal of a change in place, and for its backup (default: beside the file)")
	cmd.Flags().BoolVar(&f.force, "force", false, "change a file in place that has several names (hard links)")
}

// options returns how to change the file; the session says what cannot be undone.
func (f *targetFlags) options() (opts []supervisor.TaskOption) {
	if f.journal != "" {
		opts = append(opts, supervisor.JournalDir(f.journal))
	}
	if f.force {
		opts = append(opts, supervisor.HardLinked())
	}
	return opts
}
