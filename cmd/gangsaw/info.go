package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/supervisor"
)

func newInfo() *cobra.Command {
	var out outputFlags
	var raw rawFlags
	var columns columnFlags
	cmd := &cobra.Command{
		Use:   "info FILE[#array]...",
		Short: "What arrays are in files, and where",
		Long: "info prints name, dtype, shape, order and offset of every array in the files, whether it\n" +
			"is mapped where it lies, and if it is not, why, and how to write it so that it is. It\n" +
			"does not read the numbers.",
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
				source := newOperand(path, false)
				f, err := supervisor.OpenFile(source.path, opts...)
				if err != nil {
					failed = append(failed, err)
					continue
				}
				picked, err := source.pick(f, columns)
				if err != nil {
					failed = append(failed, err)
				}
				for _, a := range picked {
					info.Arrays = append(info.Arrays, report.NewInfoArray(source.path, f.Format(), f.Listed(a)))
				}
				for _, c := range f.Refused() {
					fmt.Fprintln(os.Stderr, "gangsaw:", report.Printable(fmt.Sprintf("%s: column %q cannot be decoded: %v", source.path, c.Name, c.Err)))
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
	columns.add(cmd)
	return cmd
}
