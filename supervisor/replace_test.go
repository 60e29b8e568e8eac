package supervisor

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
)

func TestEvalInPlaceReplacesEachElementOnce(t *testing.T) {
	onBothPools(t, evalInPlaceReplacesEachElementOnce)
}

func evalInPlaceReplacesEachElementOnce(t *testing.T, start func(...Option) *Pool) {
	for _, chunk := range []uint64{1, 1 << 17, 0} {
		pool := start(Workers(2), ChunkBytes(chunk))
		for _, n := range []int{1, 2049, 100003} {
			path := float64File(t, 3, ramp(n), 5)
			x := openRaw(t, pool, path, 3, n).Named("x")
			y := openRaw(t, pool, float64File(t, 0, ramp(n), 0), 0, n).Named("y")
			// The maximum is that of the elements as they were.
			if _, err := pool.EvalInPlace(t.Context(), Query{Text: "max(x) - 2*x + y", Arrays: []*Array{x, y}}, x); err != nil {
				t.Fatal(err)
			}
			holdsFile(t, path, 3, func(i int) float64 { return float64(n - 1 - i) }, n, 5)
			// Of other elements of the same file, and of its own under another name.
			if n < 100 {
				continue
			}
			half := n / 2
			low, high := openRaw(t, pool, path, 3, half).Named("low"), openRaw(t, pool, path, 3+8*half, half).Named("high")
			again := openRaw(t, pool, path, 3, half).Named("again")
			if _, err := pool.EvalInPlace(t.Context(), Query{Text: "high - low + 0*again", Arrays: []*Array{low, high, again}}, low); err != nil {
				t.Fatal(err)
			}
			holdsFile(t, path, 3, func(i int) float64 {
				if i < half {
					return float64(-half)
				}
				return float64(n - 1 - i)
			}, n, 5)
			shifted := openRaw(t, pool, path, 3+8, half).Named("shifted")
			if _, err := pool.EvalInPlace(t.Context(), Query{Text: "low + shifted", Arrays: []*Array{low, shifted}}, low); err == nil || !strings.Contains(err.Error(), "not element for element") {
				t.Errorf("%v", err)
			}
		}
	}
}

func TestEvalInPlaceRefusesClearly(t *testing.T) {
	pool := start(t, Workers(1))
	path := rawFile(t, 0, []int32{1, 2, 3})
	x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Int32})).Named("x")
	y := open(t, pool, rawFile(t, 0, []int32{1, 2, 3}), Raw(raw.Layout{Type: kernels.Int32})).Named("y")
	for text, want := range map[string]string{
		"x / 2":   "does not go into an array of int32",
		"mean(x)": "",
		"x, x":    "",
		"y + 1":   "does not read array \"x\"",
	} {
		if _, err := pool.EvalInPlace(t.Context(), Query{Text: text, Arrays: []*Array{x, y}}, x); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	var at *expr.Error
	if _, err := pool.EvalInPlace(t.Context(), Query{Text: "x / 2", Arrays: []*Array{x}}, x); !errors.As(err, &at) {
		t.Errorf("%v", err)
	}
	if _, err := pool.EvalInPlace(t.Context(), Query{Text: "int32(x / 2)", Arrays: []*Array{x}}, x); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00" {
		t.Errorf("% x, %v", got, err)
	}
}

// cutShort begins to replace a file by itself and another, and takes care that
// only some of it is replaced.
func cutShort(t *testing.T, pool *Pool, n int) (path, other string) {
	t.Helper()
	path, other = float64File(t, 0, ramp(n), 0), float64File(t, 8, ramp(n), 0)
	x, y := openRaw(t, pool, path, 0, n).Named("x"), openRaw(t, pool, other, 8, n).Named("y")
	if _, err := pool.EvalInPlace(t.Context(), Query{Text: "mean(x) - x + 2*y", Arrays: []*Array{x, y}}, x); err != nil {
		t.Fatal(err)
	}
	// The journal that the run had, and the file as it was after some chunks.
	a := format.Array{Name: "x", Type: kernels.Float64, Shape: []int64{int64(n)}}
	target, err := shm.OpenTarget(t.Context(), path, shm.TargetOptions{Patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	e, err := pool.compile(t.Context(), Query{Text: "mean(x) - x + 2*y", Arrays: []*Array{x, y}}, expr.Options{Apart: true, As: kernels.Float64})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range ramp(n) {
		binary.LittleEndian.PutUint64(target.Bytes()[8*i:], math.Float64bits(v))
	}
	if err := x.file.mapping.Renew(target, 0); err != nil {
		t.Fatal(err)
	}
	pass, err := e.reduce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &change{pool: pool, target: target}
	if err := r.read(e, pass, "mean(x) - x + 2*y", x); err != nil {
		t.Fatal(err)
	}
	r.job.Plan = partition.New(a, 1, 1)
	if err := r.open(t.Context(), x, taskOptions{}); err != nil {
		t.Fatal(err)
	}
	layout := r.journal.Layout()
	for i := range 4096 {
		binary.LittleEndian.PutUint64(target.Bytes()[8*i:], math.Float64bits(float64(n-1)/2+float64(i)))
	}
	binary.LittleEndian.PutUint64(r.journal.Mapping().Bytes()[layout.Marks:], 2)
	if err := r.journal.Close(); err != nil {
		t.Fatal(err)
	}
	return path, other
}

// A run of expressions is finished with the values that its reductions had, and
// the inputs that it had, or not at all.
func TestEvalInPlaceIsResumed(t *testing.T) { onBothPools(t, evalInPlaceIsResumed) }

func evalInPlaceIsResumed(t *testing.T, start func(...Option) *Pool) {
	const n = 20001
	pool := start(Workers(2))
	path, _ := cutShort(t, pool, n)
	if err := pool.Resume(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	holdsFile(t, path, 0, func(i int) float64 { return (n-1)/2. + float64(i) }, n, 0)
	for want, spoil := range map[string]func(other string) error{
		"was written to since": func(other string) error { return os.Chtimes(other, time.Time{}, time.Unix(1, 0)) },
		"is another file": func(other string) error {
			return errors.Join(os.Rename(other, other+".old"), os.WriteFile(other, make([]byte, 8*n+8), 0o600))
		},
		"no such file":                   os.Remove,
		"bytes, and had":                 func(other string) error { return os.Truncate(other, 8*n+16) },
		"resume with the version of":     nil,
		"its header does not make sense": nil,
	} {
		path, other := cutShort(t, pool, n)
		if spoil != nil {
			if err := spoil(other); err != nil {
				t.Fatal(err)
			}
		} else {
			from, to := `"Code": "R`, `"Code": "S`
			if strings.HasPrefix(want, "its") {
				from, to = `"Replaced": true`, `"Replaced":false`
			}
			editJournal(t, path+".gangsaw", from, to)
		}
		if err := pool.Resume(t.Context(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if !exists(path + ".gangsaw") {
			t.Errorf("%s: the journal is gone", want)
		}
		if left, err := filepath.Glob(path + ".gangsaw.*"); err != nil || len(left) > 0 {
			t.Errorf("%v, %v", left, err)
		}
	}
}
