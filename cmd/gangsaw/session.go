package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

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
	total   uint64 // bytes that will be read, as far as that is known
	pool    *supervisor.Pool
	view    *progress.View
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
	return s, nil
}

// printer prints what was found, and how the run went.
type printer func(w io.Writer, form report.Form, run report.Run) error

// run starts the pool, has the work done, and prints what it found, which may be
// something in spite of an error.
func (s *session) run(ctx context.Context, work func(s *session) (printer, error)) error {
	start := time.Now()
	s.view = progress.New(os.Stderr, s.mode, s.total)
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
		return progress.State{Bytes: c.Bytes, Retries: c.Retries}
	})
	found, err := work(s)
	if found == nil {
		return err
	}
	run := report.NewRun(s.pool.Counters(), time.Since(start), s.pool.ISA())
	s.view.Stop()
	err = errors.Join(err, found(os.Stdout, s.form, run))
	s.view.Summary(run.Line(s.pool.InProcess()))
	return err
}

// note says why results are NaN.
func (s *session) note(notes []expr.Note) {
	for _, n := range notes {
		s.view.Note(report.Printable(report.Note(n)))
	}
}
