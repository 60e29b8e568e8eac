package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
)

func testHeader() *Header {
	return &Header{
		Gangsaw: "v1", Boot: "b", Target: Target{Path: "x.npy", Size: 200000, Inode: 7, Born: 8, Around: math.MaxUint64},
		Array:   ArrayOf(format.Array{Name: "x", Type: kernels.Float64, Shape: []int64{20000}, Offset: 128}),
		Program: Program{Kernel: "scale", Params: []byte{0, 255}, Build: "ab"},
		Chunk:   65536, Unit: 16384,
	}
}

func TestLayoutIsPinned(t *testing.T) {
	h := testHeader()
	g, err := h.geometry()
	if err != nil {
		t.Fatal(err)
	}
	head, err := h.encode()
	if err != nil {
		t.Fatal(err)
	}
	l := g.layout(uint64(len(head)), 3)
	first, length := l.unit(160000-2*65536, 1)
	for name, c := range map[string][2]uint64{
		"header":           {uint64(len(head)), 4096},
		"chunks":           {g.Chunks(), 3},
		"marks":            {l.mark(2), 4096 + 16},
		"areas":            {l.armed(0), 8192},
		"second area":      {l.armed(1), 8192 + 4096 + 16384},
		"second scratch":   {l.scratch(1), 8192 + 2*4096 + 16384},
		"size":             {l.size(), 8192 + 3*(4096+16384)},
		"units":            {l.units(65536), 4},
		"units of less":    {l.units(65537), 5},
		"unit 1":           {first, 16384},
		"the rest":         {length, 160000 - 2*65536 - 16384},
		"armed":            {armedWord(5, 3), 5<<24 + 4},
		"unit of float64":  {UnitOf(kernels.Float64), 16384},
		"unit of int8":     {UnitOf(kernels.Int8), 4096},
		"unit of bfloat16": {UnitOf(kernels.BFloat16), 8192},
		"length of header": {uint64(binary.LittleEndian.Uint32(head[18:])), uint64(len(bytes.TrimRight(head[64:], "\x00")))},
	} {
		if c[0] != c[1] {
			t.Errorf("%s: %d, want %d", name, c[0], c[1])
		}
	}
	if !bytes.HasPrefix(head, []byte("gangsaw journal 2\n")) {
		t.Errorf("%q", head[:18])
	}
	for _, c := range [][2]uint64{{0, 0}, {5, maxUnits - 1}, {maxMarks / 8, 0}} {
		if chunk, unit, ok := armedFor(armedWord(c[0], c[1])); !ok || chunk != c[0] || unit != c[1] {
			t.Errorf("armed for %v: %d, %d, %v", c, chunk, unit, ok)
		}
	}
	if _, _, ok := armedFor(0); ok {
		t.Error("zero is armed")
	}
}

func TestJournalReadsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy.gangsaw")
	if _, err := Open(path, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	// What a run that was cut short has left is no journal, and in nobody's way.
	if err := os.WriteFile(path+".new", []byte("half"), 0o400); err != nil {
		t.Fatal(err)
	}
	want := testHeader()
	made, err := Create(path, want, 3, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if exists(path+".new") || !exists(path) {
		t.Error("the journal has not got its name")
	}
	j, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if !reflect.DeepEqual(j.Header, want) || j.layout != made.layout || j.geometry != made.geometry {
		t.Errorf("%+v, %+v, want %+v, %+v", j.Header, j.layout, want, made.layout)
	}
	binary.LittleEndian.PutUint64(made.mapping.Bytes()[made.layout.mark(1):], 2)
	applied, rest, err := j.Ranges()
	if err != nil || !reflect.DeepEqual(applied, []Range{{128 + 65536, 128 + 65536 + 2*16384 - 1}}) ||
		!reflect.DeepEqual(rest, []Range{{128, 128 + 65535}, {128 + 65536 + 2*16384, 128 + 159999}}) {
		t.Errorf("%v, %v, %v", applied, rest, err)
	}
	if err := j.Grow(40); err != nil || j.layout.Count != 40 || len(j.mapping.Bytes()) != int(j.layout.size()) {
		t.Errorf("%+v, %v", j.layout, err)
	}
	if finished, err := j.Finished(1); finished || err != nil {
		t.Errorf("%v, %v", finished, err)
	}
	binary.LittleEndian.PutUint64(made.mapping.Bytes()[made.layout.mark(1):], 4)
	if finished, err := j.Finished(1); !finished || err != nil {
		t.Errorf("%v, %v", finished, err)
	}
	if err := j.Remove(); err != nil || exists(path) {
		t.Errorf("%v", err)
	}
}

// What the shared words say is held against what there is.
func TestRepairAndPenRefuseWhatCannotBe(t *testing.T) {
	r := newReplay(t)
	l, log := r.journal.layout, r.journal.mapping.Bytes()
	data := r.target.Bytes()[8:40]
	put := func(at, v uint64) { binary.LittleEndian.PutUint64(log[at:], v) }
	for _, word := range []uint64{armedWord(mChunks, 0), armedWord(math.MaxUint64>>unitBits, 5), math.MaxUint64} {
		put(l.armed(0), word)
		if err := r.journal.Repair(0, r.target); err == nil {
			t.Errorf("armed with %#x", word)
		}
	}
	put(l.armed(0), armedWord(1, mUnits))
	put(l.mark(1), mUnits)
	if err := r.journal.Repair(0, r.target); err == nil {
		t.Error("a unit beyond the chunk was repaired")
	}
	put(l.mark(1), mUnits+1)
	if _, err := l.NewPen(log, 0, 1, data); err == nil {
		t.Error("a mark beyond the chunk was taken")
	}
	put(l.mark(1), 0)
	for name, bad := range map[string]func(l Layout) (*Pen, error){
		"area":      func(l Layout) (*Pen, error) { return l.NewPen(log, mWorkers, 1, data) },
		"chunk":     func(l Layout) (*Pen, error) { return l.NewPen(log, 0, math.MaxUint64, data) },
		"mark":      func(l Layout) (*Pen, error) { return l.NewPen(log, 0, 1<<20, data) },
		"unit":      func(l Layout) (*Pen, error) { l.Unit = 0; return l.NewPen(log, 0, 1, data) },
		"long unit": func(l Layout) (*Pen, error) { l.Unit = math.MaxUint64; return l.NewPen(log, 0, 1, data) },
		"marks":     func(l Layout) (*Pen, error) { l.Marks = math.MaxUint64 - 7; return l.NewPen(log, 0, 1, data) },
		"misplaced": func(l Layout) (*Pen, error) { l.Marks = 1; return l.NewPen(log, 0, 1, data) },
		"areas":     func(l Layout) (*Pen, error) { l.Areas = maxBytes; return l.NewPen(log, 0, 1, data) },
		"short":     func(l Layout) (*Pen, error) { return l.NewPen(log[:l.scratch(0)+8], 0, 1, data) },
	} {
		if p, err := bad(l); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if _, err := l.NewPen(log, 0, 1, data); err != nil {
		t.Error(err)
	}
	// A file that has become shorter is not made longer.
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, 80), 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := shm.OpenTarget(t.Context(), path, shm.TargetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	if err := os.Truncate(path, 50); err != nil {
		t.Fatal(err)
	}
	put(l.armed(0), armedWord(1, 1))
	put(l.mark(1), 1)
	if err := r.journal.Repair(0, target); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 50 {
		t.Errorf("%v, %v", info, err)
	}
}

func FuzzParseHeader(f *testing.F) {
	h := testHeader()
	b, err := h.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[headerAt:])
	b, err = piecesHeader().encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.TrimRight(b[headerAt:], "\x00"))
	f.Add([]byte(`{"Array":{"Type":"int8","Shape":[9223372036854775807,2]},"Chunk":4096,"Unit":4096,"Target":{"Size":5}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		// With the right checksum, or nothing would get further.
		b := make([]byte, headerAt, headerAt+len(text))
		copy(b, magic)
		binary.LittleEndian.PutUint32(b[len(magic):], uint32(len(text)))
		binary.LittleEndian.PutUint32(b[len(magic)+4:], checksum(text))
		b = append(b, text...)
		n, err := headerSize(b)
		if err != nil {
			return
		}
		h, err := parseHeader(b[:n])
		if err != nil {
			return
		}
		g, err := h.geometry()
		if err != nil {
			t.Fatalf("%+v was accepted: %v", h, err)
		}
		l := g.layout(n, 3)
		if err := l.check(); err != nil || l.size() > 1<<40 || g.Chunks() == 0 || l.units(g.Chunk) > maxUnits {
			t.Errorf("%+v, %+v: %v", g, l, err)
		}
		array, err := h.array()
		if err != nil || array.Size() != int64(g.Bytes) || array.Offset+array.Size() > h.Target.Size {
			t.Errorf("%+v: %v", array, err)
		}
	})
}

// Two files of one number on two file systems have journals of their own.
func TestNamesInADirectoryTellFilesApart(t *testing.T) {
	var names [2]string
	for i := range names {
		path := filepath.Join(t.TempDir(), "x.npy")
		if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := shm.OpenMapping(path)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if names[i], err = Name(m, "/journals"); err != nil || filepath.Dir(names[i]) != "/journals" || len(names[i]) > 100 {
			t.Fatalf("%s, %v", names[i], err)
		}
	}
	if names[0] == names[1] {
		t.Errorf("the journals of two files are both %s", names[0])
	}
}

func TestJournalThatCannotBeMadeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "j")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if j, err := Create(path, testHeader(), 3, 0o644); err == nil {
		t.Errorf("%+v was put in the place of another", j)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
	if got, err := os.ReadFile(path); err != nil || len(got) != 0 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// An area whose unit was not stored to the end is not used before it is repaired.
func TestPenRefusesAnAreaThatIsToBeRepaired(t *testing.T) {
	r := newReplay(t)
	l, log := r.journal.layout, r.journal.mapping.Bytes()
	binary.LittleEndian.PutUint64(log[l.armed(1):], armedWord(0, 1))
	binary.LittleEndian.PutUint64(log[l.mark(0):], 1)
	if _, err := l.NewPen(log, 1, 1, r.target.Bytes()[8:40]); err == nil {
		t.Error("the scratch would be written over")
	}
	if err := r.journal.Repair(1, r.target); err != nil {
		t.Fatal(err)
	}
	p, err := l.NewPen(log, 1, 1, r.target.Bytes()[8:40])
	if err != nil {
		t.Fatal(err)
	}
	// Left in the middle of a store.
	func() {
		defer func() { recover() }()
		p.data = p.data[:20]
		p.Run(func(dst, src []byte, at int) error {
			if at > 0 {
				panic("a kernel is no store")
			}
			return nil
		}, func(int) {})
	}()
	if p.Torn() {
		t.Error("a panic of the kernel is taken for one of a store")
	}
}
