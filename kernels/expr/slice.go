package expr

// sliceItem is one item between brackets.
type sliceItem struct {
	kind              itemKind
	index             *syntax
	start, stop, step *syntax // nil where it is left out
	span
}

type itemKind uint8

const (
	indexItem itemKind = iota
	rangeItem
	ellipsisItem
	axisItem // None: an axis of length 1
)

// slices reads what is between brackets behind a part.
func (p *parser) slice(of *syntax) (*syntax, *Error) {
	by := p.token
	made := &syntax{op: isSlice, args: []*syntax{of}, shown: "[", at: by.span}
	if err := p.advance(); err != nil {
		return nil, err
	}
	for {
		item, err := p.item()
		if err != nil {
			return nil, err
		}
		made.items = append(made.items, item)
		if !p.is(",") {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.is("]") {
			break
		}
	}
	made.span = span{of.pos, p.token.end}
	if err := p.expect("]"); err != nil {
		return nil, err
	}
	return p.add(made)
}

// item reads an index, a range, ... or None.
func (p *parser) item() (item sliceItem, err *Error) {
	from := p.token.pos
	defer func() { item.span = span{from, max(from, p.before)} }()
	switch {
	case p.is("..."):
		item.kind = ellipsisItem
		return item, p.advance()
	case p.is("None") || p.token.kind == nameToken && p.token.text == "newaxis":
		item.kind = axisItem
		return item, p.advance()
	}
	parts := []**syntax{&item.start, &item.stop, &item.step}
	for i, part := range parts {
		if !p.is(":") && !p.is(",") && !p.is("]") || i == 0 && !p.is(":") {
			if *part, err = p.ternary(); err != nil {
				return item, err
			}
		}
		if !p.is(":") || i == len(parts)-1 {
			if i == 0 {
				item.kind, item.index, item.start = indexItem, item.start, nil
				return item, nil
			}
			break
		}
		if err = p.advance(); err != nil {
			return item, err
		}
	}
	item.kind = rangeItem
	return item, nil
}

// slice builds the part of an array that brackets name: NumPy's basic slices.
func (b *builder) slice(s *syntax) *node {
	x := b.build(s.args[0])
	if !x.array {
		b.fail(s.span, "it is one number already", "a slice of what is no array")
	}
	items := b.complete(s, x)
	sel := selection{shape: []int{}, from: make([]int, len(x.shape))}
	axis := 0
	for _, item := range items {
		switch item.kind {
		case axisItem:
			sel.shape, sel.axes = append(sel.shape, 1), append(sel.axes, axisStep{-1, 0})
			continue
		case indexItem:
			sel.from[axis] = b.index(item, x.shape[axis], axis)
		default:
			from, step, n := b.bounds(item, x.shape[axis])
			sel.from[axis] = from
			sel.shape, sel.axes = append(sel.shape, n), append(sel.axes, axisStep{axis, step})
		}
		axis++
	}
	if len(sel.shape) > maxAxes {
		b.fail(s.span, "", "an array of more than %d axes", maxAxes)
	}
	b.at = s.span
	return b.selected(x, sel)
}

// complete puts whole axes in for ... and behind the last item.
func (b *builder) complete(s *syntax, x *node) []sliceItem {
	named, dots := 0, -1
	for i, item := range s.items {
		switch {
		case item.kind == ellipsisItem && dots >= 0:
			b.fail(item.span, "write : for the other axes", "... stands twice in a slice")
		case item.kind == ellipsisItem:
			dots = i
		case item.kind != axisItem:
			named++
		}
	}
	if named > len(x.shape) {
		b.fail(s.span, "", "%d indices of an array of shape %v", named, x.shape)
	}
	items := s.items
	if dots < 0 {
		dots = len(items)
		items = append(items[:dots:dots], sliceItem{kind: ellipsisItem})
	}
	var all []sliceItem
	all = append(all, items[:dots]...)
	for range len(x.shape) - named {
		all = append(all, sliceItem{kind: rangeItem})
	}
	return append(all, items[dots+1:]...)
}

// index returns the place on an axis of length n.
func (b *builder) index(item sliceItem, n, axis int) int {
	i, ok := b.integer(item.index)
	switch {
	case !ok && b.build(item.index).isBool():
		b.fail(item.index.span, "write where(mask, x, 0), or restrict reductions by a condition", "a mask selects how many elements nobody knows before")
	case !ok:
		b.fail(item.index.span, "write x[3], x[2:10], x[::2] or x[..., 0]", "an index is an integer that is known")
	case i < -n || i >= n:
		b.fail(item.index.span, "", "there is no place %d on axis %d, of length %d", i, axis, n)
	case i < 0:
		i += n
	}
	return i
}

// bounds returns where a range begins, its step and its length, as Python counts
// them on an axis of length n.
func (b *builder) bounds(item sliceItem, n int) (from, step, length int) {
	number := func(s *syntax, otherwise int) int {
		if s == nil || s.op == isNone {
			return otherwise
		}
		i, ok := b.integer(s)
		if !ok {
			b.fail(s.span, "write x[2:10], x[-5:] or x[::2]", "a bound is an integer that is known")
		}
		return i
	}
	clamp := func(s *syntax, otherwise, lo, hi int) int {
		i := number(s, otherwise)
		if s != nil && s.op != isNone && i < 0 {
			i += n
		}
		return min(max(i, lo), hi)
	}
	switch step = number(item.step, 1); {
	case step == 0:
		b.fail(item.step.span, "", "the step of a slice is 0")
	case step > 0:
		from = clamp(item.start, 0, 0, n)
		length = max(0, (clamp(item.stop, n, 0, n)-from+min(step, n+1)-1)/min(step, n+1))
	default:
		back := min(-max(step, -n-1), n+1)
		from = clamp(item.start, n-1, -1, n-1)
		length = max(0, (from-clamp(item.stop, -1, -1, n-1)+back-1)/back)
	}
	if length == 0 {
		return 0, 1, 0
	}
	if length == 1 {
		step = 1 // it is not gone
	}
	return from, step, length
}
