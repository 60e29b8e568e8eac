package wire

import (
	"encoding/hex"
	"reflect"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

func testBinding() *Binding {
	return &Binding{
		Chunk:   4096,
		Inputs:  []Source{{1, kernels.Float64, 128}, {2, kernels.Int8, 5}},
		Program: []byte("abc"),
	}
}

func TestBindingIsPinnedAndReadsBack(t *testing.T) {
	b := testBinding()
	b.InPlace, b.Replaced = &InPlace{3, 4, 5, 6, 7}, 1
	want := "0010000000000000" + "02000000" + "00000000" + "01000000" + "01000000" + "0000000000000000" +
		"0300000004000000" + "0500000000000000" + "0600000000000000" + "0700000000000000" + "0000000000000000" +
		"01000000" + hex.EncodeToString([]byte{byte(kernels.Float64), 0, 0, 0}) + "8000000000000000" +
		"02000000" + hex.EncodeToString([]byte{byte(kernels.Int8), 0, 0, 0}) + "0500000000000000" + "616263"
	if got := hex.EncodeToString(b.Encode()); got != want {
		t.Errorf("binding\n%s, want\n%s", got, want)
	}
	for _, b := range []*Binding{b, testBinding(), {Chunk: 1, Inputs: testBinding().Inputs, Outputs: testBinding().Inputs, Program: []byte{}}} {
		if got, err := DecodeBinding(b.Encode()); err != nil || !reflect.DeepEqual(got, b) {
			t.Errorf("%+v, %v, want %+v", got, err, b)
		}
	}
}

func TestBindingThatCannotBeIsRefused(t *testing.T) {
	for name, bad := range map[string]func(b []byte) []byte{
		"short":        func(b []byte) []byte { return b[:bindingHeader-1] },
		"cut inputs":   func(b []byte) []byte { return b[:bindingHeader+31] },
		"many inputs":  func(b []byte) []byte { b[11] = 0xff; return b },
		"many outputs": func(b []byte) []byte { b[15] = 0xff; return b },
		"no type":      func(b []byte) []byte { b[bindingHeader+4] = 0; return b },
		"long type":    func(b []byte) []byte { b[bindingHeader+5] = 1; return b },
		"replaces":     func(b []byte) []byte { b[16], b[20] = 1, 2; return b },
		"two outputs":  func(b []byte) []byte { b[8], b[12], b[16] = 1, 1, 1; return b },
	} {
		if b, err := DecodeBinding(bad(testBinding().Encode())); err == nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
}
