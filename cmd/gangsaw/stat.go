package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/progress"
	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/supervisor"
)

func newStat() *cobra.Command {
	var out outputFlags
	var raw rawFlags
	var pool poolFlags
	cmd := &cobra.Command{
		Use:   "stat FILE...",
		Short: "Count, extremes, sum, mean and standard deviation of the numbers in files",
		Long: "stat reads each file once and prints, for every array in it, the number of elements, of\n" +
			"NaN and of infinities, and the minimum, maximum, sum, mean and standard deviation\n" +
			"(ddof 0) of the elements that are not NaN. The same bits come out for any number of\n" +
			"workers and any size of chunk.",
		Example: "  gangsaw stat x.npy\n  gangsaw stat --json -j 4 a.npy b.npy\n  gangsaw stat --dtype f4 --offset 512 dump.bin",
		Args:    atLeastOne("a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := out.form()
			if err != nil {
				return err
			}
			fileOptions, err := raw.options(cmd)
			if err != nil {
				return err
			}
			poolOptions, err := pool.options(cmd)
			if err != nil {
				return err
			}
			mode, err := progress.ParseMode(pool.progress)
			if err != nil {
				return usageError{fmt.Errorf("--progress: %w", err)}
			}
			job := statJob{files: args, fileOptions: fileOptions, poolOptions: poolOptions, mode: mode, form: form}
			return job.run(cmd.Context())
		},
	}
	out.add(cmd)
	raw.add(cmd)
	pool.add(cmd)
	return cmd
}

// statJob is one call of stat.
type statJob struct {
	files       []string
	fileOptions []supervisor.FileOption
	poolOptions []supervisor.Option
	mode        progress.Mode
	form        report.Form
}

// run computes and prints what can be computed and joins the errors of what
// cannot.
func (s *statJob) run(ctx context.Context) error {
	start := time.Now()
	var failed []error
	sizes := make([]uint64, len(s.files))
	var total uint64
	for i, path := range s.files {
		sizes[i] = fileSize(path)
		total += sizes[i]
	}
	view := progress.New(os.Stderr, s.mode, total)
	defer view.Stop()
	pool, err := supervisor.Start(ctx, append(s.poolOptions, supervisor.Observe(supervisor.EventFunc(func(e supervisor.Event) {
		view.Note(report.Printable(e.String()))
	})))...)
	if err != nil {
		return err
	}
	defer pool.Close()
	view.Watch(func() progress.State {
		c := pool.Counters()
		return progress.State{Bytes: c.Bytes, Retries: c.Retries}
	})
	out := &report.Stat{}
	for i, path := range s.files {
		rows, err := s.statFile(ctx, pool, path, func(size uint64) { view.Correct(sizes[i], size) })
		out.Arrays = append(out.Arrays, rows...)
		if err != nil {
			failed = append(failed, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if len(out.Arrays) == 0 {
		return errors.Join(failed...)
	}
	out.Run = report.NewRun(pool.Counters(), time.Since(start), pool.ISA())
	view.Stop()
	failed = append(failed, out.Write(os.Stdout, s.form))
	view.Summary(out.Run.Line(pool.InProcess()))
	return errors.Join(failed...)
}

// fileSize guesses how many bytes a file will be read for, before it is opened.
func fileSize(path string) uint64 {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return uint64(info.Size())
}

// statFile computes the summaries of all arrays of a file, whose size is told
// once it is known.
func (s *statJob) statFile(ctx context.Context, pool *supervisor.Pool, path string, tell func(size uint64)) ([]report.Array, error) {
	f, err := pool.File(path, s.fileOptions...)
	if err != nil {
		tell(0)
		return nil, err
	}
	defer f.Close()
	var size uint64
	for _, a := range f.Arrays() {
		size += uint64(a.Size())
	}
	tell(size)
	var rows []report.Array
	for _, a := range f.Arrays() {
		summary, err := pool.Stat(ctx, a)
		var quarantined *supervisor.QuarantineError
		switch {
		case errors.As(err, &quarantined):
			return append(rows, report.MissingArray(path, a.Array, quarantined.Chunks)), err
		case err != nil:
			return rows, err
		}
		rows = append(rows, report.SummaryArray(path, a.Array, summary))
	}
	return rows, nil
}
