package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

var types = []arrow.DataType{
	arrow.FixedWidthTypes.Boolean,
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
	arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
	arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
}

// sample makes columns of all types, of which some elements are null, and the texts
// of what is in them.
func sample(n int, nulls bool, nullable bool) (arrow.RecordBatch, [][]string) {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	var fields []arrow.Field
	var columns []arrow.Array
	var texts [][]string
	for _, t := range types {
		b := array.NewBuilder(memory.DefaultAllocator, t)
		var all []string
		for range n {
			if nulls && r.IntN(5) == 0 {
				b.AppendNull()
				all = append(all, "NaN")
				continue
			}
			v := r.Int64()
			if nulls {
				v >>= 12 // no integer is rounded then
			}
			all = append(all, appendTo(b, v))
		}
		fields = append(fields, arrow.Field{Name: t.Name(), Type: t, Nullable: nullable})
		columns, texts = append(columns, b.NewArray()), append(texts, all)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(n)), texts
}

func appendTo(b array.Builder, v int64) string {
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(v&1 == 1)
		return fmt.Sprint(v & 1)
	case *array.Int8Builder:
		b.Append(int8(v))
		return fmt.Sprint(int8(v))
	case *array.Int16Builder:
		b.Append(int16(v))
		return fmt.Sprint(int16(v))
	case *array.Int32Builder:
		b.Append(int32(v))
		return fmt.Sprint(int32(v))
	case *array.Int64Builder:
		b.Append(-v)
		return fmt.Sprint(-v)
	case *array.Uint8Builder:
		b.Append(uint8(v))
		return fmt.Sprint(uint8(v))
	case *array.Uint16Builder:
		b.Append(uint16(v))
		return fmt.Sprint(uint16(v))
	case *array.Uint32Builder:
		b.Append(uint32(v))
		return fmt.Sprint(uint32(v))
	case *array.Uint64Builder:
		b.Append(uint64(v))
		return fmt.Sprint(uint64(v))
	case *array.Float16Builder:
		b.Append(float16.New(float32(int8(v))))
		return fmt.Sprint(int8(v))
	case *array.Float32Builder:
		b.Append(float32(int16(v)) / 4)
		return decimal(float64(int16(v)) / 4)
	case *array.Float64Builder:
		b.Append(float64(int32(v)) / 8)
		return decimal(float64(int32(v)) / 8)
	}
	panic("no such builder")
}

// write writes a file.
func write(t testing.TB, batch arrow.RecordBatch, group int64, opts ...parquet.WriterProperty) []byte {
	t.Helper()
	var nodes schema.FieldList
	for _, f := range batch.Schema().Fields() {
		repetition := parquet.Repetitions.Required
		if f.Nullable {
			repetition = parquet.Repetitions.Optional
		}
		nodes = append(nodes, node(f, repetition))
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := file.NewParquetWriter(&b, root, file.WithWriterProps(parquet.NewWriterProperties(opts...)))
	for at := int64(0); at < batch.NumRows(); at += group {
		g, err := w.AppendBufferedRowGroupChecked()
		if err != nil {
			t.Fatal(err)
		}
		for i := range batch.Columns() {
			c, err := g.Column(i)
			if err != nil {
				t.Fatal(err)
			}
			part := array.NewSlice(batch.Column(i), at, min(at+group, batch.NumRows()))
			if err := writeColumn(c, part, batch.Schema().Field(i).Nullable); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// node returns how the values of a field are stored.
func node(f arrow.Field, repetition parquet.Repetition) schema.Node {
	logical := func(l schema.LogicalType, t parquet.Type, length int) schema.Node {
		return schema.MustPrimitive(schema.NewPrimitiveNodeLogical(f.Name, repetition, l, t, length, -1))
	}
	switch f.Type.ID() {
	case arrow.BOOL:
		return schema.NewBooleanNode(f.Name, repetition, -1)
	case arrow.INT8, arrow.INT16, arrow.UINT8, arrow.UINT16, arrow.UINT32:
		return logical(schema.NewIntLogicalType(int8(f.Type.(arrow.FixedWidthDataType).BitWidth()), arrow.IsSignedInteger(f.Type.ID())), parquet.Types.Int32, -1)
	case arrow.INT32:
		return schema.NewInt32Node(f.Name, repetition, -1)
	case arrow.INT64:
		return schema.NewInt64Node(f.Name, repetition, -1)
	case arrow.UINT64:
		return logical(schema.NewIntLogicalType(64, false), parquet.Types.Int64, -1)
	case arrow.FLOAT16:
		return logical(schema.Float16LogicalType{}, parquet.Types.FixedLenByteArray, 2)
	case arrow.FLOAT32:
		return schema.NewFloat32Node(f.Name, repetition, -1)
	}
	return schema.NewFloat64Node(f.Name, repetition, -1)
}

// writeColumn writes values and the levels of nulls.
func writeColumn(w file.ColumnChunkWriter, x arrow.Array, nullable bool) (err error) {
	var levels []int16
	if nullable {
		levels = make([]int16, x.Len())
	}
	var there []int
	for i := range x.Len() {
		if x.IsValid(i) {
			there = append(there, i)
			if nullable {
				levels[i] = 1
			}
		}
	}
	whole := func(i int) int64 {
		n, _ := strconv.ParseInt(x.ValueStr(i), 10, 64) // uint32 fits
		return n
	}
	switch w := w.(type) {
	case *file.BooleanColumnChunkWriter:
		_, err = w.WriteBatch(valuesOf(there, func(i int) bool { return x.(*array.Boolean).Value(i) }), levels, nil)
	case *file.Int32ColumnChunkWriter:
		_, err = w.WriteBatch(valuesOf(there, func(i int) int32 { return int32(whole(i)) }), levels, nil)
	case *file.Int64ColumnChunkWriter:
		_, err = w.WriteBatch(valuesOf(there, func(i int) int64 {
			if u, ok := x.(*array.Uint64); ok {
				return int64(u.Value(i))
			}
			return x.(*array.Int64).Value(i)
		}), levels, nil)
	case *file.Float32ColumnChunkWriter:
		_, err = w.WriteBatch(valuesOf(there, func(i int) float32 { return x.(*array.Float32).Value(i) }), levels, nil)
	case *file.Float64ColumnChunkWriter:
		_, err = w.WriteBatch(valuesOf(there, func(i int) float64 { return x.(*array.Float64).Value(i) }), levels, nil)
	case *file.FixedLenByteArrayColumnChunkWriter:
		_, err = w.WriteBatch(valuesOf(there, func(i int) parquet.FixedLenByteArray {
			return binary.LittleEndian.AppendUint16(nil, x.(*array.Float16).Value(i).Uint16())
		}), levels, nil)
	}
	return err
}

func valuesOf[T any](at []int, value func(int) T) (all []T) {
	for _, i := range at {
		all = append(all, value(i))
	}
	return all
}

func openBytes(b []byte) (table format.Table, err error) {
	err = format.Guard(name, func() (err error) {
		table, err = Open(bytes.NewReader(b), int64(len(b)), "x.parquet", format.TableOptions{Memory: 1 << 26})
		return err
	})
	return table, err
}

// decoded returns the elements of columns, some at a time, as floats or integers.
func decoded(table format.Table, columns []int, skip int64, step int) (texts [][]string, err error) {
	all := table.Columns()
	err = format.Guard(name, func() error {
		d, err := table.Decode(columns)
		if err != nil {
			return err
		}
		defer d.Close()
		if err := d.Skip(skip); err != nil {
			return err
		}
		texts = make([][]string, len(columns))
		for left := int(all[columns[0]].Len() - skip); left > 0; {
			n := min(step, left)
			var dst [][]byte
			for _, c := range columns {
				dst = append(dst, make([]byte, n*all[c].Type.Size()))
			}
			if err := d.Decode(dst, n); err != nil {
				return err
			}
			for i, c := range columns {
				for b, size := dst[i], all[c].Type.Size(); len(b) > 0; b = b[size:] {
					texts[i] = append(texts[i], text(all[c].Type, b))
				}
			}
			left -= n
		}
		return nil
	})
	return texts, err
}

// text is what fmt makes of an element, by its definition.
func text(t kernels.Type, b []byte) string {
	ne := binary.NativeEndian
	switch t {
	case kernels.Bool, kernels.Uint8:
		return fmt.Sprint(b[0])
	case kernels.Int8:
		return fmt.Sprint(int8(b[0]))
	case kernels.Int16:
		return fmt.Sprint(int16(ne.Uint16(b)))
	case kernels.Uint16:
		return fmt.Sprint(ne.Uint16(b))
	case kernels.Int32:
		return fmt.Sprint(int32(ne.Uint32(b)))
	case kernels.Uint32:
		return fmt.Sprint(ne.Uint32(b))
	case kernels.Int64:
		return fmt.Sprint(int64(ne.Uint64(b)))
	case kernels.Uint64:
		return fmt.Sprint(ne.Uint64(b))
	case kernels.Float16:
		return fmt.Sprint(float16.FromBits(ne.Uint16(b)).Float32())
	case kernels.Float32:
		return decimal(float64(math.Float32frombits(ne.Uint32(b))))
	}
	return decimal(math.Float64frombits(ne.Uint64(b)))
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func TestColumnsAreDecodedAsTheyWereWritten(t *testing.T) {
	codecs := []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip, compress.Codecs.Brotli, compress.Codecs.Zstd, compress.Codecs.Lz4Raw}
	for i, codec := range codecs {
		for _, nulls := range []bool{false, true} {
			n := 2500 + i
			batch, want := sample(n, nulls, nulls || i%2 == 0)
			opts := []parquet.WriterProperty{parquet.WithCompression(codec), parquet.WithDictionaryDefault(i%2 == 0), parquet.WithDataPageSize(1000)}
			if i%3 == 0 {
				opts = append(opts, parquet.WithDataPageVersion(parquet.DataPageV2))
			}
			if i%3 == 1 {
				opts = append(opts, parquet.WithStats(false))
			}
			table, err := openBytes(write(t, batch, 1000, opts...))
			if err != nil {
				t.Fatal(err)
			}
			var columns []int
			for c, col := range table.Columns() {
				columns = append(columns, c)
				holes := 0
				for _, s := range want[c] {
					if s == "NaN" {
						holes++
					}
				}
				if col.Err != nil || int(col.Nulls) != holes || int(col.Len()) != n || col.Name != types[c].Name() {
					t.Errorf("%v: %+v, want %d nulls", codec, col, holes)
				}
				wantType := kernels.Types()[map[string]int{"bool": 12, "int8": 2, "int16": 3, "int32": 4, "int64": 5, "uint8": 6, "uint16": 7, "uint32": 8, "uint64": 9, "float16": 10, "float32": 1, "float64": 0}[col.Name]]
				if nulls && !wantType.IsFloat() {
					wantType = kernels.Float64
				}
				if col.Type != wantType {
					t.Errorf("%s is %v", col.Name, col.Type)
				}
			}
			for _, how := range []struct {
				skip int64
				step int
			}{{0, 4096}, {0, 777}, {999, 100000}, {1001, 1}, {2499, 5}} {
				if how.step == 1 && i > 0 {
					continue
				}
				got, err := decoded(table, columns, how.skip, how.step)
				if err != nil {
					t.Fatal(err)
				}
				for c := range columns {
					if !slices.Equal(got[c], want[c][how.skip:]) {
						t.Errorf("%v, nulls %v, skip %d, step %d: %s differs", codec, nulls, how.skip, how.step, types[c].Name())
					}
				}
			}
		}
	}
}

// Each encoding that values may have, beside those above.
func TestEncodingsAreDecoded(t *testing.T) {
	delta, split, rle := parquet.Encodings.DeltaBinaryPacked, parquet.Encodings.ByteStreamSplit, parquet.Encodings.RLE
	for name, encodings := range map[string]map[string]parquet.Encoding{
		"delta": {"int8": delta, "int16": delta, "int32": delta, "int64": delta, "uint8": delta, "uint16": delta, "uint32": delta, "uint64": delta, "bool": rle},
		"split": {"float16": split, "float32": split, "float64": split, "int32": split, "int64": split},
	} {
		for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
			batch, want := sample(5000, name == "split", true)
			opts := []parquet.WriterProperty{parquet.WithDictionaryDefault(false), parquet.WithDataPageVersion(version), parquet.WithDataPageSize(3000), parquet.WithCompression(compress.Codecs.Zstd)}
			for column, e := range encodings {
				opts = append(opts, parquet.WithEncodingFor(column, e))
			}
			table, err := openBytes(write(t, batch, 2000, opts...))
			if err != nil {
				t.Fatal(err)
			}
			for i, c := range table.Columns() {
				got, err := decoded(table, []int{i}, 0, 1111)
				if err != nil || !slices.Equal(got[0], want[i]) {
					t.Errorf("%s, %v: %s differs, or %v", name, version, c.Name, err)
				}
			}
		}
	}
}

// Levels of columns in groups count the groups that may be null as well.
func TestColumnsOfNullableGroupsHaveNulls(t *testing.T) {
	optional := parquet.Repetitions.Optional
	inner := schema.FieldList{schema.NewInt32Node("a", optional, -1), schema.NewFloat64Node("b", parquet.Repetitions.Required, -1)}
	outer := schema.MustGroup(schema.NewGroupNode("g", optional, schema.FieldList{schema.MustGroup(schema.NewGroupNode("h", optional, inner, -1))}, -1))
	root := schema.MustGroup(schema.NewGroupNode("schema", parquet.Repetitions.Required, schema.FieldList{outer}, -1))
	var b bytes.Buffer
	w := file.NewParquetWriter(&b, root)
	g, err := w.AppendBufferedRowGroupChecked()
	if err != nil {
		t.Fatal(err)
	}
	column := func(i int) file.ColumnChunkWriter {
		c, err := g.Column(i)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if _, err := column(0).(*file.Int32ColumnChunkWriter).WriteBatch([]int32{7, 9}, []int16{3, 2, 0, 3, 1}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := column(1).(*file.Float64ColumnChunkWriter).WriteBatch([]float64{1.5, 2.5, 3.5}, []int16{2, 2, 0, 2, 1}, nil); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(g.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	table, err := openBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	got, err := decoded(table, []int{0, 1}, 0, 2)
	want := [][]string{{"7", "NaN", "NaN", "9", "NaN"}, {"1.5", "2.5", "NaN", "3.5", "NaN"}}
	if err != nil || !slices.EqualFunc(got, want, slices.Equal) || table.Columns()[0].Name != "g.h.a" || table.Columns()[0].Nulls != 3 || table.Columns()[1].Nulls != 2 {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

func TestPageThatDoesNotHaveItsSumIsAnError(t *testing.T) {
	body := binary.LittleEndian.AppendUint64(nil, math.Float64bits(57))
	i32 := func(b []byte, v uint32) []byte {
		return binary.AppendVarint(append(b, 1<<4|thriftI32), int64(int32(v)))
	}
	var b []byte
	for _, v := range []uint32{pageData, 8, 8, crc32.ChecksumIEEE(body)} {
		b = i32(b, v)
	}
	b = append(b, 1<<4|thriftStruct)
	for _, v := range []uint32{1, encodingPlain, encodingRLE, encodingRLE} {
		b = i32(b, v)
	}
	b = append(b, thriftStop, thriftStop)
	for _, flip := range []byte{0, 1} {
		whole := append(slices.Clone(b), body...)
		whole[len(b)] ^= flip
		p, err := newPages(bytes.NewReader(whole), int64(len(whole)), &chunk{physical: typeDouble, size: int64(len(whole))}, leaf{physical: typeDouble}, 100)
		if err == nil {
			err = p.next()
		}
		if flip == 0 && err != nil || flip == 1 && (err == nil || err.Error() != "a page does not have its CRC-32") {
			t.Errorf("%v", err)
		}
	}
}

// A footer that claims more than it has bytes for costs no memory.
func TestFooterThatClaimsMuchIsRefused(t *testing.T) {
	for _, footer := range []string{
		"\x29\xfc\xff\xff\xff\xff\x0f\x00",                            // a schema of 2^32 elements
		"\x29\xfc\x64" + strings.Repeat("\x00", 200),                  // of empty ones
		"\x49\xfc\x02\x19\xfc\x80\x08" + strings.Repeat("\x00", 2000), // row groups of empty columns
		strings.Repeat("\x1c", 1000),                                  // structs in structs
	} {
		b := append([]byte(magic), footer...)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(footer))), magic...)
		if table, err := openBytes(b); err == nil {
			t.Errorf("%q: %+v", footer, table)
		}
	}
}

func TestWhatIsNoNumberIsRefusedByName(t *testing.T) {
	optional, int32s := parquet.Repetitions.Optional, parquet.Types.Int32
	leaf := func(name string, l schema.LogicalType, t parquet.Type) schema.Node {
		return schema.MustPrimitive(schema.NewPrimitiveNodeLogical(name, optional, l, t, -1, -1))
	}
	nodes := schema.FieldList{
		leaf("date", schema.DateLogicalType{}, int32s),
		schema.NewInt32Node("list", parquet.Repetitions.Repeated, -1),
		leaf("words", schema.StringLogicalType{}, parquet.Types.ByteArray),
		leaf("decimal", schema.NewDecimalLogicalType(5, 2), int32s),
		schema.MustGroup(schema.NewGroupNode("group", optional, schema.FieldList{schema.NewInt32Node("in", optional, -1)}, -1)),
	}
	root, err := schema.NewGroupNode("schema", parquet.Repetitions.Required, nodes, -1)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := file.NewParquetWriter(&b, root).Close(); err != nil {
		t.Fatal(err)
	}
	table, err := openBytes(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Date", "lists", "String", "Decimal", ""}
	for i, c := range table.Columns() {
		var refused *format.Error
		if want[i] == "" && (c.Err != nil || c.Name != "group.in") || want[i] != "" && (!errors.As(c.Err, &refused) || !strings.Contains(c.Err.Error(), want[i])) {
			t.Errorf("%s: %v", c.Name, c.Err)
		}
	}
}

func TestIntegersThatWouldBeRoundedAreAnError(t *testing.T) {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.Append(1<<53 + 1)
	b.AppendNull()
	named := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
	table, err := openBytes(write(t, array.NewRecordBatch(named, []arrow.Array{b.NewArray()}, 2), 10))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decoded(table, []int{0}, 0, 2); err == nil || !strings.Contains(err.Error(), "the integer 9007199254740993 would be rounded") {
		t.Errorf("%v", err)
	}
}

// Bytes that are cut off or changed are an error or other numbers, never a crash.
func TestDamagedFileIsAnError(t *testing.T) {
	batch, _ := sample(500, true, true)
	whole := write(t, batch, 200, parquet.WithCompression(compress.Codecs.Snappy))
	for n := 0; n < len(whole); n += 1 + len(whole)/200 {
		if _, err := openBytes(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes are a file", n, len(whole))
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		b := slices.Clone(whole)
		for range 1 + r.IntN(4) {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		walk(b)
	}
}

// walk decodes what can be decoded of bytes.
func walk(b []byte) {
	table, err := openBytes(b)
	if err != nil {
		return
	}
	for i, c := range table.Columns() {
		if c.Err == nil && c.Len() < 1<<16 {
			decoded(table, []int{i}, 0, 1000)
		}
	}
}

func FuzzOpen(f *testing.F) {
	batch, _ := sample(20, true, true)
	f.Add(write(f, batch, 7))
	f.Add(write(f, batch, 100, parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithDictionaryDefault(false)))
	f.Fuzz(func(t *testing.T, b []byte) { fuzztest.Frugal(t, func() { walk(b) }) })
}
