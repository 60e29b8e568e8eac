package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/report"
	"github.com/gangsaw/gangsaw/supervisor"
)

// concatFlags make one array of those of several files.
type concatFlags struct{ concat bool }

func (f *concatFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.concat, "concat", false, "take the arrays of all FILES, one after another along the first axis, for one; a FILE may be a pattern in quotes, such as 'part-*.npy'")
}

// series are files whose arrays are taken for one, or a single file.
type series struct {
	arg   string // the first argument that is about it
	name  string // by which expressions know it, or ""
	files []operand
}

// path names the files.
func (s series) path() string {
	if more := len(s.files) - 1; more > 0 {
		return fmt.Sprintf("%s and %d more", s.files[0].path, more)
	}
	return s.files[0].path
}

// seriesOf returns what arguments name: a file each, or, concatenated, those of one name
// together, with notes about patterns.
func (f concatFlags) seriesOf(args []string, named bool) (all []series, notes []string, err error) {
	for _, arg := range args {
		o := newOperand(arg, named)
		files := []operand{o}
		if f.concat {
			var note string
			if files, note, err = o.expand(); err != nil {
				return nil, nil, err
			}
			if note != "" {
				notes = append(notes, note)
			}
		}
		at := slices.IndexFunc(all, func(s series) bool { return s.name == o.name })
		if !f.concat || at < 0 {
			all = append(all, series{arg, o.name, files})
			continue
		}
		all[at].files = append(all[at].files, files...)
	}
	return all, notes, nil
}

// expand returns the files that match a pattern, sorted, if no file has it as its name.
func (o operand) expand() (files []operand, note string, err error) {
	if _, err := os.Lstat(o.path); err == nil || !strings.ContainsAny(o.path, "*?[") {
		return []operand{o}, "", nil
	}
	matches, err := filepath.Glob(o.path)
	if err != nil {
		return nil, "", usageError{fmt.Errorf("%s: %w: close what [ opens", o.path, err)}
	}
	if len(matches) == 0 {
		return nil, "", fmt.Errorf("%s: no file matches it: check the pattern", o.path)
	}
	for _, m := range matches {
		match := o
		match.path = m
		files = append(files, match)
	}
	return files, fmt.Sprintf("%s is %d files, from %s to %s", o.path, len(matches), matches[0], matches[len(matches)-1]), nil
}

// open opens the files and returns the arrays that are asked for. What it has opened is to
// be closed, also after an error.
func (s series) open(session *session, opts []supervisor.FileOption, columns columnFlags) (arrays []*supervisor.Array, opened []*supervisor.File, err error) {
	var of [][]*supervisor.Array
	for i, o := range s.files {
		f, err := session.pool.File(o.path, opts...)
		if err != nil {
			return nil, opened, err
		}
		opened = append(opened, f)
		picked, err := o.pick(f, columns)
		if err != nil {
			return nil, opened, err
		}
		if len(s.files) > 1 && o.array == "" && len(columns.names) == 0 {
			if picked = usable(f); i == 0 || len(picked) == 0 {
				picked = session.numbers(f)
			}
		}
		of = append(of, picked)
	}
	if len(of) == 1 {
		return of[0], opened, nil
	}
	arrays, err = s.join(of)
	return arrays, opened, err
}

// join makes one array of one of each file: of the only ones, or of those of one name.
func (s series) join(of [][]*supervisor.Array) (joined []*supervisor.Array, err error) {
	sole := !slices.ContainsFunc(of, func(arrays []*supervisor.Array) bool { return len(arrays) != 1 })
	for _, first := range of[0] {
		parts := []*supervisor.Array{first}
		for i, arrays := range of[1:] {
			at := slices.IndexFunc(arrays, func(a *supervisor.Array) bool { return sole || a.Name == first.Name })
			if at < 0 {
				return nil, s.lacks(i+1, 0, first)
			}
			parts = append(parts, arrays[at])
		}
		a, err := supervisor.Concat(parts...)
		if err != nil {
			return nil, err
		}
		joined = append(joined, a)
	}
	for i, arrays := range of {
		for _, a := range arrays {
			if !sole && !slices.ContainsFunc(of[0], func(b *supervisor.Array) bool { return a.Name == b.Name }) {
				return nil, s.lacks(0, i, a)
			}
		}
	}
	return joined, nil
}

// lacks reports a file that has no array of the name that one in another file has.
func (s series) lacks(file, other int, a *supervisor.Array) error {
	return fmt.Errorf("%s: has no array %q, as %s has: say by -c NAME which are to be concatenated", s.files[file].path, a.Name, s.files[other].path)
}

// tell says what patterns have been expanded to.
func (s *session) tell(notes []string) {
	for _, n := range notes {
		s.view.Note(report.Printable(n))
	}
}
