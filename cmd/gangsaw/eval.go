package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/supervisor"
)

// evalFlags say what becomes of an expression.
type evalFlags struct {
	output    string
	overwrite bool
	inPlace   bool
	where     string
	ends      int
	targetFlags
}

func newEval() *cobra.Command {
	var out outputFlags
	var raw rawFlags
	var pool poolFlags
	var flags evalFlags
	cmd := &cobra.Command{
		Use:   "eval EXPR [name=]FILE[#array]...",
		Short: "Compute expressions over the numbers in files, in as few passes as it takes",
		Long: "eval computes expressions, separated by commas, that are written as NumPy users write\n" +
			"them. The array of a file with one array is called x, or by the name before the =; an\n" +
			"array of several goes by its own name. Scalars are printed. An array goes to a new file\n" +
			"(-o) or replaces the first array that is named (--in-place); without either, its first\n" +
			"and last elements are shown, and no others computed.\n\n" +
			"In place, every element is replaced exactly once, whatever is killed meanwhile: a run\n" +
			"that is interrupted leaves a journal beside the file, and gangsaw resume finishes it.",
		Example: "  gangsaw eval 'mean(x), std(x)' x.npy\n" +
			"  gangsaw eval 'sum(log1p(abs(x)))' x.npy\n" +
			"  gangsaw eval 'clip((a - b) / 3, -3, 3)' a=x.npy b=y.npy -o z.npy\n" +
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
			if err := flags.check(); err != nil {
				return err
			}
			job := evalJob{text: args[0], files: args[1:], flags: flags, fileOptions: fileOptions, session: session}
			return job.run(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&flags.output, "output", "o", "", "write the array to this file: .npy, or bare numbers with any other ending")
	cmd.Flags().BoolVar(&flags.overwrite, "overwrite", false, "replace the file that -o names")
	cmd.Flags().BoolVar(&flags.inPlace, "in-place", false, "replace the elements of the first array by the result")
	cmd.Flags().StringVar(&flags.where, "where", "", "a condition, such as 'x > 0': reductions take only the elements that it holds for")
	cmd.Flags().IntVar(&flags.ends, "ends", 3, "how many elements are shown at either end of an array")
	flags.targetFlags.add(cmd)
	out.add(cmd)
	raw.add(cmd)
	pool.add(cmd)
	return cmd
}

func (f *evalFlags) check() error {
	switch {
	case f.output != "" && f.inPlace:
		return usageError{errors.New("-o and --in-place contradict each other: give one")}
	case f.overwrite && f.output == "":
		return usageError{errors.New("--overwrite is about the file that -o names: give -o as well")}
	case (f.journal != "" || f.force) && !f.inPlace:
		return usageError{errors.New("--journal and --force are about changes in place: give --in-place as well")}
	case f.where != "" && (f.output != "" || f.inPlace):
		return usageError{errors.New("--where restricts reductions: use where(condition, a, b) in an array that is written")}
	case f.ends < 1 || f.ends > kernels.BlockLen/2:
		return usageError{fmt.Errorf("--ends %d: give 1 to %d", f.ends, kernels.BlockLen/2)}
	}
	return nil
}

// evalJob is one call of eval.
type evalJob struct {
	text        string
	files       []string
	flags       evalFlags
	fileOptions []supervisor.FileOption
	session     session
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
		q := supervisor.Query{Text: j.text, Where: j.flags.where, Arrays: arrays}
		switch {
		case j.flags.output != "":
			a, notes, err := s.pool.EvalTo(ctx, q, j.flags.output, j.flags.overwrite)
			if err != nil {
				return nil, inQuery(err)
			}
			s.note(notes)
			return (&report.Output{File: j.flags.output, Array: a}).Write, nil
		case j.flags.inPlace:
			if len(arrays) == 0 {
				return nil, usageError{errors.New("--in-place needs a file whose array is replaced")}
			}
			notes, err := s.pool.EvalInPlace(ctx, q, arrays[0], j.flags.options()...)
			if err != nil {
				return nil, inQuery(err)
			}
			s.note(notes)
			return (&report.Output{File: opened[0].Path(), Array: arrays[0].Array}).Write, nil
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
	for _, arg := range j.files {
		name, path, only := splitArgument(arg)
		f, err := s.pool.File(path, j.fileOptions...)
		if err != nil {
			return nil, opened, err
		}
		opened = append(opened, f)
		found := false
		for _, a := range f.Arrays() {
			if only != "" && a.Name != only {
				continue
			}
			found = true
			if called := called(f, a, name, only); called != a.Name {
				a = a.Named(called)
			}
			if before, taken := known[a.Name]; taken {
				return nil, opened, usageError{fmt.Errorf("%s and %s are both called %s: name them, such as a=%s b=%s", before, arg, a.Name, before, arg)}
			}
			known[a.Name] = arg
			arrays = append(arrays, a)
		}
		if !found {
			return nil, opened, fmt.Errorf("%s: has no array %q: gangsaw info %s lists them", path, only, path)
		}
	}
	return arrays, opened, nil
}

// called returns what expressions call an array.
func called(f *supervisor.File, a *supervisor.Array, name, only string) string {
	switch {
	case name != "" && (only != "" || len(f.Arrays()) == 1):
		return name
	case name != "":
		return name + "." + a.Name
	case len(f.Arrays()) == 1:
		return "x"
	}
	return a.Name
}

// splitArgument splits [name=]FILE[#array], unless a file has that very name.
func splitArgument(arg string) (name, path, array string) {
	if _, err := os.Lstat(arg); err == nil {
		return "", arg, ""
	}
	path = arg
	if before, after, ok := strings.Cut(arg, "="); ok && isName(before) {
		name, path = before, after
	}
	if _, err := os.Lstat(path); err == nil {
		return name, path, ""
	}
	if at := strings.LastIndexByte(path, '#'); at > 0 {
		path, array = path[:at], path[at+1:]
	}
	return name, path, array
}

// isName reports whether expressions can name s without quotes.
func isName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
