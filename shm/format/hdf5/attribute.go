package hdf5

import (
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// attributes are those of a dataset that matter here.
type attributes struct {
	numbers       map[string]format.Numbers
	unsigned      bool
	dimensionOnly bool // netCDF-4 keeps an axis without a variable
	netCDF        bool // the file is netCDF-4: its root says so
}

// onlyDimension is how the NAME of such an axis begins.
const onlyDimension = "This is a netCDF dimension but not a netCDF variable"

// attributes reads those of an object, in its header or in a heap.
func (f *file) attributes(o *object) (*attributes, error) {
	all := &attributes{numbers: map[string]format.Numbers{}}
	for _, m := range o.all(msgAttribute) {
		if m.flags&flagShared != 0 {
			continue
		}
		if all.add(&m.body); m.body.err != nil {
			return nil, m.body.err
		}
	}
	c, _ := o.first(msgAttributeInfo)
	if c == nil {
		return all, nil
	}
	c.skip(1)
	if flags := c.uint(1); flags&1 != 0 {
		c.skip(2)
	}
	heap, tree := c.address(), c.address()
	if c.err != nil || heap == undefined || tree == undefined {
		return all, c.err
	}
	return all, f.dense(heap, tree, 8, func(c *cursor) error {
		all.add(c)
		return c.err
	})
}

// add notes an attribute if it matters.
func (all *attributes) add(c *cursor) {
	version, flags := c.uint(1), c.uint(1)
	nameSize, typeSize, spaceSize := c.uint(2), c.uint(2), c.uint(2)
	round := func(n uint64) uint64 { return n }
	switch version {
	case 1:
		flags = 0
		round = func(n uint64) uint64 { return (n + 7) &^ 7 }
	case 2:
	case 3:
		c.skip(1) // character set
	default:
		c.fail("version %d of an attribute is not known", version)
	}
	name := strings.TrimRight(string(c.bytes(round(nameSize))), "\x00")
	typePart, spacePart := c.part(round(typeSize), "an attribute's type"), c.part(round(spaceSize), "an attribute's shape")
	switch name {
	case "_NCProperties":
		all.netCDF = true
		return
	case "scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "NAME":
	default:
		return
	}
	if c.err != nil || flags&3 != 0 {
		return // of a shared type, which numbers have not
	}
	t := readDatatype(typePart, 16)
	shape, null := readDataspace(spacePart)
	if typePart.err != nil || spacePart.err != nil || null {
		return
	}
	switch {
	case name == "NAME":
		all.dimensionOnly = t.text && strings.HasPrefix(string(c.b), onlyDimension)
	case name == "_Unsigned":
		all.unsigned = t.text && strings.EqualFold(strings.TrimRight(string(c.b[:min(uint64(len(c.b)), t.size)]), "\x00 "), "true")
	case t.typ.Valid() && t.typ != kernels.Float16 && t.typ != kernels.BFloat16 && t.why == "" && len(t.shape) == 0:
		one := format.Array{Type: t.typ, Shape: shape, Swapped: t.swapped}
		n := format.Numbers{Type: t.typ}
		for b := c.b; len(b) >= t.typ.Size() && int64(len(n.Bits)) < one.Len(); b = b[t.typ.Size():] {
			n.Bits = append(n.Bits, one.Bits(b))
		}
		all.numbers[name] = n
	}
}
