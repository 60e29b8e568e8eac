package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/cmd/gangsaw/internal/generate"
	"github.com/gangsaw/gangsaw/kernels"
)

var formulasFlag = flag.Bool("formulas", false, "compute formulas over inputs of -size bytes instead of small ones")

// formulas are what testdata/formulas.c knows by their numbers, from 1 on. Inputs are
// named x, y; dtype is what NumPy 2 makes of them.
var formulas = []struct {
	text   string
	inputs []string // dtype, distribution, seed
	dtype  string
}{
	{"x - mean(x)", []string{"f8 normal 1"}, "float64"},
	{"(x - mean(x)) / std(x)", []string{"f8 normal 2"}, "float64"},
	{"clip((x - y) / 3, -0.5, 0.5)", []string{"f8 nan 3", "f8 normal 4"}, "float64"},
	{"where(x > y, x*x, -y)", []string{"f8 wide 5", "f8 nan 6"}, "float64"},
	{"x * 0.1 + 1", []string{"f4 wide 7"}, "float32"},
	{"sqrt(abs(x)) - mean(x)", []string{"f4 normal 8"}, "float32"},
	{"x // 7 + x % -5", []string{"i4 uniform 9"}, "int32"},
	{"x / 3", []string{"i4 uniform 10"}, "float64"},
	{"x * 2654435 - (x ^ 12345)", []string{"i4 uniform 11"}, "int32"},
	{"(x << 3) | (x & 7) + abs(x) >> 5", []string{"i8 uniform 12"}, "int64"},
	{"x + 200", []string{"u1 uniform 13"}, "uint8"},
	{"x + y", []string{"i4 uniform 14", "f4 wide 15"}, "float64"},
	{"x * y", []string{"i2 uniform 16", "f4 normal 17"}, "float32"},
	{"x * 3 - 1", []string{"f2 normal 18"}, "float16"},
	{"(x > 0) & (y < 0.5) | isnan(x)", []string{"f8 nan 19", "f8 uniform 20"}, "bool"},
	{"exp(-x*x / 2)", []string{"f8 normal 21"}, "float64"},
	{"tanh(x)", []string{"f4 normal 22"}, "float32"},
	{"log1p(abs(x))", []string{"i8 uniform 23"}, "float64"},
	{"x // 0.3 - y % -0.7", []string{"f8 normal 24", "f8 nan 25"}, "float64"},
	{"x + y", []string{"u8 uniform 26", "i8 uniform 27"}, "float64"},
	{"arctan2(x, y)", []string{"f8 wide 28", "f8 wide 29"}, "float64"},
	{"int16(x * 1000)", []string{"f4 normal 30"}, "int16"},
}

// Formulas over several types, through the command, are what a C program says that
// NumPy 2 makes of them: the same bits where operations are exact or rounded once,
// within 1 ULP for math functions.
func TestTwentyFormulasAreAsNumPyHasThem(t *testing.T) {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	if _, err := exec.LookPath(cc); err != nil {
		t.Skip("there is no C compiler: ", err)
	}
	dir := t.TempDir()
	oracle := filepath.Join(dir, "formulas")
	if out, err := exec.Command(cc, "-O2", "-fwrapv", "-ffp-contract=off", "-o", oracle, "testdata/formulas.c", "-lm").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for i, f := range formulas {
		widest := 1
		var args []string
		for _, in := range f.inputs {
			widest = max(widest, inputOf(t, in).Type.Size())
		}
		n := int64(100003)
		if *formulasFlag {
			n = *size / int64(widest)
		}
		var paths []string
		for k, in := range f.inputs {
			path := filepath.Join(dir, fmt.Sprintf("in%d.npy", k))
			paths = append(paths, path)
			args = append(args, "xy"[k:k+1]+"="+path)
			spec := inputOf(t, in)
			spec.Shape = []int64{n}
			if _, err := generate.Write(t.Context(), path, spec); err != nil {
				t.Fatal(err)
			}
		}
		result := filepath.Join(dir, "out.npy")
		out := gangsaw(t, append([]string{"eval", f.text, "-o", result, "--overwrite", "--json"}, args...)...)
		var said struct{ Output struct{ DType string } }
		if err := json.Unmarshal([]byte(out.stdout), &said); err != nil || out.status != 0 || said.Output.DType != f.dtype {
			t.Errorf("%s: %+v, want %s", f.text, out, f.dtype)
			continue
		}
		verdict, err := exec.Command(oracle, append([]string{fmt.Sprint(i + 1), result}, paths...)...).CombinedOutput()
		if want := fmt.Sprintf("compared %d elements", n); err != nil || !strings.Contains(string(verdict), want) {
			t.Errorf("%s of %v: %v: %s", f.text, f.inputs, err, verdict)
		} else if *formulasFlag {
			t.Logf("%s of %v: %s", f.text, f.inputs, verdict)
		}
	}
}

// inputOf reads a description of numbers, in which nan is normal with some NaN.
func inputOf(t *testing.T, text string) generate.Spec {
	t.Helper()
	words := strings.Fields(text)
	s := generate.Spec{NPY: true, Overwrite: true}
	if words[1] == "nan" {
		words[1], s.NaN = "normal", 0.01
	}
	var errs [3]error
	s.Type, errs[0] = kernels.ParseType(words[0])
	s.Dist, errs[1] = generate.ParseDist(words[1], s.Type)
	s.Seed, errs[2] = strconv.ParseUint(words[2], 10, 64)
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return s
}
