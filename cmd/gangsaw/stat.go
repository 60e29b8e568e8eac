package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor"
)

// statFlags say what is found out.
type statFlags struct {
	quick     bool
	quantiles string
	method    string
	bins      string
	perColumn bool
}

// defaultQuantiles are what is asked for if nothing else is.
const defaultQuantiles = "0.01,0.05,0.25,0.5,0.75,0.95,0.99"

func newStat() *cobra.Command {
	var out outputFlags
	var raw rawFlags
	var pool poolFlags
	var columns columnFlags
	var flags statFlags
	var shard shardFlags
	var concat concatFlags
	cmd := &cobra.Command{
		Use:   "stat FILE[#array]...",
		Short: "All that is worth knowing about the numbers in files, exact quantiles and a histogram included",
		Long: "stat reads each file twice and prints, for every array in it, the number of elements, of\n" +
			"NaN and of infinities, and the minimum, maximum, sum, mean, standard deviation (ddof 0),\n" +
			"skewness, kurtosis, exact quantiles and a histogram of the elements that are not NaN.\n" +
			"The same bits come out for any number of workers and any size of chunk.\n\n" +
			"With --quick it reads once, and leaves out quantiles, histogram and the number of\n" +
			"negative elements and zeros.",
		Example: "  gangsaw stat x.npy\n  gangsaw stat --concat 'part-*.npy'\n  gangsaw stat --json -j 4 a.npy b.npy\n  gangsaw stat --quick --dtype f4 --offset 512 dump.bin\n" +
			"  gangsaw stat --quantiles 0.1,0.9 --bins fd x.npy",
		Args: atLeastOne("a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			session, err := newSession(cmd, &out, &pool)
			if err != nil {
				return err
			}
			fileOptions, err := raw.options(cmd)
			if err != nil {
				return err
			}
			job := statJob{fileOptions: fileOptions, columns: columns, session: session, perColumn: flags.perColumn}
			if job.series, job.notes, err = concat.seriesOf(args, false); err != nil {
				return err
			}
			if err := flags.inquire(cmd, &job); err != nil {
				return err
			}
			if job.sharding, err = shard.sharding(); err != nil {
				return err
			}
			if job.sharding != nil && flags.perColumn {
				return usageError{errors.New("--shard does not go with --per-column: leave out one of them")}
			}
			return job.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&flags.quick, "quick", false, "read once: no quantiles, histogram, negative elements and zeros")
	cmd.Flags().StringVar(&flags.quantiles, "quantiles", defaultQuantiles, "which quantiles, from 0 to 1 with commas, or none")
	cmd.Flags().StringVar(&flags.method, "quantile-method", "linear", "what a quantile between two elements is: linear, lower, higher, nearest or midpoint, as in NumPy")
	cmd.Flags().StringVar(&flags.bins, "bins", "sturges", "bins of the histogram: a number, NumPy's rules auto, sturges, fd, scott, sqrt, rice or doane, or none; fd and auto read once more")
	cmd.Flags().BoolVar(&flags.perColumn, "per-column", false, "one row for each column of arrays of two dimensions, as --quick has it")
	out.add(cmd)
	raw.add(cmd)
	columns.add(cmd)
	shard.add(cmd)
	concat.add(cmd)
	pool.add(cmd)
	return cmd
}

// inquire tells the job what is to be found out.
func (f *statFlags) inquire(cmd *cobra.Command, j *statJob) (err error) {
	if f.quick || f.perColumn {
		once := "quick"
		if f.perColumn {
			once = "per-column"
		}
		for _, name := range []string{"quantiles", "quantile-method", "bins"} {
			if cmd.Flags().Changed(name) {
				return usageError{fmt.Errorf("--%s reads once, and --%s takes a second time: give one of them", once, name)}
			}
		}
		return nil
	}
	if j.inquiry.Method, err = kernels.ParseMethod(f.method); err != nil {
		return usageError{fmt.Errorf("--quantile-method: %w", err)}
	}
	if f.quantiles != "none" {
		for _, name := range strings.Split(f.quantiles, ",") {
			name = strings.TrimSpace(name)
			q, err := strconv.ParseFloat(name, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return usageError{fmt.Errorf("--quantiles %s: %q is none: write numbers from 0 to 1 with commas, such as 0.1,0.9, or none", f.quantiles, name)}
			}
			name = kernels.FormatFloat(q)
			if slices.Contains(j.quantiles, name) {
				return usageError{fmt.Errorf("--quantiles %s: %s is there twice", f.quantiles, name)}
			}
			j.inquiry.Quantiles, j.quantiles = append(j.inquiry.Quantiles, q), append(j.quantiles, name)
		}
	}
	if j.inquiry.Histogram = f.bins != "none"; j.inquiry.Histogram {
		if j.inquiry.Bins, err = kernels.ParseBins(f.bins); err != nil {
			return usageError{fmt.Errorf("--bins: %w; or none", err)}
		}
	}
	return nil
}

// statJob is one call of stat.
type statJob struct {
	series      []series
	notes       []string
	fileOptions []supervisor.FileOption
	columns     columnFlags
	session     session
	perColumn   bool
	inquiry     supervisor.Inquiry
	quantiles   []string  // the names of those that are asked for
	sharding    *sharding // nil: all of the work is done
}

// passes returns how often a file is read.
func (j *statJob) passes() uint64 {
	switch {
	case j.sharding != nil:
		return 1
	case !j.inquiry.Histogram && len(j.quantiles) == 0:
		return 1
	case j.inquiry.Histogram && j.inquiry.Bins.Quartiles():
		return 3
	}
	return 2
}

// run computes and prints what can be computed and joins the errors of what
// cannot.
func (j *statJob) run(ctx context.Context) error {
	total, sizes := uint64(0), make([]uint64, len(j.series))
	for i, one := range j.series {
		for _, o := range one.files {
			sizes[i] += j.sharding.part(fileSize(o.path) * j.passes())
		}
		total += sizes[i]
	}
	j.session.reads(total)
	return j.session.run(ctx, func(s *session) (printer, error) {
		s.tell(j.notes)
		var failed []error
		out := &report.Stat{Canvas: canvas(os.Stdout)}
		for i, one := range j.series {
			rows, err := j.statSeries(ctx, s, one, func(size uint64) { s.view.Correct(sizes[i], size) })
			out.Arrays = append(out.Arrays, rows...)
			if err != nil {
				failed = append(failed, err)
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		if j.sharding != nil && len(failed) == 0 {
			return j.sharding.write()
		}
		if len(out.Arrays) == 0 && len(failed) > 0 {
			return nil, errors.Join(failed...)
		}
		return out.Write, errors.Join(failed...)
	})
}

// fileSize guesses how many bytes a file will be read for, before it is opened.
func fileSize(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return uint64(info.Size())
}

// statSeries describes the arrays of a file, or of several together, that are asked for. The
// bytes to be read, as often as they are, are told once they are known.
func (j *statJob) statSeries(ctx context.Context, s *session, one series, tell func(size uint64)) ([]report.Array, error) {
	picked, opened, err := one.open(s, j.fileOptions, j.columns)
	defer func() {
		for _, f := range opened {
			f.Close()
		}
	}()
	if err != nil {
		tell(0)
		return nil, err
	}
	if len(j.columns.names) == 0 && len(one.files) == 1 && one.files[0].array == "" {
		picked = s.numbers(opened[0])
	}
	path := one.path()
	var size uint64
	for _, a := range picked {
		size += uint64(a.Size())
		j.session.rows += j.sharding.part(uint64(a.Len()))
	}
	tell(j.sharding.part(size * j.passes()))
	var rows []report.Array
	var failed []error
	done := s.pool.Together(picked...)
	for _, a := range picked {
		found, err := j.describe(ctx, s, path, a)
		if err == nil {
			err = done(a)
		}
		var quarantined *supervisor.QuarantineError
		var access *supervisor.AccessError
		switch {
		case errors.As(err, &quarantined):
			return append(rows, report.MissingArray(path, a.Array, quarantined.Chunks, j.quantiles)), errors.Join(append(failed, err)...)
		case errors.As(err, &access):
			failed = append(failed, err) // there are others
			continue
		case err != nil:
			return rows, errors.Join(append(failed, err)...)
		}
		rows = append(rows, found...)
	}
	return rows, errors.Join(failed...)
}

// describe returns the rows of one array.
func (j *statJob) describe(ctx context.Context, s *session, path string, a *supervisor.Array) (rows []report.Array, err error) {
	if j.perColumn {
		columns, err := s.pool.DescribeColumns(ctx, a)
		for i := range columns {
			described := a.Array
			described.Type = a.ValueType()
			rows = append(rows, report.ColumnArray(path, described, i, &columns[i]))
		}
		return rows, err
	}
	note := func(form string, args ...any) {
		s.view.Note(report.Printable(fmt.Sprintf("%s: array %q %s", path, a.Name, fmt.Sprintf(form, args...))))
	}
	_, decoded := a.Nulls()
	inquiry := j.inquiry
	inquiry.SecondPass = func() {
		// What is decoded is never in memory as a whole, and that has been told.
		if memory := availableMemory(); !decoded && memory > 0 && uint64(a.Size()) > memory {
			note("is larger than the memory that is available, so it is read from the disk again (--quick reads once)")
		}
	}
	if j.sharding != nil {
		next, err := j.sharding.begin()
		if err != nil {
			return nil, err
		}
		found, err := s.pool.DescribeShard(ctx, a, inquiry, j.sharding.shard, next)
		if err == nil {
			j.sharding.found = append(j.sharding.found, found)
		}
		return nil, err
	}
	d, err := s.pool.Describe(ctx, a, inquiry)
	if err != nil {
		return nil, err
	}
	if d.NoHistogram != nil {
		note("has no histogram: %v", d.NoHistogram)
	}
	described := a.Array
	described.Type = a.ValueType()
	row := report.DescribedArray(path, described, d, j.quantiles)
	if nulls, known := a.Nulls(); known {
		row = row.WithNulls(uint64(nulls))
	}
	return []report.Array{row}, nil
}

// numbers returns the arrays of a file without those that hold no numbers, of which
// it tells, unless there are no others.
func (s *session) numbers(f *supervisor.File) []*supervisor.Array {
	all := usable(f)
	if len(all) == 0 {
		return f.Arrays()
	}
	for _, a := range f.Arrays() {
		if a.Access == format.Refused {
			s.view.Note(report.Printable(fmt.Sprintf("%s: array %q is left out: %s", f.Path(), a.Name, a.Note)))
		}
	}
	return all
}
