package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

func TestEvalPrintsScalarsAndTheEndsOfArrays(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"mean(x)", ecg}, "-0.16510875\n"},
		{[]string{"mean(v), max(v) - min(v)", "v=" + ecg}, "mean(v)          -0.16510875\nmax(v) - min(v)  7.135\n"},
		{[]string{"2**70", "--format", "csv"}, ""},
		{[]string{"1/3, 7//2, True"}, "1/3   0.3333333333333333\n7//2  3\nTrue  True\n"},
		{[]string{"count(x)", "--where", "x > 3", ecg}, "155\n"},
		{[]string{"x > 0", "--ends", "1", ecg}, "[false ... false] bool (108000,)\n"},
		{[]string{"float32(x)", "--ends", "2", ecg + "#x"}, "[-0.245 -0.215 ... -0.395 -0.385] float32 (108000,)\n"},
		{[]string{"sum(a*b)", "--format", "csv", "a=" + ecg, "b=" + ecg}, "expr,value,dtype\nsum(a*b),"},
	} {
		out := gangsaw(t, append([]string{"eval", "--progress", "none"}, c.args...)...)
		if c.want == "" {
			if out.status != 2 || out.stdout != "" {
				t.Errorf("%v: %+v", c.args, out)
			}
		} else if out.status != 0 || !strings.HasPrefix(out.stdout, c.want) || out.stderr != "" {
			t.Errorf("%v: %+v, want %q", c.args, out, c.want)
		}
	}
}

func TestEvalJSONKeepsTheContract(t *testing.T) {
	out := gangsaw(t, "eval", "--json", "--ends", "1", "min(x), 2**60, nan, x > 9, True", ecg)
	var got struct {
		Schema  int
		Results []map[string]any
		Run     map[string]any
	}
	if err := json.Unmarshal([]byte(out.stdout), &got); err != nil || out.status != 0 || got.Schema != 1 {
		t.Fatalf("%v: %+v", err, out)
	}
	want := []map[string]any{
		{"expr": "min(x)", "value": -3.485, "dtype": "float64"},
		{"expr": "2**60", "value": "1152921504606846976", "dtype": "int64"},
		{"expr": "nan", "value": "NaN", "dtype": "float64"},
		{"expr": "x > 9", "dtype": "bool", "shape": []any{108000.0}, "head": []any{false}, "tail": []any{false}},
		{"expr": "True", "value": true, "dtype": "bool"},
	}
	if !reflect.DeepEqual(got.Results, want) {
		t.Errorf("%v, want %v", got.Results, want)
	}
	if got.Run["isa"] != kernels.CurrentTier().String() {
		t.Errorf("run %v", got.Run)
	}
}

func TestEvalWritesOrReplacesAnArray(t *testing.T) {
	x := generated(t, "x.npy", "--shape", "300000")
	y := filepath.Join(filepath.Dir(x), "y.npy")
	const formula = "(x - mean(x)) / std(x)"
	out := gangsaw(t, "eval", formula, x, "-o", y, "--json")
	if out.status != 0 || !strings.Contains(out.stdout, `"dtype": "float64"`) || !strings.Contains(out.stdout, y) {
		t.Fatalf("%+v", out)
	}
	if out := gangsaw(t, "eval", formula, x, "-o", y); out.status != 1 || !strings.Contains(out.stderr, y+": exists: give --overwrite") {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "eval", formula, x, "-o", y, "--overwrite"); out.status != 0 || out.stdout != "" {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "eval", formula, x, "--in-place"); out.status != 0 || out.stdout != "" {
		t.Errorf("%+v", out)
	}
	a, errA := os.ReadFile(x)
	b, errB := os.ReadFile(y)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("in place and elsewhere differ: %v, %v", errA, errB)
	}
	if out := gangsaw(t, "resume", x); out.status != 1 || !strings.Contains(out.stderr, "no run in place was interrupted here") {
		t.Errorf("%+v", out)
	}
}

func TestPickedElementsAreTheSameForAnyPool(t *testing.T) {
	x := generated(t, "x.npy", "--shape", "300000")
	y := filepath.Join(filepath.Dir(x), "y.npy")
	var want []byte
	for _, args := range [][]string{{"-j", "1"}, {"-j", "3", "--chunk", "32KiB"}, {"--in-process", "--isa", "scalar"}} {
		out := gangsaw(t, append([]string{"eval", "(x - mean(x)) / std(x)", "--where", "x > 0.5", x, "-o", y, "--overwrite"}, args...)...)
		got, err := os.ReadFile(y)
		if out.status != 0 || err != nil || len(got) < 8*80000 || want != nil && !bytes.Equal(got, want) {
			t.Errorf("%v: %+v, %d bytes, %v", args, out, len(got), err)
		}
		want = got
	}
}

func TestMistakesInEval(t *testing.T) {
	x := generated(t, "x.npy", "--shape", "10", "--dtype", "i4", "--dist", "sequence")
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"meen(x) " + x, 2, "gangsaw: no function has the name \"meen\", at column 1\ngangsaw:   meen(x)\ngangsaw:   ^^^^\ngangsaw: did you mean mean?\n"},
		{"x " + x + " " + x, 2, "are both called x: name them"},
		{"x " + x + "#none", 1, x + ": has no array \"none\""},
		{"x " + x + " -o y --in-place", 2, "contradict each other"},
		{"x " + x + " --overwrite", 2, "give -o as well"},
		{"x " + x + " --backup", 2, "give --in-place as well"},
		{"x " + x + " --force", 2, "give --in-place as well"},
		{"x " + x + " --in-place --where x>0", 2, "use where(condition, a, b)"},
		{"x " + x + " --ends 0", 2, "--ends 0: give 1 to"},
		{"1 --in-place", 2, "--in-place needs a file"},
		{"x/2 --in-place " + x, 2, "does not go into an array of int32"},
		{"min(x) --where x>1e9 " + x, 2, "min"},
	} {
		out := gangsaw(t, append([]string{"eval", "--progress", "none"}, strings.Fields(c.args)...)...)
		if out.status != c.status || !strings.Contains(out.stderr, c.want) || out.stdout != "" {
			t.Errorf("%s: %+v, want %q", c.args, out, c.want)
		}
	}
	if out := gangsaw(t, "eval"); out.status != 2 {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "resume"); out.status != 2 {
		t.Errorf("%+v", out)
	}
}

func TestNaNInAResultIsExplained(t *testing.T) {
	x := generated(t, "x.npy", "--shape", "1000", "--nan", "0.5")
	if out := gangsaw(t, "eval", "--progress", "none", "mean(x)", x); out.stdout != "NaN\n" || !strings.Contains(out.stderr, "nanmean leaves them out") {
		t.Errorf("%+v", out)
	}
}
