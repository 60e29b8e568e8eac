package kernels

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

func TestTypesArePinned(t *testing.T) {
	want := "[float64/f8/8/1 float32/f4/4/2 int8/i1/1/3 int16/i2/2/4 int32/i4/4/5 int64/i8/8/6 uint8/u1/1/7 uint16/u2/2/8 uint32/u4/4/9 uint64/u8/8/10 float16/f2/2/11 bfloat16/bf16/2/12 bool/b1/1/13]"
	var all []string
	for _, typ := range Types() {
		all = append(all, fmt.Sprintf("%v/%s/%d/%d", typ, typ.Code(), typ.Size(), uint8(typ)))
		for _, name := range []string{typ.String(), typ.Code()} {
			if got, err := ParseType(name); err != nil || got != typ {
				t.Errorf("ParseType(%q) = %v, %v", name, got, err)
			}
		}
	}
	if got := fmt.Sprint(all); got != want {
		t.Errorf("types %s, want %s", got, want)
	}
	if _, err := ParseType("complex128"); err == nil {
		t.Error("complex128 was accepted")
	}
	if TypeOf[float32]() != Float32 || TypeOf[uint64]() != Uint64 || TypeOf[int8]() != Int8 {
		t.Error("TypeOf is wrong")
	}
	for _, typ := range []Type{0, 14, 255} {
		if typ.Valid() || typ.Size() != 0 || typ.Code() != "" {
			t.Errorf("%v is taken for a type", typ)
		}
	}
}

func TestInt128ToDoubleIsExact(t *testing.T) {
	for _, x := range []int128{{0, 0}, {0, 1}, {-1, math.MaxUint64}, {-1, 1}, {0, math.MaxUint64}, {1 << 40, 12345}, {-1 << 41, 1<<63 + 1}, {5, 1<<64 - 1025}} {
		d := x.double()
		got := new(big.Float).SetPrec(200).SetFloat64(d.hi)
		got.Add(got, big.NewFloat(d.lo))
		if want := new(big.Float).SetPrec(200).SetInt(x.big()); got.Cmp(want) != 0 {
			t.Errorf("%v: %v+%v, want %v", x, d.hi, d.lo, want)
		}
		if d.hi+d.lo != d.hi {
			t.Errorf("%v: %v is not normal", x, d)
		}
	}
}

func TestFormatFloat(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 1: "1", -2.5: "-2.5", 0.1: "0.1", 1e15: "1000000000000000", 1e16: "1e+16", 123456.789e-9: "0.000123456789",
		1e-5: "1e-05", math.Inf(1): "Infinity", math.Inf(-1): "-Infinity", math.MaxFloat64: "1.7976931348623157e+308",
	} {
		if got := FormatFloat(f); got != want {
			t.Errorf("%v: %q, want %q", f, got, want)
		}
	}
	if got := FormatFloat(math.NaN()); got != "NaN" {
		t.Errorf("NaN: %q", got)
	}
}
