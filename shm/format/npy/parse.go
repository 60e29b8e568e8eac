package npy

import (
	"encoding/binary"
	"fmt"
	"io"

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

// Parse describes the array of a .npy file of that size. The array is named
// "x". Errors are *format.Error.
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
	h, err := parseHeader(text, start)
	if err != nil {
		return nil, err
	}
	a := format.Array{Name: "x", Shape: h.shape, Fortran: h.fortran, Offset: start + int64(headerLen)}
	if a.Type, err = elementType(h.descr, start+h.descrAt); err != nil {
		return nil, err
	}
	if err := a.Check("npy", size); err != nil {
		return nil, err
	}
	return []format.Array{a}, nil
}

// elementType reads a descr such as "<f8". at is its place in the file.
func elementType(descr string, at int64) (kernels.Type, error) {
	if len(descr) < 2 {
		return 0, fail(at, fmt.Sprintf("dtype %q is not known", descr), "use one of "+kernels.TypeNames())
	}
	order, code := descr[0], descr[1:]
	if order != '<' && order != '>' && order != '|' && order != '=' {
		order, code = '=', descr
	}
	if t, err := kernels.ParseType(code); err == nil && code == t.Code() && t != kernels.BFloat16 {
		if order == '>' && t.Size() > 1 {
			return 0, fail(at, fmt.Sprintf("dtype %q is big-endian, which is not supported", descr),
				"convert it: numpy.save(f, x.astype(x.dtype.newbyteorder('<')))")
		}
		return t, nil
	}
	what, remedy := "is not supported", "use one of "+kernels.TypeNames()
	switch code[0] {
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
	return 0, fail(at, fmt.Sprintf("dtype %q %s", descr, what), remedy)
}

func fail(at int64, what, remedy string) *format.Error {
	return &format.Error{Format: "npy", Offset: at, What: what, Remedy: remedy}
}
