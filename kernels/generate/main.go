// Command generate writes the kernels of every tier from their one description:
// portable Go, AVX2 and AVX-512 assembly, and the table by which package
// kernels finds them. Run it by go generate in kernels.
package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/kernels/generate/catalogue"
	"github.com/gangsaw/gangsaw/kernels/generate/golang"
	"github.com/gangsaw/gangsaw/kernels/generate/ir"
	"github.com/gangsaw/gangsaw/kernels/generate/x86"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: generate DIRECTORY-OF-PACKAGE-KERNELS")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(kernels string) error {
	write := func(content []byte, err error, path ...string) error {
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(path...), err)
		}
		return os.WriteFile(filepath.Join(append([]string{kernels}, path...)...), content, 0o666)
	}
	var all []*ir.Kernel
	limits := map[*ir.Kernel][]float64{}
	for _, f := range catalogue.Families() {
		all = append(all, f.Kernels...)
		source, err := golang.File("portable", f.Kernels)
		if err := write(source, err, "internal", "portable", f.Name+".go"); err != nil {
			return err
		}
		for _, tier := range []x86.Tier{x86.AVX2, x86.AVX512} {
			assembly, stubs, bounds, err := x86.File(tier, f.Kernels)
			if err := write(assembly, err, "internal", tier.Package, f.Name+"_amd64.s"); err != nil {
				return err
			}
			if err := write(stubs, err, "internal", tier.Package, f.Name+"_amd64.go"); err != nil {
				return err
			}
			for _, k := range f.Kernels {
				limits[k] = append(limits[k], bounds[k.ID()])
			}
		}
	}
	assembly, stubs, err := x86.Ceiling()
	if err := write(assembly, err, "..", "bench", "ceiling", "loops_amd64.s"); err != nil {
		return err
	}
	if err := write(stubs, err, "..", "bench", "ceiling", "loops_amd64.go"); err != nil {
		return err
	}
	folds := catalogue.Folds()
	source, err := golang.Folds("portable", folds)
	if err := write(source, err, "internal", "portable", "fold.go"); err != nil {
		return err
	}
	for _, tier := range []x86.Tier{x86.AVX2, x86.AVX512} {
		assembly, stubs, err := x86.Folds(tier, folds)
		if err := write(assembly, err, "internal", tier.Package, "fold_amd64.s"); err != nil {
			return err
		}
		if err := write(stubs, err, "internal", tier.Package, "fold_amd64.go"); err != nil {
			return err
		}
	}
	tables, err := golang.Tables("portable", all)
	if err := write(tables, err, "internal", "portable", "tables.go"); err != nil {
		return err
	}
	source, err = issueBounds(all, limits)
	if err := write(source, err, "bounds_test.go"); err != nil {
		return err
	}
	all = append(all, catalogue.Plain()...)
	slices.SortFunc(all, func(x, y *ir.Kernel) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.ID(), y.ID()))
	})
	for _, build := range []string{"amd64", "!amd64"} {
		source, err := table(all, folds, build)
		if err := write(source, err, "table_"+strings.Replace(build, "!amd64", "other", 1)+".go"); err != nil {
			return err
		}
	}
	return nil
}

// table returns the rows that package kernels searches.
func table(all []*ir.Kernel, folds []*ir.Fold, build string) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s//go:build %s\n\npackage kernels\n\nimport (\n", golang.Header, build)
	if build == "amd64" {
		for _, tier := range []x86.Tier{x86.AVX2, x86.AVX512} {
			fmt.Fprintf(&out, "%q\n", "github.com/gangsaw/gangsaw/kernels/internal/"+tier.Package)
		}
	}
	fmt.Fprintf(&out, "%q\n)\n\n// assembled tells that there are kernels in assembly.\nconst assembled = %t\n\nvar elementwise = [...]row{\n", "github.com/gangsaw/gangsaw/kernels/internal/portable", build == "amd64")
	for _, k := range all {
		in := make([]string, len(k.In))
		for i, e := range k.In {
			in[i] = e.String()
		}
		fmt.Fprintf(&out, "{%q, [maxOperands]Type{%s}, %s, func() run { return bind%d(portable.%s, ", k.Name, strings.Join(in, ", "), k.Out, len(k.In), cmp.Or(k.Plain, k.ID()))
		if build == "amd64" && k.Plain == "" {
			fmt.Fprintf(&out, "&vectors[%s]{avx2.%[2]s, avx512.%[2]s, %[3]d, %[4]d}", assembly(k), k.ID(), x86.AVX2.Bytes/k.Width(), x86.AVX512.Bytes/k.Width())
		} else {
			out.WriteString("nil")
		}
		out.WriteString(") }},\n")
	}
	out.WriteString("}\n\n")
	names := []string{}
	for _, f := range folds {
		if !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	for _, name := range names {
		fmt.Fprintf(&out, "var %sFolds = [numTypes]*laneFold{\n", name)
		for _, f := range folds {
			if f.Name != name {
				continue
			}
			fmt.Fprintf(&out, "%s: newLaneFold(portable.%s", f.In[0], f.ID())
			if build == "amd64" {
				fmt.Fprintf(&out, ", avx2.%[1]s, avx512.%[1]s),\n", f.ID())
			} else {
				out.WriteString(", nil, nil),\n")
			}
		}
		out.WriteString("}\n\n")
	}
	return format.Source(out.Bytes())
}

// assembly returns the type of a kernel's assembly functions.
func assembly(k *ir.Kernel) string {
	types := []string{k.Out.GoType()}
	for _, e := range k.In {
		types = append(types, e.GoType())
	}
	return fmt.Sprintf("asm%d[%s]", len(k.In), strings.Join(types, ", "))
}

// issueBounds returns what benchmarks state beside their results.
func issueBounds(all []*ir.Kernel, limits map[*ir.Kernel][]float64) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%spackage kernels\n\n// issueBounds are the cycles per element that the instructions of a kernel take at\n// least, with AVX2 and with AVX-512, on a Golden Cove core.\nvar issueBounds = map[string][2]float64{\n", golang.Header)
	for _, k := range all {
		in := make([]string, len(k.In))
		for i, e := range k.In {
			in[i] = strings.ToLower(e.String())
		}
		fmt.Fprintf(&out, "\"%s(%s) %s\": {%.3g, %.3g},\n", k.Name, strings.Join(in, ", "), strings.ToLower(k.Out.String()), limits[k][0], limits[k][1])
	}
	out.WriteString("}\n")
	return format.Source(out.Bytes())
}
