package wire

import (
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

func testBinding() *Binding {
	return &Binding{
		Shape: []uint64{2, 3}, Tile: 1, First: 1, Length: 5,
		Chunk:   4096,
		Inputs:  []Source{{Mapping: 1, Type: kernels.Float64, Offset: 128}, {Mapping: 2, Type: kernels.Int8, Swapped: true, Offset: 5, Strides: []int64{-1, 8}}},
		Program: []byte("abc"),
	}
}

// piecesBinding has an input in two pieces along the second axis.
func piecesBinding() *Binding {
	b := testBinding()
	b.Inputs = append(b.Inputs, Source{Mapping: NoMapping, Type: kernels.Float16, Axis: 1, Pieces: []Piece{
		{1, Source{Mapping: 3, Type: kernels.Float16, Offset: 7, Strides: []int64{2, 2}, Valid: &Bitmap{0x11, 0x22, 0x33}}},
		{2, Source{Mapping: 4, Type: kernels.Float16, Swapped: true, Offset: 9, Strides: []int64{4, -2}}},
	}})
	return b
}

func TestBindingIsPinnedAndReadsBack(t *testing.T) {
	b := testBinding()
	b.InPlace, b.Replaced = &InPlace{3, 4, 5, 6, 7}, 1
	want := "0010000000000000" + "02000000" + "00000000" + "01000000" + "01000000" + "0000000000000000" +
		"0300000004000000" + "0500000000000000" + "0600000000000000" + "0700000000000000" + "0000000000000000" +
		"0100000000000000" + "0500000000000000" + "0100000000000000" + "02000000" + "00000000" + "0200000000000000" + "0300000000000000" +
		"01000000" + hex.EncodeToString([]byte{byte(kernels.Float64), 0, 0, 0}) + "8000000000000000" +
		"02000000" + hex.EncodeToString([]byte{byte(kernels.Int8), 1, 1, 0}) + "0500000000000000" + "ffffffffffffffff" + "0800000000000000" + "616263"
	if got := hex.EncodeToString(b.Encode()); got != want {
		t.Errorf("binding\n%s, want\n%s", got, want)
	}
	picks := &Binding{Chunk: 1, Tile: 1, Outputs: testBinding().Inputs[:1], Pick: Pick{PickWrite, 0x1234}, Program: []byte{}}
	if got := hex.EncodeToString(picks.Encode()[24:32]); got != "0200000034120000" {
		t.Errorf("pick %s", got)
	}
	pieces := piecesBinding().Encode()
	want = "ffffffff" + hex.EncodeToString([]byte{byte(kernels.Float16), 0, 0, 1}) + "0000000000000000" + "01000000" + "02000000" +
		"0100000000000000" + "03000000" + hex.EncodeToString([]byte{byte(kernels.Float16), 0, 1, 2}) + "0700000000000000" +
		"0200000000000000" + "0200000000000000" + "1100000000000000" + "2200000000000000" + "3300000000000000" +
		"0200000000000000" + "04000000" + hex.EncodeToString([]byte{byte(kernels.Float16), 1, 1, 0}) + "0900000000000000" +
		"0400000000000000" + "feffffffffffffff" + "616263"
	if got := hex.EncodeToString(pieces[bindingHeader+16+2*16+16:]); got != want {
		t.Errorf("pieces\n%s, want\n%s", got, want)
	}
	cut := &Binding{Chunk: 1, Tile: 1, Outputs: []Source{{Type: kernels.Bool, Offset: 7, Bits: true, Batches: &Batches{8192, 9000, 3, 30000}}}, Program: []byte{}}
	if got := hex.EncodeToString(cut.Encode()[bindingHeader:]); got != "00000000"+hex.EncodeToString([]byte{byte(kernels.Bool), 0, 0, 12})+"0700000000000000"+
		"0020000000000000"+"2823000000000000"+"0300000000000000"+"3075000000000000" {
		t.Errorf("output %s", got)
	}
	for _, b := range []*Binding{b, picks, cut, testBinding(), piecesBinding(), {Shape: []uint64{2, 3}, Rows: 1, Tile: 2, Length: 3, Chunk: 1, Inputs: testBinding().Inputs, Outputs: testBinding().Inputs, Program: []byte{}}} {
		if got, err := DecodeBinding(b.Encode()); err != nil || !reflect.DeepEqual(got, b) {
			t.Errorf("%+v, %v, want %+v", got, err, b)
		}
	}
}

func TestScalingIsPinnedAndReadsBack(t *testing.T) {
	b := testBinding()
	b.Inputs[1].Scaling = &kernels.Scaling{Stored: kernels.Int8, Type: kernels.Float64, Factor: 0.5, Offset: 1, Missing: []uint64{7}}
	at := bindingHeader + 16 + 16
	want := "02000000" + hex.EncodeToString([]byte{byte(kernels.Int8), 1, 1, 3}) + "0500000000000000" + "ffffffffffffffff" + "0800000000000000" +
		hex.EncodeToString([]byte{byte(kernels.Float64), 0, 0, 0}) + "01000000" + "000000000000e03f" + "000000000000f03f" + "0700000000000000" + "616263"
	if got := hex.EncodeToString(b.Encode()[at:]); got != want {
		t.Errorf("input\n%s, want\n%s", got, want)
	}
	if got, err := DecodeBinding(b.Encode()); err != nil || !reflect.DeepEqual(got, b) {
		t.Errorf("%+v, %v, want %+v", got, err, b)
	}
	at += 32
	for name, bad := range map[string]func(b []byte) []byte{
		"no type":      func(b []byte) []byte { b[at] = 0; return b },
		"no aspect":    func(b []byte) []byte { b[at+1] = 9; return b },
		"flipped":      func(b []byte) []byte { b[at+2] = 1; return b },
		"half flipped": func(b []byte) []byte { b[at+2] = 2; return b },
		"much missing": func(b []byte) []byte { b[at+7] = 1; return b },
		"infinite":     func(b []byte) []byte { b[at+14], b[at+15] = 0xf0, 0x7f; return b },
		"cut":          func(b []byte) []byte { return b[:at+scalingSize-1] },
	} {
		if got, err := DecodeBinding(bad(b.Encode())); err == nil {
			t.Errorf("%s: %+v", name, got.Inputs[1].Scaling)
		}
	}
}

func TestBindingThatCannotBeIsRefused(t *testing.T) {
	for name, bad := range map[string]func(b []byte) []byte{
		"short":        func(b []byte) []byte { return b[:bindingHeader-1] },
		"cut inputs":   func(b []byte) []byte { return b[:bindingHeader+31] },
		"many inputs":  func(b []byte) []byte { b[11] = 0xff; return b },
		"many outputs": func(b []byte) []byte { b[15] = 0xff; return b },
		"no type":      func(b []byte) []byte { b[bindingHeader+16+4] = 0; return b },
		"swapped 2":    func(b []byte) []byte { b[bindingHeader+16+5] = 2; return b },
		"strided 2":    func(b []byte) []byte { b[bindingHeader+16+6] = 2; return b },
		"many axes":    func(b []byte) []byte { b[96] = 65; return b },
		"many rows":    func(b []byte) []byte { b[100] = 3; return b },
		"no tile":      func(b []byte) []byte { b[88] = 0; return b },
		"too long":     func(b []byte) []byte { b[80] = 6; return b },
		"first":        func(b []byte) []byte { b[79] = 0xff; return b },
		"huge shape":   func(b []byte) []byte { b[bindingHeader+7] = 1; return b },
		"cut strides":  func(b []byte) []byte { return b[:bindingHeader+16+16+16+15] },
		"replaces":     func(b []byte) []byte { b[16], b[20] = 1, 2; return b },
		"no such pick": func(b []byte) []byte { b[24] = 4; return b },
		"picks none":   func(b []byte) []byte { b[24] = 2; return b },
		"picks twice":  func(b []byte) []byte { b[16], b[24] = 1, 1; return b },
		"an input cut": func(b []byte) []byte { b[bindingHeader+16+7] = 8; return append(b, make([]byte, 32)...) },
		"bits of f8":   func(b []byte) []byte { b[bindingHeader+16+7] = 4; return b },
		"two outputs":  func(b []byte) []byte { b[8], b[12], b[16] = 1, 1, 1; return b },
	} {
		if b, err := DecodeBinding(bad(testBinding().Encode())); err == nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

func TestPiecesThatCannotBeAreRefused(t *testing.T) {
	const at = bindingHeader + 16 + 2*16 + 16 + 16 // of the axis
	const first, second = at + 8, at + 8 + 8 + 16 + 16 + 24
	for name, bad := range map[string]func(b []byte) []byte{
		"no axis":    func(b []byte) []byte { b[at] = 2; return b },
		"none":       func(b []byte) []byte { b[at+4] = 0; return b },
		"many":       func(b []byte) []byte { b[at+7] = 1; return b },
		"empty":      func(b []byte) []byte { b[first] = 0; return b },
		"too long":   func(b []byte) []byte { b[first] = 2; return b },
		"huge":       func(b []byte) []byte { b[first+7] = 0xff; return b },
		"too short":  func(b []byte) []byte { b[second] = 1; return b },
		"swapped 2":  func(b []byte) []byte { b[second+8+5] = 2; return b },
		"of kind 4":  func(b []byte) []byte { b[at-9] = 4; return b },
		"in pieces":  func(b []byte) []byte { b[second+8+7] = 1; return b },
		"other type": func(b []byte) []byte { b[second+8+4] = byte(kernels.Float32); return b },
		"no float": func(b []byte) []byte {
			b[at-12], b[first+8+4], b[second+8+4] = byte(kernels.Int16), byte(kernels.Int16), byte(kernels.Int16)
			return b
		},
		"no strides":  func(b []byte) []byte { b[second+8+6] = 0; return b },
		"cut bitmap":  func(b []byte) []byte { return b[:second-1] },
		"cut strides": func(b []byte) []byte { return b[:second+8+16+15] },
		"cut pieces":  func(b []byte) []byte { return b[:at+7] },
		"replaced":    func(b []byte) []byte { b[16], b[20] = 1, 2; return b },
		"an output":   func(b []byte) []byte { b[8], b[12] = 2, 1; return b },
	} {
		if b, err := DecodeBinding(bad(piecesBinding().Encode())); err == nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

// Elements that are replaced lie in pieces of one mapping, one after another in each.
func TestPiecesThatCannotBeReplacedAreRefused(t *testing.T) {
	replacing := func() *Binding {
		return &Binding{Shape: []uint64{9}, Tile: 1, Length: 9, Chunk: 4096, InPlace: &InPlace{}, Program: []byte("abc"), Inputs: []Source{{Mapping: 3, Type: kernels.Float16, Pieces: []Piece{
			{4, Source{Mapping: 3, Type: kernels.Float16, Offset: 7, Strides: []int64{2}, Valid: &Bitmap{0x11, 0x22, 0x33}}},
			{5, Source{Mapping: 3, Type: kernels.Float16, Swapped: true, Offset: 90, Strides: []int64{2}}},
		}}}}
	}
	b := replacing()
	if got, err := DecodeBinding(b.Encode()); err != nil || !reflect.DeepEqual(got, b) {
		t.Errorf("%+v, %v, want %+v", got, err, b)
	}
	for name, bad := range map[string]func(b *Binding){
		"elsewhere": func(b *Binding) { b.Inputs[0].Pieces[1].Mapping = 4 },
		"apart":     func(b *Binding) { b.Inputs[0].Pieces[1].Strides[0] = 4 },
		"two axes": func(b *Binding) {
			b.Shape = []uint64{9, 1}
			for i := range b.Inputs[0].Pieces {
				b.Inputs[0].Pieces[i].Strides = []int64{2, 2}
			}
		},
		"scaled": func(b *Binding) {
			p := &b.Inputs[0].Pieces[1]
			p.Type, p.Scaling = kernels.Int8, &kernels.Scaling{Stored: kernels.Int8, Type: kernels.Float16, Factor: 2}
		},
	} {
		b := replacing()
		bad(b)
		if got, err := DecodeBinding(b.Encode()); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Elements of an output lie in batches, and behind them.
func TestPlacesOfOutputs(t *testing.T) {
	whole := Source{Type: kernels.Int32, Offset: 100}
	cut := Source{Type: kernels.Int32, Offset: 100, Batches: &Batches{Length: 4096, Stride: 50000, Count: 2, Rest: 7}}
	bits := cut
	bits.Type, bits.Bits = kernels.Bool, true
	for _, c := range []struct {
		s            Source
		i            uint64
		at, together uint64
	}{
		{whole, 9000, 100 + 36000, 1<<64 - 1},
		{cut, 0, 100, 4096},
		{cut, 4095, 100 + 4*4095, 1},
		{cut, 4096, 50100, 4096},
		{cut, 8192, 7, 1<<64 - 1},
		{cut, 8200, 7 + 32, 1<<64 - 1},
		{bits, 4096 + 16, 50102, 4080},
		{bits, 8200, 8, 1<<64 - 1},
	} {
		if at, together := c.s.Place(c.i); at != c.at || together != c.together {
			t.Errorf("element %d of %+v: %d, %d, want %d, %d", c.i, c.s, at, together, c.at, c.together)
		}
	}
}
