package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/gangsaw/gangsaw/kernels"
)

// Binding is what a program of expressions, see package expr, reads and writes. It
// lies in a mapping, and a program record names it by [Code].
//
// The program goes over the axes of Shape, the last fastest. Of the first Rows of
// them each place is a row, which is folded by itself; without such axes all is one
// row. Rows are taken Tile at a time, and Length elements of each, from First on,
// Chunk at a time: chunk i is part i mod n of the rows from i/n*Tile on, where n
// parts are a row.
type Binding struct {
	Shape   []uint64
	Rows    int
	Tile    uint64   // rows of every chunk but the last of a part
	First   uint64   // element of each row
	Length  uint64   // elements
	Chunk   uint64   // elements of each row in every chunk but the last
	Inputs  []Source // in the order in which the program takes them
	Outputs []Source // in the order in which it makes them: files that are written to
	// InPlace, if not nil, has the only output replace input Replaced, under a
	// journal.
	InPlace  *InPlace
	Replaced int
	Pick     Pick
	Program  []byte
}

// Pick has the program's last result, a mask that is bound to no output, say which
// elements count. A chunk's result is their number, a u64.
type Pick struct {
	Kind   PickKind
	Places uint32 // mapping of a u64 for each chunk, and one more: how many are picked before it
}

// PickKind is what is done with the elements that are picked.
type PickKind uint32

// Kinds of picks.
const (
	PickNone  PickKind = iota // there is no mask
	PickCount                 // they are counted, and no output is bound
	PickWrite                 // they are written to the outputs, at their chunk's place
	PickRead                  // they are what a view has, of each chunk as many as its place says
)

// Source is where the elements of an array lie.
type Source struct {
	Mapping uint32
	Type    kernels.Type
	Swapped bool   // the byte order is big-endian
	Offset  uint64 // of the first, in bytes
	// Strides are the bytes from one element to the next along each axis of the
	// binding's shape; nil where they lie one after another. An output, whose first
	// element is that of the first chunk, has none.
	Strides []int64
	// Valid, if not nil, tells which elements of a float type are null: NaN is taken for them.
	Valid *Bitmap
	// Pieces, if there are any, are where the elements lie instead, one piece after another
	// along an axis of the binding's shape. Then only Type is used of the rest.
	Pieces []Piece
	Axis   int
	// Scaling, if not nil, tells what the elements stand for. It goes with neither.
	Scaling *kernels.Scaling
	// Bits tells that each element of an output is a bit, the lowest first: a mask.
	Bits bool
	// Batches cut an output; nil: its elements lie together.
	Batches *Batches
}

// Batches are where the elements of an output lie: Length of them together, and those
// of the next Stride bytes on, Count times; the others from Rest on.
type Batches struct{ Length, Stride, Count, Rest uint64 }

// Place returns where element i of an output is, and how many lie together from it on.
// Where elements are bits, i is a multiple of 8.
func (s *Source) Place(i uint64) (offset, together uint64) {
	offset, together = s.Offset, math.MaxUint64
	if b := s.Batches; b != nil {
		if k := i / b.Length; k < b.Count {
			offset += k * b.Stride
			i -= k * b.Length
			together = b.Length - i
		} else {
			offset = b.Rest
			i -= b.Count * b.Length
		}
	}
	if s.Bits {
		return offset + i/8, together
	}
	return offset + i*uint64(s.Type.Size()), together
}

// Values returns the type of what the elements stand for.
func (s *Source) Values() kernels.Type {
	if s.Scaling != nil {
		return s.Scaling.Type
	}
	return s.Type
}

// Replaceable reports whether each number that elements can stand for is stored as one
// of them.
func (s *Source) Replaceable() bool {
	if s.Scaling == nil {
		return true
	}
	flipped, ok := s.Type.Flipped()
	return ok && s.Scaling.Flip && s.Scaling.Type == flipped && len(s.Scaling.Missing) == 0
}

// Bitmap has a bit for each of some elements that lie one after another, from the lowest
// of each byte on, which is 0 if it is null.
type Bitmap struct {
	Offset uint64 // of the bits, in bytes, in the mapping of the elements
	First  uint64 // offset of the element of the first bit
	Bits   uint64
}

// Piece is where the elements at some places of an axis lie. It has no pieces.
type Piece struct {
	Length uint64 // places
	Source
}

// Layout of a binding.
const (
	bindingHeader = 104
	sourceSize    = 16
	bitmapSize    = 24
	piecesSize    = 8
	pieceSize     = 8 + sourceSize // at least
	batchesSize   = 32
	maxSources    = 256
	maxBoundAxes  = 64
	maxElements   = 1 << 56
)

// Kinds of sources.
const (
	sourcePlain = iota
	sourcePieced
	sourceNullable
	sourceScaled
	// And what is added to them, of outputs.
	sourceBits    = 4
	sourceBatches = 8
)

// Encode returns the binding's bytes.
func (b *Binding) Encode() []byte {
	le := binary.LittleEndian
	buf := make([]byte, bindingHeader, bindingHeader+(sourceSize+8*len(b.Shape))*(1+len(b.Inputs)+len(b.Outputs))+len(b.Program))
	le.PutUint64(buf[0:], b.Chunk)
	le.PutUint32(buf[8:], uint32(len(b.Inputs)))
	le.PutUint32(buf[12:], uint32(len(b.Outputs)))
	le.PutUint32(buf[96:], uint32(len(b.Shape)))
	le.PutUint32(buf[100:], uint32(b.Rows))
	if p := b.InPlace; p != nil {
		le.PutUint32(buf[16:], 1)
		le.PutUint32(buf[20:], uint32(b.Replaced))
		p.put(buf[32:])
	}
	le.PutUint64(buf[72:], b.First)
	le.PutUint64(buf[80:], b.Length)
	le.PutUint64(buf[88:], b.Tile)
	for _, n := range b.Shape {
		buf = le.AppendUint64(buf, n)
	}
	le.PutUint32(buf[24:], uint32(b.Pick.Kind))
	le.PutUint32(buf[28:], b.Pick.Places)
	for _, s := range append(b.Inputs[:len(b.Inputs):len(b.Inputs)], b.Outputs...) {
		buf = s.append(buf)
	}
	return append(buf, b.Program...)
}

// append appends a source's bytes.
func (s *Source) append(buf []byte) []byte {
	le := binary.LittleEndian
	kind := byte(sourcePlain)
	switch {
	case s.Pieces != nil:
		kind = sourcePieced
	case s.Valid != nil:
		kind = sourceNullable
	case s.Scaling != nil:
		kind = sourceScaled
	}
	how := kind | truth(s.Bits)*sourceBits | truth(s.Batches != nil)*sourceBatches
	buf = le.AppendUint32(buf, s.Mapping)
	buf = append(buf, byte(s.Type), truth(s.Swapped), truth(s.Strides != nil), how)
	buf = le.AppendUint64(buf, s.Offset)
	for _, stride := range s.Strides {
		buf = le.AppendUint64(buf, uint64(stride))
	}
	switch kind {
	case sourceNullable:
		buf = le.AppendUint64(buf, s.Valid.Offset)
		buf = le.AppendUint64(buf, s.Valid.First)
		buf = le.AppendUint64(buf, s.Valid.Bits)
	case sourceScaled:
		buf = appendScaling(buf, s.Scaling)
	case sourcePieced:
		buf = le.AppendUint32(buf, uint32(s.Axis))
		buf = le.AppendUint32(buf, uint32(len(s.Pieces)))
		for _, p := range s.Pieces {
			buf = p.Source.append(le.AppendUint64(buf, p.Length))
		}
	}
	if t := s.Batches; t != nil {
		for _, v := range []uint64{t.Length, t.Stride, t.Count, t.Rest} {
			buf = le.AppendUint64(buf, v)
		}
	}
	return buf
}

func truth(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// DecodeBinding reads a binding.
func DecodeBinding(buf []byte) (*Binding, error) {
	if len(buf) < bindingHeader {
		return nil, fmt.Errorf("binding of %d bytes", len(buf))
	}
	le := binary.LittleEndian
	b := &Binding{Chunk: le.Uint64(buf[0:]), First: le.Uint64(buf[72:]), Length: le.Uint64(buf[80:]), Tile: le.Uint64(buf[88:])}
	b.Pick = Pick{PickKind(le.Uint32(buf[24:])), le.Uint32(buf[28:])}
	inputs, outputs := le.Uint32(buf[8:]), le.Uint32(buf[12:])
	axes, rows := le.Uint32(buf[96:]), le.Uint32(buf[100:])
	if inputs > maxSources || outputs > maxSources || axes > maxBoundAxes || rows > axes || len(buf) < bindingHeader+8*int(axes) {
		return nil, fmt.Errorf("binding of %d inputs, %d outputs, %d axes and %d of rows in %d bytes", inputs, outputs, axes, rows, len(buf))
	}
	if le.Uint32(buf[16:]) != 0 {
		p := inPlaceOf(buf[32:])
		b.InPlace, b.Replaced = &p, int(le.Uint32(buf[20:]))
		if b.Replaced >= int(inputs) || outputs != 0 {
			return nil, fmt.Errorf("binding that replaces input %d of %d and has %d outputs", b.Replaced, inputs, outputs)
		}
	}
	if k := b.Pick.Kind; k > PickRead || k != PickNone && (b.InPlace != nil || (k == PickWrite) != (outputs > 0)) {
		return nil, fmt.Errorf("binding that picks in way %d, has %d outputs and replaces something: %v", k, outputs, b.InPlace != nil)
	}
	rest := buf[bindingHeader:]
	for range axes {
		b.Shape, rest = append(b.Shape, le.Uint64(rest)), rest[8:]
	}
	b.Rows = int(rows)
	for i := range inputs + outputs {
		s, n, err := decodeSource(rest, int(axes))
		if err != nil {
			return nil, fmt.Errorf("binding whose array %d %w", i, err)
		}
		switch {
		case i >= inputs:
			b.Outputs = append(b.Outputs, s)
		case s.Bits || s.Batches != nil:
			return nil, fmt.Errorf("binding whose input %d lies as outputs do", i)
		default:
			b.Inputs = append(b.Inputs, s)
		}
		rest = rest[n:]
	}
	b.Program = rest
	if err := b.check(); err != nil {
		return nil, err
	}
	return b, nil
}

// decodeSource reads a source, and how many bytes it has.
func decodeSource(b []byte, axes int) (s Source, n int, err error) {
	le := binary.LittleEndian
	if len(b) < sourceSize {
		return s, 0, errShort
	}
	s = Source{Mapping: le.Uint32(b), Type: kernels.Type(b[4]), Swapped: b[5] != 0, Offset: le.Uint64(b[8:])}
	kind := b[7] & 3
	s.Bits = b[7]&sourceBits != 0
	if !s.Type.Valid() || b[5] > 1 || b[6] > 1 || b[7] >= 2*sourceBatches || kind == sourceNullable && !s.Type.IsFloat() || s.Bits && s.Type != kernels.Bool {
		return s, 0, errors.New("has no type")
	}
	n = sourceSize
	if b[6] != 0 {
		if len(b) < n+8*axes {
			return s, 0, errShort
		}
		s.Strides = make([]int64, axes)
		for i := range s.Strides {
			s.Strides[i] = int64(le.Uint64(b[n:]))
			n += 8
		}
	}
	switch kind {
	case sourceNullable:
		if len(b) < n+bitmapSize {
			return s, 0, errShort
		}
		s.Valid = &Bitmap{Offset: le.Uint64(b[n:]), First: le.Uint64(b[n+8:]), Bits: le.Uint64(b[n+16:])}
		n += bitmapSize
	case sourcePieced:
		size, err := s.decodePieces(b[n:], axes)
		if n += size; err != nil {
			return s, n, err
		}
	case sourceScaled:
		size := 0
		if s.Scaling, size, err = decodeScaling(b[n:], s.Type); err != nil {
			return s, 0, err
		}
		n += size
	}
	if b[7]&sourceBatches == 0 {
		return s, n, nil
	}
	if len(b) < n+batchesSize {
		return s, 0, errShort
	}
	t := &Batches{le.Uint64(b[n:]), le.Uint64(b[n+8:]), le.Uint64(b[n+16:]), le.Uint64(b[n+24:])}
	hi, all := bits.Mul64(t.Count, t.Length)
	over, bytes := bits.Mul64(t.Count, t.Stride)
	if s.Batches = t; t.Length == 0 || t.Length%kernels.BlockLen != 0 || hi != 0 || all > maxElements || over != 0 || bytes > maxElements*8 {
		return s, 0, fmt.Errorf("lies in %d batches of %d elements", t.Count, t.Length)
	}
	return s, n + batchesSize, nil
}

var errShort = errors.New("is cut short")

// decodePieces reads the pieces of a source, and how many bytes they have.
func (s *Source) decodePieces(b []byte, axes int) (n int, err error) {
	le := binary.LittleEndian
	if len(b) < piecesSize {
		return 0, errShort
	}
	axis, count := le.Uint32(b), le.Uint32(b[4:])
	if uint64(axis) >= uint64(axes) || count == 0 || uint64(count) > uint64(len(b)/pieceSize) {
		return 0, fmt.Errorf("has %d pieces along axis %d of %d in %d bytes", count, axis, axes, len(b))
	}
	s.Axis, s.Pieces = int(axis), make([]Piece, count)
	n = piecesSize
	for i := range s.Pieces {
		if len(b) < n+8 {
			return 0, errShort
		}
		p, size, err := decodeSource(b[n+8:], axes)
		s.Pieces[i] = Piece{le.Uint64(b[n:]), p}
		if err != nil {
			return 0, err
		}
		if s.Pieces[i].Length == 0 || p.Values() != s.Type || p.Strides == nil || p.Pieces != nil || p.Bits || p.Batches != nil {
			return 0, fmt.Errorf("has a piece that is none: %+v", s.Pieces[i])
		}
		n += 8 + size
	}
	return n, nil
}

// check refuses a shape, or a way to cut it, that no array has.
func (b *Binding) check() error {
	total := uint64(1)
	for _, n := range b.Shape {
		hi, lo := bits.Mul64(total, max(1, n))
		if hi != 0 || lo > maxElements {
			return fmt.Errorf("binding of the shape %v", b.Shape)
		}
		total = lo
	}
	if length := b.RowLength(); b.Tile == 0 || b.First > length || b.Length > length-b.First || b.InPlace != nil && b.Rows > 0 {
		return fmt.Errorf("binding of %d elements from %d on, in tiles of %d, of rows of %d", b.Length, b.First, b.Tile, length)
	}
	for i, s := range b.Inputs {
		if err := s.checkPieces(b.Shape); err != nil {
			return fmt.Errorf("binding whose array %d %w", i, err)
		}
	}
	for _, s := range b.Outputs {
		if s.Pieces != nil || s.Valid != nil {
			return errors.New("binding of an output in pieces, or with nulls")
		}
	}
	if b.InPlace != nil {
		return b.Inputs[b.Replaced].checkReplaced(b.Shape)
	}
	return nil
}

// checkReplaced refuses pieces in which elements cannot be replaced: in each of them they lie
// one after another, in one file, along the only axis.
func (s *Source) checkReplaced(shape []uint64) error {
	if s.Pieces != nil && len(shape) != 1 {
		return fmt.Errorf("binding that replaces what lies in pieces along one of %d axes", len(shape))
	}
	for _, p := range s.Pieces {
		if p.Mapping != s.Mapping || p.Scaling != nil || p.Strides[0] != int64(s.Type.Size()) {
			return fmt.Errorf("binding that replaces a piece that lies elsewhere: %+v", p)
		}
	}
	return nil
}

// checkPieces refuses pieces that do not cover their axis.
func (s *Source) checkPieces(shape []uint64) error {
	if s.Pieces == nil {
		return nil
	}
	left := shape[s.Axis]
	for _, p := range s.Pieces {
		if p.Length > left {
			return fmt.Errorf("has more places in pieces than the %d of axis %d", shape[s.Axis], s.Axis)
		}
		left -= p.Length
	}
	if left > 0 {
		return fmt.Errorf("has pieces for all but %d places of axis %d", left, s.Axis)
	}
	return nil
}

// RowCount returns how many rows there are.
func (b *Binding) RowCount() uint64 { return product(b.Shape[:b.Rows]) }

// RowLength returns how many elements a row has.
func (b *Binding) RowLength() uint64 { return product(b.Shape[b.Rows:]) }

func product(lengths []uint64) uint64 {
	n := uint64(1)
	for _, k := range lengths {
		n *= k
	}
	return n
}
