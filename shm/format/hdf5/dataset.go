package hdf5

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const remedyContiguous = "h5repack -l CONTI -f NONE in.h5 out.h5"

// dataset is what the header of one says.
type dataset struct {
	name  string
	typ   *datatype
	shape []int64
	null  bool // it has no elements at all
	place place
}

// place is where the elements are.
type place struct {
	offset, size uint64
	why          string // not mapped
	access       format.Access
	remedy       string
}

// dataspace reads the shape.
func readDataspace(c *cursor) (shape []int64, null bool) {
	version, axes, flags := c.uint(1), c.uint(1), c.uint(1)
	switch version {
	case 1:
		c.skip(5)
	case 2:
		null = c.uint(1) == 2
	default:
		c.fail("version %d is not known", version)
	}
	if axes > mostAxes {
		c.fail("it has %d axes, more than %d", axes, mostAxes)
	}
	shape = []int64{}
	for range axes {
		n := c.length()
		if c.err != nil {
			break
		}
		if n > math.MaxInt64 {
			c.fail("an axis of %d is larger than any file", n)
			break
		}
		shape = append(shape, int64(n))
	}
	if flags&1 != 0 {
		c.skip(axes * uint64(c.f.lengthSize)) // how long they may grow
	}
	return shape, null
}

// readLayout reads where the elements are.
func readLayout(c *cursor) (p place) {
	version := c.uint(1)
	var class uint64
	switch {
	case version == 1 || version == 2:
		axes := c.uint(1)
		class = c.uint(1)
		c.skip(5)
		if class != 0 {
			p.offset = c.address()
		}
		p.size = undefined // as the shape says
		c.skip(4 * min(axes, mostAxes+1))
	case version == 3 || version == 4 || version == 5:
		if class = c.uint(1); class == 1 {
			p.offset, p.size = c.address(), c.length()
		}
	default:
		c.fail("version %d is not known", version)
	}
	p.access = format.Decoded
	switch class {
	case 0:
		p.why, p.remedy = "the elements lie in the header (compact)", remedyContiguous
	case 1:
		if p.access = format.Mapped; p.offset == undefined {
			p.access, p.why, p.remedy = format.Refused, "it was never written, so that no elements are in the file", "write its elements"
		}
	case 2:
		p.why, p.remedy = "the elements lie in chunks", remedyContiguous
	case 3:
		p.access, p.why, p.remedy = format.Refused, "it is virtual: the elements are in other files or datasets", remedyContiguous
	default:
		c.fail("layout class %d is not known", class)
	}
	return p
}

// shared follows a datatype message that names a type elsewhere, and returns
// nil if it is nowhere that is read.
func (f *file) shared(c *cursor) (*cursor, error) {
	version, kind := c.uint(1), c.uint(1)
	if version == 1 {
		c.skip(6)
	}
	if version == 3 && kind == 1 {
		return nil, c.err // in a heap of shared messages
	}
	address := c.address()
	if c.err != nil {
		return nil, c.err
	}
	o, err := f.object(address)
	if err != nil {
		return nil, err
	}
	body, flags := o.first(msgDatatype)
	if flags&flagShared != 0 {
		return nil, nil
	}
	return body, nil
}

// dataset reads an object that is one, or returns nil.
func (f *file) dataset(o *object, name string) (*dataset, error) {
	space, spaceFlags := o.first(msgDataspace)
	typ, typFlags := o.first(msgDatatype)
	layout, _ := o.first(msgLayout)
	if space == nil || typ == nil || layout == nil {
		return nil, nil
	}
	d := &dataset{name: name}
	var err error
	if typFlags&flagShared != 0 {
		if typ, err = f.shared(typ); err != nil {
			return nil, err
		}
	}
	if d.place = readLayout(layout); layout.err != nil {
		return nil, layout.err
	}
	if typ == nil || spaceFlags&flagShared != 0 {
		d.typ = &datatype{word: "?", why: "its type or shape is kept in a heap of shared messages, which is not supported"}
		return d, nil
	}
	if d.typ = readDatatype(typ, 16); typ.err != nil {
		return nil, typ.err
	}
	if d.shape, d.null = readDataspace(space); space.err != nil {
		return nil, space.err
	}
	if external, _ := o.first(msgExternal); external != nil {
		d.place.access, d.place.why, d.place.remedy = format.Refused, "the elements are in other files", remedyContiguous
	}
	if filters, _ := o.first(msgFilters); filters != nil && d.place.access == format.Decoded {
		d.place.why += ", and are filtered"
	}
	return d, nil
}

// arrays describes a dataset: one array, or one of each field.
func (f *file) arrays(d *dataset) ([]format.Array, error) {
	a := format.Array{Name: d.name, Shape: d.shape}
	switch {
	case d.null:
		a.Shape, d.typ = []int64{}, &datatype{word: "null", why: "it has no elements"}
	case slices.Contains(d.shape, 0) && d.place.access == format.Refused && d.place.offset == undefined:
		d.place = place{size: undefined} // nothing to write
	}
	item, ok := format.StridesOf(append(d.shape[:len(d.shape):len(d.shape)], int64(d.typ.total())), 1, false)
	if !ok {
		return nil, fail(f.base, "dataset %q: shape %s is larger than any file", d.name, a.ShapeString())
	}
	// What the layout says is all there is, whatever the shape claims.
	if d.place.access == format.Mapped {
		whole := format.Array{Type: kernels.Uint8, Shape: append(slices.Clone(d.shape), int64(d.typ.total())), Offset: int64(min(d.place.offset, 1<<60)) + f.base}
		limit := f.size
		if d.place.size != undefined && d.place.size < uint64(f.size) {
			limit = min(limit, whole.Offset+int64(d.place.size))
		}
		if err := whole.Check("hdf5", limit); err != nil {
			return nil, err
		}
		a.Offset = whole.Offset
	}
	var all []format.Array
	f.add(&all, a, d, d.typ, item[:len(d.shape)])
	return all, nil
}

// add appends the array of a type's elements, or the arrays of its fields. One lies at
// each place that shape and strides give.
func (f *file) add(all *[]format.Array, a format.Array, d *dataset, t *datatype, strides []int64) {
	inner, ok := format.StridesOf(t.shape, int64(t.size), false)
	if !ok {
		return // checked by who read the type
	}
	a.Shape, strides = slices.Concat(a.Shape, t.shape), slices.Concat(strides, inner)
	if len(t.fields) > 0 && t.why == "" {
		for _, m := range t.fields {
			b := a
			b.Name += "." + m.name
			b.Offset += int64(m.offset)
			f.add(all, b, d, m.typ, strides)
		}
		return
	}
	a.Type = t.typ
	a.Access, a.Note, a.Remedy = d.place.access, d.place.why, d.place.remedy
	if t.why != "" || !t.typ.Valid() {
		a.Type, a.Stored, a.Access, a.Note, a.Remedy = 0, t.word, format.Refused, cmp.Or(t.why, "its type holds no numbers"), "write it as numbers, of 8 to 64 bits"
	}
	if a.Type.Valid() {
		a.Swapped = t.swapped
		a.Lay(strides)
		if a.Access != format.Mapped {
			a.Strides, a.Offset = nil, 0
		}
	}
	if a.Note == "" && len(a.Shape) > mostAxes {
		a.Note = fmt.Sprintf("it has %d axes", len(a.Shape))
	}
	*all = append(*all, a)
}
