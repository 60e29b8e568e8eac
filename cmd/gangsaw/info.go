package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/supervisor"
)

func newInfo() *cobra.Command {
	var out outputFlags
	var raw rawFlags
	cmd := &cobra.Command{
		Use:     "info FILE...",
		Short:   "What arrays are in files, and where",
		Long:    "info prints name, dtype, shape, order and offset of every array in the files. It does not read the numbers.",
		Example: "  gangsaw info x.npy\n  gangsaw info --json x.npy y.npy",
		Args:    atLeastOne("a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := out.form()
			if err != nil {
				return err
			}
			opts, err := raw.options(cmd)
			if err != nil {
				return err
			}
			var info report.Info
			var failed []error
			for _, path := range args {
				f, err := supervisor.OpenFile(path, opts...)
				if err != nil {
					failed = append(failed, err)
					continue
				}
				for _, a := range f.Arrays() {
					info.Arrays = append(info.Arrays, report.NewInfoArray(path, f.Format(), a.Array))
				}
				f.Close()
			}
			if len(info.Arrays) > 0 {
				failed = append(failed, info.Write(os.Stdout, form))
			}
			return errors.Join(failed...)
		},
	}
	out.add(cmd)
	raw.add(cmd)
	return cmd
}
