package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// fakeTable is a table of two columns whose elements are functions of their index.
type fakeTable struct {
	n, fail int64 // elements, and the one at which decoding fails, or -1
	how     string
}

// decodeHook, if not nil, is called before elements are decoded.
var decodeHook atomic.Pointer[func(first int64)]

func init() {
	format.RegisterTable(format.TableFormat{
		Name: "fake", Magic: "FAKE TABLE", Why: "it is none",
		Open: func(r io.ReaderAt, size int64, _ string, _ format.TableOptions) (format.Table, error) {
			text := make([]byte, size)
			r.ReadAt(text, 0)
			t := &fakeTable{}
			_, err := fmt.Sscanf(string(text), "FAKE TABLE %d %d %s", &t.n, &t.fail, &t.how)
			return t, err
		},
	})
}

func (t *fakeTable) Columns() []format.Column {
	shape := []int64{t.n}
	return []format.Column{
		{Array: format.Array{Name: "bad", Type: kernels.Float64, Shape: shape}, Err: errors.New("it is bad")},
		{Array: format.Array{Name: "a", Type: kernels.Float64, Shape: shape}},
		{Array: format.Array{Name: "b", Type: kernels.Int32, Shape: shape}, Nulls: 3},
	}
}

func (t *fakeTable) Close() error { return nil }

func (t *fakeTable) Decode(columns []int) (format.Decoder, error) {
	return &fakeDecoder{t: t, columns: columns}, nil
}

type fakeDecoder struct {
	t       *fakeTable
	columns []int
	at      int64
}

func (d *fakeDecoder) Close() error { return nil }

func (d *fakeDecoder) Skip(n int64) error {
	d.at += n
	return nil
}

func (d *fakeDecoder) Decode(dst [][]byte, n int) error {
	if hook := decodeHook.Load(); hook != nil {
		(*hook)(d.at)
	}
	for i := range n {
		if d.at == d.t.fail && d.t.how == "panic" {
			panic("no such page")
		} else if d.at == d.t.fail {
			return io.ErrUnexpectedEOF
		}
		for k, c := range d.columns {
			if c == 1 {
				binary.NativeEndian.PutUint64(dst[k][8*i:], math.Float64bits(fakeA(d.at)))
			} else {
				binary.NativeEndian.PutUint32(dst[k][4*i:], uint32(fakeB(d.at)))
			}
		}
		d.at++
	}
	return nil
}

func scrambled(i int64) uint64 {
	x := uint64(i+1) * 0x9e3779b97f4a7c15
	x ^= x >> 29
	return x * 0xbf58476d1ce4e5b9
}

func fakeA(i int64) float64 { return float64(int64(scrambled(i))) / 1e15 }
func fakeB(i int64) int32   { return int32(scrambled(i) >> 40) }

func fakeFile(t *testing.T, n, fail int64, how string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "table.fake")
	if err := os.WriteFile(path, fmt.Appendf(nil, "FAKE TABLE %d %d %s\n", n, fail, how), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// openFake opens a table and, as raw files, the same numbers mapped.
func openFake(t *testing.T, pool *Pool, n int64) (a, b, sameA, sameB *Array) {
	t.Helper()
	x, y := make([]float64, n), make([]int32, n)
	for i := range x {
		x[i], y[i] = fakeA(int64(i)), fakeB(int64(i))
	}
	f, err := pool.File(fakeFile(t, n, -1, "-"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	sameA = openRaw(t, pool, float64File(t, 0, x, 1), 0, int(n)).Named("a")
	sameB = open(t, pool, rawFile(t, 0, y), Raw(raw.Layout{Type: kernels.Int32})).Named("b")
	return f.Arrays()[0], f.Arrays()[1], sameA, sameB
}

func TestDecodedArrayHasTheBitsOfTheMappedOne(t *testing.T) {
	onBothPools(t, decodedArrayHasTheBitsOfTheMappedOne)
}

func decodedArrayHasTheBitsOfTheMappedOne(t *testing.T, start func(...Option) *Pool) {
	const n = 3*4096*8 + 1234
	for _, o := range [][]Option{
		{Workers(1), ChunkBytes(1), DecodeMemory(2 * 4096 * 12)}, // one chunk beside another
		{Workers(3), ChunkBytes(64 << 10), DecodeMemory(500 << 10)},
		{Workers(2)},
	} {
		pool := start(o...)
		a, b, sameA, sameB := openFake(t, pool, n)
		for _, pair := range [][2]*Array{{a, sameA}, {b, sameB}} {
			got, err := pool.Stat(t.Context(), pair[0])
			want, werr := pool.Stat(t.Context(), pair[1])
			if err != nil || werr != nil || got.Std(0).String() != want.Std(0).String() || got.Sum().String() != want.Sum().String() || got.Count() != n {
				t.Errorf("%v %v: %v of %d, %v of %d", err, werr, got.Sum(), got.Count(), want.Sum(), want.Count())
			}
		}
		const text = "sum(a*b), (a-mean(a))/std(a), max(b), a < 0"
		for _, mix := range [][2]*Array{{a, b}, {a, sameB}, {sameA, b}} {
			got, err := pool.Evaluate(t.Context(), Query{Text: text, Arrays: mix[:], NullsAreNaN: true}, 5)
			want, werr := pool.Evaluate(t.Context(), Query{Text: text, Arrays: []*Array{sameA, sameB}}, 5)
			if err != nil || werr != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%v %v:\n%v\n%v", err, werr, got, want)
			}
			var files [2][]byte
			for i, arrays := range [][]*Array{mix[:], {sameA, sameB}} {
				path := filepath.Join(t.TempDir(), "out.npy")
				if _, _, err := pool.EvalTo(t.Context(), Query{Text: "a*b-mean(a)", Arrays: arrays, NullsAreNaN: true}, path, false); err != nil {
					t.Fatal(err)
				}
				if files[i], err = os.ReadFile(path); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(files[0], files[1]) {
				t.Error("files differ")
			}
		}
		got, err := Reduce(t.Context(), pool, negatives.With(1), a)
		want, werr := Reduce(t.Context(), pool, negatives.With(1), sameA)
		if err != nil || werr != nil || got != want || got == 0 {
			t.Errorf("%v %v: %d, want %d", err, werr, got, want)
		}
	}
}

// A description takes several passes, in each of which all is decoded again.
func TestDecodedArrayIsDescribedAsTheMappedOne(t *testing.T) {
	onBothPools(t, decodedArrayIsDescribedAsTheMappedOne)
}

func decodedArrayIsDescribedAsTheMappedOne(t *testing.T, start func(...Option) *Pool) {
	const n = 40*4096 + 1234
	for _, o := range [][]Option{
		{Workers(1), ChunkBytes(1), DecodeMemory(2 * 4096 * 8)},
		{Workers(3), ChunkBytes(64 << 10), DecodeMemory(500 << 10)},
		{Workers(2)},
	} {
		pool := start(o...)
		a, b, sameA, sameB := openFake(t, pool, n)
		for _, pair := range [][2]*Array{{a, sameA}, {b, sameB}} {
			for _, rule := range []string{"7", "fd"} {
				bins, err := kernels.ParseBins(rule)
				if err != nil {
					t.Fatal(err)
				}
				q := Inquiry{Quantiles: []float64{0, 0.01, 0.5, 0.999, 1}, Histogram: true, Bins: bins}
				got, err := pool.Describe(t.Context(), pair[0], q)
				want, werr := pool.Describe(t.Context(), pair[1], q)
				if err != nil || werr != nil || want.Histogram == nil || got.Count() != n || !reflect.DeepEqual(got, want) {
					t.Errorf("%s: %v %v:\n%+v\n%+v", rule, err, werr, got, want)
				}
			}
			got, err := pool.Quantiles(t.Context(), pair[0], kernels.Linear, 0.3, 0.5)
			want, werr := pool.Quantiles(t.Context(), pair[1], kernels.Linear, 0.3, 0.5)
			if err != nil || werr != nil || !slices.Equal(got, want) {
				t.Errorf("%v %v: %v, want %v", err, werr, got, want)
			}
		}
		if left := roomTaken(t, a.file.decoding.memory); left != 0 {
			t.Errorf("%d bytes are left", left)
		}
		var decoded *DecodedError
		if _, err := pool.DescribeColumns(t.Context(), a); !errors.As(err, &decoded) {
			t.Errorf("%v", err)
		}
	}
}

// What chunks go through in order is decoded, from wherever it begins; anything else
// is refused.
func TestPartsOfDecodedArraysAreThoseOfTheMappedOnes(t *testing.T) {
	onBothPools(t, partsOfDecodedArraysAreThoseOfTheMappedOnes)
}

func partsOfDecodedArraysAreThoseOfTheMappedOnes(t *testing.T, start func(...Option) *Pool) {
	const n = 5*4096 + 77
	pool := start(Workers(2), ChunkBytes(1), DecodeMemory(200<<10))
	a, b, sameA, sameB := openFake(t, pool, n)
	xs := make([]float64, 3*n)
	for i := range xs {
		xs[i] = fakeA(int64(i) + 5)
	}
	plane := open(t, pool, rawFile(t, 0, xs), Raw(raw.Layout{Type: kernels.Float64, Shape: []int64{3, n}})).Named("m")
	line := open(t, pool, rawFile(t, 0, xs[:n]), Raw(raw.Layout{Type: kernels.Float64, Shape: []int64{1, n}})).Named("r")
	for _, c := range []struct {
		text, where string
		refused     bool
	}{
		{text: "sum(a[5:]), a[5000:] + 1, mean(a[3:]*b[3:])"},
		{text: "a[-3:], b[9000:9001], a[:10], a[:4097]"},
		{text: "a[4095:4099] + b[4095:4099]"},
		{text: "a[4097]"},
		{text: "a[-1] + b[-1]"},
		{text: "a*r, sum(a*r)"},
		{text: "max(a, axis=0), a - mean(a, keepdims=True)"},
		{text: "sum(a), mean(b)", where: "a > 0"},
		{text: "sum(a)", where: "b > 0"},
		{text: "a[::2]", refused: true},
		{text: "sum(a[::-1])", refused: true},
		{text: "a[1:] - a[:-1]", refused: true},
		{text: "a[-1] + b[0]", refused: true},
		{text: "sum(a*a[7])", refused: true},
		{text: "a*a[7:8]", refused: true},
		{text: "m*a", refused: true},
		{text: "sum(m+a, axis=0)", refused: true},
		{text: "sum(m+a, axis=1)", refused: true},
		{text: "sum(r*a, axis=0)", refused: true},
	} {
		want, err := pool.Evaluate(t.Context(), Query{Text: c.text, Where: c.where, Arrays: []*Array{sameA, sameB, plane, line}}, 5)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pool.Evaluate(t.Context(), Query{Text: c.text, Where: c.where, Arrays: []*Array{a, b, plane, line}, NullsAreNaN: true}, 5)
		var decoded *DecodedError
		if refused := errors.As(err, &decoded); refused != c.refused || !refused && (err != nil || fmt.Sprint(got) != fmt.Sprint(want)) {
			t.Errorf("%s: %v\n%v\n%v", c.text, err, got, want)
		}
	}
	for _, q := range []Query{{Text: "a*2"}, {Text: "a*b", Where: "(b > 1000) & (a < 0)"}, {Text: "a - mean(a)", Where: "a > 0"}, {Text: "b", Where: "a > 1e30"}, {Text: "a[4099:]"}} {
		var files [2][]byte
		for i, arrays := range [][]*Array{{a, b}, {sameA, sameB}} {
			path := filepath.Join(t.TempDir(), "out.npy")
			q.Arrays, q.NullsAreNaN = arrays, i == 0
			if _, _, err := pool.EvalTo(t.Context(), q, path, false); err != nil {
				t.Fatal(err)
			}
			var err error
			if files[i], err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(files[0], files[1]) {
			t.Errorf("%+v: files differ", q)
		}
	}
	if left := roomTaken(t, a.file.decoding.memory); left != 0 {
		t.Errorf("%d bytes are left", left)
	}
}

// No more is in memory than may be, and nothing is when the pass is over.
func TestDecodedElementsStayWithinTheirMemory(t *testing.T) {
	onBothPools(t, decodedElementsStayWithinTheirMemory)
}

func decodedElementsStayWithinTheirMemory(t *testing.T, start func(...Option) *Pool) {
	const limit = 200 << 10
	pool := start(Workers(2), ChunkBytes(1), DecodeMemory(limit))
	a, b, _, _ := openFake(t, pool, 200*4096)
	most := int64(0)
	hook := func(int64) { most = max(most, roomTaken(t, a.file.decoding.memory)) }
	decodeHook.Store(&hook)
	defer decodeHook.Store(nil)
	// Chunks of a part begin within pages, of which one more of each array is there.
	for text, more := range map[string]int64{"sum(a) + sum(b)": 0, "sum(a[5:]) + sum(b[5:])": 2 * int64(os.Getpagesize())} {
		most = 0
		if _, err := pool.Evaluate(t.Context(), Query{Text: text, Arrays: []*Array{a, b}, NullsAreNaN: true}, 0); err != nil {
			t.Fatal(err)
		}
		if left := roomTaken(t, a.file.decoding.memory); most > limit+more || left != 0 {
			t.Errorf("%s: %d bytes at most, %d at the end, of %d", text, most, left, limit)
		}
	}
	var memory *DecodeMemoryError
	small := start(Workers(1), DecodeMemory(1000))
	x, _, _, _ := openFake(t, small, 100000)
	if _, err := small.Stat(t.Context(), x); !errors.As(err, &memory) || !strings.Contains(err.Error(), "--decode-memory") {
		t.Errorf("%v", err)
	}
}

func TestDecoderThatFailsFailsTheJobAlone(t *testing.T) {
	onBothPools(t, decoderThatFailsFailsTheJobAlone)
}

func decoderThatFailsFailsTheJobAlone(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2), ChunkBytes(1))
	for _, how := range []string{"error", "panic"} {
		for _, at := range []int64{0, 4096, 99999} {
			x := open(t, pool, fakeFile(t, 100000, at, how))
			_, err := pool.Stat(t.Context(), x)
			var damaged *format.Error
			if how == "error" && !errors.Is(err, io.ErrUnexpectedEOF) || how == "panic" && (!errors.As(err, &damaged) || !strings.Contains(err.Error(), "table.fake")) {
				t.Errorf("%s at %d: %v", how, at, err)
			}
			out := filepath.Join(t.TempDir(), "out.npy")
			if _, _, err := pool.EvalTo(t.Context(), Query{Text: "a*2", Arrays: []*Array{x}}, out, false); err == nil {
				t.Error("no error")
			}
			if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%v", err)
			}
		}
	}
	a, _, _, _ := openFake(t, pool, 50000)
	if s, err := pool.Stat(t.Context(), a); err != nil || s.Count() != 50000 {
		t.Errorf("%v", err)
	}
}

func TestFileThatChangesWhileItIsDecodedIsNoticed(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	path := fakeFile(t, 200000, 150000, "error")
	x := open(t, pool, path)
	hook := func(first int64) {
		if first == 8192 {
			os.Truncate(path, 5)
		}
	}
	decodeHook.Store(&hook)
	defer decodeHook.Store(nil)
	var changed *shm.ChangedError
	if _, err := pool.Stat(t.Context(), x); !errors.As(err, &changed) || changed.Path != path {
		t.Errorf("%v", err)
	}
}

// Passes over one file take turns.
func TestPassesOverADecodedFileTakeTurns(t *testing.T) {
	pool := start(t, Workers(2), ChunkBytes(1), DecodeMemory(200<<10))
	a, _, sameA, _ := openFake(t, pool, 100000)
	want, err := pool.Stat(t.Context(), sameA)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if got, err := pool.Stat(t.Context(), a); err != nil || got.Sum().String() != want.Sum().String() {
				t.Errorf("%v: %v, want %v", err, got.Sum(), want.Sum())
			}
		})
	}
	all.Wait()
}

func TestDecodedArraysAreRefusedWhereAllIsNeeded(t *testing.T) {
	pool := start(t, Workers(1))
	a, b, sameA, _ := openFake(t, pool, 10000)
	var decoded *DecodedError
	if _, err := pool.EvalInPlace(t.Context(), Query{Text: "a*2", Arrays: []*Array{a}}, a); !errors.As(err, &decoded) {
		t.Errorf("%v", err)
	}
	same := sameA.Named("y")
	if _, err := pool.EvalInPlace(t.Context(), Query{Text: "y+a", Arrays: []*Array{same, a}}, same); !errors.As(err, &decoded) {
		t.Errorf("%v", err)
	}
	if err := pool.InPlace(t.Context(), affine.With([2]float64{1, 2}), a); !errors.As(err, &decoded) {
		t.Errorf("%v", err)
	}
	if _, err := Submit(pool, plain.With(0), a); !errors.As(err, &decoded) {
		t.Errorf("%v", err)
	}
	var nulls *NullsError
	if _, err := pool.Eval(t.Context(), "sum(b)", b); !errors.As(err, &nulls) || nulls.Nulls != 3 || nulls.Array != "b" {
		t.Errorf("%v", err)
	}
	if n, known := b.Nulls(); n != 3 || !known {
		t.Errorf("%d, %v", n, known)
	}
	if refused := a.file.Refused(); len(refused) != 1 || refused[0].Name != "bad" {
		t.Errorf("%v", refused)
	}
}

var negatives = kernels.NewReduce("test.negatives", func(n *int64, x []float64, _ int64) error {
	for _, v := range x {
		if v < 0 {
			*n++
		}
	}
	return nil
}, func(a, b int64) int64 { return a + b })

var dieAt = kernels.NewReduce("test.die-at", func(n *int64, x []float64, poison float64) error {
	if slices.Contains(x, poison) {
		os.Exit(3)
	}
	*n += int64(len(x))
	return nil
}, func(a, b int64) int64 { return a + b })

// Arrays that are wanted together are decoded in one pass, while they fit, and have the
// results that they have alone.
func TestArraysAreDecodedTogether(t *testing.T) { onBothPools(t, arraysAreDecodedTogether) }

func arraysAreDecodedTogether(t *testing.T, start func(...Option) *Pool) {
	const n = 3*4096*8 + 1234
	for _, c := range []struct {
		memory int64
		passes int64 // that decode, of six; a is described again, when it is not wanted any more
	}{
		{1 << 30, 1 + 2},       // both at once
		{2 * n * 8, 1 + 1 + 2}, // one at a time
		{4 * 64 << 10, 6},      // neither
	} {
		pool := start(Workers(2), ChunkBytes(64<<10), DecodeMemory(c.memory))
		a, b, sameA, sameB := openFake(t, pool, n)
		var passes atomic.Int64
		hook := func(first int64) {
			if first == 0 {
				passes.Add(1)
			}
		}
		decodeHook.Store(&hook)
		describe := func(x, same *Array) {
			t.Helper()
			q := Inquiry{Quantiles: []float64{0.5}}
			got, err := pool.Describe(t.Context(), x, q)
			want, werr := pool.Describe(t.Context(), same, q)
			if err != nil || werr != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%v %v: %+v, want %+v", err, werr, got, want)
			}
		}
		done := pool.Together(a, b)
		for _, x := range []struct{ x, same *Array }{{a, sameA}, {b, sameB}} {
			describe(x.x, x.same)
			if err := done(x.x); err != nil {
				t.Error(err)
			}
		}
		describe(a, sameA)
		decodeHook.Store(nil)
		if got := passes.Load(); got != c.passes {
			t.Errorf("with memory for %d bytes there are %d passes, want %d", c.memory, got, c.passes)
		}
	}
}
