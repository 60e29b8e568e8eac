// Command generate writes the kernels of every tier from their one description:
// portable Go, AVX2 and AVX-512 assembly, and the tables by which package
// kernels finds them. Run it by go generate in kernels.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
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
	out := &tree{root: os.Args[1]}
	bounds := elementwise(out)
	folds(out)
	ceilings(out)
	out.put("bounds_test.go")(issueBounds(bounds))
	for build, name := range map[string]string{"amd64": "amd64", "!amd64": "other"} {
		out.put("table_" + name + ".go")(elementwiseTable(build))
		out.put("fold_table_" + name + ".go")(foldTable(build))
	}
	if out.err != nil {
		log.Fatal(out.err)
	}
}

// tiers are those of assembly.
var tiers = []x86.Tier{x86.AVX2, x86.AVX512}

// tree is the directory that files go to, until one cannot be made.
type tree struct {
	root string
	err  error
}

// put returns what takes a file's content, if that could be made.
func (t *tree) put(path ...string) func(content []byte, err error) {
	return func(content []byte, err error) {
		name := filepath.Join(append([]string{t.root}, path...)...)
		if err == nil && t.err == nil {
			err = os.WriteFile(name, content, 0o666)
		}
		if err != nil && t.err == nil {
			t.err = fmt.Errorf("%s: %w", name, err)
		}
	}
}

// assembly puts a file of assembly and its declarations.
func (t *tree) assembly(assembly, stubs []byte, err error, path ...string) {
	name := filepath.Join(path...)
	t.put(name+"_amd64.s")(assembly, err)
	t.put(name+"_amd64.go")(stubs, err)
}

// elementwise writes the elementwise kernels, a file for each family, and
// returns the cycles per element that they take at least, tier by tier.
func elementwise(out *tree) map[*ir.Kernel][]float64 {
	limits := map[*ir.Kernel][]float64{}
	var all []*ir.Kernel
	for _, family := range catalogue.Families() {
		all = append(all, family.Kernels...)
		out.put("internal", "portable", family.Name+".go")(golang.File("portable", family.Kernels))
		for _, tier := range tiers {
			assembly, stubs, bounds, err := x86.File(tier, family.Kernels)
			out.assembly(assembly, stubs, err, "internal", tier.Package, family.Name)
			for _, k := range family.Kernels {
				limits[k] = append(limits[k], bounds[k.ID()])
			}
		}
	}
	out.put("internal", "portable", "tables.go")(golang.Tables("portable", append(ir.Tables(all), catalogue.Terms()...)))
	return limits
}

// folds writes the folds, a file for each name and kind of type, and how lanes
// combine.
func folds(out *tree) {
	put := func(name string, group []*ir.Fold) {
		out.put("internal", "portable", name+".go")(golang.Folds("portable", group))
		for _, tier := range tiers {
			assembly, stubs, err := x86.Folds(tier, group)
			out.assembly(assembly, stubs, err, "internal", tier.Package, name)
		}
	}
	groups := map[string][]*ir.Fold{}
	for _, f := range catalogue.Folds() {
		name := "fold_" + strings.ToLower(f.Name) + "_" + kind(f.In[0])
		groups[name] = append(groups[name], f)
	}
	for name, group := range groups {
		put(name, group)
	}
	put("combine", catalogue.Combinations())
}

// kind names what types that share a file have in common.
func kind(e ir.Elem) string {
	switch {
	case e.IsFloat():
		return "float"
	case e.IsSigned():
		return "signed"
	}
	return "unsigned"
}

// ceilings writes the loops that kernels are measured against.
func ceilings(out *tree) {
	assembly, stubs, err := x86.Ceiling()
	out.assembly(assembly, stubs, err, "..", "bench", "ceiling", "loops")
}
