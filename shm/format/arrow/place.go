package arrow

import (
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// Why a column is decoded, and what to do about it.
const (
	whyPacked     = "its truth values are packed, eight in a byte"
	whyCompressed = "its record batches are compressed"
	whyNulls      = "it has nulls, for which its integers become float64"
	whyUnknown    = "its place in the record batches is not known"
)

// place finds where each column lies in the file as numbers, or says why it does not.
func (t *table) place(schema *arrow.Schema, batches []batch, bigEndian bool) error {
	known := true
	firstNode, firstBuffer := 0, 0
	var places []region // of each column: its first node, and buffer
	for _, field := range schema.Fields() {
		places = append(places, region{int64(firstNode), int64(firstBuffer)})
		nodes, buffers, ok := span(field.Type)
		firstNode, firstBuffer, known = firstNode+nodes, firstBuffer+buffers, known && ok
	}
	for i := range batches {
		known = known && len(batches[i].nodes) == firstNode && len(batches[i].buffers) == firstBuffer
	}
	for k := range t.columns {
		c := &t.columns[k]
		if c.Err != nil {
			continue
		}
		if !known {
			c.Why = whyUnknown
			continue
		}
		for i := range batches {
			if err := t.piece(k, &batches[i], int(places[k].offset), int(places[k].length)); err != nil {
				return fmt.Errorf("record batch %d, column %q: %w", i, c.Name, err)
			}
		}
		switch {
		case t.stored[k] == kernels.Bool:
			c.Why = whyPacked
		case c.Nulls > 0 && !t.stored[k].IsFloat():
			c.Why = whyNulls
		}
		if c.Why != "" {
			c.Pieces = nil
			continue
		}
		c.Swapped = bigEndian
	}
	return nil
}

// piece notes what a record batch has of a column.
func (t *table) piece(k int, b *batch, firstNode, firstBuffer int) error {
	c, n := &t.columns[k], b.nodes[firstNode]
	if n.length != b.rows || n.nulls < 0 || n.nulls > n.length {
		return fmt.Errorf("%d elements with %d nulls in %d rows", n.length, n.nulls, b.rows)
	}
	if b.compressed {
		c.Nulls += n.nulls
		c.Why = whyCompressed
		return nil
	}
	valid, values := b.buffers[firstBuffer], b.buffers[firstBuffer+1]
	need := (n.length + 7) / 8
	if t.stored[k] != kernels.Bool {
		need = n.length * int64(t.stored[k].Size())
	}
	if _, ok := values.end(b.size); !ok || n.length > b.size*8 || values.length < need {
		return errors.New("its elements are not all there")
	}
	p := format.Piece{Offset: b.body + values.offset, Len: n.length}
	if n.nulls > 0 {
		if _, ok := valid.end(b.size); !ok || valid.length < (n.length+7)/8 {
			return errors.New("its validity bitmap is too short")
		}
		nulls, err := countNulls(t.r, b.body+valid.offset, n.length)
		if err != nil {
			return err
		}
		if c.Nulls += nulls; nulls > 0 {
			p.Valid = b.body + valid.offset
		}
	}
	if n.length > 0 {
		c.Pieces = append(c.Pieces, p)
	}
	return nil
}

// countNulls counts the bits of a bitmap of n bits that are 0.
func countNulls(r io.ReaderAt, at, n int64) (nulls int64, err error) {
	buf := make([]byte, min((n+7)/8, 64<<10))
	for left := n; left > 0; {
		some := buf[:min(int64(len(buf)), (left+7)/8)]
		if _, err := r.ReadAt(some, at); err != nil {
			return 0, err
		}
		if left < 8*int64(len(some)) {
			some[len(some)-1] |= 0xff << (left % 8)
		}
		for _, b := range some {
			nulls += int64(8 - bits.OnesCount8(b))
		}
		at += int64(len(some))
		left -= 8 * int64(len(some))
	}
	return nulls, nil
}
