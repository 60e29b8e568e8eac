package fits

import (
	"fmt"
	"io"
	"math"
	"math/bits"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	magic     = "SIMPLE  ="
	mostAxes  = 999
	mostUnits = 1 << 16
	mostBytes = 1 << 60
)

const remedyAgain = "it is truncated or damaged: write it again"

func init() {
	format.Register(format.Format{Name: "fits", Magic: magic, Parse: Parse, Sums: sums})
}

// Parse describes the arrays in a FITS file of that size. They are named by EXTNAME,
// the primary array "primary", and others by their number. Errors are *format.Error.
func Parse(r io.ReaderAt, size int64) ([]format.Array, error) {
	if !format.HasMagic(r, magic) {
		return nil, fail(0, "it does not begin as a FITS file does", "")
	}
	var arrays []format.Array
	names := map[string]bool{}
	at := int64(0)
	for unit := 0; at < size; unit++ {
		if unit == mostUnits {
			return nil, fail(at, fmt.Sprintf("the file has more than %d units", mostUnits), "split it")
		}
		h, err := readHeader(r, at, size)
		if err != nil {
			return nil, err
		}
		if h == nil {
			break
		}
		length, err := h.dataLength()
		if err != nil {
			return nil, err
		}
		if length > 0 {
			a, err := h.array(unit)
			if err != nil {
				return nil, err
			}
			if a.Access == format.Mapped {
				if err := a.Check("fits", size); err != nil {
					return nil, err
				}
			}
			if a.Name = h.name(unit); names[a.Name] {
				a.Name = fmt.Sprintf("%s.%d", a.Name, unit)
			}
			names[a.Name] = true
			h.checksums(&a, length)
			arrays = append(arrays, a)
		}
		at = h.end + (length+block-1)/block*block
	}
	if len(arrays) == 0 {
		return nil, fail(0, "the file holds no data, only headers", "")
	}
	return arrays, nil
}

// name returns what the array of a unit is called.
func (h *header) name(unit int) string {
	switch v, ok := h.values["EXTNAME"]; {
	case ok && v.text != "" && h.values["EXTVER"].text != "" && h.values["EXTVER"].text != "1":
		return v.text + "." + h.values["EXTVER"].text
	case ok && v.text != "":
		return v.text
	case unit == 0:
		return "primary"
	}
	return fmt.Sprintf("hdu%d", unit)
}

// axes returns the lengths of the axes, NAXIS1 last.
func (h *header) axes() ([]int64, error) {
	n, err := h.integer("NAXIS", 0, mostAxes)
	if err != nil {
		return nil, err
	}
	shape := make([]int64, n)
	for i := range shape {
		if shape[i], err = h.integer(fmt.Sprintf("NAXIS%d", int(n)-i), 0, math.MaxInt64); err != nil {
			return nil, err
		}
	}
	return shape, nil
}

func (h *header) bitpix() (int64, error) {
	n, err := h.integer("BITPIX", -64, 64)
	switch n {
	case 8, 16, 32, 64, -32, -64:
		return n, err
	}
	if err == nil {
		err = fail(h.values["BITPIX"].at, fmt.Sprintf("BITPIX is %d, and none of 8, 16, 32, 64, -32, -64", n), remedyAgain)
	}
	return 0, err
}

// groups reports whether the data are random groups, which have a first axis of 0.
func (h *header) groups(shape []int64) bool {
	return h.values["GROUPS"].text == "T" && len(shape) > 0 && shape[len(shape)-1] == 0
}

// dataLength returns how many bytes of data a unit has, without padding.
func (h *header) dataLength() (int64, error) {
	shape, err := h.axes()
	if err != nil || len(shape) == 0 {
		return 0, err
	}
	bitpix, err := h.bitpix()
	if err != nil {
		return 0, err
	}
	pcount, err := h.integer("PCOUNT", 0, mostBytes, 0)
	if err != nil {
		return 0, err
	}
	gcount, err := h.integer("GCOUNT", 0, mostBytes, 1)
	if err != nil {
		return 0, err
	}
	if h.groups(shape) {
		shape = shape[:len(shape)-1]
	}
	n := uint64(1)
	for _, d := range shape {
		if n = product(n, d); n > mostBytes {
			return 0, h.large()
		}
	}
	if n = product(n+uint64(pcount), gcount); n > mostBytes {
		return 0, h.large()
	}
	if n = product(n, max(bitpix, -bitpix)/8); n > mostBytes {
		return 0, h.large()
	}
	return int64(n), nil
}

func (h *header) large() error {
	return fail(h.start, "the data are larger than any file", remedyAgain)
}

// product multiplies, up to a number that is too large.
func product(n uint64, d int64) uint64 {
	hi, lo := bits.Mul64(n, uint64(d))
	if hi != 0 {
		return math.MaxUint64
	}
	return lo
}

// array describes the data of a unit that has some.
func (h *header) array(unit int) (format.Array, error) {
	shape, err := h.axes()
	if err != nil {
		return format.Array{}, err
	}
	a := format.Array{Shape: shape, Offset: h.end}
	refuse := func(access format.Access, stored, note, remedy string) (format.Array, error) {
		a.Access, a.Stored, a.Note, a.Remedy = access, stored, note, remedy
		return a, nil
	}
	extension := h.values["XTENSION"].text
	switch {
	case unit == 0 && h.groups(shape):
		return refuse(format.Refused, "groups", "random groups are not supported", "write them as a table, or an image")
	case h.values["ZIMAGE"].text == "T":
		return refuse(format.Decoded, "image", "the image is compressed in tiles", "funpack it")
	case unit == 0, extension == "IMAGE", extension == "IUEIMAGE":
	case extension == "BINTABLE", extension == "TABLE", extension == "A3DTABLE":
		return refuse(format.Refused, "table", "tables are not supported", "write a column as an image, or by numpy.save(f, hdu.data['column'])")
	default:
		return refuse(format.Refused, extension, fmt.Sprintf("extension %q is not known", extension), "write the data as an image")
	}
	bitpix, err := h.bitpix()
	if err != nil {
		return a, err
	}
	a.Type = map[int64]kernels.Type{
		8: kernels.Uint8, 16: kernels.Int16, 32: kernels.Int32, 64: kernels.Int64, -32: kernels.Float32, -64: kernels.Float64,
	}[bitpix]
	a.Swapped = a.Type.Size() > 1
	return a, h.scale(&a)
}

// flips are the stored types whose numbers, plus an offset, are integers of the
// same size with the other sign.
var flips = map[kernels.Type]struct {
	zero float64
	to   kernels.Type
}{
	kernels.Uint8: {-1 << 7, kernels.Int8},
	kernels.Int16: {1 << 15, kernels.Uint16},
	kernels.Int32: {1 << 31, kernels.Uint32},
	kernels.Int64: {1 << 63, kernels.Uint64},
}

// scale sets what the stored numbers stand for.
func (h *header) scale(a *format.Array) error {
	factor, err := h.real("BSCALE", 1)
	if err != nil {
		return err
	}
	zero, err := h.real("BZERO", 0)
	if err != nil {
		return err
	}
	if math.IsNaN(factor-factor) || math.IsNaN(zero-zero) {
		return fail(h.start, "BSCALE or BZERO is not finite", remedyAgain)
	}
	s := format.Scaling{Factor: factor, Offset: zero, Type: kernels.Float64}
	if _, ok := h.values["BLANK"]; ok && !a.Type.IsFloat() {
		blank, err := h.integer("BLANK", math.MinInt64, math.MaxInt64)
		if err != nil {
			return err
		}
		if bits, fits := stored(a.Type, blank); fits {
			s.Missing = []uint64{bits}
		}
	}
	if f := flips[a.Type]; factor == 1 && zero == f.zero && zero != 0 {
		s.Flip, s.Type = true, f.to
	} else if factor == 1 && zero == 0 {
		s.Type = a.Type
	}
	if factor != 1 || zero != 0 || s.Missing != nil {
		a.Scale = &s
	}
	return nil
}

// stored returns the bits of an integer of a type, if it has it.
func stored(t kernels.Type, n int64) (uint64, bool) {
	width := 8 * t.Size()
	low := uint64(n) << (64 - width) >> (64 - width)
	if t.IsSigned() {
		return low, int64(low<<(64-width))>>(64-width) == n
	}
	return low, low == uint64(n)
}

// checksums notes where the unit's checksums are kept.
func (h *header) checksums(a *format.Array, length int64) {
	padded := (length + block - 1) / block * block
	if v, ok := h.values["DATASUM"]; ok {
		a.Checksums = append(a.Checksums, format.Checksum{Format: "fits", Kind: "DATASUM", Offset: v.at, Size: card, First: h.end, Length: padded})
	}
	if v, ok := h.values["CHECKSUM"]; ok {
		a.Checksums = append(a.Checksums, format.Checksum{Format: "fits", Kind: "CHECKSUM", Offset: v.at, Size: card, First: h.start, Length: h.end - h.start + padded})
	}
}

func fail(at int64, what, remedy string) *format.Error {
	return &format.Error{Format: "fits", Offset: at, What: what, Remedy: remedy}
}
