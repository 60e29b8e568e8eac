package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/supervisor"
)

func newResume() *cobra.Command {
	var out outputFlags
	var pool poolFlags
	var target targetFlags
	var abandon, restore, anyBuild bool
	cmd := &cobra.Command{
		Use:   "resume FILE",
		Short: "Finish a change in place that was interrupted, exactly once",
		Long: "resume replaces the elements that an interrupted eval --in-place has not replaced, with\n" +
			"the values that its reductions had, by the journal beside the file. With --restore it\n" +
			"puts the copy back that --backup made, also after the machine went down. With --abandon\n" +
			"it deletes the journal and leaves the array as it is, with the right checksum where the\n" +
			"file keeps one, and a backup where it is.",
		Example: "  gangsaw resume x.npy\n  gangsaw resume --restore x.npy\n  gangsaw resume --abandon x.npy",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("resume needs one file, not %d: see %s --help", len(args), cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts := target.options()
			if abandon && restore {
				return usageError{errors.New("--abandon and --restore contradict each other: give one")}
			}
			if restore {
				return restoreFile(cmd.Context(), args[0], opts)
			}
			if abandon {
				applied, rest, err := supervisor.Abandon(args[0], opts...)
				if err == nil {
					fmt.Fprintf(os.Stderr, "gangsaw: %s stays as it is: %s\n", report.Printable(args[0]), report.Ranges(applied, rest))
				}
				return err
			}
			s, err := newSession(cmd, &out, &pool)
			if err != nil {
				return err
			}
			if anyBuild {
				opts = append(opts, supervisor.AnyBuild())
			}
			return s.run(cmd.Context(), func(s *session) (printer, error) {
				said, kept := s.changes(true)
				if err := s.pool.Resume(cmd.Context(), args[0], append(opts, said)...); err != nil {
					return nil, err
				}
				kept()
				return (&report.Resumed{File: args[0]}).Write, nil
			})
		},
	}
	cmd.Flags().BoolVar(&abandon, "abandon", false, "delete the journal and leave the array as it is")
	cmd.Flags().BoolVar(&restore, "restore", false, "put the backup back, and delete it and the journal")
	cmd.Flags().BoolVar(&anyBuild, "any-build", false, "resume what another build of gangsaw began")
	target.add(cmd)
	out.add(cmd)
	pool.add(cmd)
	return cmd
}

// restoreFile puts a backup back.
func restoreFile(ctx context.Context, path string, opts []supervisor.TaskOption) error {
	err := supervisor.Restore(ctx, path, opts...)
	backup := path + ".gangsaw-backup"
	switch {
	case err == nil:
		fmt.Fprintf(os.Stderr, "gangsaw: %s is as it was before the run\n", report.Printable(path))
	case errors.Is(err, supervisor.ErrNotInterrupted):
		if _, e := os.Lstat(backup); e == nil {
			err = fmt.Errorf("%w: to undo a run that is complete, move %s over it", err, backup)
		}
	}
	return err
}
