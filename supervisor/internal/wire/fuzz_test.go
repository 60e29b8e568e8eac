package wire

import (
	"bytes"
	"testing"
)

func FuzzDecodeBinding(f *testing.F) {
	f.Add(testBinding().Encode())
	f.Add(piecesBinding().Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := DecodeBinding(b)
		if err != nil {
			return
		}
		again, err := DecodeBinding(got.Encode())
		if err != nil || !bytes.Equal(again.Encode(), got.Encode()) {
			t.Fatalf("it is read once, and then: %v", err)
		}
	})
}
