package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
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

// testPieces are three of 20000 elements, of which the second is the first in the file.
func testPieces() Pieces {
	return Pieces{{Offset: 40000, Len: 3000, Valid: 39000}, {Offset: 1000, Len: 100}, {Offset: 66003, Len: 16900}}
}

func piecesHeader() *Header {
	h := testHeader()
	h.Array.Offset, h.Array.Pieces = 0, testPieces()
	h.Target.Size = 300_000
	h.Program = Program{Code: []byte("RPN"), Shape: []uint64{20000}, Inputs: []Input{
		{Replaced: true},
		{Target: h.Target, Array: h.Array, Along: &Along{Axis: 0, First: 19999, Step: -1}},
	}}
	return h
}

// A unit that crosses pieces is put into all of them, and nothing else is written.
func TestRepairedUnitCrossesPieces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	before := bytes.Repeat([]byte{0x5a}, 300_000)
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := shm.OpenTarget(t.Context(), path, shm.TargetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	header := piecesHeader()
	made, err := Create(path+".gangsaw", header, 1, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	j, err := Open(path+".gangsaw", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if !reflect.DeepEqual(j.Header, header) {
		t.Errorf("%+v, want %+v", j.Header, header)
	}
	// Elements 2048 to 4095: 952 of the first piece, all 100 of the second, 996 of the third.
	log, l := j.mapping.Bytes(), j.layout
	for i := range 2048 {
		binary.LittleEndian.PutUint64(log[l.scratch(0)+uint64(8*i):], uint64(i))
	}
	binary.LittleEndian.PutUint64(log[l.armed(0):], armedWord(0, 1))
	binary.LittleEndian.PutUint64(log[l.mark(0):], 1)
	for range 2 {
		if err := j.Repair(0, target); err != nil {
			t.Fatal(err)
		}
	}
	want, unit := before, 0
	for _, part := range []struct{ at, n int }{{40000 + 8*2048, 952}, {1000, 100}, {66003, 996}} {
		for i := range part.n {
			binary.LittleEndian.PutUint64(want[part.at+8*i:], uint64(unit))
			unit++
		}
	}
	if got, err := os.ReadFile(path); err != nil || unit != 2048 || !bytes.Equal(got, want) {
		t.Errorf("%v: other bytes", err)
	}
	applied, rest, err := j.Ranges()
	if err != nil || !reflect.DeepEqual(applied, []Range{{40000, 63999}, {1000, 1799}, {66003, 66003 + 8*996 - 1}}) ||
		!reflect.DeepEqual(rest, []Range{{66003 + 8*996, 66003 + 8*16900 - 1}}) {
		t.Errorf("%v, %v, %v", applied, rest, err)
	}
	if all := j.All(); !reflect.DeepEqual(all, []Range{{40000, 63999}, {1000, 1799}, {66003, 66003 + 8*16900 - 1}}) {
		t.Errorf("%v", all)
	}
}

func TestPiecesTakeFewBytes(t *testing.T) {
	var many Pieces
	for i := range int64(10_000) {
		many = append(many, format.Piece{Offset: i * 3_000_000, Len: 65536, Valid: i*3_000_000 - 8192})
	}
	many[0].Valid, many[5].Valid = 0, 0
	for _, p := range []Pieces{many, testPieces(), {{Offset: math.MaxInt64, Len: math.MaxInt64, Valid: math.MaxInt64}, {}}} {
		text, err := json.Marshal(p)
		if err != nil || len(text) > 20*len(p)+60 {
			t.Fatalf("%d bytes, %v", len(text), err)
		}
		var got Pieces
		if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, p) {
			t.Errorf("%v, %v, want %v", got, err, p)
		}
	}
	for _, text := range []string{`"AA=="`, `"AAA="`, `"gICAgICAgICAgIA="`, `5`, `"?"`, `["AAAA"]`} {
		var got Pieces
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// Whatever a header says of pieces, elements lie in the file, and each in one place.
func TestHeaderOfPiecesThatCannotBeIsRefused(t *testing.T) {
	parse := func(h *Header) error {
		b, err := h.encode()
		if err != nil {
			t.Fatal(err)
		}
		n, err := headerSize(b)
		if err == nil {
			_, err = parseHeader(b[:n])
		}
		return err
	}
	if err := parse(piecesHeader()); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]func(h *Header){
		"one overlaps":      func(h *Header) { h.Array.Pieces[1].Offset = 39999 },
		"one inside":        func(h *Header) { h.Array.Pieces[1].Offset = 66003 + 8*1000 },
		"nulls in elements": func(h *Header) { h.Array.Pieces[0].Valid = 1100 },
		"nulls around":      func(h *Header) { h.Array.Pieces[2].Valid = 999 },
		"too few":           func(h *Header) { h.Array.Pieces[1].Len-- },
		"too many":          func(h *Header) { h.Array.Pieces[1].Len++ },
		"none":              func(h *Header) { h.Array.Pieces[1].Len = 0 },
		"negative length":   func(h *Header) { h.Array.Pieces[1].Len = -5; h.Array.Pieces[2].Len += 105 },
		"negative offset":   func(h *Header) { h.Array.Pieces[1].Offset = -8 },
		"behind the end":    func(h *Header) { h.Array.Pieces[2].Offset = 300_000 - 8*16900 + 1 },
		"far behind":        func(h *Header) { h.Array.Pieces[1].Offset = math.MaxInt64 - 8 },
		"negative nulls":    func(h *Header) { h.Array.Pieces[1].Valid = -1 },
		"nulls far":         func(h *Header) { h.Array.Pieces[1].Valid = math.MaxInt64 },
		"nulls behind":      func(h *Header) { h.Array.Pieces[1].Valid = 300_000 - 12 },
		"nulls of integers": func(h *Header) { h.Array.Type = "int64" },
		"an offset":         func(h *Header) { h.Array.Offset = 8 },
		"strides":           func(h *Header) { h.Array.Strides = []int64{8} },
		"two axes":          func(h *Header) { h.Array.Shape = []int64{20000, 1} },
		"scaled": func(h *Header) {
			h.Array.Scaling = &kernels.Scaling{Stored: kernels.Float64, Type: kernels.Float64, Factor: 2}
		},
		"checksums": func(h *Header) {
			h.Checksums = []format.Checksum{{Kind: "CRC-32", Offset: 5, Size: 4}}
		},
		"a kernel":      func(h *Header) { h.Program.Kernel = "scale" },
		"another shape": func(h *Header) { h.Program.Shape[0]-- },
		"more axes":     func(h *Header) { h.Program.Shape = []uint64{20000, 1} },
		"no way along":  func(h *Header) { h.Program.Inputs[1].Along = nil },
		"a way of none": func(h *Header) {
			h.Program.Inputs[1].Array.Pieces, h.Program.Inputs[1].Along = nil, &Along{Step: 1}
		},
		"no axis":     func(h *Header) { h.Program.Inputs[1].Along.Axis = 1 },
		"axis -1":     func(h *Header) { h.Program.Inputs[1].Along.Axis = -1 },
		"no step":     func(h *Header) { h.Program.Inputs[1].Along.Step = 0 },
		"a long step": func(h *Header) { h.Program.Inputs[1].Along.Step = math.MinInt64 },
		"too far":     func(h *Header) { h.Program.Inputs[1].Along.Step = -2 },
		"upwards":     func(h *Header) { h.Program.Inputs[1].Along.Step = 1 },
		"outside":     func(h *Header) { h.Program.Inputs[1].Along.First = 20000 },
		"before":      func(h *Header) { h.Program.Inputs[1].Along.First = -1 },
	} {
		h := piecesHeader()
		h.Program.Inputs[1].Array.Pieces = testPieces()
		if bad(h); parse(h) == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	// Who reads only may do so twice.
	h := piecesHeader()
	h.Program.Inputs[1].Array.Pieces = testPieces()
	h.Program.Inputs[1].Array.Pieces[1].Offset = 40000
	if err := parse(h); err != nil {
		t.Error(err)
	}
	h.Program.Text = strings.Repeat("x", headerMost)
	if _, err := h.encode(); err == nil || !strings.Contains(err.Error(), "its arrays lie in 6 pieces") {
		t.Errorf("%v", err)
	}
}

// Every byte beside the pieces, and up to some distance from them, is known again, and none of
// theirs is looked at.
func TestIdentityLeavesOutThePieces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	const size = 5 << 20
	b := make([]byte, size)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := shm.OpenMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	a := format.Array{Type: kernels.Float64, Shape: []int64{20000}}
	first, err := TargetOf(m, a, testPieces())
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for at, known := range map[int64]bool{
		0: true, 999: true, 1000: false, 1799: false, 1800: true, 1800 + 4095: true, 39999: true, 40000: false, 63999: false,
		64000: true, 66002: true, 66003: false, 66003 + 8*16900 - 1: false, 66003 + 8*16900: true, 1 << 20: true, size - 1: true, size - 1<<20: true,
		20000: false, 3 << 20: false, // far from all
	} {
		if _, err := f.WriteAt([]byte{1}, at); err != nil {
			t.Fatal(err)
		}
		now, err := TargetOf(m, a, testPieces())
		if err != nil || (now.Around != first.Around) != known {
			t.Errorf("byte %d: known again: %v, %v", at, now.Around == first.Around, err)
		}
		if _, err := f.WriteAt([]byte{0}, at); err != nil {
			t.Fatal(err)
		}
	}
}
