package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/supervisor"
)

// leastInterval keeps top from being what the machine works on.
const leastInterval = 50 * time.Millisecond

func newTop() *cobra.Command {
	var out outputFlags
	var once bool
	var interval time.Duration
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch the runs of gangsaw that are at work on this machine",
		Long: "top shows this user's pools of worker processes, of the command and of programs that\n" +
			"embed gangsaw: what each worker does, how fast, and how often workers were restarted. It\n" +
			"only reads their shared memory. It ends when the last run does, on q, or on Ctrl-C. Runs\n" +
			"by --in-process and by other versions of gangsaw do not show.",
		Example: "  gangsaw top\n  gangsaw top --once --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := out.form()
			if err != nil {
				return err
			}
			if interval < leastInterval {
				return usageError{fmt.Errorf("--interval %v: give %v or more", interval, leastInterval)}
			}
			w := &watch{interval: interval, form: form}
			if once {
				return w.once(cmd.Context(), os.Stdout)
			}
			return w.follow(cmd.Context(), os.Stdin, os.Stdout)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "show the state once and end")
	cmd.Flags().DurationVar(&interval, "interval", 500*time.Millisecond, "time between two looks, over which rates are taken")
	out.add(cmd)
	return cmd
}

// watch looks at runs again and again.
type watch struct {
	interval time.Duration
	form     report.Form
	before   []supervisor.LiveRun
	at       time.Time
}

// look looks again; the rates are those since the last look.
func (w *watch) look() (report.Top, error) {
	runs, err := supervisor.LiveRuns()
	now := time.Now()
	top := report.NewTop(runs, w.before, now.Sub(w.at))
	w.before, w.at = runs, now
	return top, err
}

// once prints one state, over one interval.
func (w *watch) once(ctx context.Context, out io.Writer) error {
	if _, err := w.look(); err != nil {
		return err
	}
	if len(w.before) > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(w.interval):
		}
	}
	top, err := w.look()
	if err != nil {
		return err
	}
	return top.Write(out, w.form)
}

// follow prints states until the last run ends or somebody wants no more.
func (w *watch) follow(ctx context.Context, in, out *os.File) error {
	if _, err := w.look(); err != nil {
		return err
	}
	if len(w.before) == 0 {
		return errors.New("no run of gangsaw is at work: start one, or see --help for which runs show")
	}
	screen := w.form == report.Table && term.IsTerminal(int(out.Fd())) && os.Getenv("TERM") != "dumb"
	quit := make(chan struct{})
	if screen && term.IsTerminal(int(in.Fd())) {
		// Else a key would be seen only after a line's end.
		old, err := term.MakeRaw(int(in.Fd()))
		if err != nil {
			return err
		}
		defer term.Restore(int(in.Fd()), old)
		go func() { awaitQuit(in); close(quit) }()
	}
	tick := time.NewTicker(w.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil // wanted, not a failure
		case <-quit:
			return nil
		case <-tick.C:
		}
		top, err := w.look()
		if err != nil {
			return err
		}
		if len(w.before) == 0 {
			return nil
		}
		var text io.Writer = out
		if screen {
			text = &rawLines{out}
			fmt.Fprint(out, "\x1b[H\x1b[J") // home, and nothing below
		}
		if err := top.Write(text, w.form); err != nil {
			return err
		}
	}
}

// awaitQuit returns when q or Ctrl-C is typed, or nothing more can be.
func awaitQuit(in io.Reader) {
	key := make([]byte, 1)
	for {
		if n, err := in.Read(key); err != nil || n == 1 && (key[0] == 'q' || key[0] == 'Q' || key[0] == 3) {
			return
		}
	}
}

// rawLines ends lines as a terminal in raw mode needs it.
type rawLines struct{ out io.Writer }

func (r *rawLines) Write(b []byte) (int, error) {
	var whole []byte
	for _, c := range b {
		if c == '\n' {
			whole = append(whole, '\r')
		}
		whole = append(whole, c)
	}
	if _, err := r.out.Write(whole); err != nil {
		return 0, err
	}
	return len(b), nil
}
