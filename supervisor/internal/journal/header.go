package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	magic      = "gangsaw journal 2\n"
	headerAt   = 64
	headerMost = 1 << 20 // bytes
)

// Header is what a journal knows of its run from the beginning.
type Header struct {
	Gangsaw string // version that began it
	Boot    string // of the machine, while which it began
	Target  Target
	Array   Array
	Program Program
	Chunk   uint64  // bytes of each chunk but the last
	Unit    uint64  // bytes
	Count   uint32  // of areas, there may be more by now
	Backup  *Backup `json:",omitempty"` // nil: none was made

	Checksums []format.Checksum `json:",omitempty"` // that the target keeps of the array
}

// Program is what is done to each element: by a kernel with parameters, or by a
// program of expressions, in which the values of earlier passes stand.
type Program struct {
	Build  string // hash of the program that has the kernel, or runs the expressions
	Kernel string
	Params []byte

	Text   string   // of the expressions
	Code   []byte   // of package expr
	Shape  []uint64 // of the array, the axis that varies fastest last
	Inputs []Input  // that the code takes, in order
}

// Input is an array that expressions read.
type Input struct {
	Replaced bool   // it is the array that is changed; it has no target and array then
	Values   bool   // it is the values of a reduction, which lie in a file beside the journal
	Sum      uint64 // of the bytes of these: CRC-64
	Target   Target
	Array    Array
	Offset   uint64  // of the element that the code takes first
	Strides  []int64 // bytes to the next along each axis of the code's shape
	Valid    *Bitmap `json:",omitempty"` // of elements that are null; nil: none is
	Along    *Along  `json:",omitempty"` // of an array in pieces, instead of offset, strides and bitmap
}

// Along is how the code goes over an array in pieces.
type Along struct {
	Axis  int   // of the code's shape; along the others it is the same element
	First int64 // element
	Step  int64 // elements to the next
}

// check refuses what leaves an array of so many elements.
func (a *Along) check(shape []uint64, elements int64) error {
	if a.Axis < 0 || a.Axis >= len(shape) || a.First < 0 || a.First >= elements || a.Step == 0 || a.Step == math.MinInt64 {
		return fmt.Errorf("%d elements are gone through from %d on, by %d, along axis %d of %d", elements, a.First, a.Step, a.Axis, len(shape))
	}
	room := elements - 1 - a.First
	if a.Step < 0 {
		room = a.First
	}
	if n := shape[a.Axis]; n == 0 || n-1 > uint64(room/max(a.Step, -a.Step)) {
		return fmt.Errorf("of %d elements %d are gone through from %d on, by %d", elements, n, a.First, a.Step)
	}
	return nil
}

// Bitmap tells which elements are null: those whose bit is 0, from the lowest of each
// byte on.
type Bitmap struct {
	Offset uint64 // of the bits, in bytes
	First  uint64 // offset of the element of the first bit
	Bits   uint64
}

// Array describes the numbers that are changed.
type Array struct {
	Name    string
	Type    string
	Shape   []int64
	Fortran bool
	Offset  int64
	Strides []int64
	Swapped bool
	Scaling *kernels.Scaling `json:",omitempty"` // what the elements stand for; nil: themselves
	Pieces  Pieces           `json:",omitempty"` // where they lie; nil: together
}

// ArrayOf returns the description of an array.
func ArrayOf(a format.Array) Array {
	return Array{Name: a.Name, Type: a.Type.String(), Shape: a.Shape, Fortran: a.Fortran, Offset: a.Offset, Strides: a.Strides, Swapped: a.Swapped}
}

// Scaled returns the description of an array whose elements stand for others, if s is
// not nil.
func (a Array) Scaled(s *kernels.Scaling) Array {
	a.Scaling = s
	return a
}

// InPieces returns the description of an array that lies in pieces, if there are any.
func (a Array) InPieces(p Pieces) Array {
	a.Pieces = p
	return a
}

// array returns the array that is changed.
func (h *Header) array() (format.Array, error) {
	a, err := h.Array.in(h.Target)
	if err != nil {
		return a, err
	}
	if a.Checksums = h.Checksums; h.Array.Pieces != nil {
		return a, h.checkPieces(a)
	}
	return a, a.CheckSums(h.Target.Size)
}

// checkPieces refuses what is done to no array in pieces.
func (h *Header) checkPieces(a format.Array) error {
	switch p := h.Program; {
	case len(h.Checksums) > 0 || h.Array.Scaling != nil:
		return errors.New("an array in pieces has checksums, or stands for other numbers")
	case p.Kernel != "" || len(p.Shape) != 1 || p.Shape[0] != uint64(a.Shape[0]):
		return fmt.Errorf("%d elements in pieces are changed by kernel %q of the shape %v", a.Shape[0], p.Kernel, p.Shape)
	}
	return h.Array.Pieces.CheckApart(a.Type)
}

// Of returns the array of an input that is not the one that is changed.
func (i Input) Of() (format.Array, error) { return i.Array.in(i.Target) }

// in returns the array in a file.
func (a Array) in(file Target) (format.Array, error) {
	t, err := kernels.ParseType(a.Type)
	if err != nil {
		return format.Array{}, err
	}
	array := format.Array{Name: a.Name, Type: t, Shape: a.Shape, Fortran: a.Fortran, Offset: a.Offset, Strides: a.Strides, Swapped: a.Swapped}
	if a.Offset < 0 {
		return array, fmt.Errorf("offset %d", a.Offset)
	}
	if a.Scaling != nil {
		if err := a.Scaling.Check(); err != nil {
			return array, err
		}
	}
	if err := array.Check("journal", file.Size); err != nil || a.Pieces == nil {
		return array, err
	}
	return array, a.Pieces.check(array, file.Size)
}

// geometry returns how the array is cut.
func (h *Header) geometry() (Geometry, error) {
	a, err := h.array()
	if err != nil {
		return Geometry{}, err
	}
	g := Geometry{Bytes: uint64(a.Size()), Chunk: h.Chunk, Unit: h.Unit}
	if h.Unit%uint64(a.Type.Size()) != 0 {
		return g, fmt.Errorf("units of %d bytes hold no whole number of elements of type %v", h.Unit, a.Type)
	}
	return g, g.Check()
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// encode returns the header's bytes, whole pages.
func (h *Header) encode() ([]byte, error) {
	text, err := json.MarshalIndent(h, "", "\t")
	if err != nil {
		return nil, err
	}
	if len(text) > headerMost {
		return nil, fmt.Errorf("the header of a journal would have %d bytes, more than %d%s: write the result to a new file (-o)", len(text), headerMost, h.manyPieces())
	}
	b := make([]byte, pages(uint64(headerAt+len(text))))
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[len(magic):], uint32(len(text)))
	binary.LittleEndian.PutUint32(b[len(magic)+4:], checksum(text))
	copy(b[headerAt:], text)
	return b, nil
}

// manyPieces says of how many pieces a header tells.
func (h *Header) manyPieces() string {
	n := len(h.Array.Pieces)
	for _, i := range h.Program.Inputs {
		n += len(i.Array.Pieces)
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", since its arrays lie in %d pieces, such as record batches", n)
}

// errNone is returned for bytes that are no journal's.
var errNone = errors.New("it is no journal of this version of gangsaw")

// headerSize returns how many bytes of a journal the header takes, given the first
// headerAt of them.
func headerSize(b []byte) (uint64, error) {
	if len(b) < headerAt || !bytes.HasPrefix(b, []byte(magic)) {
		return 0, errNone
	}
	n := binary.LittleEndian.Uint32(b[len(magic):])
	if n > headerMost {
		return 0, fmt.Errorf("its header has %d bytes, more than %d", n, headerMost)
	}
	return headerAt + uint64(n), nil
}

// parseHeader reads a header of which b holds all bytes that headerSize named.
func parseHeader(b []byte) (*Header, error) {
	text := b[headerAt:]
	if checksum(text) != binary.LittleEndian.Uint32(b[len(magic)+4:]) {
		return nil, errors.New("its header is damaged")
	}
	h := &Header{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(h); err != nil {
		return nil, fmt.Errorf("its header cannot be read: %w", err)
	}
	if _, err := h.geometry(); err != nil {
		return nil, fmt.Errorf("its header does not make sense: %w", err)
	}
	for _, i := range h.Program.Inputs {
		if i.Replaced {
			continue
		}
		a, err := i.Of()
		switch {
		case err != nil:
		case (i.Array.Pieces != nil) != (i.Along != nil):
			err = fmt.Errorf("input %q has %d pieces, and is gone through as one that has others", a.Name, len(i.Array.Pieces))
		case i.Along != nil:
			err = i.Along.check(h.Program.Shape, a.Shape[0])
		}
		if err != nil {
			return nil, fmt.Errorf("its header does not make sense: %w", err)
		}
	}
	return h, nil
}
