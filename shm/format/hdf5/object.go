package hdf5

// Types of header messages.
const (
	msgDataspace     = 0x01
	msgLinkInfo      = 0x02
	msgDatatype      = 0x03
	msgLink          = 0x06
	msgExternal      = 0x07
	msgLayout        = 0x08
	msgFilters       = 0x0b
	msgAttribute     = 0x0c
	msgContinuation  = 0x10
	msgSymbolTable   = 0x11
	msgAttributeInfo = 0x15
)

const flagShared = 2

// mostBlocks is how many blocks one object header may have.
const mostBlocks = 256

// message is one of an object header.
type message struct {
	typ   uint64
	flags uint64
	body  cursor // read a copy
}

// object is the header of a group or a dataset.
type object struct {
	address  uint64
	messages []message
}

// all returns the messages of a type.
func (o *object) all(typ uint64) (found []message) {
	for _, m := range o.messages {
		if m.typ == typ {
			found = append(found, m)
		}
	}
	return found
}

// first returns the body of the first message of a type, or nil.
func (o *object) first(typ uint64) (*cursor, uint64) {
	for _, m := range o.messages {
		if m.typ == typ {
			body := m.body
			return &body, m.flags
		}
	}
	return nil, 0
}

// object reads the object header at an address.
func (f *file) object(address uint64) (*object, error) {
	c, err := f.at(address, 16, "an object header")
	if err != nil {
		return nil, err
	}
	o := &object{address: address}
	if string(c.b[:4]) == "OHDR" {
		return o, f.object2(o)
	}
	if version := c.uint(1); version != 1 {
		c.fail("version %d is not known", version)
		return nil, c.err
	}
	c.skip(1 + 2 + 4) // the number of messages is the sum over all blocks
	size := c.uint(4)
	return o, f.blocks(o, address+16, size, func(c *cursor) {}, func(c *cursor) bool {
		if len(c.b) < 8 {
			return false
		}
		m := message{typ: c.uint(2)}
		n := c.uint(2)
		m.flags = c.uint(1)
		c.skip(3)
		m.body = *c.part(n, "a header message")
		o.messages = append(o.messages, m)
		return c.err == nil
	}, 0)
}

// object2 reads a header of version 2.
func (f *file) object2(o *object) error {
	c, err := f.at(o.address, min(64, uint64(f.size-f.base)-o.address), "an object header")
	if err != nil {
		return err
	}
	c.signature("OHDR")
	if version := c.uint(1); version != 2 {
		c.fail("version %d is not known", version)
	}
	flags := c.uint(1)
	if flags&0x20 != 0 {
		c.skip(16) // times
	}
	if flags&0x10 != 0 {
		c.skip(4)
	}
	size := c.uint(1 << (flags & 3))
	if c.err != nil {
		return c.err
	}
	start := uint64(c.place - f.base)
	head := uint64(4)
	if flags&4 != 0 {
		head = 6
	}
	return f.blocks(o, start, size, func(c *cursor) { c.signature("OCHK") }, func(c *cursor) bool {
		if uint64(len(c.b)) < head {
			return false // what is left is a gap
		}
		m := message{typ: c.uint(1)}
		n := c.uint(2)
		m.flags = c.uint(1)
		c.skip(head - 4)
		m.body = *c.part(n, "a header message")
		o.messages = append(o.messages, m)
		return c.err == nil
	}, 4)
}

// blocks reads the messages of the first block and of those that continue it, which
// begin as begin says, and end with a checksum of so many bytes.
func (f *file) blocks(o *object, address, size uint64, begin func(*cursor), next func(*cursor) bool, checksum uint64) error {
	type block struct{ address, size uint64 }
	todo := []block{{address, size}}
	for i := 0; i < len(todo); i++ {
		if i == mostBlocks {
			return fail(f.base+int64(o.address), "an object header has more than %d blocks", mostBlocks)
		}
		c, err := f.at(todo[i].address, todo[i].size, "an object header")
		if err != nil {
			return err
		}
		if i > 0 {
			begin(c)
			if c.err == nil && uint64(len(c.b)) < checksum {
				c.fail("it ends early")
			}
			if c.err == nil {
				c.b = c.b[:uint64(len(c.b))-checksum]
			}
		}
		before := len(o.messages)
		for c.err == nil && next(c) {
		}
		if c.err != nil {
			return c.err
		}
		for _, m := range o.messages[before:] {
			if m.typ == msgContinuation {
				body := m.body
				todo = append(todo, block{body.address(), body.length()})
				if body.err != nil {
					return body.err
				}
			}
		}
	}
	return nil
}
