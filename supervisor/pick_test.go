package supervisor

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// A condition writes the elements that it holds for, in their order, whatever their
// size, the chunks and the workers are.
func TestPickedElementsAreWrittenInOrder(t *testing.T) {
	onBothPools(t, pickedElementsAreWrittenInOrder)
}

func pickedElementsAreWrittenInOrder(t *testing.T, start func(...Option) *Pool) {
	for _, o := range [][]Option{{Workers(1), ChunkBytes(1)}, {Workers(3), ChunkBytes(1 << 17)}, {Workers(2)}} {
		pool := start(o...)
		for _, n := range []int{1, 4096, 100003} {
			xs, keys := ramp(n), make([]uint16, n)
			for i := range xs {
				keys[i] = uint16(uint64(i) * 2654435769 >> 7)
				if i%7 == 3 {
					xs[i] = math.NaN() // for which no comparison holds
				}
			}
			x := openRaw(t, pool, float64File(t, 3, xs, 0), 3, n).Named("x")
			k := open(t, pool, rawFile(t, 0, keys), rawOf(kernels.Uint16)).Named("k")
			for _, c := range []struct {
				text, where string
				holds       func(i int) bool
				value       func(b []byte, i int) []byte
			}{
				{"x", "k > 50000", func(i int) bool { return keys[i] > 50000 }, func(b []byte, i int) []byte {
					return binary.LittleEndian.AppendUint64(b, math.Float64bits(xs[i]))
				}},
				{"k", "x >= 0", func(i int) bool { return xs[i] >= 0 }, func(b []byte, i int) []byte {
					return binary.LittleEndian.AppendUint16(b, keys[i])
				}},
				{"float32(k) / 2", "(k % 2 == 0) & (x < 1e9)", func(i int) bool { return keys[i]%2 == 0 && xs[i] < 1e9 }, func(b []byte, i int) []byte {
					return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(keys[i])/2))
				}},
				{"k > 7", "isnan(x)", func(i int) bool { return xs[i] != xs[i] }, func(b []byte, i int) []byte {
					if keys[i] > 7 {
						return append(b, 1)
					}
					return append(b, 0)
				}},
				{"x", "k < 0", func(int) bool { return false }, nil},
				{"k + 1", "k >= 0", func(int) bool { return true }, func(b []byte, i int) []byte {
					return binary.LittleEndian.AppendUint16(b, keys[i]+1)
				}},
			} {
				var want []byte
				count := int64(0)
				for i := range n {
					if c.holds(i) {
						want = c.value(want, i)
						count++
					}
				}
				path := filepath.Join(t.TempDir(), "y.npy")
				made, _, err := pool.EvalTo(t.Context(), Query{Text: c.text, Where: c.where, Arrays: []*Array{x, k}}, path, false)
				if err != nil {
					t.Fatalf("%s where %s: %v", c.text, c.where, err)
				}
				a := made[0]
				got, err := os.ReadFile(path)
				if err != nil || a.Len() != count || len(got) != int(a.Offset)+len(want) || !bytes.Equal(got[a.Offset:], want) {
					t.Errorf("%d elements, %s where %s: %d are written, want %d, %v", n, c.text, c.where, a.Len(), count, err)
				}
				if y := open(t, pool, path); y.Len() != count || y.Type != a.Type {
					t.Errorf("the file has %v of %v", y.Shape, y.Type)
				}
			}
		}
	}
}

// Reductions in the condition are over all elements, those in the expression over
// what is picked.
func TestPickedElementsAreReducedAlone(t *testing.T) {
	pool := start(t, Workers(2), ChunkBytes(1))
	const n = 50001
	x := openRaw(t, pool, float64File(t, 0, ramp(n), 0), 0, n).Named("x")
	path := filepath.Join(t.TempDir(), "y")
	made, _, err := pool.EvalTo(t.Context(), Query{Text: "x - min(x) + 0*std(x)", Where: "x > mean(x)", Arrays: []*Array{x}}, path, false)
	if err != nil || made[0].Len() != n/2 {
		t.Fatalf("%v, %v", made, err)
	}
	holdsFile(t, path, 0, func(i int) float64 { return float64(i) }, n/2, 0)
}

func TestPickRefusesClearlyAndLeavesNothing(t *testing.T) {
	pool := start(t, Workers(2))
	const n = 60000
	file := float64File(t, 0, ramp(n), 0)
	x := openRaw(t, pool, file, 0, n).Named("x")
	rows := open(t, pool, file, Raw(raw.Layout{Type: kernels.Float64, Shape: []int64{n / 3, 3}})).Named("x")
	dir := t.TempDir()
	path := filepath.Join(dir, "y.npy")
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{Text: "x", Where: "x > 1", Arrays: []*Array{rows}}, "x has 2 axes, and a condition picks elements of an array with one"},
		{Query{Text: "x", Where: "x + 1", Arrays: []*Array{x}}, "a condition is a mask"},
		{Query{Text: "x", Where: "x > 1, x < 2", Arrays: []*Array{x}}, "a condition is one expression"},
		{Query{Text: "mean(x)", Where: "x > 1", Arrays: []*Array{x}}, "is a scalar"},
		{Query{Text: "x + min(x)", Where: "x > 1e9", Arrays: []*Array{x}}, ""},
	} {
		_, _, err := pool.EvalTo(t.Context(), c.q, path, false)
		if c.want == "" {
			if err != nil {
				t.Errorf("nothing is picked: %v", err)
			}
			os.Remove(path)
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.want, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	q := Query{Text: "x", Where: "x > 1", Arrays: []*Array{x}}
	if _, _, err := pool.EvalTo(ended, q, path, false); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := os.Truncate(file, 5000); err != nil {
		t.Fatal(err)
	}
	if _, _, err := pool.EvalTo(t.Context(), q, path, false); err == nil {
		t.Error("a truncated file was written")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
