package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/gangsaw/gangsaw/"
)

// floors states who may import whom: a package imports packages of lower
// floors, and of its own where that is listed. It is a statement of policy.
var floors = map[string]int{
	"shm":                           0,
	"ring":                          0,
	"bench/ceiling":                 0,
	"kernels":                       0,
	"kernels/internal/portable":     0,
	"kernels/internal/avx2":         0,
	"kernels/internal/avx512":       0,
	"kernels/expr":                  1,
	"shm/format":                    1,
	"shm/format/arrow":              1,
	"shm/format/csv":                1,
	"shm/format/feather":            1,
	"shm/format/fits":               1,
	"shm/format/hdf5":               1,
	"shm/format/internal/fuzztest":  1,
	"shm/format/netcdf":             1,
	"shm/format/npy":                1,
	"shm/format/npz":                1,
	"shm/format/parquet":            1,
	"shm/format/raw":                1,
	"shm/format/safetensors":        1,
	"shm/format/wav":                1,
	"supervisor/internal/journal":   1,
	"supervisor/internal/partial":   1,
	"supervisor/internal/partition": 1,
	"supervisor/internal/proc":      1,
	"supervisor/internal/wire":      1,
	"supervisor/internal/worker":    2,
	"supervisor/internal/engine":    2,
	"supervisor":                    3,
	"bench":                         4,
	"bench/peers/gangsaw":           4,
	"cmd/gangsaw":                   5,
	"cmd/gangsaw/internal/doctor":   5,
	"cmd/gangsaw/internal/generate": 5,
	"cmd/gangsaw/internal/measure":  5,
	"cmd/gangsaw/internal/progress": 5,
	"cmd/gangsaw/internal/report":   5,
}

// sameFloor lists who imports a package of its own floor.
var sameFloor = map[string][]string{
	"kernels":                       {"bench/ceiling", "kernels/internal/portable", "kernels/internal/avx2", "kernels/internal/avx512"},
	"shm/format":                    {"shm/format/fits", "shm/format/hdf5", "shm/format/netcdf", "shm/format/npy", "shm/format/npz", "shm/format/safetensors", "shm/format/wav"},
	"shm/format/arrow":              {"shm/format", "shm/format/internal/fuzztest"},
	"shm/format/csv":                {"shm/format", "shm/format/internal/fuzztest"},
	"shm/format/feather":            {"shm/format"},
	"shm/format/fits":               {"shm/format", "shm/format/internal/fuzztest"},
	"shm/format/hdf5":               {"shm/format", "shm/format/internal/fuzztest"},
	"shm/format/internal/fuzztest":  {"shm/format"},
	"shm/format/netcdf":             {"shm/format", "shm/format/internal/fuzztest"},
	"shm/format/npy":                {"shm/format", "shm/format/internal/fuzztest"},
	"shm/format/npz":                {"shm/format", "shm/format/npy", "shm/format/internal/fuzztest"},
	"shm/format/parquet":            {"shm/format", "shm/format/internal/fuzztest"},
	"shm/format/raw":                {"shm/format"},
	"shm/format/safetensors":        {"shm/format", "shm/format/internal/fuzztest"},
	"shm/format/wav":                {"shm/format", "shm/format/internal/fuzztest"},
	"supervisor/internal/journal":   {"shm/format"},
	"supervisor/internal/partition": {"shm/format"},
	"cmd/gangsaw":                   {"cmd/gangsaw/internal/doctor", "cmd/gangsaw/internal/generate", "cmd/gangsaw/internal/measure", "cmd/gangsaw/internal/progress", "cmd/gangsaw/internal/report"},
	"cmd/gangsaw/internal/report":   {"cmd/gangsaw/internal/doctor", "cmd/gangsaw/internal/measure"},
}

// embedded is all that a program which embeds the pool takes along.
var embedded = []string{"golang.org/x/sys", "github.com/edsrzf/mmap-go"}

// libraries are what packages of formats take along that an embedding program
// imports only if it wants them.
var libraries = map[string][]string{
	"shm/format/arrow":   {"github.com/apache/arrow-go/v18", "github.com/klauspost/compress"},
	"shm/format/parquet": {"github.com/andybalholm/brotli", "github.com/klauspost/compress", "github.com/pierrec/lz4/v4"},
}

// source is a Go file with its imports.
type source struct {
	path    string // from the root
	imports []string
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") || name == "testdata" || name == "bin" || name == "data" || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			// A module of its own is nothing that users of this one take along.
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && name != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		s := source{path: name}
		for _, i := range f.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, imported)
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 40 {
		t.Fatalf("only %d Go files found", len(all))
	}
	return all
}

func TestFloors(t *testing.T) {
	for _, s := range sources(t) {
		pkg := filepath.Dir(s.path)
		floor, ok := floors[pkg]
		if !ok {
			t.Errorf("%s: package %s has no floor", s.path, pkg)
			continue
		}
		test := strings.HasSuffix(s.path, "_test.go")
		for _, imported := range s.imports {
			local, isLocal := strings.CutPrefix(imported, module)
			if !isLocal {
				if floor < 5 && !test && !within(imported, embedded) && !within(imported, libraries[pkg]) {
					t.Errorf("%s imports %s, which an embedding program would take along", s.path, imported)
				}
				continue
			}
			if local == pkg && test {
				continue
			}
			other, known := floors[local]
			if !known || other > floor || other == floor && !slices.Contains(sameFloor[pkg], local) {
				t.Errorf("%s (floor %d) imports %s (floor %d)", s.path, floor, local, other)
			}
		}
	}
}

// within reports whether an import is the standard library's or of one of the modules.
func within(imported string, modules []string) bool {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return true
	}
	return slices.ContainsFunc(modules, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") })
}

// A program that embeds the pool takes along no library of a format.
func TestEmbeddingTakesNoFormatLibraryAlong(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", module+"supervisor", module+"shm/...", module+"kernels/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	embedding, err := exec.Command("go", "list", "-deps", module+"supervisor", module+"bench").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, library := range slices.Concat(slices.Collect(maps.Values(libraries))...) {
		if !strings.Contains(string(out), library) {
			t.Errorf("nothing needs %s", library)
		}
		if strings.Contains(string(embedding), library) {
			t.Errorf("a program that embeds the pool takes %s along", library)
		}
	}
}

// Each worker is the command again, and initialises all that it links: what takes
// milliseconds for that, and nothing here needs, stays out.
func TestCommandDoesNotLinkWhatIsSlowToStart(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", module+"cmd/gangsaw").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, slow := range []string{"github.com/apache/arrow-go/v18/arrow/compute", "github.com/apache/arrow-go/v18/parquet", "github.com/apache/thrift", "google.golang.org/protobuf"} {
		if strings.Contains(string(out), slow) {
			t.Errorf("the command links %s", slow)
		}
	}
}

func TestUnsafeStaysInFilesNamedSo(t *testing.T) {
	seen := false
	for _, s := range sources(t) {
		named := strings.HasSuffix(s.path, "_unsafe.go") || strings.HasSuffix(s.path, "_unsafe_test.go")
		unsafe := slices.Contains(s.imports, "unsafe")
		if unsafe && !named {
			t.Errorf("%s imports unsafe and is not named *_unsafe.go", s.path)
		}
		seen = seen || unsafe
	}
	if !seen {
		t.Error("no file imports unsafe: this test looks in the wrong place")
	}
}

func TestTopLevelHoldsOnlyWhatItShould(t *testing.T) {
	allowed := []string{".ci", ".git", ".gitignore", "LICENSE", "Makefile", "README.md", "bench", "bin", "cmd", "data", "go.mod", "go.sum",
		"kernels", "ring", "shm", "supervisor", "testdata"}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s does not belong at the top level", e.Name())
		}
	}
}
