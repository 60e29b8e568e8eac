// Command gangsaw computes on large files of numbers with a pool of worker
// processes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor"
)

// Exit statuses, which scripts rely on.
const (
	exitFailed      = 1
	exitUsage       = 2
	exitQuarantined = 3
	exitChanged     = 4
	exitNextRound   = 5
	exitInterrupted = 130
)

// usageError is a mistake on the command line.
type usageError struct{ error }

func main() {
	supervisor.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	err := newRoot().ExecuteContext(ctx)
	if err == nil {
		return
	}
	status := exitStatus(err)
	var early *supervisor.InPlaceError
	if errors.As(err, &early) && early.Journal != "" {
		remedy := "finish it by gangsaw resume " + early.File
		if early.Backup != "" {
			remedy += ", or put the backup back by gangsaw resume --restore " + early.File
		}
		err = fmt.Errorf("%w: %s", err, remedy)
	} else if status == exitInterrupted {
		err = errors.New("interrupted")
	}
	for _, line := range lines(err) {
		fmt.Fprintln(os.Stderr, "gangsaw:", report.Printable(line))
	}
	os.Exit(status)
}

// lines returns the lines of an error's text, of all errors joined in it.
func lines(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if _, whole := err.(*supervisor.QuarantineError); whole || !ok {
		return strings.Split(err.Error(), "\n")
	}
	var all []string
	for _, e := range joined.Unwrap() {
		all = append(all, lines(e)...)
	}
	return all
}

func exitStatus(err error) int {
	var usage usageError
	var changed *shm.ChangedError
	var quarantined *supervisor.QuarantineError
	var another nextRoundError
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &changed):
		return exitChanged
	case errors.As(err, &quarantined):
		return exitQuarantined
	case errors.As(err, &another):
		return exitNextRound
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "gangsaw",
		Short: "Compute on large files of numbers with a pool of worker processes",
		Long: "gangsaw maps a large file of numbers into memory, hands out chunks of it to worker\n" +
			"processes that map the same file, and loses nothing when one of them dies.\n\n" +
			"Exit status: 0 done; 1 failed; 2 usage; 3 finished, but some chunks kept killing their\n" +
			"workers; 4 a file changed during the run; 5 shards need another round (merge);\n" +
			"130 interrupted.",
		Example:           "  gangsaw stat x.npy\n  gangsaw eval 'mean(x), std(x)' x.npy\n  gangsaw stat --json x.npy | jq '.arrays[0].mean'",
		Version:           version().Version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
		Args:              cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			hint := "gangsaw --help lists them"
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = "did you mean " + near[0] + "?"
			}
			return usageError{fmt.Errorf("unknown command %q: %s", args[0], hint)}
		},
	}
	root.SuggestionsMinimumDistance = 2
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w: see %s --help", err, cmd.CommandPath())}
	})
	root.AddCommand(newStat(), newEval(), newMerge(), newResume(), newInfo(), newGen(), newBench(), newTop(), newDoctor(), newVersion(), newMan())
	complete(root)
	return root
}

// atLeastOne refuses a command line without arguments.
func atLeastOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError{fmt.Errorf("%s needs %s: see %s --help", cmd.Name(), what, cmd.CommandPath())}
		}
		return nil
	}
}
