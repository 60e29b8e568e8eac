package format_test

import (
	"slices"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// Where nothing was written netCDF has fill values of its own, except among bytes, and
// unless the file says another; so have netCDF-4 files, and other HDF5 files have not.
func TestFillValuesOfTheFormatStandForNone(t *testing.T) {
	// As nc_open's header has them, by bits.
	for typ, bits := range map[kernels.Type]uint64{
		kernels.Int8: 0, kernels.Uint8: 0, kernels.Int16: 1<<16 - 32767, kernels.Uint16: 65535, kernels.Int32: 1<<32 - 2147483647,
		kernels.Uint32: 4294967295, kernels.Int64: 1<<64 - 9223372036854775806, kernels.Uint64: 18446744073709551614,
		kernels.Float32: kernels.Float32.FloatBits(9.9692099683868690e+36), kernels.Float64: kernels.Float64.FloatBits(9.9692099683868690e+36),
	} {
		a := format.Array{Type: typ}
		if wrong := a.Convene(nil, false, true); wrong != "" {
			t.Error(wrong)
		}
		if bits == 0 && a.Scale != nil || bits != 0 && (a.Scale == nil || !slices.Equal(a.Scale.Missing, []uint64{bits}) || !a.Scale.Implied) {
			t.Errorf("%v: %+v, want %x", typ, a.Scale, bits)
		}
		own := map[string]format.Numbers{"_FillValue": {Type: typ, Bits: []uint64{3}}}
		a = format.Array{Type: typ}
		if a.Convene(own, false, true); a.Scale == nil || !slices.Equal(a.Scale.Missing, []uint64{3}) || a.Scale.Implied {
			t.Errorf("%v with a fill value of its own: %+v", typ, a.Scale)
		}
	}
	for name, implied := range map[string]bool{"four.nc": true, "alone.nc": false, "classic.nc": true, "old.h5": false} {
		_, arrays := detect(t, name)
		if got := slices.ContainsFunc(arrays, func(a format.Array) bool { return a.Scale != nil && a.Scale.Implied }); got != implied {
			t.Errorf("%s: fill values are implied: %v", name, got)
		}
	}
}
