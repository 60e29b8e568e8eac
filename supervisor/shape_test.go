package supervisor

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// records is a file of rows of 37 bytes, of which 5 big-endian uint32 from byte 3 on
// are the array a, and little-endian uint32 at bytes 24 and 28 the array b.
type records struct {
	path  string
	rows  int
	bytes []byte // that the file should hold
}

const recordSize = 37

func newRecords(t *testing.T, rows int) *records {
	t.Helper()
	r := &records{filepath.Join(t.TempDir(), "records"), rows, make([]byte, recordSize*rows)}
	for i := range r.bytes {
		r.bytes[i] = byte(i*i>>3 + i)
	}
	if err := os.WriteFile(r.path, r.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// arrays opens a and b.
func recordsOf(pool *Pool, path string) (a, b *Array, err error) {
	f, err := pool.File(path, rawOf(kernels.Uint8))
	if err != nil {
		return nil, nil, err
	}
	rows := f.Arrays()[0].Len() / recordSize
	a = &Array{Array: format.Array{Name: "a", Type: kernels.Uint32, Shape: []int64{rows, 5}, Offset: 3, Strides: []int64{recordSize, 4}, Swapped: true}, file: f}
	b = &Array{Array: format.Array{Name: "b", Type: kernels.Uint32, Shape: []int64{rows, 2}, Offset: 24, Strides: []int64{recordSize, 4}}, file: f}
	return a, b, nil
}

func (r *records) a(row, column int) []byte { return r.bytes[recordSize*row+3+4*column:][:4] }

func (r *records) b(row, column int) uint32 {
	return binary.LittleEndian.Uint32(r.bytes[recordSize*row+24+4*column:])
}

// mixed is applied to a by what mixing says.
const mixing = "5*a + max(a, axis=0) - min(a, axis=1)[:, None] + b[:, :1]"

func (r *records) mixed() {
	var most [5]uint32
	for row := range r.rows {
		for c := range most {
			most[c] = max(most[c], binary.BigEndian.Uint32(r.a(row, c)))
		}
	}
	for row := range r.rows {
		least := uint32(math.MaxUint32)
		for c := range most {
			least = min(least, binary.BigEndian.Uint32(r.a(row, c)))
		}
		for c := range most {
			v := binary.BigEndian.Uint32(r.a(row, c))
			binary.BigEndian.PutUint32(r.a(row, c), 5*v+most[c]-least+r.b(row, 0))
		}
	}
}

func (r *records) check(t *testing.T, when string) {
	t.Helper()
	got, err := os.ReadFile(r.path)
	if err != nil || !bytes.Equal(got, r.bytes) {
		at := 0
		for at < min(len(got), len(r.bytes)) && got[at] == r.bytes[at] {
			at++
		}
		t.Fatalf("%s: %v, %d bytes, the first wrong one is %d: byte %d of its record", when, err, len(got), at, at%recordSize)
	}
}

// In place, elements that lie apart in the other byte order, and nothing between
// them, are replaced, with values along both axes that they had before.
func TestEvalInPlaceChangesOnlyTheBytesOfItsElements(t *testing.T) {
	onBothPools(t, evalInPlaceChangesOnlyTheBytesOfItsElements)
}

func evalInPlaceChangesOnlyTheBytesOfItsElements(t *testing.T, start func(...Option) *Pool) {
	for _, chunk := range []uint64{1, 1 << 17, 0} {
		pool := start(Workers(2), ChunkBytes(chunk))
		for _, rows := range []int{1, 2000, 20011} {
			r := newRecords(t, rows)
			a, b, err := recordsOf(pool, r.path)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := pool.EvalInPlace(t.Context(), Query{Text: mixing, Arrays: []*Array{a, b}}, a); err != nil {
					t.Fatal(err)
				}
				r.mixed()
				r.check(t, fmt.Sprintf("%d rows", rows))
			}
			if left, err := filepath.Glob(r.path + ".*"); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if err := a.file.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What a change in place reads of its own file lies apart from it, or element for
// element, or is refused.
func TestEvalInPlaceRefusesOtherPlacesOfItself(t *testing.T) {
	pool := start(t, Workers(1))
	r := newRecords(t, 100)
	a, b, err := recordsOf(pool, r.path)
	if err != nil {
		t.Fatal(err)
	}
	again, shifted, across := *a, *a, *b
	again.Name, shifted.Name, across.Name = "again", "shifted", "across"
	shifted.Offset += recordSize
	shifted.Shape = []int64{99, 5}
	across.Offset = 21
	for text, want := range map[string]string{
		"a[::-1]":                  "other places",
		"a + a[:1]":                "other places",
		"a + again[::-1]":          "other places",
		"a[:99] + shifted":         "",
		"a + across[:, :1]":        "not element for element",
		"a + 0*shifted[0]":         "not element for element",
		"a[:, :2]":                 "has the shape",
		"a + again":                "ok",
		"a + b[::-1, :1]":          "ok",
		"a + max(a[::-1], axis=0)": "ok",
		"a + max(shifted, axis=0)": "",
	} {
		_, err := pool.EvalInPlace(t.Context(), Query{Text: text, Arrays: []*Array{a, b, &again, &shifted, &across}}, a)
		if want == "ok" && err != nil || want != "ok" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if err := pool.InPlace(t.Context(), mix.With(1), a); err == nil || !strings.Contains(err.Error(), "which no kernel in Go but a reduction takes") {
		t.Errorf("a kernel in place: %v", err)
	}
}

// Arrays in any order, with any strides and byte order, are taken together.
func TestEvalTakesArraysAsTheyLie(t *testing.T) { onBothPools(t, evalTakesArraysAsTheyLie) }

func evalTakesArraysAsTheyLie(t *testing.T, start func(...Option) *Pool) {
	const rows = 9001
	r := newRecords(t, rows)
	var columns []uint16 // Fortran's order
	for i := range 5 * rows {
		columns = append(columns, uint16(i*7919))
	}
	path := rawFile(t, 0, columns)
	for _, chunk := range []uint64{1, 1 << 16, 0} {
		pool := start(Workers(2), ChunkBytes(chunk))
		a, b, err := recordsOf(pool, r.path)
		if err != nil {
			t.Fatal(err)
		}
		f := open(t, pool, path, rawOf(kernels.Uint16)).Named("f")
		f.Shape, f.Fortran = []int64{rows, 5}, true
		q := Query{Text: "a[::-1] // 3 + f - b[:, 1:] + sum(f, axis=0)[None, ::-1] // 7 + argmax(a, axis=1, keepdims=True)", Arrays: []*Array{a, b, f}}
		out := filepath.Join(t.TempDir(), "out.bin")
		all, _, err := pool.EvalTo(t.Context(), q, out, false)
		if err != nil {
			t.Fatal(err)
		}
		made := all[0]
		if made.Type != kernels.Float64 || made.ShapeString() != "(9001, 5)" || made.Fortran {
			t.Fatalf("%+v", made)
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var sums [5]uint64
		for i, v := range columns {
			sums[i/rows] += uint64(v)
		}
		for row := range rows {
			most := 0
			for c := range 5 {
				if bytes.Compare(r.a(row, c), r.a(row, most)) > 0 {
					most = c
				}
			}
			for c := range 5 {
				v := binary.BigEndian.Uint32(r.a(rows-1-row, c))/3 + uint32(columns[c*rows+row]) - r.b(row, 1)
				want := float64(uint64(v)+sums[4-c]/7) + float64(most)
				if have := math.Float64frombits(binary.LittleEndian.Uint64(got[8*(5*row+c):])); have != want {
					t.Fatalf("chunk %d: row %d, column %d is %v, want %v", chunk, row, c, have, want)
				}
			}
		}
		answer, err := pool.Evaluate(t.Context(), Query{Text: "a[5:7, 1], sum(b), max(f, axis=1)[:2]", Arrays: q.Arrays}, 3)
		if err != nil {
			t.Fatal(err)
		}
		sum := uint64(0)
		for row := range rows {
			sum += uint64(r.b(row, 0)) + uint64(r.b(row, 1))
		}
		want := binary.NativeEndian.AppendUint32(binary.NativeEndian.AppendUint32(nil, binary.BigEndian.Uint32(r.a(5, 1))), binary.BigEndian.Uint32(r.a(6, 1)))
		if res := answer.Results; !bytes.Equal(res[0].Head, want) || res[1].Scalar.String() != fmt.Sprint(sum) || len(res[2].Head) != 4 {
			t.Errorf("%+v", res)
		}
	}
}
