package hdf5

import (
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
)

// datatype is the type of elements.
type datatype struct {
	size    uint64 // bytes
	typ     kernels.Type
	swapped bool
	fields  []member // of a compound
	shape   []int64  // of an array type, whose elements are as the rest says
	text    bool
	word    string // for what has no type
	why     string // it has none
}

// member is a field of a compound.
type member struct {
	name   string
	offset uint64
	typ    *datatype
}

// The classes of datatypes.
const (
	classInteger  = 0
	classFloat    = 1
	classString   = 3
	classCompound = 6
	classEnum     = 8
	classArray    = 10
)

var classNames = [...]string{"integer", "float", "time", "string", "bitfield", "opaque", "compound", "reference", "enumeration", "variable length", "array"}

// readDatatype reads a datatype message, or a part of one.
func readDatatype(c *cursor, depth int) *datatype {
	head := c.uint(1)
	version, class := head>>4, head&15
	flags := c.uint(3)
	t := &datatype{size: c.uint(4)}
	if c.err == nil && (version < 1 || version > 4 || int(class) >= len(classNames)) {
		c.fail("version %d of class %d is not known", version, class)
	}
	if c.err == nil && depth == 0 {
		c.fail("types are nested too deep")
	}
	if c.err != nil {
		return t
	}
	t.word = classNames[class]
	t.why = fmt.Sprintf("the elements are of class %s, and no numbers", t.word)
	switch class {
	case classInteger:
		t.integer(c, flags)
	case classFloat:
		t.float(c, flags)
	case classString:
		t.text = true
	case classCompound:
		t.compound(c, version, flags&0xffff, depth)
	case classEnum:
		t.enumeration(c, version, flags&0xffff, depth)
	case classArray:
		t.array(c, version, depth)
	}
	return t
}

var integers = map[uint64][2]kernels.Type{
	1: {kernels.Uint8, kernels.Int8}, 2: {kernels.Uint16, kernels.Int16}, 4: {kernels.Uint32, kernels.Int32}, 8: {kernels.Uint64, kernels.Int64},
}

func (t *datatype) integer(c *cursor, flags uint64) {
	offset, precision := c.uint(2), c.uint(2)
	types, ok := integers[t.size]
	t.word = fmt.Sprintf("integer of %d bits", precision)
	t.why = fmt.Sprintf("integers of %d bits in %d bytes are not supported", precision, t.size)
	if !ok || offset != 0 || precision != 8*t.size {
		return
	}
	t.typ, t.swapped, t.why = types[flags>>3&1], flags&1 == 1 && t.size > 1, ""
}

// ieee are the fields of floating point types: where sign, exponent and mantissa
// are, and the bias.
var ieee = map[[7]uint64]kernels.Type{
	{2, 15, 10, 5, 0, 10, 15}:    kernels.Float16,
	{2, 15, 7, 8, 0, 7, 127}:     kernels.BFloat16,
	{4, 31, 23, 8, 0, 23, 127}:   kernels.Float32,
	{8, 63, 52, 11, 0, 52, 1023}: kernels.Float64,
}

func (t *datatype) float(c *cursor, flags uint64) {
	offset, precision := c.uint(2), c.uint(2)
	key := [7]uint64{t.size, flags >> 8 & 0xff, c.uint(1), c.uint(1), c.uint(1), c.uint(1), c.uint(4)}
	t.word = fmt.Sprintf("float of %d bits", precision)
	t.why = fmt.Sprintf("floats of %d bits, and such fields, are not supported", precision)
	typ, ok := ieee[key]
	// The mantissa's first bit is implied; the bytes are not in VAX order.
	if !ok || offset != 0 || precision != 8*t.size || flags>>4&3 != 2 || flags&0x40 != 0 {
		return
	}
	t.typ, t.swapped, t.why = typ, flags&1 == 1, ""
}

// pad is what names are padded to.
func pad(version uint64) int {
	if version < 3 {
		return 8
	}
	return 1
}

func (t *datatype) compound(c *cursor, version, n uint64, depth int) {
	for range n {
		m := member{name: c.name(pad(version))}
		switch version {
		case 1:
			m.offset = c.uint(4)
			axes := c.uint(1)
			c.skip(3 + 4 + 4)
			var shape []int64
			for i := range uint64(4) {
				if d := int64(c.uint(4)); i < axes {
					shape = append(shape, d)
				}
			}
			m.typ = readDatatype(c, depth-1)
			m.typ.shape = append(shape, m.typ.shape...)
		case 2:
			m.offset = c.uint(4)
			m.typ = readDatatype(c, depth-1)
		default:
			m.offset = c.uint(log2(max(t.size, 1))/8 + 1)
			m.typ = readDatatype(c, depth-1)
		}
		if c.err != nil {
			return
		}
		if m.offset > t.size || m.typ.total() > t.size-m.offset {
			c.fail("field %q lies outside its record of %d bytes", m.name, t.size)
			return
		}
		t.fields = append(t.fields, m)
	}
	t.why = ""
}

// total returns the bytes of an element with all axes of its type, or more than any
// record has.
func (t *datatype) total() uint64 {
	n := t.size
	for _, d := range t.shape {
		if n *= uint64(d); n > 1<<32 {
			return 1 << 33
		}
	}
	return n
}

// enumeration reads one, which is a bool if its names are FALSE and TRUE.
func (t *datatype) enumeration(c *cursor, version, n uint64, depth int) {
	base := readDatatype(c, depth-1)
	names := make([]string, 0, 2)
	for range n {
		name := c.name(pad(version))
		if c.err != nil {
			return
		}
		if len(names) < 2 {
			names = append(names, name)
		}
	}
	if !base.typ.Valid() || base.size != t.size {
		return
	}
	values := c.bytes(n * t.size)
	t.typ, t.swapped, t.why = base.typ, base.swapped, ""
	if n == 2 && t.size == 1 && names[0] == "FALSE" && names[1] == "TRUE" && c.err == nil && values[0] == 0 && values[1] == 1 {
		t.typ = kernels.Bool
	}
}

func (t *datatype) array(c *cursor, version uint64, depth int) {
	axes := c.uint(1)
	if version < 3 {
		c.skip(3)
	}
	if axes > mostAxes {
		c.fail("an array type has %d axes", axes)
		return
	}
	var shape []int64
	for range axes {
		shape = append(shape, int64(c.uint(4)))
	}
	if version < 3 {
		c.skip(4 * axes)
	}
	element := readDatatype(c, depth-1)
	if c.err != nil {
		return
	}
	whole := t.size
	*t = *element
	if t.shape = append(shape, t.shape...); t.total() != whole {
		c.fail("an array type of %d bytes has elements of %d", whole, t.total())
	}
}
