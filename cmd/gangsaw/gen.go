package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/generate"
	"github.com/gangsaw/gangsaw/kernels"
)

func newGen() *cobra.Command {
	var dtype, shape, dist string
	var seed uint64
	var nan float64
	var overwrite bool
	cmd := &cobra.Command{
		Use:   "gen OUT",
		Short: "Make a file of numbers to try things on",
		Long: "gen writes OUT, as .npy when it is named so and as raw little-endian numbers otherwise.\n" +
			"The same flags make the same bytes. Distributions:\n" + generate.Help(),
		Example: "  gangsaw gen x.npy --shape 100000000\n  gangsaw gen y.bin --dtype i4 --shape 1000,3 --dist uniform --seed 7",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("gen needs one file to write, not %d: see gangsaw gen --help", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			spec := generate.Spec{NPY: filepath.Ext(args[0]) == ".npy", Seed: seed, NaN: nan, Overwrite: overwrite}
			var err error
			if spec.Type, err = kernels.ParseType(dtype); err != nil {
				return usageError{fmt.Errorf("--dtype: %w", err)}
			}
			if spec.Shape, err = parseShape(shape); err != nil {
				return err
			}
			if spec.Dist, err = generate.ParseDist(dist, spec.Type); err != nil {
				return usageError{fmt.Errorf("--dist: %w", err)}
			}
			if !(nan >= 0 && nan <= 1) || nan > 0 && !spec.Type.IsFloat() {
				return usageError{fmt.Errorf("--nan %v: give a share from 0 to 1, of floats", nan)}
			}
			n, err := generate.Write(cmd.Context(), args[0], spec)
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "gangsaw: wrote %s (%s)\n", args[0], humanize.IBytes(uint64(n)))
			return nil
		},
	}
	cmd.Flags().StringVar(&dtype, "dtype", "f8", "element type, such as f8 or int32")
	cmd.Flags().StringVar(&shape, "shape", "1000000", "shape, such as 1000,3")
	cmd.Flags().StringVar(&dist, "dist", "normal", "distribution: "+generate.Names())
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the random numbers")
	cmd.Flags().Float64Var(&nan, "nan", 0, "share of elements that are NaN instead, floats only")
	cmd.Flags().BoolVar(&overwrite, "overwrite", false, "replace OUT if it exists")
	return cmd
}
