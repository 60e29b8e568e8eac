package csv

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

func init() {
	format.RegisterTable(format.TableFormat{
		Name:     "csv",
		Suffixes: []string{".csv", ".tsv", ".tab"},
		Why:      "its numbers are text",
		Open:     Open,
	})
}

// maxColumns is how many columns a table has at most: what is known of one takes a
// thousand times the room of a comma.
const maxColumns = 1 << 17

// table is text whose columns are known.
type table struct {
	r         io.ReaderAt
	size      int64
	delimiter rune
	header    bool
	rows      int64
	columns   []format.Column
}

// Open reads the text once and finds out what its columns are. A column that holds
// something else than numbers has an [*Error] of its first bad cell; text that has no
// rows of equally many cells is an error.
func Open(r io.ReaderAt, size int64, path string, o format.TableOptions) (format.Table, error) {
	t := &table{r: r, size: size, delimiter: o.Delimiter}
	if t.delimiter == 0 {
		t.delimiter = ','
		if s := strings.ToLower(filepath.Ext(path)); s == ".tsv" || s == ".tab" {
			t.delimiter = '\t'
		}
	}
	if err := t.survey(); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *table) survey() error {
	rows := newRows(t.r, t.size, t.delimiter)
	cells, err := rows.next()
	if err == io.EOF {
		return &Error{Line: 1, Column: 1, What: "there are no cells"}
	}
	if err != nil {
		return err
	}
	if len(cells) > maxColumns {
		return &Error{Line: 1, Column: 1, What: fmt.Sprintf("the row has %d cells, more than %d", len(cells), maxColumns), Remedy: "is this the delimiter (--delimiter)?"}
	}
	all := make([]inference, len(cells))
	taken := map[string]bool{}
	for i, cell := range cells {
		t.header = t.header || parse(cell).kind == text
		all[i].name = fmt.Sprintf("c%d", i+1)
	}
	for i, cell := range cells {
		if name := strings.Trim(cell, " \t"); t.header && name != "" {
			all[i].name = strings.Clone(name)
		}
		if taken[all[i].name] {
			line, column := rows.FieldPos(i)
			all[i].bad = &Error{line, column, all[i].name, "another column has this name", "rename one"}
		}
		taken[all[i].name] = true
	}
	for again := !t.header; ; again = false {
		if !again {
			if cells, err = rows.next(); err == io.EOF {
				break
			} else if err != nil {
				return err
			}
		}
		t.rows++
		for i, cell := range cells {
			if all[i].bad == nil {
				all[i].take(cell, func() (int, int) { return rows.FieldPos(i) })
			}
		}
	}
	for i := range all {
		t.columns = append(t.columns, all[i].column(t.rows))
	}
	return nil
}

// inference is what is known of a column.
type inference struct {
	name                                    string
	nulls, signed, unsigned, floats, truths int64
	negative                                bool
	odd                                     *Error // an integer that is none of float64
	bad                                     error
}

func (n *inference) take(cell string, at func() (line, column int)) {
	v := parse(cell)
	switch v.kind {
	case null:
		n.nulls++
	case signed:
		n.signed++
		n.negative = n.negative || int64(v.bits) < 0
	case unsigned:
		n.unsigned++
	case float:
		n.floats++
	case truth:
		n.truths++
	}
	numbers := n.signed + n.unsigned + n.floats
	switch {
	case v.kind == text || n.truths > 0 && numbers > 0:
		line, column := at()
		what, remedy := reproach(cell)
		if v.kind != text {
			what, remedy = shown(cell)+" is among truth values, or the first of those among numbers", "make all one or the other"
		}
		n.bad = &Error{line, column, n.name, what, remedy}
	case n.odd == nil && (v.kind == signed || v.kind == unsigned) && !v.exact():
		line, column := at()
		n.odd = &Error{line, column, n.name, "the integer " + shown(cell) + " would be rounded to float64, as which the column is read, since it also holds nulls, or both negative integers and some above int64", "write one of them with a point if rounding is meant, or take those out"}
	}
}

// column returns what the rule makes of all cells.
func (n *inference) column(rows int64) format.Column {
	c := format.Column{Array: format.Array{Name: n.name, Type: kernels.Float64, Shape: []int64{rows}}, Nulls: n.nulls, Err: n.bad}
	if n.bad != nil || n.nulls == 0 && n.floats == 0 && n.truths == 0 && n.signed+n.unsigned == 0 {
		return c
	}
	switch whole := n.nulls == 0 && n.floats == 0; {
	case whole && n.truths > 0:
		c.Type = kernels.Bool
	case whole && n.unsigned == 0:
		c.Type = kernels.Int64
	case whole && !n.negative:
		c.Type = kernels.Uint64
	case n.floats == 0 && n.odd != nil:
		c.Err = n.odd
	}
	return c
}

// Columns describes the columns.
func (t *table) Columns() []format.Column { return t.columns }

// Close does nothing: nothing is held.
func (t *table) Close() error { return nil }

// Decode returns a decoder of columns.
func (t *table) Decode(columns []int) (format.Decoder, error) {
	d := &decoder{t: t, columns: columns, rows: newRows(t.r, t.size, t.delimiter)}
	if t.header {
		if _, err := d.next(); err != nil {
			return nil, err
		}
	}
	return d, nil
}
