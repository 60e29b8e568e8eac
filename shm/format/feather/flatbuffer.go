package feather

import "encoding/binary"

// buffer is a flatbuffer in the making, from its beginning on: a table comes before
// what its offsets lead to, and right behind its vtable.
type buffer struct{ bytes []byte }

// field is a slot of a table.
type field struct {
	size int // bytes, 0: the slot is absent
	bits uint64
	// to, if not nil, appends what the field is an offset to, and returns where that is.
	to func(*buffer) int
}

func short(v int16) field { return field{size: 2, bits: uint64(uint16(v))} }
func word(v int32) field  { return field{size: 4, bits: uint64(uint32(v))} }
func long(v int64) field  { return field{size: 8, bits: uint64(v)} }
func octet(v uint8) field { return field{size: 1, bits: uint64(v)} }

func truth(v bool) field {
	if v {
		return octet(1)
	}
	return octet(0)
}

// reference is an offset to what f appends.
func reference(f func(*buffer) int) field { return field{size: 4, to: f} }

// finished returns the bytes of a flatbuffer whose root is a table.
func finished(root []field) []byte {
	b := &buffer{bytes: make([]byte, 4)}
	b.offset(0, b.table(root))
	return b.bytes
}

// align appends zeros until what follows behind ahead bytes is at a multiple of n.
func (b *buffer) align(n, ahead int) {
	for (len(b.bytes)+ahead)%n != 0 {
		b.bytes = append(b.bytes, 0)
	}
}

// offset has the offset at a place lead to another.
func (b *buffer) offset(at, to int) {
	binary.LittleEndian.PutUint32(b.bytes[at:], uint32(to-at))
}

// table appends a table, with what its fields lead to, and returns where it is.
func (b *buffer) table(fields []field) int {
	le := binary.LittleEndian
	b.align(2, 0)
	vtable := len(b.bytes)
	b.bytes = append(b.bytes, make([]byte, 4+2*len(fields))...)
	b.align(8, 0) // the largest field's
	at := len(b.bytes)
	b.bytes = le.AppendUint32(b.bytes, uint32(at-vtable))
	places := make([]int, len(fields))
	for i, f := range fields {
		if f.size == 0 {
			continue
		}
		b.align(f.size, 0)
		places[i] = len(b.bytes)
		le.PutUint16(b.bytes[vtable+4+2*i:], uint16(places[i]-at))
		b.bytes = append(b.bytes, le.AppendUint64(nil, f.bits)[:f.size]...)
	}
	le.PutUint16(b.bytes[vtable:], uint16(4+2*len(fields)))
	le.PutUint16(b.bytes[vtable+2:], uint16(len(b.bytes)-at))
	for i, f := range fields {
		if f.to != nil {
			b.offset(places[i], f.to(b))
		}
	}
	return at
}

// text is a string.
func text(s string) field {
	return reference(func(b *buffer) int {
		b.align(4, 0)
		at := len(b.bytes)
		b.bytes = binary.LittleEndian.AppendUint32(b.bytes, uint32(len(s)))
		b.bytes = append(append(b.bytes, s...), 0)
		return at
	})
}

// structs is a vector of structs, n longs each.
func structs(n int, values []int64) field {
	return reference(func(b *buffer) int {
		b.align(8, 4)
		at := len(b.bytes)
		b.bytes = binary.LittleEndian.AppendUint32(b.bytes, uint32(len(values)/n))
		for _, v := range values {
			b.bytes = binary.LittleEndian.AppendUint64(b.bytes, uint64(v))
		}
		return at
	})
}

// tables is a vector of tables.
func tables(all [][]field) field {
	return reference(func(b *buffer) int {
		b.align(4, 0)
		at := len(b.bytes)
		b.bytes = binary.LittleEndian.AppendUint32(b.bytes, uint32(len(all)))
		b.bytes = append(b.bytes, make([]byte, 4*len(all))...)
		for i, fields := range all {
			b.offset(at+4+4*i, b.table(fields))
		}
		return at
	})
}

// table is a table of its own.
func table(fields ...field) field {
	return reference(func(b *buffer) int { return b.table(fields) })
}
