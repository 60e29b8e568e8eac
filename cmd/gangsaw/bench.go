package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/measure"
	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/supervisor"
)

// The sizes that can be measured: less is in a core's cache, more is no better.
const (
	leastBench = 1 << 20
	mostBench  = 16 << 30
)

func newBench() *cobra.Command {
	var out outputFlags
	var size string
	o := measure.Options{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "This machine's bandwidth, and every kernel as a share of it",
		Long: "bench measures how fast this machine reads and copies memory and the page cache of a\n" +
			"directory's file system, by the simplest loops there are, for 1, 2, 4, ... workers; then a\n" +
			"summary on worker processes, on goroutines, and written by hand; and every kernel on one\n" +
			"core. The best of several runs counts. Nothing else should run meanwhile. Later runs of\n" +
			"gangsaw tell what share of these ceilings they reach.",
		Example: "  gangsaw bench\n  gangsaw bench --dir /data --time 1m --json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := out.form()
			if err != nil {
				return err
			}
			n, err := humanize.ParseBytes(size)
			if err != nil || n < leastBench || n > mostBench {
				return usageError{fmt.Errorf("--size %s: give %s to %s", size, humanize.IBytes(leastBench), humanize.IBytes(mostBench))}
			}
			if !cmd.Flags().Changed("workers") {
				o.Workers = runtime.GOMAXPROCS(0)
			}
			if o.Workers < 1 || o.Workers > supervisor.MaxWorkers {
				return usageError{fmt.Errorf("--workers %d: give 1 to %d", o.Workers, supervisor.MaxWorkers)}
			}
			if o.Time <= 0 {
				return usageError{fmt.Errorf("--time %v: give more than 0", o.Time)}
			}
			o.Size = int(n) &^ (1<<15 - 1) // whole blocks of float64
			found, err := measure.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			if err := found.Remember(); err != nil {
				fmt.Fprintf(os.Stderr, "gangsaw: %s\n", report.Printable(err.Error()))
			}
			return report.Bench{Report: found}.Write(os.Stdout, form)
		},
	}
	cmd.Flags().StringVar(&o.Dir, "dir", os.TempDir(), "directory for the file whose page cache is read")
	cmd.Flags().StringVar(&size, "size", "256MiB", "bytes that are read; more than the caches hold")
	cmd.Flags().IntVarP(&o.Workers, "workers", "j", 0, "most workers (default: usable CPUs)")
	cmd.Flags().DurationVar(&o.Time, "time", 20*time.Second, "how long all of it may take")
	out.add(cmd)
	return cmd
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no argument, not %q: see %s --help", cmd.Name(), args[0], cmd.CommandPath())}
	}
	return nil
}
