package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
)

// Binding is what a program of expressions, see package expr, reads and writes. It
// lies in a mapping, and a program record names it by [Code].
type Binding struct {
	Chunk   uint64   // elements of every chunk but the last: the first of chunk i is i*Chunk
	Inputs  []Source // in the order in which the program takes them
	Outputs []Source // in the order in which it makes them: files that are written to
	// InPlace, if not nil, has the only output replace input Replaced, under a
	// journal.
	InPlace  *InPlace
	Replaced int
	Program  []byte
}

// Source is where the elements of an array lie, one after another.
type Source struct {
	Mapping uint32
	Type    kernels.Type
	Offset  uint64 // of the first, in bytes
}

// Layout of a binding.
const (
	bindingHeader = 72
	sourceSize    = 16
	maxSources    = 256
)

// Encode returns the binding's bytes.
func (b *Binding) Encode() []byte {
	le := binary.LittleEndian
	buf := make([]byte, bindingHeader, bindingHeader+sourceSize*(len(b.Inputs)+len(b.Outputs))+len(b.Program))
	le.PutUint64(buf[0:], b.Chunk)
	le.PutUint32(buf[8:], uint32(len(b.Inputs)))
	le.PutUint32(buf[12:], uint32(len(b.Outputs)))
	if p := b.InPlace; p != nil {
		le.PutUint32(buf[16:], 1)
		le.PutUint32(buf[20:], uint32(b.Replaced))
		p.put(buf[32:])
	}
	for _, s := range append(b.Inputs[:len(b.Inputs):len(b.Inputs)], b.Outputs...) {
		buf = le.AppendUint32(buf, s.Mapping)
		buf = le.AppendUint32(buf, uint32(s.Type))
		buf = le.AppendUint64(buf, s.Offset)
	}
	return append(buf, b.Program...)
}

// DecodeBinding reads a binding.
func DecodeBinding(buf []byte) (*Binding, error) {
	if len(buf) < bindingHeader {
		return nil, fmt.Errorf("binding of %d bytes", len(buf))
	}
	le := binary.LittleEndian
	b := &Binding{Chunk: le.Uint64(buf[0:])}
	inputs, outputs := le.Uint32(buf[8:]), le.Uint32(buf[12:])
	if inputs > maxSources || outputs > maxSources || len(buf) < bindingHeader+sourceSize*int(inputs+outputs) {
		return nil, fmt.Errorf("binding of %d inputs and %d outputs in %d bytes", inputs, outputs, len(buf))
	}
	if le.Uint32(buf[16:]) != 0 {
		p := inPlaceOf(buf[32:])
		b.InPlace, b.Replaced = &p, int(le.Uint32(buf[20:]))
		if b.Replaced >= int(inputs) || outputs != 0 {
			return nil, fmt.Errorf("binding that replaces input %d of %d and has %d outputs", b.Replaced, inputs, outputs)
		}
	}
	rest := buf[bindingHeader:]
	for i := range inputs + outputs {
		t := le.Uint32(rest[4:])
		s := Source{le.Uint32(rest[0:]), kernels.Type(t), le.Uint64(rest[8:])}
		if !s.Type.Valid() || t != uint32(s.Type) {
			return nil, fmt.Errorf("binding whose array %d has no type", i)
		}
		if i < inputs {
			b.Inputs = append(b.Inputs, s)
		} else {
			b.Outputs = append(b.Outputs, s)
		}
		rest = rest[sourceSize:]
	}
	b.Program = rest
	return b, nil
}
