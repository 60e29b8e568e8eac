package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
)

// parts are numbers in files, in rows, and the same in one file.
type parts struct {
	whole []byte
	typ   kernels.Type
	row   []int64 // the shape of one
	rows  []int64 // of each file
}

func newParts(r *rand.Rand, typ kernels.Type, row []int64, rows ...int64) parts {
	p := parts{typ: typ, row: row, rows: rows}
	n := int64(1)
	for _, k := range row {
		n *= k
	}
	for _, k := range rows {
		for range k * n {
			p.whole = append(p.whole, element(r, typ)...)
		}
	}
	return p
}

// open opens the parts, each in a layout of its own if so asked, as one array, and the
// whole.
func (p parts) open(t *testing.T, pool *Pool, mixed bool) (joined, same *Array) {
	t.Helper()
	total, left := int64(0), p.whole
	var all []*Array
	for i, n := range p.rows {
		a := format.Array{Name: "x", Type: p.typ, Shape: append([]int64{n}, p.row...)}
		bytes := left[:a.Size()]
		left, total = left[a.Size():], total+n
		if mixed {
			bytes = p.relaid(&a, bytes, i)
		}
		// A file is never empty.
		path := rawFile(t, int(i%3), append(bytes[:len(bytes):len(bytes)], 0xa5))
		a.Offset += int64(i % 3)
		all = append(all, &Array{Array: a, file: open(t, pool, path, rawOf(kernels.Uint8)).file})
	}
	joined, err := Concat(all...)
	if err != nil {
		t.Fatal(err)
	}
	a := format.Array{Name: "x", Type: p.typ, Shape: append([]int64{total}, p.row...)}
	return joined, &Array{Array: a, file: open(t, pool, rawFile(t, 0, append(p.whole[:len(p.whole):len(p.whole)], 0xa5)), rawOf(kernels.Uint8)).file}
}

// relaid lays elements in C order out in another way, of which there are four.
func (p parts) relaid(a *format.Array, bytes []byte, way int) []byte {
	size := int64(p.typ.Size())
	strides, _ := format.StridesOf(a.Shape, size, way%4 == 1)
	span := a.Size()
	a.Swapped = way%4 == 2
	if way%4 == 3 && a.Len() > 0 { // backwards, with gaps
		a.Offset = 2 * size * (a.Len() - 1)
		for i := range strides {
			strides[i] *= -2
		}
		span = 2 * a.Size()
	}
	laid := make([]byte, span)
	for i := range a.Len() {
		at, rest := a.Offset, i
		for axis := len(a.Shape) - 1; axis >= 0; axis-- {
			at += rest % a.Shape[axis] * strides[axis]
			rest /= a.Shape[axis]
		}
		e := slices.Clone(bytes[i*size:][:size])
		if a.Swapped {
			slices.Reverse(e)
		}
		copy(laid[at:], e)
	}
	a.Lay(strides)
	return laid
}

// evaluated is what a pool makes of expressions over an array, as text in which all
// bits show.
func evaluated(t *testing.T, pool *Pool, x *Array, exprs ...string) (text string) {
	t.Helper()
	for _, e := range exprs {
		a, err := pool.Evaluate(t.Context(), Query{Text: e, Where: "", Arrays: []*Array{x}}, 3)
		if err != nil {
			t.Fatalf("%s: %v", e, err)
		}
		text += fmt.Sprintf("%s: %+v\n", e, a.Results)
	}
	return text
}

// written is the file that a pool makes of an expression.
func written(t *testing.T, pool *Pool, q Query) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.npy")
	if _, _, err := pool.EvalTo(t.Context(), q, path, false); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestConcatenationHasTheBitsOfOneFile(t *testing.T) { onBothPools(t, concatenationHasTheBits) }

func concatenationHasTheBits(t *testing.T, start func(...Option) *Pool) {
	r := rand.New(rand.NewPCG(31, 7))
	line := []string{"sum(x), mean(x), std(x), max(x)", "x*2", "x[::-1]", "x[3::5]", "x[-2:5:-3]", "quantile(x, 0.3), median(x[1:-1])", "sum(where(x > mean(x), x, 0))"}
	matrix := []string{"sum(x)", "x[1]", "x[:, 1] + 1", "mean(x, axis=0)", "sum(x, axis=1)", "x[::-2] - mean(x, axis=0)", "x[:, ::-1]", "median(x)", "max(x[0])"}
	cases := []struct {
		parts
		exprs []string
	}{
		{newParts(r, kernels.Float64, nil, 1, 0, 4095, 1, 1, 8192, 20000, 3), line},
		{newParts(r, kernels.Int16, nil, 4097, 5, 30001), line},
		{newParts(r, kernels.Float32, []int64{3}, 2, 1365, 0, 1, 3001, 400), matrix},
		{newParts(r, kernels.Float64, []int64{2, 5}, 1, 409, 2, 1001), []string{"sum(x)", "mean(x, axis=0)", "sum(x, axis=2)", "sum(x, axis=1)", "x[:, 0, ::2]"}},
		{newParts(r, kernels.Uint8, nil, slices.Repeat([]int64{3}, 60)...), line[:3]},
	}
	for _, o := range [][]Option{{Workers(1), ChunkBytes(1)}, {Workers(2), ChunkBytes(1 << 16)}} {
		pool := start(o...)
		for i, c := range cases {
			for _, mixed := range []bool{false, true} {
				x, same := c.open(t, pool, mixed)
				if got, want := told(t, pool, x), told(t, pool, same); got != want {
					t.Errorf("case %d, mixed %v:\n%s\nwant\n%s", i, mixed, got, want)
				}
				if got, want := evaluated(t, pool, x, c.exprs...), evaluated(t, pool, same, c.exprs...); got != want {
					t.Errorf("case %d, mixed %v:\n%s\nwant\n%s", i, mixed, got, want)
				}
				queries := []Query{{Text: "x*3 - 1"}}
				if len(c.row) == 0 {
					queries = append(queries, Query{Text: "x", Where: "x > 1"})
				}
				for _, q := range queries {
					q.Arrays = []*Array{x}
					got := written(t, pool, q)
					q.Arrays = []*Array{same}
					if got != written(t, pool, q) {
						t.Errorf("case %d, mixed %v: files differ", i, mixed)
					}
				}
			}
		}
	}
}

// Fortran's order is kept, in which reductions go through memory.
func TestConcatenationInFortranOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	pool := start(t, Workers(2), ChunkBytes(1), InProcess())
	rows, columns := []int64{5, 3000, 1, 2001}, int64(3)
	total := int64(0)
	for _, n := range rows {
		total += n
	}
	whole := make([]byte, 8*total*columns)
	var all []*Array
	before := int64(0)
	for _, n := range rows {
		part := make([]byte, 8*n*columns)
		for i := range n * columns {
			e := element(r, kernels.Float64)
			copy(part[8*i:], e)
			copy(whole[8*(i/n*total+before+i%n):], e)
		}
		before += n
		a := format.Array{Name: "x", Type: kernels.Float64, Shape: []int64{n, columns}, Fortran: true}
		all = append(all, &Array{Array: a, file: open(t, pool, rawFile(t, 0, part), rawOf(kernels.Uint8)).file})
	}
	x, err := Concat(all...)
	if err != nil {
		t.Fatal(err)
	}
	same := &Array{Array: format.Array{Name: "x", Type: kernels.Float64, Shape: []int64{total, columns}, Fortran: true}, file: open(t, pool, rawFile(t, 0, whole), rawOf(kernels.Uint8)).file}
	if got, want := told(t, pool, x), told(t, pool, same); got != want || !x.Fortran {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	exprs := []string{"sum(x), std(x)", "x + 1", "mean(x, axis=0)", "max(x, axis=1)", "x[2:4]"}
	if got, want := evaluated(t, pool, x, exprs...), evaluated(t, pool, same, exprs...); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if written(t, pool, Query{Text: "x - 1", Arrays: []*Array{x}}) != written(t, pool, Query{Text: "x - 1", Arrays: []*Array{same}}) {
		t.Error("files differ")
	}
}

// Wherever a seam is in its block, nothing is lost or doubled there.
func TestSeamsAtEveryPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 8))
	pool := start(t, Workers(1), ChunkBytes(1), InProcess())
	const n = 2*kernels.BlockLen + 50
	for _, typ := range []kernels.Type{kernels.Float64, kernels.Uint8} {
		whole := newParts(r, typ, nil, n).whole
		// Twice the same numbers, of which the pieces are taken in turn.
		file := open(t, pool, rawFile(t, 0, slices.Concat(whole, []byte{0xa5, 0xa5, 0xa5}, whole)), rawOf(kernels.Uint8)).file
		at := func(offset, count int64) *Array {
			return &Array{Array: format.Array{Name: "x", Type: typ, Shape: []int64{count}, Offset: offset}, file: file}
		}
		want := evaluated(t, pool, at(0, n), "sum(x), std(x)")
		for place := int64(1); place < n; place++ {
			if edge := (place + 35) % kernels.BlockLen; edge > 70 && place%509 != 0 {
				continue
			}
			x, err := Concat(at(0, place), at(int64(len(whole))+3+place*int64(typ.Size()), n-place))
			if err != nil {
				t.Fatal(err)
			}
			if got := evaluated(t, pool, x, "sum(x), std(x)"); got != want {
				t.Errorf("%v, seam at %d: %s, want %s", typ, place, got, want)
			}
			if got := written(t, pool, Query{Text: "x", Arrays: []*Array{x}}); !strings.HasSuffix(got, string(whole)) {
				t.Errorf("%v, seam at %d: other elements", typ, place)
			}
		}
	}
}

// Reductions in Go take blocks of a concatenation, too.
func TestReduceTakesConcatenations(t *testing.T) {
	pool := start(t, Workers(2), ChunkBytes(1))
	p := parts{typ: kernels.Float64, rows: []int64{5000, 77, 9000}}
	for i := range 14077 {
		p.whole = binary.LittleEndian.AppendUint64(p.whole, math.Float64bits(float64(i)))
	}
	x, same := p.open(t, pool, false)
	got, err := Reduce(t.Context(), pool, extents.With(0.1), x)
	want, werr := Reduce(t.Context(), pool, extents.With(0.1), same)
	if err != nil || werr != nil || got != want {
		t.Errorf("%+v, %v, want %+v, %v", got, err, want, werr)
	}
	var access *AccessError
	if _, err := Submit(pool, plain.With(0), x); !errors.As(err, &access) {
		t.Errorf("a function of pieces: %v", err)
	}
	if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), x); !errors.As(err, &access) {
		t.Errorf("in place: %v", err)
	}
	if _, err := pool.EvalInPlace(t.Context(), Query{Text: "x*2", Arrays: []*Array{x}}, x); !errors.As(err, &access) || !strings.Contains(err.Error(), "change each file by a run of its own") {
		t.Errorf("in place: %v", err)
	}
}

// Shards share a concatenation among them as they do one file.
func TestShardsOfAConcatenation(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 12))
	pool := start(t, Workers(1), ChunkBytes(1<<15), InProcess())
	x, same := newParts(r, kernels.Float64, nil, 30_000, 5, 41_000).open(t, pool, false)
	q := Inquiry{Quantiles: []float64{0.25, 0.5}}
	m := sharded(t, 3, func(s Shard, next *Partial) (*Partial, error) { return pool.DescribeShard(t.Context(), x, q, s, next) })
	want, err := pool.Describe(t.Context(), same, q)
	if err != nil || fmt.Sprintf("%+v", m.Description) != fmt.Sprintf("%+v", want) {
		t.Errorf("%+v, %v, want %+v", m.Description, err, want)
	}
	text := Query{Text: "sum(x), median(x[1:-1])", Arrays: []*Array{x}}
	m = sharded(t, 2, func(s Shard, next *Partial) (*Partial, error) { return pool.EvaluateShard(t.Context(), text, s, next) })
	text.Arrays[0] = same
	answer, err := pool.Evaluate(t.Context(), text, 0)
	if err != nil || fmt.Sprintf("%+v", m.Answer.Results) != fmt.Sprintf("%+v", answer.Results) {
		t.Errorf("%+v, %v, want %+v", m.Answer, err, answer)
	}
}

func TestTruncationOfAnyPieceIsAnErrorThatNamesIt(t *testing.T) {
	onBothPools(t, truncationOfAnyPiece)
}

func truncationOfAnyPiece(t *testing.T, start func(...Option) *Pool) {
	r := rand.New(rand.NewPCG(31, 10))
	pool := start(Workers(2), ChunkBytes(1))
	for piece := range 3 {
		x, _ := newParts(r, kernels.Float64, nil, 30000, 30000, 30000).open(t, pool, false)
		path := x.file.pieces[piece].file.Path()
		if err := os.Truncate(path, 4096); err != nil {
			t.Fatal(err)
		}
		var changed *shm.ChangedError
		if _, err := pool.Stat(t.Context(), x); !errors.As(err, &changed) || changed.Path != path {
			t.Errorf("piece %d: %v", piece, err)
		}
		if _, err := pool.Eval(t.Context(), "sum(x)", x); !errors.As(err, &changed) || changed.Path != path {
			t.Errorf("piece %d: %v", piece, err)
		}
	}
	if _, err := pool.Stat(t.Context(), open(t, pool, filepath.Join("..", "testdata", "ecg.npy"))); err != nil {
		t.Errorf("another file after it: %v", err)
	}
}

func TestWhatCannotBeOneArrayIsRefused(t *testing.T) {
	pool := start(t, Workers(1), InProcess())
	raw := open(t, pool, rawFile(t, 0, make([]float64, 12)), rawOf(kernels.Uint8)).file
	of := func(typ kernels.Type, shape ...int64) *Array {
		return &Array{Array: format.Array{Name: "x", Type: typ, Shape: shape}, file: raw}
	}
	table, _, _, _ := openFake(t, pool, 10)
	var mismatch *ConcatError
	for _, c := range []struct {
		arrays []*Array
		want   string
	}{
		{[]*Array{of(kernels.Float64, 3), of(kernels.Int64, 3)}, raw.Path() + `: array "x" is of type int64, and array "x" of ` + raw.Path() + " of type float64: "},
		{[]*Array{of(kernels.Float64, 3, 2), of(kernels.Float64, 2, 3)}, "has the shape (2, 3), and array"},
		{[]*Array{of(kernels.Float64, 3), of(kernels.Float64, 3, 1)}, "has the shape (3, 1)"},
		{[]*Array{of(kernels.Float64)}, "is a single number"},
		{[]*Array{of(kernels.Float64, 1<<55, 0), of(kernels.Float64, 1<<55, 0), of(kernels.Float64, 1<<55, 0)}, "take fewer"},
	} {
		if _, err := Concat(c.arrays...); !errors.As(err, &mismatch) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	var decoded *DecodedError
	if _, err := Concat(table, table); !errors.As(err, &decoded) {
		t.Errorf("decoded: %v", err)
	}
	if _, err := Concat(); err == nil {
		t.Error("nothing is an array")
	}
	// Of no elements there is a sum.
	empty, err := Concat(of(kernels.Float64, 0), of(kernels.Float64, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got := evaluated(t, pool, empty, "sum(x), size(x)"); got != evaluated(t, pool, of(kernels.Float64, 0), "sum(x), size(x)") {
		t.Error(got)
	}
	told(t, pool, empty)
}
