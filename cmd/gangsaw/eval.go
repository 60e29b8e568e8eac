package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor"
)

// evalFlags say what becomes of an expression.
type evalFlags struct {
	output    string
	overwrite bool
	inPlace   bool
	backup    bool
	where     string
	ends      int
	nulls     string
	targetFlags
}

func newEval() *cobra.Command {
	var out outputFlags
	var raw rawFlags
	var pool poolFlags
	var flags evalFlags
	var columns columnFlags
	var shard shardFlags
	var concat concatFlags
	cmd := &cobra.Command{
		Use:   "eval EXPR [name=]FILE[#array]...",
		Short: "Compute expressions over the numbers in files, in as few passes as it takes",
		Long: "eval computes expressions, separated by commas, that are written as NumPy users write\n" +
			"them. The array of a file with one array is called x, or by the name before the =; an\n" +
			"array of several goes by its own name. Scalars are printed. An array goes to a new file\n" +
			"(-o) or replaces the first array that is named (--in-place); without either, its first\n" +
			"and last elements are shown, and no others computed.\n\n" +
			"A file that ends in .npy takes one array, and so does one of bare numbers, with any\n" +
			"other ending; one in .npz, .safetensors, .arrow or .feather (Arrow IPC, columns of one\n" +
			"length) takes several, called by the names that they are given, as y in y = x*2, or\n" +
			"else by their expressions.\n\n" +
			"In place, every element is replaced exactly once, whatever is killed meanwhile: a run\n" +
			"that is interrupted leaves a journal beside the file, and gangsaw resume finishes it.\n" +
			"With --backup there is a copy of the file first, FILE.gangsaw-backup, which shares its\n" +
			"blocks where the file system can; gangsaw resume --restore puts it back. It stays when\n" +
			"the run is complete.",
		Example: "  gangsaw eval 'mean(x), std(x)' x.npy\n" +
			"  gangsaw eval 'mean(x), std(x)' --concat 'part-*.npy'\n" +
			"  gangsaw eval 'sum(log1p(abs(x)))' x.npy\n" +
			"  gangsaw eval 'clip((a - b) / 3, -3, 3)' a=x.npy b=y.npy -o z.npy\n" +
			"  gangsaw eval 'lo = minimum(x, 0), hi = maximum(x, 0)' x.npy -o z.safetensors\n" +
			"  gangsaw eval '(x - mean(x)) / std(x)' x.npy --in-place",
		Args: atLeastOne("an expression"),
		RunE: func(cmd *cobra.Command, args []string) error {
			session, err := newSession(cmd, &out, &pool)
			if err != nil {
				return err
			}
			fileOptions, err := raw.options(cmd)
			if err != nil {
				return err
			}
			if err := flags.check(concat); err != nil {
				return err
			}
			job := evalJob{text: args[0], flags: flags, fileOptions: fileOptions, columns: columns, session: session}
			if job.series, job.notes, err = concat.seriesOf(args[1:], true); err != nil {
				return err
			}
			sharding, err := shard.sharding()
			if err != nil {
				return err
			}
			if sharding != nil && (flags.output != "" || flags.inPlace) {
				return usageError{errors.New("--shard is about scalars, and neither -o nor --in-place goes with it")}
			}
			job.sharding = sharding
			return job.run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&flags.output, "output", "o", "", "write what is computed to this file: .npy, .npz, .safetensors, .arrow, .feather, or bare numbers with any other ending")
	cmd.Flags().BoolVar(&flags.overwrite, "overwrite", false, "replace the file that -o names")
	cmd.Flags().BoolVar(&flags.inPlace, "in-place", false, "replace the elements of the first array by the result")
	cmd.Flags().BoolVar(&flags.backup, "backup", false, "copy the file before it is changed in place")
	cmd.Flags().StringVar(&flags.where, "where", "", "a condition, such as 'x > 0': reductions take, and -o writes, only the elements that it holds for")
	cmd.Flags().IntVar(&flags.ends, "ends", 3, "how many elements are shown at either end of an array")
	cmd.Flags().StringVar(&flags.nulls, "nulls", "refuse", "what becomes of nulls in a file that has such: refuse, or nan to take them for NaN")
	flags.targetFlags.add(cmd)
	out.add(cmd)
	raw.add(cmd)
	columns.add(cmd)
	shard.add(cmd)
	concat.add(cmd)
	pool.add(cmd)
	return cmd
}

func (f *evalFlags) check(concat concatFlags) error {
	switch {
	case concat.concat && f.inPlace:
		return usageError{errors.New("--in-place changes one file: run it once for each FILE, without --concat")}
	case f.output != "" && f.inPlace:
		return usageError{errors.New("-o and --in-place contradict each other: give one")}
	case f.overwrite && f.output == "":
		return usageError{errors.New("--overwrite is about the file that -o names: give -o as well")}
	case (f.journal != "" || f.force || f.backup) && !f.inPlace:
		return usageError{errors.New("--backup, --journal and --force are about changes in place: give --in-place as well")}
	case f.where != "" && f.inPlace:
		return usageError{errors.New("--where picks elements, and in place all of them stay: use where(condition, a, b)")}
	case f.nulls != "refuse" && f.nulls != "nan":
		return usageError{fmt.Errorf("--nulls %s: give refuse or nan", f.nulls)}
	case f.ends < 1 || f.ends > kernels.BlockLen/2:
		return usageError{fmt.Errorf("--ends %d: give 1 to %d", f.ends, kernels.BlockLen/2)}
	}
	return nil
}

// evalJob is one call of eval.
type evalJob struct {
	text        string
	series      []series
	notes       []string
	flags       evalFlags
	fileOptions []supervisor.FileOption
	columns     columnFlags
	session     session
	sharding    *sharding // nil: all of the work is done
}

func (j *evalJob) run(ctx context.Context) error {
	return j.session.run(ctx, func(s *session) (printer, error) {
		arrays, opened, err := j.open(s)
		defer func() {
			for _, f := range opened {
				f.Close()
			}
		}()
		if err != nil {
			return nil, err
		}
		s.tell(j.notes)
		if len(arrays) > 0 {
			s.rows = j.sharding.part(uint64(arrays[0].Len()))
		}
		q := supervisor.Query{Text: j.text, Where: j.flags.where, Arrays: arrays, NullsAreNaN: j.flags.nulls == "nan"}
		q.Reads = func(bytes uint64) { s.view.Correct(0, bytes) }
		switch {
		case j.sharding != nil:
			next, err := j.sharding.begin()
			if err != nil {
				return nil, err
			}
			found, err := s.pool.EvaluateShard(ctx, q, j.sharding.shard, next)
			if err != nil {
				return nil, inQuery(err)
			}
			j.sharding.found = append(j.sharding.found, found)
			return j.sharding.write()
		case j.flags.output != "":
			arrays, notes, err := s.pool.EvalTo(ctx, q, j.flags.output, j.flags.overwrite)
			if err != nil {
				return nil, inQuery(err)
			}
			s.note(notes)
			return (&report.Output{File: j.flags.output, Arrays: arrays}).Write, nil
		case j.flags.inPlace:
			if len(arrays) == 0 {
				return nil, usageError{errors.New("--in-place needs a file whose array is replaced")}
			}
			opts := j.flags.options()
			if j.flags.backup {
				opts = append(opts, supervisor.Backup())
			}
			said, kept := s.changes(false)
			notes, err := s.pool.EvalInPlace(ctx, q, arrays[0], append(opts, said)...)
			if err != nil {
				return nil, inQuery(err)
			}
			s.note(notes)
			kept()
			return (&report.Output{File: opened[0].Path(), Arrays: []format.Array{arrays[0].Array}}).Write, nil
		}
		a, err := s.pool.Evaluate(ctx, q, j.flags.ends)
		if err != nil {
			return nil, inQuery(err)
		}
		s.note(a.Notes)
		return (&report.Eval{Results: a.Results}).Write, nil
	})
}

// inQuery makes a mistake in an expression one of usage.
func inQuery(err error) error {
	var at *expr.Error
	if errors.As(err, &at) {
		return usageError{err}
	}
	return err
}

// open opens the files and gives their arrays the names that expressions know
// them by.
func (j *evalJob) open(s *session) (arrays []*supervisor.Array, opened []*supervisor.File, err error) {
	known := map[string]string{}
	for _, one := range j.series {
		picked, files, err := one.open(s, j.fileOptions, j.columns)
		opened = append(opened, files...)
		if err != nil {
			return nil, opened, err
		}
		for _, a := range picked {
			if called := one.files[0].called(files[0], a); called != a.Name {
				a = a.Named(called)
			}
			if before, taken := known[a.Name]; taken {
				return nil, opened, usageError{fmt.Errorf("%s and %s are both called %s: name them, such as a=%s b=%s", before, one.arg, a.Name, before, one.arg)}
			}
			known[a.Name] = one.arg
			arrays = append(arrays, a)
		}
	}
	return arrays, opened, nil
}
