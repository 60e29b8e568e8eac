package csv

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/gangsaw/gangsaw/kernels"
)

// decoder reads the rows of a table again.
type decoder struct {
	t       *table
	columns []int
	rows    *rows
}

// next returns the next row, which the table was found to have.
func (d *decoder) next() ([]string, error) {
	cells, err := d.rows.next()
	if err == nil && len(cells) != len(d.t.columns) || err == io.EOF {
		line, column := 1, 1
		if len(cells) > 0 {
			line, column = d.rows.FieldPos(0)
		}
		return nil, &Error{Line: line, Column: column, What: "rows are not what they were when the file was opened", Remedy: "run again when nothing writes to it"}
	}
	return cells, err
}

// Decode see [format.Decoder].
func (d *decoder) Decode(dst [][]byte, n int) error {
	for i := range n {
		cells, err := d.next()
		if err != nil {
			return err
		}
		for k, c := range d.columns {
			column := &d.t.columns[c]
			if !put(dst[k], i, column.Type, parse(cells[c])) {
				line, at := d.rows.FieldPos(c)
				return &Error{line, at, column.Name, shown(cells[c]) + " is not what was there when the file was opened", "run again when nothing writes to it"}
			}
		}
	}
	return nil
}

// put writes element i, and reports whether the value is one of that type.
func put(dst []byte, i int, t kernels.Type, v value) bool {
	switch t {
	case kernels.Float64:
		binary.NativeEndian.PutUint64(dst[8*i:], math.Float64bits(v.float))
		return v.kind != text
	case kernels.Bool:
		dst[i] = byte(v.bits)
		return v.kind == truth
	case kernels.Uint64:
		binary.NativeEndian.PutUint64(dst[8*i:], v.bits)
		return v.kind == unsigned || v.kind == signed && int64(v.bits) >= 0
	}
	binary.NativeEndian.PutUint64(dst[8*i:], v.bits)
	return v.kind == signed
}

// Skip see [format.Decoder].
func (d *decoder) Skip(n int64) error {
	for range n {
		if _, err := d.next(); err != nil {
			return err
		}
	}
	return nil
}

// Close does nothing: nothing is held.
func (d *decoder) Close() error { return nil }
