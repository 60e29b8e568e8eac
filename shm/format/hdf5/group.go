package hdf5

// link is a name in a group, of an object in the same file.
type link struct {
	name    string
	address uint64
}

// links returns the hard links of a group, and whether the object is one.
func (f *file) links(o *object) (all []link, group bool, err error) {
	if c, _ := o.first(msgSymbolTable); c != nil {
		tree, heap := c.address(), c.address()
		if c.err != nil {
			return nil, true, c.err
		}
		all, err = f.symbolTable(tree, heap)
		return all, true, err
	}
	for _, m := range o.all(msgLink) {
		group = true
		l, hard := readLink(&m.body)
		if m.body.err != nil {
			return nil, true, m.body.err
		}
		if hard {
			all = append(all, l)
		}
	}
	c, _ := o.first(msgLinkInfo)
	if c == nil {
		return all, group, nil
	}
	if version := c.uint(1); version != 0 {
		c.fail("version %d is not known", version)
	}
	if flags := c.uint(1); flags&1 != 0 {
		c.skip(8)
	}
	heap, tree := c.address(), c.address()
	if c.err != nil || heap == undefined || tree == undefined {
		return all, true, c.err
	}
	err = f.dense(heap, tree, 5, func(c *cursor) error {
		if l, hard := readLink(c); hard && c.err == nil {
			all = append(all, l)
		}
		return c.err
	})
	return all, true, err
}

// readLink reads a link message, and reports whether it is a hard one.
func readLink(c *cursor) (l link, hard bool) {
	if version := c.uint(1); version != 1 {
		c.fail("version %d of a link is not known", version)
	}
	flags := c.uint(1)
	typ := uint64(0)
	if flags&8 != 0 {
		typ = c.uint(1)
	}
	if flags&4 != 0 {
		c.skip(8)
	}
	if flags&16 != 0 {
		c.skip(1)
	}
	l.name = string(c.bytes(c.uint(1 << (flags & 3))))
	if typ != 0 {
		return l, false
	}
	l.address = c.address()
	return l, c.err == nil
}

// symbolTable reads the names of an old group: a B-tree whose leaves point to nodes
// of symbols, with the names in a heap.
func (f *file) symbolTable(tree, heap uint64) ([]link, error) {
	c, err := f.at(heap, uint64(8+2*f.lengthSize+f.offsetSize), "a local heap")
	if err != nil {
		return nil, err
	}
	c.signature("HEAP")
	c.skip(4)
	size := c.length()
	c.length()
	data := c.address()
	if c.err != nil {
		return nil, c.err
	}
	names, err := f.at(data, size, "the names of a group")
	if err != nil {
		return nil, err
	}
	var all []link
	err = f.symbolTree(tree, mostDepth, func(name, address uint64) error {
		if name >= uint64(len(names.b)) {
			return fail(names.place, "the name at %d lies outside the heap of %d bytes", name, len(names.b))
		}
		at := cursor{f: f, b: names.b[name:], place: names.place + int64(name), what: "a name"}
		l := link{at.name(1), address}
		all = append(all, l)
		if at.err == nil {
			at.err = f.take(int64(len(l.name)), names.place)
		}
		return at.err
	})
	return all, err
}

// symbolTree calls found for each symbol below a node.
func (f *file) symbolTree(node uint64, depth int, found func(name, address uint64) error) error {
	if depth == 0 {
		return fail(f.base, "a tree of names is more than %d deep", mostDepth)
	}
	c, err := f.at(node, uint64(8+2*f.offsetSize), "a tree of names")
	if err != nil {
		return err
	}
	c.signature("TREE")
	if typ := c.uint(1); typ != 0 {
		c.fail("it is of type %d", typ)
	}
	level, entries := c.uint(1), c.uint(2)
	if c.err != nil {
		return c.err
	}
	start := node + uint64(8+2*f.offsetSize)
	c, err = f.at(start, entries*uint64(f.lengthSize+f.offsetSize), "a tree of names")
	if err != nil {
		return err
	}
	for range entries {
		c.length()
		child := c.address()
		if c.err != nil {
			return c.err
		}
		if level > 0 {
			err = f.symbolTree(child, min(depth-1, int(level)), found)
		} else {
			err = f.symbols(child, found)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// symbols calls found for each symbol of a node.
func (f *file) symbols(node uint64, found func(name, address uint64) error) error {
	c, err := f.at(node, 8, "a node of symbols")
	if err != nil {
		return err
	}
	c.signature("SNOD")
	c.skip(2)
	n := c.uint(2)
	if c.err != nil {
		return c.err
	}
	if c, err = f.at(node+8, n*uint64(2*f.offsetSize+24), "a node of symbols"); err != nil {
		return err
	}
	for range n {
		name, address := c.address(), c.address()
		kind := c.uint(4)
		c.skip(4 + 16)
		if c.err != nil {
			return c.err
		}
		if kind == 2 { // a soft link
			continue
		}
		if err := found(name, address); err != nil {
			return err
		}
	}
	return nil
}
