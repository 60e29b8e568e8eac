package hdf5

import "math/bits"

// fractalHeap is where dense groups and attributes have their messages.
type fractalHeap struct {
	f                      *file
	start, largest, width  uint64 // bytes of the first blocks and of the largest direct ones; blocks in a row
	offsetBytes, sizeBytes int    // of an object's identifier
	root                   uint64
	rows                   uint64 // of the root, an indirect block; 0: it is a direct one
	filtered               bool
}

func (f *file) fractalHeap(address uint64) (*fractalHeap, error) {
	o, l := uint64(f.offsetSize), uint64(f.lengthSize)
	c, err := f.at(address, 22+12*l+3*o, "a fractal heap")
	if err != nil {
		return nil, err
	}
	h := &fractalHeap{f: f}
	c.signature("FRHP")
	c.skip(1 + 2)
	h.filtered = c.uint(2) > 0
	c.skip(1)
	mostManaged := c.uint(4)
	c.skip(l + o + l + o + 8*l)
	h.width, h.start, h.largest = c.uint(2), c.length(), c.length()
	heapBits := c.uint(2)
	c.skip(2)
	h.root, h.rows = c.address(), c.uint(2)
	if c.err != nil {
		return nil, c.err
	}
	if h.filtered {
		c.fail("it is filtered, which is not supported")
	} else if !power(h.width) || !power(h.start) || !power(h.largest) || h.start > h.largest || h.largest > mostBlock || heapBits > 64 || heapBits == 0 || h.rows > 64 || mostManaged == 0 {
		c.fail("its sizes are not possible")
	}
	h.offsetBytes = int(heapBits+7) / 8
	h.sizeBytes = min((log2(h.largest)+7)/8, log2(mostManaged)/8+1)
	return h, c.err
}

func power(n uint64) bool { return bits.OnesCount64(n) == 1 }

func log2(n uint64) int { return bits.Len64(n) - 1 }

// object returns the bytes of a managed or tiny object.
func (h *fractalHeap) object(id *cursor) (*cursor, error) {
	switch kind := id.uint(1) >> 4 & 3; kind {
	case 0:
	default:
		id.fail("an object of kind %d is not supported", kind)
	}
	offset, size := id.uint(h.offsetBytes), id.uint(h.sizeBytes)
	if id.err != nil {
		return nil, id.err
	}
	if h.rows == 0 {
		return h.in(h.root, offset, size, h.start)
	}
	return h.find(h.root, h.rows, offset, size, mostDepth)
}

// in returns an object in the direct block at an address.
func (h *fractalHeap) in(block, offset, size, blockSize uint64) (*cursor, error) {
	if block == undefined || offset > blockSize || size > blockSize-offset {
		return nil, fail(h.f.base, "an object of a fractal heap lies outside its block")
	}
	return h.f.at(block+offset, size, "an object of a fractal heap")
}

// find looks for the object below an indirect block, where offset counts from.
func (h *fractalHeap) find(block, rows, offset, size uint64, depth int) (*cursor, error) {
	if depth == 0 || block == undefined {
		return nil, fail(h.f.base, "an object of a fractal heap is not to be found")
	}
	// The rows double in size but for the second, and all blocks of a row are alike.
	rowSize := h.start
	for row := range rows {
		if row > 1 {
			rowSize *= 2
		}
		hi, span := bits.Mul64(rowSize, h.width)
		if hi != 0 {
			break
		}
		if offset >= span {
			offset -= span
			continue
		}
		entry := row*h.width + offset/rowSize
		head := uint64(5+h.f.offsetSize) + uint64(h.offsetBytes)
		c, err := h.f.at(block+head+entry*uint64(h.f.offsetSize), uint64(h.f.offsetSize), "an indirect block")
		if err != nil {
			return nil, err
		}
		child := c.address()
		if rowSize <= h.largest {
			return h.in(child, offset%rowSize, size, rowSize)
		}
		below := log2(rowSize) - log2(h.start*h.width) + 1
		if below < 1 {
			break
		}
		return h.find(child, uint64(below), offset%rowSize, size, depth-1)
	}
	return nil, fail(h.f.base, "an object of a fractal heap is not to be found")
}

// dense calls found with each message in a heap that a B-tree of version 2 lists:
// links by records of type 5, attributes by those of type 8.
func (f *file) dense(heap, tree uint64, typ uint64, found func(*cursor) error) error {
	h, err := f.fractalHeap(heap)
	if err != nil {
		return err
	}
	c, err := f.at(tree, uint64(22+f.offsetSize+f.lengthSize), "a B-tree")
	if err != nil {
		return err
	}
	t := &btree{f: f, typ: typ}
	c.signature("BTHD")
	c.skip(1)
	if got := c.uint(1); got != typ {
		c.fail("it is of type %d, and not %d", got, typ)
	}
	t.nodeSize, t.recordSize = c.uint(4), c.uint(2)
	depth := c.uint(2)
	c.skip(2)
	root, records := c.address(), c.uint(2)
	if c.err == nil && (t.recordSize < 11 || t.nodeSize < 10+t.recordSize || t.nodeSize > mostBlock || depth > 16) {
		c.fail("its sizes are not possible")
	}
	if c.err != nil || root == undefined {
		return c.err
	}
	t.found = func(record *cursor) error {
		if typ == 5 {
			record.skip(4) // hash of the name
		}
		c, err := h.object(record)
		if err != nil {
			return err
		}
		return found(c)
	}
	t.measure(int(depth))
	return t.node(root, records, int(depth))
}

// btree is a B-tree of version 2.
type btree struct {
	f                    *file
	typ                  uint64
	nodeSize, recordSize uint64
	countBytes           int   // of the number of records in a child
	totalBytes           []int // of the number of records below one, by level
	found                func(record *cursor) error
}

// measure computes the widths of fields, which depend on how many records fit.
func (t *btree) measure(depth int) {
	most := (t.nodeSize - 10) / t.recordSize
	t.countBytes = log2(most)/8 + 1
	t.totalBytes = []int{0}
	total := most
	for level := 1; level <= depth; level++ {
		pointer := uint64(t.f.offsetSize + t.countBytes + t.totalBytes[level-1])
		inner := uint64(0)
		if t.nodeSize > 10+pointer {
			inner = (t.nodeSize - 10 - pointer) / (t.recordSize + pointer)
		}
		total = min((inner+1)*min(total, 1<<48)+inner, 1<<48)
		t.totalBytes = append(t.totalBytes, log2(max(total, 1))/8+1)
	}
}

// node goes over the records of a node and of those below it.
func (t *btree) node(address, records uint64, level int) error {
	c, err := t.f.at(address, t.nodeSize, "a node of a B-tree")
	if err != nil {
		return err
	}
	if level == 0 {
		c.signature("BTLF")
	} else {
		c.signature("BTIN")
	}
	c.skip(2)
	for range records {
		if c.err != nil {
			break
		}
		if err := t.found(c.part(t.recordSize, "a record of a B-tree")); err != nil {
			return err
		}
	}
	if level == 0 {
		return c.err
	}
	for range records + 1 {
		child, n := c.address(), c.uint(t.countBytes)
		c.skip(uint64(t.totalBytes[level-1]))
		if c.err != nil {
			return c.err
		}
		if err := t.node(child, n, level-1); err != nil {
			return err
		}
	}
	return c.err
}
