package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	prefix     = 8
	mostHeader = 100_000_000 // the format's own limit
	mostAxes   = 64
)

const remedyAgain = "write the file again with safetensors' save_file"

func init() {
	format.Register(format.Format{Name: "safetensors", Match: match, Parse: Parse})
}

// match goes by the length and the first byte of the header: there is no magic.
func match(r io.ReaderAt, size int64) bool {
	var head [prefix + 1]byte
	if n, _ := r.ReadAt(head[:], 0); n < len(head) {
		return false
	}
	n := binary.LittleEndian.Uint64(head[:])
	return head[prefix] == '{' && n >= 2 && n <= mostHeader
}

// types are the element types by the format's names.
var types = map[string]kernels.Type{
	"F64": kernels.Float64, "F32": kernels.Float32, "F16": kernels.Float16, "BF16": kernels.BFloat16,
	"I64": kernels.Int64, "I32": kernels.Int32, "I16": kernels.Int16, "I8": kernels.Int8,
	"U64": kernels.Uint64, "U32": kernels.Uint32, "U16": kernels.Uint16, "U8": kernels.Uint8,
	"BOOL": kernels.Bool,
}

// foreign are types that have no element type here, with the bits an element takes.
var foreign = map[string]uint64{
	"F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"F6_E2M3": 6, "F6_E3M2": 6, "F4": 4, "C64": 64,
}

// tensor is an entry of the header.
type tensor struct {
	name       string
	dtype      string
	shape      []int64
	begin, end int64
	at         int64 // of the entry in the file
}

// Parse describes the tensors of a safetensors file of that size, in the order in
// which they lie. Errors are *format.Error.
func Parse(r io.ReaderAt, size int64) ([]format.Array, error) {
	var head [prefix]byte
	if n, err := r.ReadAt(head[:], 0); n < prefix {
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("reading the header: %w", err)
		}
		return nil, fail(0, "the file ends inside its header", "it is truncated: "+remedyAgain)
	}
	length := binary.LittleEndian.Uint64(head[:])
	switch {
	case length > mostHeader:
		return nil, fail(0, fmt.Sprintf("the header claims %d bytes, more than %d", length, mostHeader), remedyAgain)
	case int64(length) > size-prefix:
		return nil, fail(size, fmt.Sprintf("the file ends inside its header of %d bytes", length), "it is truncated: "+remedyAgain)
	}
	text := make([]byte, length)
	if n, err := r.ReadAt(text, prefix); n < len(text) {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	tensors, err := parseHeader(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(tensors, func(a, b tensor) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	data := prefix + int64(length)
	return arrays(tensors, data, size)
}

// arrays checks that the tensors fill the data as the format demands.
func arrays(tensors []tensor, data, size int64) ([]format.Array, error) {
	all := make([]format.Array, 0, len(tensors))
	next := int64(0)
	for _, t := range tensors {
		if t.begin > next {
			return nil, fail(t.at, fmt.Sprintf("bytes %d to %d before tensor %q belong to none", next, t.begin-1, t.name), remedyAgain)
		}
		if t.begin < next {
			return nil, fail(t.at, fmt.Sprintf("tensor %q overlaps the one before it", t.name), remedyAgain)
		}
		if t.end > size-data {
			return nil, fail(t.at, fmt.Sprintf("tensor %q needs %d bytes of data, the file holds %d", t.name, t.end, size-data),
				"it is truncated: "+remedyAgain)
		}
		next = t.end
		a, err := t.array(data)
		if err != nil {
			return nil, err
		}
		if err := a.Check("safetensors", size); err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	if next != size-data {
		return nil, fail(data+next, fmt.Sprintf("%d bytes behind the last tensor belong to none", size-data-next), remedyAgain)
	}
	return all, nil
}

// array describes a tensor whose place is checked.
func (t *tensor) array(data int64) (format.Array, error) {
	a := format.Array{Name: t.name, Shape: t.shape, Offset: data + t.begin}
	width, known := foreign[t.dtype]
	if a.Type = types[t.dtype]; a.Type.Valid() {
		width, known = 8*uint64(a.Type.Size()), true
	} else {
		a.Stored, a.Access = t.dtype, format.Refused
		a.Note, a.Remedy = fmt.Sprintf("dtype %s has no element type here", t.dtype), "convert the tensor, by x.to(torch.float32) say"
	}
	if !known {
		return a, nil // nothing can be said about its size
	}
	total := width
	for _, d := range t.shape {
		hi, lo := bits.Mul64(total, uint64(d))
		if hi != 0 || lo > 1<<62 {
			return a, fail(t.at, fmt.Sprintf("tensor %q: shape %s is larger than any file", t.name, a.ShapeString()), remedyAgain)
		}
		total = lo
	}
	if total%8 != 0 || total/8 != uint64(t.end-t.begin) {
		return a, fail(t.at, fmt.Sprintf("tensor %q: %s %s takes %d bits, its data_offsets hold %d", t.name, t.dtype, a.ShapeString(), total, 8*(t.end-t.begin)), remedyAgain)
	}
	return a, nil
}

func fail(at int64, what, remedy string) *format.Error {
	return &format.Error{Format: "safetensors", Offset: at, What: what, Remedy: remedy}
}
