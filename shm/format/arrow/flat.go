package arrow

import "encoding/binary"

// flat is the bytes of a flatbuffer, which is tables of offsets: a position is where a
// table begins, a slot the number of a field in it. They are not trusted.
type flat []byte

func (f flat) u16(at int) (int, bool) {
	if at < 0 || at > len(f)-2 {
		return 0, false
	}
	return int(binary.LittleEndian.Uint16(f[at:])), true
}

func (f flat) u32(at int) (int, bool) {
	if at < 0 || at > len(f)-4 {
		return 0, false
	}
	return int(binary.LittleEndian.Uint32(f[at:])), true
}

func (f flat) i64(at int) (int64, bool) {
	if at < 0 || at > len(f)-8 {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(f[at:])), true
}

// follow returns what the offset at a place leads to.
func (f flat) follow(at int) (int, bool) {
	offset, ok := f.u32(at)
	return at + offset, ok && offset <= len(f)-at
}

// slot returns where a table's field is, 0 if it has none.
func (f flat) slot(table, slot int) (at int, ok bool) {
	back, ok := f.u32(table)
	if !ok {
		return 0, false
	}
	vtable := table - int(int32(back))
	size, ok := f.u16(vtable)
	if !ok {
		return 0, false
	}
	if 4+2*slot >= size { // as the library has it: a vtable of odd size ends in half a slot
		return 0, true
	}
	offset, ok := f.u16(vtable + 4 + 2*slot)
	if offset == 0 {
		return 0, ok
	}
	return table + offset, ok
}

// table returns the table that a field is.
func (f flat) table(table, slot int) (int, bool) {
	at, ok := f.slot(table, slot)
	if !ok || at == 0 {
		return 0, false
	}
	return f.follow(at)
}

// elements returns where the elements of a vector of offsets are, and how many.
func (f flat) elements(table, slot int) (at, n int, ok bool) { return f.structs(table, slot, 4) }

// structs returns where the elements of a vector are that take so many bytes each, and
// how many.
func (f flat) structs(table, slot, size int) (at, n int, ok bool) {
	at, ok = f.slot(table, slot)
	if !ok || at == 0 {
		return 0, 0, ok
	}
	if at, ok = f.follow(at); !ok {
		return 0, 0, false
	}
	n, ok = f.u32(at)
	return at + 4, n, ok && n <= (len(f)-at-4)/size
}
