package arrow

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const name = "arrow"

func init() {
	format.RegisterTable(format.TableFormat{
		Name:  name,
		Magic: "ARROW1",
		Why:   "there is none of it in the file as numbers that lie one after another",
		Open:  Open,
	})
}

// table is an open file.
type table struct {
	r       io.ReaderAt
	size    int64
	memory  int64
	columns []format.Column
	stored  []kernels.Type
	batches []int64 // rows of each
	blocks  []block // of each
}

// fail returns an error of the file.
func fail(err error) error {
	var known *format.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &format.Error{Format: name, What: err.Error(), Remedy: "the file is truncated or damaged, or its record batches are larger than --decode-memory: write it again, with smaller batches"}
}

var stored = map[arrow.Type]kernels.Type{
	arrow.BOOL: kernels.Bool, arrow.INT8: kernels.Int8, arrow.INT16: kernels.Int16, arrow.INT32: kernels.Int32, arrow.INT64: kernels.Int64,
	arrow.UINT8: kernels.Uint8, arrow.UINT16: kernels.Uint16, arrow.UINT32: kernels.Uint32, arrow.UINT64: kernels.Uint64,
	arrow.FLOAT16: kernels.Float16, arrow.FLOAT32: kernels.Float32, arrow.FLOAT64: kernels.Float64,
}

// Open reads the file's schema, and finds where its columns lie.
func Open(r io.ReaderAt, size int64, _ string, o format.TableOptions) (format.Table, error) {
	footer, err := readFooter(r, size)
	if err != nil {
		return nil, fail(err)
	}
	blocks, err := footer.blocks(footerBatches)
	if err != nil {
		return nil, fail(err)
	}
	batches, err := readBatches(r, size, blocks)
	if err != nil {
		return nil, fail(err)
	}
	// The library reads all dictionaries, whether they are asked for or not.
	dictionaries, err := footer.blocks(footerDictionaries)
	if err != nil {
		return nil, fail(err)
	}
	for i, at := range dictionaries {
		if err := checkFrames(r, size, at); err != nil {
			return nil, fail(fmt.Errorf("dictionary %d: %w", i, err))
		}
	}
	t := &table{r: r, size: size, memory: o.Memory, blocks: blocks}
	f, err := t.open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	taken := map[string]bool{}
	for _, field := range f.Schema().Fields() {
		s := stored[field.Type.ID()]
		c := format.Column{Array: format.Array{Name: field.Name, Type: s}}
		switch {
		case s == 0:
			c.Type = kernels.Float64
			c.Err = &format.Error{Format: name, What: fmt.Sprintf("it holds %v, no plain numbers", field.Type), Remedy: "cast it to numbers where the file is written"}
		case taken[field.Name]:
			c.Err = &format.Error{Format: name, What: "another column has this name", Remedy: "rename one"}
		}
		taken[field.Name] = true
		t.columns, t.stored = append(t.columns, c), append(t.stored, s)
	}
	rows := int64(0)
	for _, b := range batches {
		t.batches = append(t.batches, b.rows)
		rows += b.rows
	}
	if err := t.place(f.Schema(), batches, footer.bigEndian()); err != nil {
		return nil, fail(err)
	}
	for k := range t.columns {
		c := &t.columns[k]
		if c.Shape = []int64{rows}; c.Nulls > 0 && !c.Type.IsFloat() {
			c.Type = kernels.Float64
		}
	}
	return t, nil
}

// open opens the file for one goroutine.
func (t *table) open() (*ipc.FileReader, error) {
	limit := t.memory
	if limit <= 0 {
		limit = math.MaxInt64
	}
	f, err := ipc.NewFileReader(io.NewSectionReader(t.r, 0, t.size), ipc.WithBodySizeLimit(limit), ipc.WithAllocator(&bounded{left: limit}))
	return f, fail(err)
}

// batch reads record batch i, to be released, all of whose columns have its rows.
func (t *table) batch(f *ipc.FileReader, i int) (arrow.RecordBatch, error) {
	if err := checkFrames(t.r, t.size, t.blocks[i]); err != nil {
		return nil, fail(fmt.Errorf("record batch %d: %w", i, err))
	}
	batch, err := f.RecordBatchAt(i)
	if err != nil {
		return nil, fail(fmt.Errorf("record batch %d: %w", i, err))
	}
	for k := range t.columns {
		if err := t.checkColumn(batch, k); err != nil {
			batch.Release()
			return nil, fail(fmt.Errorf("record batch %d, column %q: %w", i, t.columns[k].Name, err))
		}
	}
	return batch, nil
}

// checkColumn holds a column's buffers against its length: the library trusts them.
func (t *table) checkColumn(batch arrow.RecordBatch, k int) error {
	if int(batch.NumCols()) != len(t.columns) {
		return fmt.Errorf("%d columns, of %d", batch.NumCols(), len(t.columns))
	}
	column := batch.Column(k)
	n := int64(column.Len())
	if n != batch.NumRows() || n < 0 {
		return fmt.Errorf("%d elements in %d rows", n, batch.NumRows())
	}
	if t.stored[k] == 0 {
		return nil
	}
	data := column.Data()
	bits := int64(8 * t.stored[k].Size())
	if t.stored[k] == kernels.Bool {
		bits = 1
	}
	buffers := data.Buffers()
	if len(buffers) != 2 || data.Offset() != 0 || n > 0 && (buffers[1] == nil || int64(buffers[1].Len()) < (n*bits+7)/8) {
		return errors.New("its elements are not all there")
	}
	if valid := buffers[0]; valid != nil && valid.Len() > 0 && int64(valid.Len()) < (n+7)/8 || valid == nil && column.NullN() > 0 {
		return errors.New("its validity bitmap is too short")
	}
	return nil
}

// Columns describes the columns.
func (t *table) Columns() []format.Column { return t.columns }

// Close does nothing: decoders hold what there is.
func (t *table) Close() error { return nil }
