package supervisor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
)

// batches are the bytes of a file whose columns x (float64 with nulls, big-endian), i (int32)
// and h (float16) lie in batches, as in Arrow IPC files, with other bytes between.
type batches struct {
	path    string
	bytes   []byte
	rows    int64
	columns map[string]*format.Column
	places  map[string][]int64 // of each element
}

func newBatches(t *testing.T, lengths ...int64) *batches {
	t.Helper()
	b := &batches{columns: map[string]*format.Column{}, places: map[string][]int64{}}
	for name, typ := range map[string]kernels.Type{"x": kernels.Float64, "i": kernels.Int32, "h": kernels.Float16} {
		b.columns[name] = &format.Column{Array: format.Array{Name: name, Type: typ, Swapped: name == "x"}}
	}
	for _, n := range lengths {
		b.bytes = append(b.bytes, bytes.Repeat([]byte{0x5a}, 5)...)
		for _, name := range []string{"h", "x", "i"} {
			c := b.columns[name]
			p := format.Piece{Len: n}
			if name == "x" {
				p.Valid = int64(len(b.bytes))
				b.bytes = append(b.bytes, make([]byte, (n+7)/8)...)
				for k := range n {
					if isNull(b.rows + k) {
						c.Nulls++
					} else {
						b.bytes[p.Valid+k/8] |= 1 << (k % 8)
					}
				}
			}
			p.Offset = int64(len(b.bytes))
			b.bytes = append(b.bytes, make([]byte, n*int64(c.Type.Size()))...)
			c.Pieces = append(c.Pieces, p)
			for k := range n {
				b.places[name] = append(b.places[name], p.Offset+k*int64(c.Type.Size()))
			}
		}
		b.rows += n
	}
	b.bytes = append(b.bytes, 0x5a)
	for i := range b.rows {
		b.set("i", i, float64(int32(i*7919%10007-5000)))
		b.set("h", i, float64(i%512))
		if b.set("x", i, float64(i%1000)-300.5); isNull(i) {
			b.set("x", i, 1e300)
		}
	}
	for _, c := range b.columns {
		c.Shape = []int64{b.rows}
	}
	b.path = filepath.Join(t.TempDir(), "data")
	b.write(t)
	return b
}

func (b *batches) write(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(b.path, b.bytes, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (b *batches) set(name string, i int64, v float64) {
	to := b.bytes[b.places[name][i]:]
	switch name {
	case "x":
		binary.BigEndian.PutUint64(to, math.Float64bits(v))
	case "i":
		binary.LittleEndian.PutUint32(to, uint32(int32(v)))
	default:
		binary.LittleEndian.PutUint16(to, uint16(kernels.Float16.FloatBits(v)))
	}
}

// get returns an element of x or i.
func (b *batches) get(name string, i int64) float64 {
	from := b.bytes[b.places[name][i]:]
	if name == "x" {
		return math.Float64frombits(binary.BigEndian.Uint64(from))
	}
	return float64(int32(binary.LittleEndian.Uint32(from)))
}

// column is a column of the open file.
func (b *batches) column(f *File, name string) *Array { return f.lie(*b.columns[name]) }

// applied notes that an element of a column was set, unless it is null.
func (b *batches) applied(name string, to func(i int64) float64) {
	for i := range b.rows {
		if name != "x" || !isNull(i) {
			b.set(name, i, to(i))
		}
	}
}

func (b *batches) check(t *testing.T, when string) {
	t.Helper()
	got, err := os.ReadFile(b.path)
	if err != nil || !bytes.Equal(got, b.bytes) {
		at := 0
		for at < min(len(got), len(b.bytes)) && got[at] == b.bytes[at] {
			at++
		}
		t.Fatalf("%s: %v, %d bytes, want %d; the first wrong one is %d", when, err, len(got), len(b.bytes), at)
	}
}

// uneven are lengths of batches in which units and chunks begin anywhere.
func uneven() []int64 {
	lengths := []int64{5000, 1, 4096, 12345, 7, 3, 20000}
	for i := range int64(200) {
		lengths = append(lengths, 1+i%23)
	}
	return lengths
}

// A column that lies in several batches is changed in place: its elements, but for those
// that are null, and no other byte.
func TestColumnInBatchesIsChangedInPlace(t *testing.T) { onBothPools(t, columnInBatchesIsChanged) }

func columnInBatchesIsChanged(t *testing.T, start func(...Option) *Pool) {
	for _, chunk := range []uint64{1, 1 << 17, 0} {
		pool := start(Workers(2), ChunkBytes(chunk))
		b := newBatches(t, uneven()...)
		f := open(t, pool, b.path, rawOf(kernels.Uint8)).file
		x, i, h := b.column(f, "x"), b.column(f, "i"), b.column(f, "h")
		again := i.Named("again")
		least := -300.5
		for _, c := range []struct {
			text string
			of   *Array
			to   func(k int64) float64
		}{
			{"x - nanmin(x) + x*2", x, func(k int64) float64 { return b.get("x", k) - least + b.get("x", k)*2 }},
			{"i*3 - 1", i, func(k int64) float64 { return b.get("i", k)*3 - 1 }},
			{"h + h", h, func(k int64) float64 { return 2 * float64(k%512) }},
			{"x + i", x, func(k int64) float64 { return b.get("x", k) + b.get("i", k) }},
			{"x + 2*i[::-1] + i[5004]", x, func(k int64) float64 { return b.get("x", k) + 2*b.get("i", b.rows-1-k) + b.get("i", 5004) }},
			{"i - again//2", i, func(k int64) float64 { return b.get("i", k) - math.Floor(b.get("i", k)/2) }},
		} {
			q := Query{Text: c.text, Arrays: []*Array{x, i, h, again}, NullsAreNaN: true}
			if _, err := pool.EvalInPlace(t.Context(), q, c.of); err != nil {
				t.Fatalf("%s: %v", c.text, err)
			}
			b.applied(c.of.Name, c.to)
			b.check(t, c.text)
		}
		if left, err := filepath.Glob(b.path + ".*"); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// What lies in batches may be an input of what lies together, in another file.
func TestColumnInBatchesIsAddedInPlace(t *testing.T) {
	pool := start(t, Workers(2), ChunkBytes(1))
	b := newBatches(t, uneven()...)
	n := int(b.rows)
	path := float64File(t, 3, ramp(n), 5)
	y := openRaw(t, pool, path, 3, n).Named("y")
	i := b.column(open(t, pool, b.path, rawOf(kernels.Uint8)).file, "i")
	if _, err := pool.EvalInPlace(t.Context(), Query{Text: "y + i[::-1]", Arrays: []*Array{y, i}}, y); err != nil {
		t.Fatal(err)
	}
	holdsFile(t, path, 3, func(k int) float64 { return float64(k) + b.get("i", b.rows-1-int64(k)) }, n, 5)
	b.check(t, "the input")
}

func TestBatchesThatCannotBeChangedAreRefused(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	b := newBatches(t, uneven()...)
	f := open(t, pool, b.path, rawOf(kernels.Uint8)).file
	i := b.column(f, "i")
	moved := func(by func(p *format.Piece)) *Array {
		c := *b.columns["i"]
		c.Name, c.Pieces = "moved", slices.Clone(c.Pieces)
		by(&c.Pieces[2])
		return f.lie(c)
	}
	shifted := moved(func(p *format.Piece) { p.Offset += 4 })
	twice := moved(func(p *format.Piece) { p.Offset = b.columns["i"].Pieces[3].Offset })
	masked := *b.columns["x"]
	masked.Name, masked.Pieces = "masked", slices.Clone(masked.Pieces)
	masked.Pieces[0].Valid = masked.Pieces[3].Offset + 100
	for text, c := range map[string]struct {
		of   *Array
		want string
	}{
		"i + shifted":    {i, "not element for element"},
		"i + i[::-1]":    {i, "other places"},
		"moved + 1":      {twice, "belong to two of its pieces"},
		"masked + 1":     {f.lie(masked), "belong to two of its pieces"},
		"i + moved":      {i, "not element for element"},
		"i + moved[0]*0": {i, "not element for element"},
	} {
		arrays := []*Array{i, c.of, shifted.Named("shifted")}
		if c.of == i {
			arrays[1] = twice
		}
		_, err := pool.EvalInPlace(t.Context(), Query{Text: text, Arrays: arrays, NullsAreNaN: true}, c.of)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", text, err, c.want)
		}
	}
	var access *AccessError
	if err := pool.InPlace(t.Context(), mix.With(1), b.column(f, "i")); !errors.As(err, &access) || !strings.Contains(err.Error(), "in several pieces, which no kernel in Go but a reduction takes") {
		t.Errorf("a kernel: %v", err)
	}
	b.check(t, "refused")
	if left, err := filepath.Glob(b.path + ".*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Thousands of batches go into the header of a journal; where they do not, nothing is
// changed.
func TestThousandsOfBatchesAreChangedInPlace(t *testing.T) {
	pool := start(t, Workers(2))
	for rows, want := range map[int64]string{80_000: "", 1_600_000: "since its arrays lie in 200000 pieces"} {
		n := newNullables(rows)
		path := rawFile(t, 0, n.bytes)
		x := n.column(open(t, pool, path, rawOf(kernels.Uint8)).file, rows/8)
		before := bytes.Clone(n.bytes)
		_, err := pool.EvalInPlace(t.Context(), Query{Text: "x - nanmin(x) + x*2", Arrays: []*Array{x}, NullsAreNaN: true}, x, Backup())
		if n.applied(); want != "" {
			copy(n.bytes, before)
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d rows: %v", rows, err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, n.bytes) {
			t.Errorf("%d rows: %v: other bytes", rows, err)
		}
		if left, err := filepath.Glob(path + ".*"); err != nil || len(left) != boolInt(want == "") { // the backup
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// halfBatched is an expression, and halfChanged leaves a file as a run of it does that is
// killed while a worker stores its third unit, of which half is there.
const halfBatched = "2*x - nanmin(x) + i[::-1]"

func (b *batches) halfChanged(t *testing.T, pool *Pool) {
	t.Helper()
	f, err := pool.File(b.path, rawOf(kernels.Uint8))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x, i := b.column(f, "x"), b.column(f, "i")
	e, err := pool.compile(t.Context(), Query{Text: halfBatched, Arrays: []*Array{x, i}, NullsAreNaN: true}, expr.Options{Apart: true, As: x.Type, Order: expr.COrder})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	pass, err := e.reduce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	target, err := shm.OpenTarget(t.Context(), b.path, shm.TargetOptions{Patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	c := &change{pool: pool, target: target}
	if err := c.read(e, pass, halfBatched, x); err != nil {
		t.Fatal(err)
	}
	pieces, _ := x.several()
	c.job.Plan = cutOf(x.Array, pieces, 1<<16, 1)
	if err := c.open(t.Context(), x, taskOptions{}); err != nil {
		t.Fatal(err)
	}
	b.applied("x", func(k int64) float64 { return 2*b.get("x", k) + 300.5 + b.get("i", b.rows-1-k) })
	layout, log := c.journal.Layout(), c.journal.Mapping().Bytes()
	unit := int64(journal.UnitOf(kernels.Float64) / 8)
	for k := range 2*unit + unit/2 {
		at := b.places["x"][k]
		copy(target.Bytes()[at:at+8], b.bytes[at:])
	}
	for k := range unit {
		copy(log[layout.Areas+4096+uint64(8*k):], b.bytes[b.places["x"][2*unit+k]:][:8])
	}
	binary.LittleEndian.PutUint64(log[layout.Areas:], 2+1)
	binary.LittleEndian.PutUint64(log[layout.Marks:], 2)
	if err := errors.Join(c.journal.Close(), errors.Join(c.release()...)); err != nil {
		t.Fatal(err)
	}
}

func TestChangeOfBatchesIsResumed(t *testing.T) { onBothPools(t, changeOfBatchesIsResumed) }

func changeOfBatchesIsResumed(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	b := newBatches(t, uneven()...)
	b.halfChanged(t, pool)
	if err := pool.Resume(t.Context(), b.path); err != nil {
		t.Fatal(err)
	}
	b.check(t, "resumed")
	if left, err := filepath.Glob(b.path + ".*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A file whose batches are others, or in which something else lies between, is not gone on
// with.
func TestResumeRefusesOtherBatches(t *testing.T) {
	pool := start(t, Workers(2))
	for name, at := range map[string]func(b *batches) int64{
		"before all":      func(b *batches) int64 { return 0 },
		"between batches": func(b *batches) int64 { return b.columns["h"].Pieces[20].Offset - 1 },
		"behind all":      func(b *batches) int64 { return int64(len(b.bytes)) - 1 },
		"nulls":           func(b *batches) int64 { return b.columns["x"].Pieces[3].Valid + 2 },
	} {
		b := newBatches(t, uneven()...)
		b.halfChanged(t, pool)
		f, err := os.OpenFile(b.path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{0x77}, at(b)); err != nil {
			t.Fatal(err)
		}
		f.Close()
		var refused *JournalError
		if err := pool.Resume(t.Context(), b.path); !errors.As(err, &refused) || !strings.Contains(err.Error(), "has other bytes beside the array") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is abandoned is told by the bytes of the batches.
func TestRangesOfBatchesAreTheirs(t *testing.T) {
	pool := start(t, Workers(2))
	b := newBatches(t, uneven()...)
	b.halfChanged(t, pool)
	applied, rest, err := Abandon(b.path)
	if err != nil {
		t.Fatal(err)
	}
	unit := int64(journal.UnitOf(kernels.Float64) / 8)
	of := map[int64]bool{} // whether each byte of the elements is of those applied
	for k, at := range b.places["x"] {
		for i := range int64(8) {
			of[at+i] = int64(k) < 3*unit // the third one was repaired
		}
	}
	told := 0
	for i, ranges := range [][]Range{applied, rest} {
		for _, r := range ranges {
			for at := r.First; at <= r.Last; at++ {
				if is, ok := of[int64(at)]; !ok || is != (i == 0) {
					t.Fatalf("byte %d is told as one applied: %v", at, i == 0)
				}
				told++
			}
		}
	}
	if told != 8*int(b.rows) {
		t.Errorf("%d bytes are told of %d", told, 8*b.rows)
	}
}
