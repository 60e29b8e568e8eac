package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/kernels/generate/catalogue"
	"github.com/gangsaw/gangsaw/kernels/generate/golang"
	"github.com/gangsaw/gangsaw/kernels/generate/ir"
	"github.com/gangsaw/gangsaw/kernels/generate/x86"
)

// begin writes the head of a file of package kernels.
func begin(out *bytes.Buffer, build string) {
	fmt.Fprintf(out, "%s//go:build %s\n\npackage kernels\n\nimport (\n", golang.Header, build)
	if build == "amd64" {
		for _, tier := range tiers {
			fmt.Fprintf(out, "%q\n", "github.com/gangsaw/gangsaw/kernels/internal/"+tier.Package)
		}
	}
	fmt.Fprintf(out, "%q\n)\n\n", "github.com/gangsaw/gangsaw/kernels/internal/portable")
}

// elementwiseTable returns the rows that package kernels searches.
func elementwiseTable(build string) ([]byte, error) {
	var all []*ir.Kernel
	for _, family := range catalogue.Families() {
		all = append(all, family.Kernels...)
	}
	all = append(all, catalogue.Plain()...)
	slices.SortFunc(all, func(x, y *ir.Kernel) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.ID(), y.ID()))
	})
	var out bytes.Buffer
	begin(&out, build)
	fmt.Fprintf(&out, "// assembled tells that there are kernels in assembly.\nconst assembled = %t\n\nvar elementwise = [...]row{\n", build == "amd64")
	for _, k := range all {
		in := make([]string, len(k.In))
		for i, e := range k.In {
			in[i] = e.String()
		}
		vectors := "nil"
		if build == "amd64" && k.Plain == "" {
			vectors = fmt.Sprintf("&vectors[%s]{avx2.%[2]s, avx512.%[2]s, %[3]d, %[4]d}", signature(k), k.ID(), x86.AVX2.Bytes/k.Width(), x86.AVX512.Bytes/k.Width())
		}
		fmt.Fprintf(&out, "{%q, [maxOperands]Type{%s}, %s, func() run { return bind%d(portable.%s, %s) }},\n",
			k.Name, strings.Join(in, ", "), k.Out, len(k.In), cmp.Or(k.Plain, k.ID()), vectors)
	}
	out.WriteString("}\n")
	return format.Source(out.Bytes())
}

// signature returns the type of a kernel's assembly functions.
func signature(k *ir.Kernel) string {
	types := []string{k.Out.GoType()}
	for _, e := range k.In {
		types = append(types, e.GoType())
	}
	return fmt.Sprintf("asm%d[%s]", len(k.In), strings.Join(types, ", "))
}

// foldTable returns the folds by name and type.
func foldTable(build string) ([]byte, error) {
	var out bytes.Buffer
	begin(&out, build)
	// functions returns a function's name in every tier's package.
	functions := func(id string) string {
		if build == "amd64" {
			return fmt.Sprintf("portable.%[1]s, avx2.%[1]s, avx512.%[1]s", id)
		}
		return fmt.Sprintf("portable.%s, nil, nil", id)
	}
	out.WriteString("var (\n")
	for _, c := range catalogue.Combinations() {
		fmt.Fprintf(&out, "%s = newCombination(%s)\n", variable(c), functions(c.ID()))
	}
	out.WriteString(")\n\n")
	var names []string
	groups := map[string][]*ir.Fold{}
	for _, f := range catalogue.Folds() {
		if groups[f.Name] == nil {
			names = append(names, f.Name)
		}
		groups[f.Name] = append(groups[f.Name], f)
	}
	for _, name := range names {
		fmt.Fprintf(&out, "var %sFolds = [numTypes]*laneFold{\n", name)
		for _, f := range groups[name] {
			combination := "nil"
			if f.Combine != nil {
				combination = variable(f.Combine)
			}
			start := make([]string, len(f.Start))
			for i, bits := range f.Start {
				start[i] = fmt.Sprintf("%#x", bits)
			}
			combined := "nil"
			if build == "amd64" && x86.Combines(x86.AVX512, f) {
				combined = fmt.Sprintf("avx512.%sCombined", f.ID())
			}
			fmt.Fprintf(&out, "%s: newLaneFold(%s, %s, %s, %s),\n", f.In[0], functions(f.ID()), combined, combination, strings.Join(start, ", "))
		}
		out.WriteString("}\n\n")
	}
	return format.Source(out.Bytes())
}

// variable names a combination in package kernels.
func variable(c *ir.Fold) string { return strings.ToLower(c.ID()[:1]) + c.ID()[1:] }

// issueBounds returns what benchmarks state beside their results.
func issueBounds(limits map[*ir.Kernel][]float64) ([]byte, error) {
	var rows []string
	for k, limit := range limits {
		in := make([]string, len(k.In))
		for i, e := range k.In {
			in[i] = strings.ToLower(e.String())
		}
		rows = append(rows, fmt.Sprintf("\"%s(%s) %s\": {%.3g, %.3g},\n", k.Name, strings.Join(in, ", "), strings.ToLower(k.Out.String()), limit[0], limit[1]))
	}
	slices.Sort(rows)
	var out bytes.Buffer
	fmt.Fprintf(&out, "%spackage kernels\n\n// issueBounds are the cycles per element that the instructions of a kernel take at\n// least, with AVX2 and with AVX-512, on a Golden Cove core.\nvar issueBounds = map[string][2]float64{\n%s}\n", golang.Header, strings.Join(rows, ""))
	return format.Source(out.Bytes())
}
