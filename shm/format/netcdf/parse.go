package netcdf

import (
	"fmt"
	"io"
	"math/bits"

	"github.com/gangsaw/gangsaw/shm/format"
)

func init() {
	format.Register(format.Format{Name: "netcdf", Match: match, Parse: Parse})
}

func match(r io.ReaderAt, _ int64) bool { return format.HasMagic(r, "CDF\x01", "CDF\x02", "CDF\x05") }

// Parse describes the variables of a netCDF file of that size, by their names.
// Errors are *format.Error.
func Parse(r io.ReaderAt, size int64) ([]format.Array, error) {
	if !match(r, size) {
		return nil, fail(0, "it does not begin as a netCDF file of a classic format does", "")
	}
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	record, err := h.recordSize()
	if err != nil {
		return nil, err
	}
	if h.records < 0 {
		h.records = h.recordsIn(size, record)
	}
	var arrays []format.Array
	for i := range h.variables {
		v := &h.variables[i]
		a, err := h.array(v, record)
		if err != nil {
			return nil, err
		}
		if err := a.Check("netcdf", size); err != nil {
			return nil, err
		}
		arrays = append(arrays, a)
	}
	if len(arrays) == 0 {
		return nil, fail(4, "the file has no variables", "")
	}
	return arrays, nil
}

func (h *header) isRecord(v *variable) bool {
	return len(v.dimensions) > 0 && v.dimensions[0] == h.record
}

// slice returns the bytes of a variable, or of its part in one record.
func (h *header) slice(v *variable) (int64, error) {
	n := uint64(sizeOf(v.typ))
	for i, d := range v.dimensions {
		if i == 0 && h.isRecord(v) {
			continue
		}
		hi, lo := bits.Mul64(n, uint64(h.dimensions[d].length))
		if hi != 0 || lo > 1<<60 {
			return 0, fail(v.at, fmt.Sprintf("variable %q is larger than any file", v.name), remedyAgain)
		}
		n = lo
	}
	return int64(n), nil
}

// recordSize returns the bytes of a record: parts are padded to 4 bytes, unless
// there is one alone.
func (h *header) recordSize() (int64, error) {
	var total, alone, parts int64
	for i := range h.variables {
		v := &h.variables[i]
		if !h.isRecord(v) {
			continue
		}
		n, err := h.slice(v)
		if err != nil {
			return 0, err
		}
		alone, parts = n, parts+1
		if total += (n + 3) &^ 3; total > 1<<60 {
			return 0, fail(v.at, "a record is larger than any file", remedyAgain)
		}
	}
	if parts == 1 {
		return alone, nil
	}
	return total, nil
}

// recordsIn returns how many whole records are in a file of that size.
func (h *header) recordsIn(size, record int64) int64 {
	begin := size
	for i := range h.variables {
		if v := &h.variables[i]; h.isRecord(v) {
			begin = min(begin, v.begin)
		}
	}
	if record == 0 {
		return 0
	}
	return (size - begin) / record
}

// array describes a variable.
func (h *header) array(v *variable, record int64) (format.Array, error) {
	a := format.Array{Name: v.name, Shape: []int64{}, Offset: v.begin}
	for i, d := range v.dimensions {
		n := h.dimensions[d].length
		if i == 0 && h.isRecord(v) {
			n = h.records
		}
		a.Shape = append(a.Shape, n)
	}
	if v.typ == typeText {
		a.Stored, a.Access, a.Note = "char", format.Refused, "the variable holds text, not numbers"
		return a, nil
	}
	a.Type = external[v.typ]
	if err := v.scale(&a); err != nil {
		return a, err
	}
	a.Swapped = a.Type.Size() > 1
	if h.isRecord(v) {
		inner, ok := format.StridesOf(a.Shape[1:], int64(a.Type.Size()), false)
		if !ok {
			return a, fail(v.at, fmt.Sprintf("variable %q is larger than any file", v.name), remedyAgain)
		}
		a.Lay(append([]int64{record}, inner...))
	}
	return a, nil
}
