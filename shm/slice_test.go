package shm

import (
	"errors"
	"math"
	"testing"
)

func TestSliceChecksBoundsAndOverflow(t *testing.T) {
	mem := make([]byte, 100)
	for _, c := range []struct {
		offset, length uint64
		ok             bool
	}{
		{0, 0, true}, {0, 100, true}, {100, 0, true}, {40, 60, true},
		{0, 101, false}, {101, 0, false}, {40, 61, false},
		{math.MaxUint64, 1, false}, {1, math.MaxUint64, false}, {math.MaxUint64, math.MaxUint64, false}, {1 << 63, 1 << 63, false},
	} {
		b, err := Slice(mem, c.offset, c.length)
		var region *RegionError
		if (err == nil) != c.ok || err != nil && !errors.As(err, &region) {
			t.Errorf("Slice(%d, %d): %v", c.offset, c.length, err)
		}
		if err == nil && (uint64(len(b)) != c.length || uint64(cap(b)) != c.length) {
			t.Errorf("Slice(%d, %d): length %d, capacity %d", c.offset, c.length, len(b), cap(b))
		}
	}
}

func TestViewChecksLengthAndAlignment(t *testing.T) {
	words := []uint64{0x0807060504030201, 0x100f0e0d0c0b0a09}
	b := Bytes(words)
	if len(b) != 16 || b[0] != 1 || b[15] != 16 {
		t.Fatalf("Bytes: % x", b)
	}
	v, err := View[uint32](b[4:12])
	if err != nil || len(v) != 2 || v[0] != 0x08070605 || v[1] != 0x0c0b0a09 {
		t.Errorf("View: %x, %v", v, err)
	}
	if words[0] = 0; v[0] != 0 {
		t.Error("a view is a copy")
	}
	var bad *ViewError
	if _, err := View[uint64](b[:15]); !errors.As(err, &bad) || bad.Align {
		t.Errorf("15 bytes as uint64: %v", err)
	}
	if _, err := View[uint64](b[4:12]); !errors.As(err, &bad) || !bad.Align {
		t.Errorf("misaligned uint64: %v", err)
	}
	if v, err := View[float64](nil); err != nil || len(v) != 0 {
		t.Errorf("no bytes: %v, %v", v, err)
	}
}
