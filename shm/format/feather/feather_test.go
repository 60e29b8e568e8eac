package feather

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// columns are one of each type, or, if they are long, some.
func columns(rows int64) []format.Array {
	var all []format.Array
	for _, t := range kernels.Types() {
		if t == kernels.Bool || t == kernels.Uint8 || rows <= 1000 && t != kernels.BFloat16 {
			all = append(all, format.Array{Name: fmt.Sprintf("%v \"é\" / 2", t), Type: t, Shape: []int64{rows}})
		}
	}
	return all
}

// number is what element i of a column is: what all types have.
func number(i int64) byte { return byte(uint64(i) * 2654435769 >> 16 & 1) }

// written is the file of a draft, with its elements.
func written(t *testing.T, d *format.Draft) []byte {
	t.Helper()
	file := make([]byte, d.Size)
	end := int64(0)
	for _, f := range d.Fixed {
		if f.Offset < end {
			t.Fatalf("what is at %d begins before %d", f.Offset, end)
		}
		end = f.Offset + int64(copy(file[f.Offset:], f.Bytes))
	}
	for k, a := range d.Arrays {
		for i := range a.Shape[0] {
			at, in := d.Batches.Rest[k], i-d.Batches.Count*d.Batches.Length
			if b := i / d.Batches.Length; b < d.Batches.Count {
				at, in = a.Offset+b*d.Batches.Stride, i%d.Batches.Length
			}
			if in == 0 && at%align != 0 {
				t.Fatalf("%s: elements begin at %d", a.Name, at)
			}
			if a.Type == kernels.Bool {
				file[at+in/8] |= number(i) << (in % 8)
			} else {
				put(file[at+in*int64(a.Type.Size()):], a.Type, number(i))
			}
		}
	}
	return file
}

func put(b []byte, t kernels.Type, v byte) {
	bits := uint64(v)
	if t.IsFloat() {
		bits = t.FloatBits(float64(v))
	}
	copy(b, binary.LittleEndian.AppendUint64(nil, bits)[:t.Size()])
}

// Whoever reads the format finds the columns, whatever the batches.
func TestWrittenColumnsReadBack(t *testing.T) {
	for _, rows := range []int64{0, 1, 13, batchRows - 1, batchRows, batchRows + 1, 3*batchRows + 777} {
		arrays := columns(rows)
		d, err := Draft(arrays)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ipc.NewFileReader(bytes.NewReader(written(t, d)))
		if err != nil {
			t.Fatalf("%d rows: %v", rows, err)
		}
		at := int64(0)
		for k := range r.NumRecords() {
			batch, err := r.RecordBatchAt(k)
			if err != nil {
				t.Fatalf("%d rows, batch %d: %v", rows, k, err)
			}
			for c, a := range arrays {
				name, column := batch.ColumnName(c), batch.Column(c)
				if name != a.Name || column.NullN() != 0 || !strings.HasPrefix(a.Name, wordOf(column.DataType())) {
					t.Fatalf("column %q of %v with %d nulls, want %q", name, column.DataType(), column.NullN(), a.Name)
				}
				check(t, column, a, at)
			}
			at += batch.NumRows()
			batch.Release()
		}
		if at != rows {
			t.Errorf("%d rows of %d", at, rows)
		}
		r.Close()
	}
}

// wordOf is the word for a type here.
func wordOf(t arrow.DataType) string {
	return map[string]string{"half_float": "float16", "float": "float32", "double": "float64"}[t.Name()] + map[bool]string{true: t.Name()}[t.ID() <= arrow.INT64]
}

func check(t *testing.T, column arrow.Array, a format.Array, from int64) {
	t.Helper()
	for i := range int64(column.Len()) {
		want, got := number(from+i), byte(0)
		if bits, ok := column.(*array.Boolean); ok {
			if bits.Value(int(i)) {
				got = 1
			}
		} else {
			var b [8]byte
			put(b[:], a.Type, 1)
			size := int64(a.Type.Size())
			if e := column.Data().Buffers()[1].Bytes()[i*size:][:size]; bytes.Equal(e, b[:size]) {
				got = 1
			} else if !bytes.Equal(e, make([]byte, size)) {
				got = 2
			}
		}
		if got != want {
			t.Fatalf("%s: element %d is %d, want %d", a.Name, from+i, got, want)
		}
	}
}

// There are not more batches than a reader likes.
func TestBatchesOfManyRows(t *testing.T) {
	d, err := Draft([]format.Array{{Name: "a", Type: kernels.Uint8, Shape: []int64{mostBatches*batchRows + 5}}})
	if err != nil || d.Batches.Length != 2*batchRows || d.Batches.Count != mostBatches/2 || len(d.Fixed) != 1+1+mostBatches/2+1+1 {
		t.Errorf("%+v, %d parts, %v", d.Batches, len(d.Fixed), err)
	}
}

func TestWhatIsNoColumnIsRefused(t *testing.T) {
	a := format.Array{Name: "a", Type: kernels.Int8, Shape: []int64{3}}
	two, none, other, brain := a, a, a, a
	two.Shape, none.Shape, other.Shape, brain.Type = []int64{3, 1}, nil, []int64{4}, kernels.BFloat16
	for _, c := range []struct {
		arrays []format.Array
		want   string
	}{
		{[]format.Array{two}, "one axis"},
		{[]format.Array{none}, "one axis"},
		{[]format.Array{a, other}, "one length"},
		{[]format.Array{brain}, "bfloat16"},
	} {
		if _, err := Draft(c.arrays); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
