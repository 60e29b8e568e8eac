package parquet

import (
	"errors"
	"fmt"
	"io"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const name = "parquet"

func init() {
	format.RegisterTable(format.TableFormat{
		Name:  name,
		Magic: magic,
		Why:   "its columns are encoded in pages",
		Open:  Open,
	})
}

// maxPage is the most bytes of a page where decoders may take more.
const maxPage = 256 << 20

// table is an open file.
type table struct {
	r       io.ReaderAt
	size    int64
	memory  int64
	columns []format.Column
	leaves  []leaf
	groups  []group
}

// maxPage returns the most bytes of a page.
func (t *table) maxPage() int64 {
	if t.memory > 0 {
		return min(maxPage, t.memory)
	}
	return maxPage
}

// fail returns an error of the file.
func fail(err error) error {
	var known *format.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &format.Error{Format: name, What: err.Error(), Remedy: "the file is truncated or damaged, or uses what this program does not know: write it again"}
}

// Open reads what the file says of its columns.
func Open(r io.ReaderAt, size int64, _ string, o format.TableOptions) (format.Table, error) {
	t := &table{r: r, size: size, memory: o.Memory}
	f, err := readFooter(r, size)
	if err != nil {
		return nil, fail(err)
	}
	t.groups = f.groups
	if t.columns, t.leaves, err = describe(f); err == nil {
		err = f.check(t.leaves)
	}
	if err != nil {
		return nil, fail(err)
	}
	taken := map[string]bool{}
	for i := range t.columns {
		c := &t.columns[i]
		c.Shape = []int64{f.rows}
		if taken[c.Name] {
			c.Err = &format.Error{Format: name, What: "another column has this name", Remedy: "rename one"}
		}
		taken[c.Name] = true
		t.count(i)
	}
	return t, nil
}

// count finds out how many nulls a column has, and what it is decoded to then.
func (t *table) count(i int) {
	c := &t.columns[i]
	if c.Err != nil || t.leaves[i].maxDef == 0 {
		return
	}
	nulls, known := int64(0), true
	for _, g := range t.groups {
		n := &g.chunks[i]
		known = known && n.counted
		nulls += n.nulls
	}
	if !known {
		d := t.decoder(i, nil)
		defer d.close()
		if c.Err = d.skip(c.Len()); c.Err != nil {
			return
		}
		nulls = d.nulls
	}
	if nulls < 0 || nulls > c.Len() {
		c.Err = fail(fmt.Errorf("its statistics count %d nulls among %d rows", nulls, c.Len()))
		return
	}
	if c.Nulls = nulls; nulls > 0 && !c.Type.IsFloat() {
		c.Type = kernels.Float64
	}
}

// Columns describes the columns.
func (t *table) Columns() []format.Column { return t.columns }

// Close does nothing: decoders hold what there is.
func (t *table) Close() error { return nil }

// Decode returns a decoder of columns.
func (t *table) Decode(columns []int) (format.Decoder, error) {
	d := &decoder{}
	for _, i := range columns {
		d.columns = append(d.columns, t.decoder(i, &t.columns[i]))
	}
	return d, nil
}
