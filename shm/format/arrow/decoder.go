package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// decoder decodes some columns.
type decoder struct {
	t       *table
	f       *ipc.FileReader
	columns []int
	next    int               // batch that comes next
	batch   arrow.RecordBatch // the present one, nil if there is none
	row     int64             // in it
}

// Decode returns a decoder of columns.
func (t *table) Decode(columns []int) (format.Decoder, error) {
	f, err := t.open()
	if err != nil {
		return nil, err
	}
	return &decoder{t: t, f: f, columns: columns}, nil
}

// Close see [format.Decoder].
func (d *decoder) Close() error {
	if d.batch != nil {
		d.batch.Release()
	}
	return d.f.Close()
}

// Skip see [format.Decoder].
func (d *decoder) Skip(n int64) error {
	for n > 0 {
		if d.batch == nil && d.next < len(d.t.batches) && d.t.batches[d.next] <= n {
			n -= d.t.batches[d.next]
			d.next++
			continue
		}
		k, err := d.rows(n)
		if err != nil {
			return err
		}
		d.row += k
		n -= k
	}
	return nil
}

// Decode see [format.Decoder].
func (d *decoder) Decode(dst [][]byte, n int) error {
	for at := int64(0); at < int64(n); {
		k, err := d.rows(int64(n) - at)
		if err != nil {
			return err
		}
		for i, c := range d.columns {
			to := d.t.columns[c].Type
			size := int64(to.Size())
			if err := put(dst[i][at*size:(at+k)*size], to, d.t.stored[c], d.batch.Column(c).Data(), d.row, k); err != nil {
				return fail(fmt.Errorf("record batch %d, column %q: %w", d.next-1, d.t.columns[c].Name, err))
			}
		}
		d.row += k
		at += k
	}
	return nil
}

// rows returns how many rows, n at most, the present batch has left, of which there
// are some.
func (d *decoder) rows(n int64) (int64, error) {
	for d.batch == nil || d.row == d.batch.NumRows() {
		if d.batch != nil {
			d.batch.Release()
			d.batch = nil
		}
		if d.next == len(d.t.batches) || d.next >= d.f.NumRecords() {
			return 0, fail(errors.New("there are no more record batches"))
		}
		batch, err := d.t.batch(d.f, d.next)
		if err != nil {
			return 0, err
		}
		d.batch, d.row = batch, 0
		d.next++
	}
	return min(n, d.batch.NumRows()-d.row), nil
}

// put writes n rows of a column, from one on.
func put(dst []byte, to, from kernels.Type, data arrow.ArrayData, first, n int64) error {
	values := data.Buffers()[1].Bytes()
	var valid []byte
	if data.NullN() > 0 {
		valid = data.Buffers()[0].Bytes()
	}
	if valid == nil && to == from && from != kernels.Bool {
		size := int64(from.Size())
		copy(dst, values[first*size:(first+n)*size])
		return nil
	}
	if valid != nil && !to.IsFloat() {
		return errors.New("there is a null, and there was none when the file was opened")
	}
	null := uint64(0)
	if to.IsFloat() {
		null = to.FloatBits(math.NaN())
	}
	for i := range n {
		v := null
		if valid == nil || bit(valid, first+i) {
			v = element(values, from, first+i)
			if to != from {
				f, err := widen(v, from)
				if err != nil {
					return err
				}
				v = math.Float64bits(f)
			}
		}
		store(dst, i, to.Size(), v)
	}
	return nil
}

func bit(b []byte, i int64) bool { return b[i/8]>>(i%8)&1 == 1 }

// element returns the bits of an element, an integer's as 64.
func element(values []byte, t kernels.Type, i int64) uint64 {
	ne := binary.NativeEndian
	switch {
	case t == kernels.Bool:
		if bit(values, i) {
			return 1
		}
		return 0
	case t.Size() == 8:
		return ne.Uint64(values[8*i:])
	case t == kernels.Int8:
		return uint64(int8(values[i]))
	case t == kernels.Int16:
		return uint64(int16(ne.Uint16(values[2*i:])))
	case t == kernels.Int32:
		return uint64(int32(ne.Uint32(values[4*i:])))
	case t.Size() == 1:
		return uint64(values[i])
	case t.Size() == 2:
		return uint64(ne.Uint16(values[2*i:]))
	}
	return uint64(ne.Uint32(values[4*i:]))
}

// widen makes a float64 of an integer or a truth value.
func widen(v uint64, t kernels.Type) (float64, error) {
	const bound = 1 << 53
	if t == kernels.Uint64 && v > bound {
		return 0, fmt.Errorf("the integer %d would be rounded to float64, as which a column with nulls is read", v)
	}
	if i := int64(v); i > bound || i < -bound {
		return 0, fmt.Errorf("the integer %d would be rounded to float64, as which a column with nulls is read", i)
	}
	return float64(int64(v)), nil
}

func store(dst []byte, i int64, size int, v uint64) {
	switch size {
	case 1:
		dst[i] = byte(v)
	case 2:
		binary.NativeEndian.PutUint16(dst[2*i:], uint16(v))
	case 4:
		binary.NativeEndian.PutUint32(dst[4*i:], uint32(v))
	case 8:
		binary.NativeEndian.PutUint64(dst[8*i:], v)
	}
}
