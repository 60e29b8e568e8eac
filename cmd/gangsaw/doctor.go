package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/doctor"
	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
)

func newDoctor() *cobra.Command {
	var out outputFlags
	cmd := &cobra.Command{
		Use:   "doctor [PATH]...",
		Short: "What this machine offers, and what is in the way, with advice",
		Long: "doctor looks at CPUs, memory, limits, system calls that a sandbox may forbid, and at the\n" +
			"file systems of the paths. It changes nothing, and what it cannot read is unknown.",
		Example: "  gangsaw doctor\n  gangsaw doctor --json /data x.npy",
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := out.form()
			if err != nil {
				return err
			}
			return report.Doctor(doctor.Look(args)).Write(os.Stdout, form)
		},
	}
	out.add(cmd)
	return cmd
}
