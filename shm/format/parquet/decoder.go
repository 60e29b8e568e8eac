package parquet

import (
	"fmt"

	"github.com/gangsaw/gangsaw/shm/format"
)

// decoder decodes some columns.
type decoder struct{ columns []*columnDecoder }

// Decode see [format.Decoder].
func (d *decoder) Decode(dst [][]byte, n int) error {
	for i, c := range d.columns {
		if err := c.decode(dst[i], int64(n)); err != nil {
			return err
		}
	}
	return nil
}

// Skip see [format.Decoder].
func (d *decoder) Skip(n int64) error {
	for _, c := range d.columns {
		if err := c.skip(n); err != nil {
			return err
		}
	}
	return nil
}

// Close frees what decompresses, and not what is read from.
func (d *decoder) Close() error {
	for _, c := range d.columns {
		c.close()
	}
	return nil
}

// batch is how many values are decoded at once.
const batch = 4096

// columnDecoder decodes one column.
type columnDecoder struct {
	t      *table
	index  int
	leaf   leaf
	to     *format.Column // nil while nulls are counted
	name   string
	group  int   // that comes next
	left   int64 // rows of the present one
	row    int64
	nulls  int64
	passed bool // some rows were not looked at
	pages  *pages
	defs   [batch]uint32
	bits   [batch]uint64
}

func (t *table) decoder(index int, to *format.Column) *columnDecoder {
	return &columnDecoder{t: t, index: index, leaf: t.leaves[index], to: to, name: t.columns[index].Name}
}

func (c *columnDecoder) close() {
	if c.pages != nil {
		c.pages.close()
	}
}

// skip passes over n rows, whole groups unseen if nulls are not counted.
func (c *columnDecoder) skip(n int64) error {
	for n > 0 {
		if c.left == 0 && c.to != nil && c.group < len(c.t.groups) {
			if rows := c.t.groups[c.group].rows; rows <= n {
				c.group++
				c.row += rows
				n -= rows
				c.passed = c.passed || rows > 0
				continue
			}
		}
		k, _, err := c.next(n)
		if err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// decode decodes n rows.
func (c *columnDecoder) decode(dst []byte, n int64) error {
	size := int64(c.to.Type.Size())
	for n > 0 {
		k, values, err := c.next(n)
		if err != nil {
			return err
		}
		if err := c.put(dst[:k*size], int(k), values); err != nil {
			return err
		}
		dst, n = dst[k*size:], n-k
	}
	if last := c.left == 0 && c.row == c.to.Len(); last && !c.passed && c.nulls != c.to.Nulls {
		return c.fail(fmt.Errorf("it has %d nulls, and its statistics count %d", c.nulls, c.to.Nulls))
	}
	return nil
}

func (c *columnDecoder) fail(err error) error {
	return fail(fmt.Errorf("column %q, row %d: %w", c.name, c.row, err))
}

// next takes up to n rows, and says how many, and how many values those have; their
// bits and levels are in c.
func (c *columnDecoder) next(n int64) (rows int64, values int, err error) {
	if err := c.open(); err != nil {
		return 0, 0, c.fail(err)
	}
	page := &c.pages.page
	rows = min(n, c.left, page.rows, batch)
	values = int(rows)
	if page.levels != nil {
		if err := page.levels.next(c.defs[:rows]); err != nil {
			return 0, 0, c.fail(err)
		}
		values = 0
		for _, d := range c.defs[:rows] {
			if d == c.leaf.maxDef {
				values++
			}
		}
		c.nulls += rows - int64(values)
	}
	if err := page.values.next(c.bits[:values]); err != nil {
		return 0, 0, c.fail(err)
	}
	c.extend(c.bits[:values])
	page.rows -= rows
	c.left -= rows
	c.row += rows
	if c.left == 0 && page.rows > 0 {
		return 0, 0, c.fail(fmt.Errorf("a page has %d rows more than its row group", page.rows))
	}
	return rows, values, nil
}

// open goes on to the page that has the next row.
func (c *columnDecoder) open() error {
	for c.left == 0 {
		if c.group == len(c.t.groups) {
			return fmt.Errorf("there are no more rows")
		}
		group := c.t.groups[c.group]
		c.group++
		if c.left = group.rows; c.left == 0 {
			continue
		}
		c.close()
		var err error
		if c.pages, err = newPages(c.t.r, c.t.size, &group.chunks[c.index], c.leaf, c.t.maxPage()); err != nil {
			c.pages = nil
			return err
		}
	}
	for c.pages.page.rows == 0 {
		if err := c.pages.next(); err != nil {
			return err
		}
	}
	return nil
}

// extend makes 64 bits of integers of 32, signed or not.
func (c *columnDecoder) extend(bits []uint64) {
	if c.leaf.physical != typeInt32 {
		return
	}
	signed := c.leaf.stored.IsSigned()
	for i, v := range bits {
		if bits[i] = uint64(uint32(v)); signed {
			bits[i] = uint64(int32(v))
		}
	}
}
