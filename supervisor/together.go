package supervisor

import "slices"

// Together has arrays that are decoded from one file decoded in the same pass, the first
// over any of them, and kept: later passes find them. That is for arrays which are read
// one after another, as text is parsed for all of its columns at once. As many are kept
// as fit in half of [DecodeMemory], in the order of the arrays, and made room for once
// done is called, between passes, with one that will not be read again. What does not fit,
// or is not named here, is decoded anew for each pass.
func (p *Pool) Together(arrays ...*Array) (done func(*Array) error) {
	for _, x := range arrays {
		d := x.file.decoding
		if d == nil || x.file.pool != p {
			continue
		}
		if c, _, ok := d.at(x.Offset); ok {
			d.locked(func() error {
				d.wanted = append(d.wanted, c)
				return nil
			})
		}
	}
	return func(x *Array) error {
		d := x.file.decoding
		if d == nil || x.file.pool != p {
			return nil
		}
		c, _, ok := d.at(x.Offset)
		if !ok {
			return nil
		}
		return d.locked(func() error {
			d.wanted = slices.DeleteFunc(d.wanted, func(w int) bool { return w == c })
			if !slices.Contains(d.kept, c) {
				return nil
			}
			return d.drop(c)
		})
	}
}

// locked calls f while no pass decodes.
func (d *decoding) locked(f func() error) error {
	d.turn <- struct{}{}
	defer func() { <-d.turn }()
	return f()
}

// drop gives back the memory of a column.
func (d *decoding) drop(column int) error {
	d.kept = slices.DeleteFunc(d.kept, func(k int) bool { return k == column })
	c := d.columns[column]
	return d.memory.Release(c.Offset, (c.Size()+columnAlign-1)/columnAlign*columnAlign)
}

// group returns the columns that a pass over all elements of some is to decode and keep,
// in so many bytes with what is kept already; nil if it is to keep none.
func (d *decoding) group(columns []int, limit int64) (group []int) {
	for _, c := range d.kept {
		limit -= d.columns[c].Size()
	}
	for _, c := range columns {
		if limit -= d.columns[c].Size(); limit < 0 || !slices.Contains(d.wanted, c) {
			return nil
		}
	}
	group = slices.Clone(columns)
	for _, c := range d.wanted {
		size := d.columns[c].Size()
		if slices.Contains(group, c) || slices.Contains(d.kept, c) || d.columns[c].Len() != d.columns[columns[0]].Len() || size > limit {
			continue
		}
		group, limit = append(group, c), limit-size
	}
	return group
}
