package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor"
)

// columnFlags pick arrays of files that have several.
type columnFlags struct{ names []string }

func (f *columnFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVarP(&f.names, "column", "c", nil, "take only the array of that name (more than once for several); FILE#name does so for one file")
}

// operand is an argument that names a file, or one array in it.
type operand struct {
	name, path, array string
}

// newOperand splits [name=]FILE[#array], unless a file has that very name. Without
// named there is no name.
func newOperand(arg string, named bool) operand {
	if _, err := os.Lstat(arg); err == nil {
		return operand{path: arg}
	}
	s := operand{path: arg}
	if before, after, ok := strings.Cut(arg, "="); ok && named && isName(before) {
		s.name, s.path = before, after
	}
	if _, err := os.Lstat(s.path); err == nil {
		return s
	}
	// Names of arrays may have a # too.
	for at := range len(s.path) {
		if s.path[at] != '#' || at == 0 {
			continue
		}
		if _, err := os.Lstat(s.path[:at]); err == nil {
			s.path, s.array = s.path[:at], s.path[at+1:]
			return s
		}
	}
	if at := strings.LastIndexByte(s.path, '#'); at > 0 {
		s.path, s.array = s.path[:at], s.path[at+1:]
	}
	return s
}

// pick returns the arrays of an open file that are asked for.
func (s operand) pick(f *supervisor.File, columns columnFlags) ([]*supervisor.Array, error) {
	names := columns.names
	if s.array != "" {
		names = []string{s.array}
	}
	if len(names) == 0 {
		return f.Arrays(), nil
	}
	var picked []*supervisor.Array
	for _, name := range names {
		at := slices.IndexFunc(f.Arrays(), func(a *supervisor.Array) bool { return a.Name == name })
		if at < 0 && name == "x" && len(usable(f)) == 1 {
			picked = append(picked, usable(f)[0]) // as expressions call it
			continue
		}
		if at < 0 {
			return nil, fmt.Errorf("%s: has no array %q: gangsaw info %s lists them", s.path, name, s.path)
		}
		picked = append(picked, f.Arrays()[at])
	}
	return picked, nil
}

// usable returns the arrays of a file that hold numbers.
func usable(f *supervisor.File) []*supervisor.Array {
	var all []*supervisor.Array
	for _, a := range f.Arrays() {
		if a.Access != format.Refused {
			all = append(all, a)
		}
	}
	return all
}

// called returns what expressions call an array.
func (s operand) called(f *supervisor.File, a *supervisor.Array) string {
	sole := len(usable(f)) == 1 && usable(f)[0].Name == a.Name
	switch {
	case s.name != "" && (s.array != "" || sole):
		return s.name
	case s.name != "":
		return s.name + "." + a.Name
	case sole:
		return "x"
	}
	return a.Name
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
