package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

func TestEvalComputesScalars(t *testing.T) { onBothPools(t, evalComputesScalars) }

func evalComputesScalars(t *testing.T, start func(...Option) *Pool) {
	const n = 100003
	for _, chunk := range []uint64{1, 1 << 17, 0} {
		pool := start(Workers(2), ChunkBytes(chunk))
		x := openRaw(t, pool, float64File(t, 3, ramp(n), 0), 3, n).Named("x")
		halves := make([]float32, n)
		for i := range halves {
			halves[i] = float32(i) / 2
		}
		y := open(t, pool, rawFile(t, 0, halves), Raw(raw.Layout{Type: kernels.Float32})).Named("y")
		values, err := pool.Eval(t.Context(), "mean(x), sum(x), max(x-2*y), sum((x-mean(x))**2)/len(x), 2**3, argmax(where(x>7, -x, x))", x, y)
		if err != nil {
			t.Fatal(err)
		}
		want := []float64{(n - 1) / 2., n * (n - 1) / 2, 0, (n*n - 1) / 12., 8, 7}
		for i, v := range values {
			if got := v.Float64(); math.Abs(got-want[i]) > 1e-15*math.Abs(want[i]) {
				t.Errorf("expression %d: %v, want %v", i, got, want[i])
			}
		}
		a, err := pool.Evaluate(t.Context(), Query{Text: "sum(x), count(x)", Where: "x < 10", Arrays: []*Array{x}}, 0)
		if err != nil || a.Results[0].Scalar.Float64() != 45 || a.Results[1].Scalar.String() != "10" {
			t.Errorf("%+v, %v", a, err)
		}
	}
}

func TestEvalShowsTheEndsOfAnArray(t *testing.T) { onBothPools(t, evalShowsTheEndsOfAnArray) }

func evalShowsTheEndsOfAnArray(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	floats := func(b []byte) (all []float64) {
		for ; len(b) > 0; b = b[8:] {
			all = append(all, math.Float64frombits(binary.NativeEndian.Uint64(b)))
		}
		return all
	}
	for _, n := range []int{1, 6, 7, 5000, 100003} {
		x := openRaw(t, pool, float64File(t, 8, ramp(n), 0), 8, n).Named("x")
		a, err := pool.Evaluate(t.Context(), Query{Text: "x - max(x), max(x), x > 1", Arrays: []*Array{x}}, 3)
		if err != nil {
			t.Fatal(err)
		}
		head, tail := floats(a.Results[0].Head), floats(a.Results[0].Tail)
		if n <= 6 {
			if len(head) != n || len(tail) != 0 || head[n-1] != 0 {
				t.Errorf("%d elements: %v, %v", n, head, tail)
			}
			continue
		}
		if fmt.Sprint(head, tail) != fmt.Sprint([]float64{float64(1 - n), float64(2 - n), float64(3 - n)}, []float64{-2, -1, 0}) {
			t.Errorf("%d elements: %v, %v", n, head, tail)
		}
		if a.Results[1].Scalar.Float64() != float64(n-1) || string(a.Results[2].Head) != "\x00\x00\x01" || string(a.Results[2].Tail) != "\x01\x01\x01" {
			t.Errorf("%+v", a.Results)
		}
	}
}

func TestEvalWritesAFile(t *testing.T) { onBothPools(t, evalWritesAFile) }

func evalWritesAFile(t *testing.T, start func(...Option) *Pool) {
	for _, chunk := range []uint64{1, 1 << 20, 0} {
		pool := start(Workers(2), ChunkBytes(chunk))
		for _, n := range []int{0, 1, 4097, 300001} {
			dir := t.TempDir()
			var x *Array
			if n == 0 {
				x = open(t, pool, npyFile(t, "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }", nil)).Named("x")
			} else {
				x = openRaw(t, pool, float64File(t, 3, ramp(n), 0), 3, n).Named("x")
			}
			q := Query{Text: "float32(x*2 + 0*sum(x))", Arrays: []*Array{x}}
			for _, name := range []string{"y.npy", "y.bin"} {
				path := filepath.Join(dir, name)
				made, _, err := pool.EvalTo(t.Context(), q, path, false)
				if err != nil {
					t.Fatal(err)
				}
				a := made[0]
				b, err := os.ReadFile(path)
				if err != nil || len(b) != int(a.Offset)+4*n {
					t.Fatalf("%d bytes, %v", len(b), err)
				}
				for i := range n {
					if got := math.Float32frombits(binary.LittleEndian.Uint32(b[int(a.Offset)+4*i:])); got != float32(2*i) {
						t.Fatalf("element %d: %v", i, got)
					}
				}
				if name == "y.npy" && n > 0 {
					if y := open(t, pool, path); y.Type != kernels.Float32 || y.Len() != int64(n) {
						t.Errorf("%+v", y.Array)
					}
				}
				if _, _, err := pool.EvalTo(t.Context(), q, path, false); !errors.Is(err, shm.ErrExists) {
					t.Errorf("%v", err)
				}
				if _, _, err := pool.EvalTo(t.Context(), q, path, true); err != nil {
					t.Error(err)
				}
			}
			if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		}
	}
}

func npyFile(t *testing.T, dict string, data []byte) string {
	t.Helper()
	head := "\x93NUMPY\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(dict)+1))) + dict + "\n"
	path := filepath.Join(t.TempDir(), "a.npy")
	if err := os.WriteFile(path, append([]byte(head), data...), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEvalRefusesClearly(t *testing.T) {
	pool := start(t, Workers(1))
	x := openRaw(t, pool, float64File(t, 0, ramp(10), 0), 0, 10).Named("x")
	short := openRaw(t, pool, float64File(t, 0, ramp(9), 0), 0, 9).Named("s")
	other := openRaw(t, start(t, Workers(1)), float64File(t, 0, ramp(10), 0), 0, 10).Named("o")
	var at *expr.Error
	for text, want := range map[string]string{
		"x + nope": "nope",
		"x + s":    "shape",
		"x":        "is an array",
		"x + o":    "was opened by another pool",
		"mean(":    "",
	} {
		_, err := pool.Eval(t.Context(), text, x, short)
		if text == "x + o" {
			_, err = pool.Eval(t.Context(), text, x, other)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
		if text != "x" && text != "x + o" && !errors.As(err, &at) {
			t.Errorf("%s: %T", text, err)
		}
	}
	out := filepath.Join(t.TempDir(), "y.npy")
	for text, want := range map[string]string{"x, x": "do not fit into one file", "mean(x)": "is a scalar", "bool(": ""} {
		if _, _, err := pool.EvalTo(t.Context(), Query{Text: text, Arrays: []*Array{x}}, out, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// What is cut short leaves no file.
func TestFailedEvalToLeavesNoFile(t *testing.T) { onBothPools(t, failedEvalToLeavesNoFile) }

func failedEvalToLeavesNoFile(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1), ChunkBytes(1))
	path := float64File(t, 0, ramp(1<<20), 0)
	x := openRaw(t, pool, path, 0, 1<<20).Named("x")
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var changed *shm.ChangedError
	if _, _, err := pool.EvalTo(t.Context(), Query{Text: "x*2", Arrays: []*Array{x}}, filepath.Join(dir, "y.npy"), false); !errors.As(err, &changed) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	if v, err := pool.Eval(t.Context(), "1+1"); err != nil || v[0].String() != "2" {
		t.Errorf("%v, %v", v, err)
	}
}

func TestQueryTellsWhatItWillRead(t *testing.T) {
	pool := start(t, InProcess(), Workers(1))
	xs := make([]float64, 100_000)
	for i := range xs {
		xs[i] = float64(i * 7919 % len(xs))
	}
	x := openRaw(t, pool, float64File(t, 0, xs, 0), 0, len(xs)).Named("x")
	for text, want := range map[string]uint64{
		"mean(x), std(x)":           2,
		"sum((x - mean(x)) ** 2)":   4,
		"median(x) + max(x)":        6,
		"x - mean(x)":               2, // and its ends
		"1":                         0,
		"sum(x[::2]), sum(x[1::2])": 1,
	} {
		var told uint64
		before := pool.Counters().Bytes
		if _, err := pool.Evaluate(t.Context(), Query{Text: text, Arrays: []*Array{x}, Reads: func(n uint64) { told += n }}, 0); err != nil {
			t.Fatal(err)
		}
		if read := pool.Counters().Bytes - before; told != read || told != want*400_000 {
			t.Errorf("%s: told %d, read %d", text, told, read)
		}
	}
	told := uint64(0)
	before := pool.Counters().Bytes
	q := Query{Text: "sqrt(x - min(x))", Arrays: []*Array{x}, Reads: func(n uint64) { told = n }}
	if _, _, err := pool.EvalTo(t.Context(), q, filepath.Join(t.TempDir(), "y"), false); err != nil {
		t.Fatal(err)
	}
	if read := pool.Counters().Bytes - before; told != read {
		t.Errorf("a new file: told %d, read %d", told, read)
	}
}
