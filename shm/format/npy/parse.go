package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	magic = "\x93NUMPY"
	// NumPy itself refuses headers of more than 10,000 bytes unless told
	// otherwise; structured types make them long.
	maxHeader = 1 << 20
)

func init() {
	format.Register(format.Format{Name: "npy", Magic: magic, Parse: Parse})
}

// Parse describes the array of a .npy file of that size, which is named "x", or the
// arrays that the fields of a structured one are. Errors are *format.Error.
func Parse(r io.ReaderAt, size int64) ([]format.Array, error) {
	prefix := make([]byte, 12)
	n, _ := r.ReadAt(prefix, 0)
	prefix = prefix[:n]
	if len(prefix) < len(magic)+2 || string(prefix[:len(magic)]) != magic {
		return nil, fail(0, "it does not begin as a .npy file does", "")
	}
	start, headerLen := int64(10), uint32(0)
	switch major := prefix[6]; {
	case prefix[7] != 0 || major < 1 || major > 3:
		return nil, fail(6, fmt.Sprintf("version %d.%d is not known", major, prefix[7]), "write it as version 1.0, 2.0 or 3.0")
	case major == 1 && len(prefix) >= 10:
		headerLen = uint32(binary.LittleEndian.Uint16(prefix[8:]))
	case major > 1 && len(prefix) == 12:
		headerLen, start = binary.LittleEndian.Uint32(prefix[8:]), 12
	default:
		return nil, fail(int64(len(prefix)), "the file ends inside its header", "it is truncated: write it again")
	}
	if headerLen > maxHeader {
		return nil, fail(8, fmt.Sprintf("the header claims %d bytes, more than %d", headerLen, maxHeader), "")
	}
	if int64(headerLen) > size-start {
		return nil, fail(size, fmt.Sprintf("the file ends inside its header of %d bytes", headerLen), "it is truncated: write it again")
	}
	text := make([]byte, headerLen)
	if _, err := r.ReadAt(text, start); err != nil && err != io.EOF {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	h, err := parseHeader(text, start, prefix[6] < 3)
	if err != nil {
		return nil, err
	}
	return h.arrays(start+int64(headerLen), size)
}

// arrays describes the elements that begin at an offset in a file of that size.
func (h *header) arrays(offset, size int64) ([]format.Array, error) {
	if h.descr.fields != nil {
		return h.records(offset, size)
	}
	a := format.Array{Name: "x", Shape: h.shape, Fortran: h.fortran, Offset: offset}
	var what, remedy string
	if a.Type, a.Swapped, what, remedy = elementType(h.descr.code); what != "" {
		return nil, fail(h.descr.at, what, remedy)
	}
	if err := a.Check("npy", size); err != nil {
		return nil, err
	}
	return []format.Array{a}, nil
}

// records describes the fields of a structured dtype.
func (h *header) records(offset, size int64) ([]format.Array, error) {
	item, err := h.descr.size()
	if err != nil {
		return nil, err
	}
	// All bytes of the last record have to be there, not only those of a field.
	whole := format.Array{Type: kernels.Uint8, Shape: slices.Concat(h.shape, []int64{item}), Offset: offset}
	if err := whole.Check("npy", size); err != nil {
		return nil, err
	}
	strides, ok := format.StridesOf(h.shape, item, h.fortran)
	if !ok {
		return nil, fail(h.descr.at, "the records are larger than any file", "")
	}
	var r records
	if err := r.add(&h.descr, "", offset, h.shape, strides); err != nil {
		return nil, err
	}
	if len(r.arrays) == 0 {
		return nil, fail(h.descr.at, "the records have no fields", "save an array of numbers")
	}
	for _, a := range r.arrays {
		if err := a.Check("npy", size); err != nil {
			return nil, err
		}
	}
	return r.arrays, nil
}

// elementType reads a code such as "<f8". If it names no type of numbers, what
// says why not.
func elementType(code string) (t kernels.Type, swapped bool, what, remedy string) {
	if len(code) < 2 {
		return 0, false, fmt.Sprintf("dtype %q is not known", code), "use one of " + codes()
	}
	order, kind := code[0], code[1:]
	if order != '<' && order != '>' && order != '|' && order != '=' {
		order, kind = '=', code
	}
	if t, err := kernels.ParseType(kind); err == nil && kind == t.Code() && t != kernels.BFloat16 {
		return t, order == '>' && t.Size() > 1, "", ""
	}
	what, remedy = "is not supported", "use one of "+codes()
	switch kind[0] {
	case 'O':
		what, remedy = "holds Python objects (pickles), which are never read", "convert it to numbers: numpy.save(f, x.astype('f8'))"
	case 'S', 'U', 'a':
		what, remedy = "holds text, not numbers", "convert it to numbers: numpy.save(f, x.astype('f8'))"
	case 'c':
		what, remedy = "holds complex numbers, which are not supported", "save x.real and x.imag on their own"
	case 'M', 'm':
		what, remedy = "holds dates or times, which are not supported", "save x.view('i8')"
	case 'V':
		what, remedy = "holds raw bytes, which are not supported", "save each field on its own"
	case 'f':
		what, remedy = "is a float of a width that is not supported", "convert it: numpy.save(f, x.astype('f4')) or 'f8'"
	}
	return 0, false, fmt.Sprintf("dtype %q %s", code, what), remedy
}

// codes lists the codes of the numbers that the format has.
func codes() string {
	var all []string
	for _, t := range kernels.Types() {
		if t != kernels.BFloat16 {
			all = append(all, t.Code())
		}
	}
	return strings.Join(all, ", ")
}

func fail(at int64, what, remedy string) *format.Error {
	return &format.Error{Format: "npy", Offset: at, What: what, Remedy: remedy}
}
