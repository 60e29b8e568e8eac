package kernels

import (
	"encoding/binary"
	"math"
	"testing"
)

func TestElementsAsText(t *testing.T) {
	for _, c := range []struct {
		typ  Type
		bits uint64
		want string
	}{
		{Float64, math.Float64bits(0.1), "0.1"}, {Float64, math.Float64bits(math.Inf(-1)), "-Infinity"},
		{Float32, uint64(math.Float32bits(0.1)), "0.1"}, {Float32, uint64(math.Float32bits(1e-5)), "1e-05"},
		{Float32, 0x7fc00000, "NaN"}, {Float32, 0x80000000, "-0"},
		{Float16, 0x3c00, "1"}, {Float16, 0xfc00, "-Infinity"}, {BFloat16, 0x4040, "3"},
		{Int8, 0x80, "-128"}, {Int64, 1 << 63, "-9223372036854775808"}, {Uint64, math.MaxUint64, "18446744073709551615"},
		{Uint16, 65535, "65535"}, {Int32, 0xffffffff, "-1"}, {Bool, 1, "true"}, {Bool, 0, "false"},
	} {
		b := binary.NativeEndian.AppendUint64(nil, c.bits)
		if got := c.typ.Text(b[:c.typ.Size()]); got != c.want {
			t.Errorf("%v %#x: %s, want %s", c.typ, c.bits, got, c.want)
		}
	}
}
