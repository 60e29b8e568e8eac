package main

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

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
			session, err := newSession(cmd, &out, &pool)
			if err != nil {
				return err
			}
			fileOptions, err := raw.options(cmd)
			if err != nil {
				return err
			}
			job := statJob{args, fileOptions, session}
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
	session     session
}

// run computes and prints what can be computed and joins the errors of what
// cannot.
func (j *statJob) run(ctx context.Context) error {
	sizes := make([]uint64, len(j.files))
	for i, path := range j.files {
		sizes[i] = fileSize(path)
		j.session.total += sizes[i]
	}
	return j.session.run(ctx, func(s *session) (printer, error) {
		var failed []error
		out := &report.Stat{}
		for i, path := range j.files {
			rows, err := j.statFile(ctx, s.pool, path, func(size uint64) { s.view.Correct(sizes[i], size) })
			out.Arrays = append(out.Arrays, rows...)
			if err != nil {
				failed = append(failed, err)
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
		if len(out.Arrays) == 0 {
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

// statFile computes the summaries of all arrays of a file, whose size is told
// once it is known.
func (j *statJob) statFile(ctx context.Context, pool *supervisor.Pool, path string, tell func(size uint64)) ([]report.Array, error) {
	f, err := pool.File(path, j.fileOptions...)
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
