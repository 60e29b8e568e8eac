package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// feather writes record batches of columns x (float64), f (float32 with nulls), i
// (int32), n (int64 with nulls), b (bool) and s (text) to a file.
func feather(t *testing.T, path string, rows []int, opts ...ipc.Option) {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "s", Type: arrow.BinaryTypes.String}, {Name: "x", Type: arrow.PrimitiveTypes.Float64},
		{Name: "f", Type: arrow.PrimitiveTypes.Float32, Nullable: true}, {Name: "i", Type: arrow.PrimitiveTypes.Int32},
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "b", Type: arrow.FixedWidthTypes.Boolean},
	}, nil)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := ipc.NewFileWriter(f, append(opts, ipc.WithSchema(schema))...)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(4, 4))
	for _, n := range rows {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for range n {
			b.Field(0).(*array.StringBuilder).Append(strings.Repeat("s", r.IntN(3)))
			b.Field(1).(*array.Float64Builder).Append(r.NormFloat64())
			if r.IntN(5) == 0 {
				b.Field(2).AppendNull()
				b.Field(4).AppendNull()
			} else {
				b.Field(2).(*array.Float32Builder).Append(float32(r.NormFloat64()))
				b.Field(4).(*array.Int64Builder).Append(int64(r.IntN(1000)))
			}
			b.Field(3).(*array.Int32Builder).Append(r.Int32N(1000) - 500)
			b.Field(5).(*array.BooleanBuilder).Append(r.IntN(2) == 0)
		}
		if err := w.Write(b.NewRecordBatch()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// What is used where it lies has the bits of what is decoded.
func TestMappedColumnsHaveTheBitsOfDecodedOnes(t *testing.T) {
	dir := t.TempDir()
	rows := []int{5000, 1, 0, 4096, 12345, 7}
	plain, packed := filepath.Join(dir, "plain.arrow"), filepath.Join(dir, "packed.arrow")
	feather(t, plain, rows)
	feather(t, packed, rows, ipc.WithLZ4())
	for _, args := range [][]string{
		{"stat", "--format", "csv", "-j", "2"},
		{"stat", "--format", "csv", "-j", "1", "--chunk", "32KiB", "--quantiles", "0.3,0.9", "--bins", "fd"},
		{"stat", "--format", "csv", "--quick", "--in-process"},
		{"eval", "--nulls", "nan", "sum(x*i), nanmean(f), mean(where(b, x, i)), nansum(n)"},
		{"eval", "--nulls", "nan", "f, x*2", "--ends", "2000"},
		{"eval", "sum(x)", "--where", "i > 3"},
		{"eval", "sum(f)"},
	} {
		args = append(args, "--progress", "none")
		got, want := gangsaw(t, append(args, plain)...), gangsaw(t, append(args, packed)...)
		if strings.ReplaceAll(got.stdout, plain, packed) != want.stdout || got.status != want.status {
			t.Errorf("%v: %+v, want %+v", args, got, want)
		}
	}
	// What is decoded cannot be gone through in all ways: it goes to files of its own.
	for _, name := range []string{"x", "f"} {
		copy := filepath.Join(dir, name+".npy")
		if out := gangsaw(t, "eval", name, packed, "--nulls", "nan", "-o", copy); out.status != 0 {
			t.Fatalf("%+v", out)
		}
		for _, expr := range []string{"median(x[3:-3]), sum(x[2::3])", "x[5000]", "x[:, None] * x[4999:5002]", "nanmean(x[::-7])"} {
			got, want := gangsaw(t, "eval", expr, "x="+plain+"#"+name, "--nulls", "nan"), gangsaw(t, "eval", expr, "x="+copy)
			if got.stdout != want.stdout || got.status != 0 {
				t.Errorf("%s of %s: %+v, want %+v", expr, name, got, want)
			}
		}
		var files []string
		for _, from := range []string{"x=" + plain + "#" + name, "x=" + copy} {
			out := filepath.Join(dir, "out.npy")
			if run := gangsaw(t, "eval", "x[::-1] - x[0]", from, "--nulls", "nan", "--overwrite", "-o", out); run.status != 0 {
				t.Fatalf("%+v", run)
			}
			b, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, string(b))
		}
		if files[0] != files[1] {
			t.Errorf("%s backwards differs", name)
		}
	}
}

func TestInfoSaysWhichColumnsOfAnArrowFileAreMapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.arrow")
	feather(t, path, []int{10, 20})
	out := gangsaw(t, "info", path)
	for _, want := range []string{
		"array   x\n  dtype   float64\n  shape   (30,)\n  order   C, little-endian\n  bytes   240\n  access  mapped at offset ",
		"note    it lies in 2 pieces, of which this is the first\n",
		"elements are null\n",
		"array   n\n  dtype   float64\n  shape   (30,)\n  access  decoded\n  note    it has nulls, for which its integers become float64\n",
		"array   b\n  dtype   bool\n  shape   (30,)\n  access  decoded\n  note    its truth values are packed, eight in a byte\n",
	} {
		if !strings.Contains(out.stdout, want) {
			t.Errorf("%s\nhas no\n%s", out.stdout, want)
		}
	}
	if !strings.Contains(out.stderr, `column "s" cannot be decoded: arrow, byte 0: it holds utf8`) || out.status != 0 {
		t.Errorf("%+v", out)
	}
	out = gangsaw(t, "stat", "--quick", path+"#x")
	if want := "gangsaw: columns of " + path + ` are decoded in every pass: "n" (it has nulls, for which its integers become float64), "b" (its truth values`; !strings.Contains(out.stderr, want) || !strings.Contains(out.stdout, "nulls     0\n") {
		t.Errorf("%+v", out)
	}
}

// A column that lies in one piece is changed where it lies, and nothing else.
func TestColumnOfAnArrowFileIsChangedInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.arrow")
	feather(t, path, []int{5000})
	before := gangsaw(t, "eval", "sum( x), sum(i), nansum(f)", "--nulls", "nan", path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if out := gangsaw(t, "eval", "(-x)", path+"#x", "--in-place"); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	now, err := os.ReadFile(path)
	if err != nil || len(now) != len(whole) {
		t.Fatal(len(now), err)
	}
	changed := 0
	for i := range now {
		if now[i] != whole[i] {
			if changed++; now[i] != whole[i]^0x80 {
				t.Fatalf("byte %d is %#x, and was %#x", i, now[i], whole[i])
			}
		}
	}
	nulls := gangsaw(t, "stat", "--quick", "--json", path+"#f")
	if out := gangsaw(t, "eval", "f + f", path+"#f", "--in-place", "--nulls", "nan"); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	if out := gangsaw(t, "eval", "(-f) - f", path+"#f", "--in-place"); out.status != 1 || !strings.Contains(out.stderr, "nulls") {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "eval", "f / 2", path+"#f", "--in-place", "--nulls", "nan"); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	if out := gangsaw(t, "stat", "--quick", "--json", path+"#f"); arraysOf(out.stdout) != arraysOf(nulls.stdout) {
		t.Errorf("%s, before %s", out.stdout, nulls.stdout)
	}
	after := gangsaw(t, "eval", "sum(-x), sum(i), nansum(f)", "--nulls", "nan", path)
	if changed != 5000 || strings.ReplaceAll(after.stdout, "sum(-x)", "sum( x)") != before.stdout {
		t.Errorf("%d bytes changed: %s, before %s", changed, after.stdout, before.stdout)
	}
}

// numbersOf reads columns x, f and i of a file by arrow-go, with what is in the place of nulls.
func numbersOf(t *testing.T, path string) (x []float64, f []float32, valid []bool, i []int32) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, err := ipc.NewFileReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for k := range r.NumRecords() {
		b, err := r.RecordBatchAt(k)
		if err != nil {
			t.Fatal(err)
		}
		fs := b.Column(2).(*array.Float32)
		x = append(x, b.Column(1).(*array.Float64).Float64Values()...)
		f = append(f, fs.Float32Values()...)
		i = append(i, b.Column(3).(*array.Int32).Int32Values()...)
		for row := range fs.Len() {
			valid = append(valid, fs.IsValid(row))
		}
		b.Release()
	}
	return x, f, valid, i
}

// Columns of several record batches are changed where they lie, and arrow-go reads what they
// were changed to, and all else as it was.
func TestColumnsInRecordBatchesAreChangedInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.arrow")
	rows := []int{5000, 1, 0, 4096, 12345, 7, 70000}
	for range 50 {
		rows = append(rows, 9)
	}
	feather(t, path, rows)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x, f, valid, i := numbersOf(t, path)
	others := gangsaw(t, "eval", "nansum(n), sum(b)", "--nulls", "nan", path)
	change := func(expr string, args ...string) {
		t.Helper()
		if out := gangsaw(t, append([]string{"eval", expr, "--in-place", "--nulls", "nan"}, args...)...); out.status != 0 {
			t.Fatalf("%s: %+v", expr, out)
		}
	}
	change("x*2 + i", "x="+path+"#x", "i="+path+"#i", "--chunk", "32KiB")
	change("f + f", path+"#f")
	change("i - 7", path+"#i")
	change("x - 1", path+"#x", "--in-process")
	gotX, gotF, gotValid, gotI := numbersOf(t, path)
	for k := range x {
		wantF := f[k]
		if valid[k] {
			wantF += f[k]
		}
		if gotX[k] != x[k]*2+float64(i[k])-1 || gotF[k] != wantF || gotValid[k] != valid[k] || gotI[k] != i[k]-7 {
			t.Fatalf("row %d: %v, %v, %v, %v; it was %v, %v, %v, %v", k, gotX[k], gotF[k], gotValid[k], gotI[k], x[k], f[k], valid[k], i[k])
		}
	}
	if out := gangsaw(t, "eval", "nansum(n), sum(b)", "--nulls", "nan", path); out.stdout != others.stdout || out.status != 0 {
		t.Errorf("other columns: %+v, before %+v", out, others)
	}
	now, err := os.ReadFile(path)
	if err != nil || len(now) != len(whole) || len(gotX) != len(x) {
		t.Fatal(len(now), len(gotX), err)
	}
	changed := 0
	for k := range now {
		changed += int(min(1, now[k]^whole[k]))
	}
	if most := len(x) * (8 + 4 + 4); changed > most {
		t.Errorf("%d bytes have changed, and %d are those of the columns", changed, most)
	}
}

// arraysOf returns what JSON says of arrays, without what it says of the run.
func arraysOf(json string) string {
	arrays, _, _ := strings.Cut(json, `"run"`)
	return arrays
}
