package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/measure"
	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/progress"
	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/supervisor"
)

// session is a pool for one command, with a view of its progress.
type session struct {
	options []supervisor.Option
	mode    progress.Mode
	form    report.Form
	workers int    // asked for, or as many CPUs as are usable
	total   uint64 // bytes that will be read, as far as that is known
	rows    uint64 // elements that were worked on, as far as that is known
	pool    *supervisor.Pool
	view    *progress.View
	either  bool // nothing was said for which it takes worker processes
}

// newSession reads the flags of a session.
func newSession(cmd *cobra.Command, out *outputFlags, pool *poolFlags) (s session, err error) {
	if s.form, err = out.form(); err != nil {
		return s, err
	}
	if s.options, err = pool.options(cmd); err != nil {
		return s, err
	}
	if s.mode, err = progress.ParseMode(pool.progress); err != nil {
		return s, usageError{fmt.Errorf("--progress: %w", err)}
	}
	s.either = !cmd.Flags().Changed("workers") && !cmd.Flags().Changed("deadline") && !cmd.Flags().Changed("retries")
	if s.workers = pool.workers; s.workers == 0 {
		s.workers = runtime.GOMAXPROCS(0)
	}
	return s, nil
}

// smallBytes are read before a worker process is there to do so.
const smallBytes = 64 << 10

// reads tells the session, before it is run, how many bytes will be read, if anything
// knows. Few are read by this process alone.
func (s *session) reads(bytes uint64) {
	if s.total = bytes; s.either && bytes <= smallBytes {
		s.options = append(s.options, supervisor.InProcess())
	}
}

// printer prints what was found, and how the run went.
type printer func(w io.Writer, form report.Form, run report.Run) error

// run starts the pool, has the work done, and prints what it found, which may be
// something in spite of an error.
func (s *session) run(ctx context.Context, work func(s *session) (printer, error)) error {
	start := time.Now()
	ceiling := measure.Recall(s.workers)
	s.view = progress.New(os.Stderr, s.mode, s.total, ceiling)
	defer s.view.Stop()
	var err error
	s.pool, err = supervisor.Start(ctx, append(s.options, supervisor.Observe(supervisor.EventFunc(func(e supervisor.Event) {
		s.view.Note(report.Printable(e.String()))
	})))...)
	if err != nil {
		return err
	}
	defer s.pool.Close()
	s.view.Watch(func() progress.State {
		c := s.pool.Counters()
		return progress.State{Bytes: c.Bytes, Retries: c.Retries, Respawns: c.Respawns}
	})
	found, err := work(s)
	run := report.NewRun(s.pool.Counters(), time.Since(start), s.pool.ISA())
	s.view.Stop()
	last := ""
	if found != nil {
		err = errors.Join(err, found(os.Stdout, s.form, run))
		last = run.Line(s.pool.InProcess(), s.rows, ceiling)
	}
	s.pool.Close() // all events are told, so that the last line is the last
	s.view.End(last)
	return err
}

// changes returns an option by which it is said what a change in place cannot undo,
// and what says, once it is complete, where the backup is.
func (s *session) changes(again bool) (said supervisor.TaskOption, kept func()) {
	var begun supervisor.Change
	said = supervisor.BeforeChange(func(c supervisor.Change) {
		if begun = c; c.Backup == "" && !again {
			s.view.Note(report.Printable(fmt.Sprintf("%s: %d bytes of array %q are replaced in place, and without --backup nothing brings the old ones back", c.File, c.Bytes, c.Array)))
		}
	})
	return said, func() {
		if begun.Backup != "" {
			s.view.Note(report.Printable(fmt.Sprintf("%s as it was is kept in %s: delete that when it is of no more use, or move it over the file to undo the change", begun.File, begun.Backup)))
		}
	}
}

// note says why results are NaN.
func (s *session) note(notes []expr.Note) {
	for _, n := range notes {
		s.view.Note(report.Printable(report.Note(n)))
	}
}
