package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor"
)

func newMerge() *cobra.Command {
	var out outputFlags
	var next string
	cmd := &cobra.Command{
		Use:   "merge PART...",
		Short: "Put together what the shards of stat or eval found",
		Long: "merge reads the files that gangsaw stat or gangsaw eval wrote with --shard and --partial,\n" +
			"one of every shard, and prints what one run over all of the numbers prints, to the last\n" +
			"bit. It needs none of the files that the numbers are in.\n\n" +
			"Exact quantiles, histograms, and expressions that take several passes, need as many\n" +
			"rounds. If there is another one to come, merge writes what it begins with to the file\n" +
			"--next, and ends with status 5: run every shard again with that --next, and merge again,\n" +
			"with that --next, too. stat takes two rounds for most data, with --quick one, with --bins\n" +
			"fd or auto three.",
		Example: "  for i in 0 1 2 3; do gangsaw stat --quick --shard $i/4 --partial part.$i x.npy; done\n" +
			"  gangsaw merge part.*\n" +
			"  gangsaw merge --next next --json part.*",
		Args: atLeastOne("a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := out.form()
			if err != nil {
				return err
			}
			j := mergeJob{files: args, next: next}
			if err := j.read(); err != nil {
				return err
			}
			return j.run(form)
		},
	}
	cmd.Flags().StringVar(&next, "next", "", "the file for what another round begins with: read if the parts are of a later one, written if one more is needed")
	out.add(cmd)
	return cmd
}

// nextRoundError tells that another round is needed, and can begin.
type nextRoundError struct{ error }

// mergeJob is one call of merge.
type mergeJob struct {
	files []string
	next  string

	base  []*supervisor.Partial   // of the round before, nil in the first
	parts [][]*supervisor.Partial // by file
}

// read reads the partials.
func (j *mergeJob) read() error {
	var failed []error
	later := false
	for _, path := range j.files {
		parts, err := supervisor.ReadPartials(path)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		j.parts = append(j.parts, parts)
		later = later || parts[0].Later()
	}
	if err := errors.Join(failed...); err != nil || !later || j.next == "" {
		return err
	}
	var err error
	if j.base, err = supervisor.ReadPartials(j.next); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--next %s: is not there, and the parts are of a later round: name the file that they began with", j.next)
	}
	return err
}

// run merges array by array, and prints what is found.
func (j *mergeJob) run(form report.Form) error {
	first := j.parts[0]
	for i, parts := range j.parts {
		if len(parts) != len(first) {
			return fmt.Errorf("%s, %s: they are about %d and %d arrays: merge partials of one computation", j.files[0], j.files[i], len(first), len(parts))
		}
	}
	if j.base != nil && len(j.base) != len(first) {
		return fmt.Errorf("--next %s: it is about %d arrays, and the parts about %d: name the file that they began with", j.next, len(j.base), len(first))
	}
	var next []*supervisor.Partial
	var all []*supervisor.Merged
	done := true
	for i := range first {
		var base *supervisor.Partial
		if j.base != nil {
			base = j.base[i]
		}
		var column []*supervisor.Partial
		for _, parts := range j.parts {
			column = append(column, parts[i])
		}
		m, err := supervisor.MergePartials(base, column...)
		if err != nil {
			return inQuery(err)
		}
		next, all, done = append(next, m.Next), append(all, m), done && m.Done
	}
	if done {
		return printMerged(all, form)
	}
	if j.next == "" {
		return usageError{errors.New("another round is needed: give --next FILE for what it begins with, run every shard again with that, and merge again (see gangsaw merge --help)")}
	}
	if err := supervisor.WritePartials(j.next, next...); err != nil {
		return err
	}
	return nextRoundError{fmt.Errorf("another round is needed: run every shard again with --next %s, and merge again", j.next)}
}

// printMerged prints what one run prints, and how the shards went.
func printMerged(all []*supervisor.Merged, form report.Form) error {
	total := all[0].Run
	rows := uint64(0)
	stat := &report.Stat{Canvas: canvas(os.Stdout)}
	for i, m := range all {
		if i > 0 {
			total.Add(m.Run)
		}
		if m.Answer != nil {
			for _, n := range m.Answer.Notes {
				fmt.Fprintln(os.Stderr, "gangsaw:", report.Printable(report.Note(n)))
			}
			if len(m.Arrays) > 0 {
				rows = uint64(m.Arrays[0].Len())
			}
			continue
		}
		x := m.Arrays[0]
		rows += uint64(x.Len())
		if why := m.Description.NoHistogram; why != nil {
			fmt.Fprintln(os.Stderr, "gangsaw:", report.Printable(fmt.Sprintf("%s: array %q has no histogram: %v", x.File, x.Name, why)))
		}
		var names []string
		for _, q := range m.Inquiry.Quantiles {
			names = append(names, kernels.FormatFloat(q))
		}
		row := report.DescribedArray(x.File, x.Array, m.Description, names)
		if x.NullsKnown {
			row = row.WithNulls(uint64(x.Nulls))
		}
		stat.Arrays = append(stat.Arrays, row)
	}
	run := report.NewRun(total.Counters, total.Time, total.ISA)
	found := stat.Write
	if a := all[0].Answer; a != nil {
		found = (&report.Eval{Results: a.Results}).Write
	}
	if err := found(os.Stdout, form, run); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "gangsaw: shards", run.Line(false, rows, 0))
	return nil
}
