package main

import (
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
	var abandon, anyBuild bool
	cmd := &cobra.Command{
		Use:   "resume FILE",
		Short: "Finish a change in place that was interrupted, exactly once",
		Long: "resume replaces the elements that an interrupted eval --in-place has not replaced, with\n" +
			"the values that its reductions had, by the journal beside the file. With --abandon it\n" +
			"deletes the journal instead, and leaves the file as it is.",
		Example: "  gangsaw resume x.npy\n  gangsaw resume --abandon x.npy",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("resume needs one file, not %d: see %s --help", len(args), cmd.CommandPath())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts := target.options()
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
				if err := s.pool.Resume(cmd.Context(), args[0], opts...); err != nil {
					return nil, err
				}
				return (&report.Resumed{File: args[0]}).Write, nil
			})
		},
	}
	cmd.Flags().BoolVar(&abandon, "abandon", false, "delete the journal and leave the file as it is")
	cmd.Flags().BoolVar(&anyBuild, "any-build", false, "resume what another build of gangsaw began")
	target.add(cmd)
	out.add(cmd)
	pool.add(cmd)
	return cmd
}
