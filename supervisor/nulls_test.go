package supervisor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// nullables are the bytes of a file with a column of float64 of which some elements are
// null, behind its bitmap; null elements hold bytes of their own.
type nullables struct {
	rows  int64
	bytes []byte
}

func isNull(i int64) bool { return i%5 == 3 && i/64%3 != 1 }

func newNullables(rows int64) nullables {
	n := nullables{rows: rows, bytes: make([]byte, 3+(rows+7)/8)}
	for i := range rows {
		v := float64(i%1000) - 300.5
		if isNull(i) {
			v = 1e300
		} else {
			n.bytes[3+i/8] |= 1 << (i % 8)
		}
		n.bytes = binary.LittleEndian.AppendUint64(n.bytes, math.Float64bits(v))
	}
	return n
}

// column is the column, in so many pieces, in an open file; pieces begin at whole bytes of
// the bitmap.
func (n nullables) column(f *File, pieces int64) *Array {
	c := format.Column{Array: format.Array{Name: "x", Type: kernels.Float64, Shape: []int64{n.rows}}, Nulls: 5}
	each := (n.rows/pieces + 7) / 8 * 8
	for at := int64(0); at < n.rows; at += each {
		c.Pieces = append(c.Pieces, format.Piece{Offset: 3 + (n.rows+7)/8 + 8*at, Len: min(each, n.rows-at), Valid: 3 + at/8})
	}
	return f.lie(c)
}

// plain are the elements as a bare file has them, NaN for null.
func (n nullables) plain() []float64 {
	xs := make([]float64, n.rows)
	for i := range xs {
		if xs[i] = float64(i%1000) - 300.5; isNull(int64(i)) {
			xs[i] = math.NaN()
		}
	}
	return xs
}

func TestNullsAreTakenForNaN(t *testing.T) { onBothPools(t, nullsAreTakenForNaN) }

func nullsAreTakenForNaN(t *testing.T, start func(...Option) *Pool) {
	n := newNullables(30_005)
	pool := start(Workers(2), ChunkBytes(1))
	path := rawFile(t, 0, n.bytes)
	same := openRaw(t, pool, float64File(t, 0, n.plain(), 0), 0, int(n.rows)).Named("x")
	exprs := []string{"nansum(x), isnan(x[3])", "x", "x[::-1]", "x[4:20000:5]", "nanmean(x[1:])", "x[3] + x", "nanmax(x[:, None] * x[2:5])", "median(x[:3])"}
	query := func(text string, x *Array) string {
		a, err := pool.Evaluate(t.Context(), Query{Text: text, Arrays: []*Array{x}, NullsAreNaN: true}, 9)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var shown strings.Builder
		for _, r := range a.Results {
			shown.WriteString(r.Scalar.String())
			shown.Write(r.Head)
			shown.Write(r.Tail)
		}
		return shown.String()
	}
	for _, pieces := range []int64{1, 7, 900} {
		x := n.column(open(t, pool, path, rawOf(kernels.Uint8)).file, pieces)
		if nulls, known := x.Nulls(); nulls != 5 || !known {
			t.Errorf("%d nulls", nulls)
		}
		if got, want := told(t, pool, x), told(t, pool, same); got != want {
			t.Errorf("%d pieces:\n%s\nwant\n%s", pieces, got, want)
		}
		for _, text := range exprs {
			if query(text, x) != query(text, same) {
				t.Errorf("%d pieces: %s differs", pieces, text)
			}
		}
		var refused *NullsError
		if _, err := pool.Eval(t.Context(), "sum(x)", x); !errors.As(err, &refused) {
			t.Errorf("nulls in expressions: %v", err)
		}
	}
}

// In place, null elements keep their bytes.
func TestNullsStayInPlace(t *testing.T) { onBothPools(t, nullsStayInPlace) }

func nullsStayInPlace(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2), ChunkBytes(1))
	for _, pieces := range []int64{1, 3, 900} {
		n := newNullables(30_005)
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, n.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		x := n.column(open(t, pool, path, rawOf(kernels.Uint8)).file, pieces)
		q := Query{Text: "x - nanmin(x) + x*2", Arrays: []*Array{x}, NullsAreNaN: true}
		if _, err := pool.EvalInPlace(t.Context(), q, x); err != nil {
			t.Fatal(err)
		}
		n.applied()
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, n.bytes) {
			t.Errorf("%d pieces: %v: other bytes", pieces, err)
		}
	}
}

// applied notes that x - nanmin(x) + x*2 was put in the place of x.
func (n nullables) applied() {
	xs := n.bytes[3+(n.rows+7)/8:]
	at := func(i int64) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(xs[8*i:])) }
	least := math.Inf(1)
	for i := range n.rows {
		if !isNull(i) {
			least = min(least, at(i))
		}
	}
	for i := range n.rows {
		if !isNull(i) {
			binary.LittleEndian.PutUint64(xs[8*i:], math.Float64bits(at(i)-least+at(i)*2))
		}
	}
}
