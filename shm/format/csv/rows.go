package csv

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
)

// maxRow is the most bytes of a row: a quote that is never closed takes in all that
// follows.
const maxRow = 16 << 20

const bufferSize = 256 << 10

var errRow = errors.New("a row has more than 16 MiB")

// rows reads rows of cells.
type rows struct {
	*csv.Reader
	meter *meter
	line  int // on which the last cell of the last row began
}

// meter bounds what is read for one row.
type meter struct {
	io.Reader
	left int
}

func (m *meter) Read(b []byte) (int, error) {
	if m.left <= 0 {
		return 0, errRow
	}
	n, err := m.Reader.Read(b)
	m.left -= n
	return n, err
}

func newRows(r io.ReaderAt, size int64, delimiter rune) *rows {
	m := &meter{io.NewSectionReader(r, 0, size), maxRow}
	buffered := bufio.NewReaderSize(m, bufferSize)
	if mark, _ := buffered.Peek(3); string(mark) == "\xef\xbb\xbf" {
		buffered.Discard(3)
	}
	c := csv.NewReader(buffered)
	c.Comma, c.ReuseRecord = delimiter, true
	return &rows{Reader: c, meter: m}
}

// next returns the cells of the next row, valid until the one after; io.EOF behind
// the last.
func (r *rows) next() ([]string, error) {
	r.meter.left = maxRow + bufferSize
	cells, err := r.Read()
	if err == nil && len(cells) > 0 {
		r.line, _ = r.FieldPos(len(cells) - 1)
	}
	if err == nil || err == io.EOF {
		return cells, err
	}
	line, column := r.line+1, 1
	what := err.Error()
	var at *csv.ParseError
	switch {
	case errors.As(err, &at) && errors.Is(err, csv.ErrFieldCount):
		what = fmt.Sprintf("the row has %d cells, and those above have %d", len(cells), r.FieldsPerRecord)
		line, column = at.Line, at.Column
	case errors.As(err, &at):
		what, line, column = at.Err.Error(), at.StartLine, max(at.Column, 1)
	case errors.Is(err, errRow):
	default:
		return nil, err // of the file
	}
	return nil, &Error{Line: line, Column: column, What: what, Remedy: "is this the delimiter (--delimiter), and does each quote have its end?"}
}
