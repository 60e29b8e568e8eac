package arrow

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

// types are those of the columns that are tested, and what they are decoded to.
var types = []struct {
	arrow arrow.DataType
	to    kernels.Type
}{
	{arrow.FixedWidthTypes.Boolean, kernels.Bool},
	{arrow.PrimitiveTypes.Int8, kernels.Int8}, {arrow.PrimitiveTypes.Int16, kernels.Int16},
	{arrow.PrimitiveTypes.Int32, kernels.Int32}, {arrow.PrimitiveTypes.Int64, kernels.Int64},
	{arrow.PrimitiveTypes.Uint8, kernels.Uint8}, {arrow.PrimitiveTypes.Uint16, kernels.Uint16},
	{arrow.PrimitiveTypes.Uint32, kernels.Uint32}, {arrow.PrimitiveTypes.Uint64, kernels.Uint64},
	{arrow.FixedWidthTypes.Float16, kernels.Float16}, {arrow.PrimitiveTypes.Float32, kernels.Float32}, {arrow.PrimitiveTypes.Float64, kernels.Float64},
}

func schemaOf() *arrow.Schema {
	var fields []arrow.Field
	for _, t := range types {
		fields = append(fields, arrow.Field{Name: t.to.String(), Type: t.arrow, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

// sample makes record batches of so many rows, and the elements of each column as
// numbers, NaN for null.
func sample(nulls bool, rows ...int) (batches []arrow.RecordBatch, want [][]string) {
	r := rand.New(rand.NewPCG(5, uint64(len(rows))))
	want = make([][]string, len(types))
	for _, n := range rows {
		var columns []arrow.Array
		for k, t := range types {
			b := array.NewBuilder(memory.DefaultAllocator, t.arrow)
			for range n {
				v := r.Int64()
				if nulls {
					v >>= 12
				}
				text := strconv.FormatInt(v, 10)
				if nulls && r.IntN(4) == 0 {
					b.AppendNull()
					want[k] = append(want[k], "NaN")
					continue
				}
				switch b := b.(type) {
				case *array.BooleanBuilder:
					b.Append(v%2 == 1)
					text = strconv.FormatInt(v%2, 10)
				case *array.Int8Builder:
					b.Append(int8(v))
					text = fmt.Sprint(int8(v))
				case *array.Int16Builder:
					b.Append(int16(v))
					text = fmt.Sprint(int16(v))
				case *array.Int32Builder:
					b.Append(int32(v))
					text = fmt.Sprint(int32(v))
				case *array.Int64Builder:
					b.Append(v)
				case *array.Uint8Builder:
					b.Append(uint8(v))
					text = fmt.Sprint(uint8(v))
				case *array.Uint16Builder:
					b.Append(uint16(v))
					text = fmt.Sprint(uint16(v))
				case *array.Uint32Builder:
					b.Append(uint32(v))
					text = fmt.Sprint(uint32(v))
				case *array.Uint64Builder:
					b.Append(uint64(v))
				case *array.Float16Builder:
					b.Append(float16.New(float32(int8(v))))
					text = fmt.Sprint(int8(v))
				case *array.Float32Builder:
					b.Append(float32(int16(v)) / 2)
					text = decimal(float64(int16(v)) / 2)
				case *array.Float64Builder:
					b.Append(float64(int32(v)) / 2)
					text = decimal(float64(int32(v)) / 2)
				}
				want[k] = append(want[k], text)
			}
			columns = append(columns, b.NewArray())
		}
		batches = append(batches, array.NewRecordBatch(schemaOf(), columns, int64(n)))
	}
	return batches, want
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// text is an element as sample has it.
func text(t kernels.Type, b []byte) string {
	ne := binary.NativeEndian
	switch t {
	case kernels.Float16:
		return decimal(float64(float16.FromBits(ne.Uint16(b)).Float32()))
	case kernels.Float32:
		return decimal(float64(math.Float32frombits(ne.Uint32(b))))
	case kernels.Float64:
		return decimal(math.Float64frombits(ne.Uint64(b)))
	}
	wide := make([]byte, 8)
	size := t.Size()
	copy(wide, b[:size]) // tests run on little-endian machines
	u := binary.LittleEndian.Uint64(wide)
	if t.IsSigned() {
		return fmt.Sprint(int64(u) << (64 - 8*size) >> (64 - 8*size))
	}
	return fmt.Sprint(u)
}

func write(t testing.TB, batches []arrow.RecordBatch, opts ...ipc.Option) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := ipc.NewFileWriter(&b, append(opts, ipc.WithSchema(batches[0].Schema()))...)
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range batches {
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openBytes(b []byte, limit int64) (table format.Table, err error) {
	err = format.Guard(name, func() (err error) {
		table, err = Open(bytes.NewReader(b), int64(len(b)), "x.arrow", format.TableOptions{Memory: limit})
		return err
	})
	return table, err
}

// decoded returns the elements of a column behind those that are skipped, some at a
// time.
func decoded(table format.Table, column int, skip int64, step int) (texts []string, err error) {
	c := table.Columns()[column]
	err = format.Guard(name, func() error {
		d, err := table.Decode([]int{column})
		if err != nil {
			return err
		}
		defer d.Close()
		if err := d.Skip(skip); err != nil {
			return err
		}
		for left := int(c.Len() - skip); left > 0; {
			n, size := min(step, left), c.Type.Size()
			b := make([]byte, n*size)
			if err := d.Decode([][]byte{b}, n); err != nil {
				return err
			}
			for ; len(b) > 0; b = b[size:] {
				texts = append(texts, text(c.Type, b))
			}
			left -= n
		}
		return nil
	})
	return texts, err
}

func TestColumnsAreDecodedAsTheyWereWritten(t *testing.T) {
	for name, opts := range map[string][]ipc.Option{"plain": nil, "lz4": {ipc.WithLZ4()}, "zstd": {ipc.WithZstd()}} {
		for _, nulls := range []bool{false, true} {
			batches, want := sample(nulls, 1000, 0, 3, 700)
			file := write(t, batches, opts...)
			table, err := openBytes(file, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			for k, c := range table.Columns() {
				to, holes := types[k].to, 0
				for _, s := range want[k] {
					if s == "NaN" {
						holes++
					}
				}
				if nulls && !to.IsFloat() {
					to = kernels.Float64
				}
				if c.Err != nil || c.Type != to || c.Len() != 1703 || int(c.Nulls) != holes || c.Name != types[k].to.String() {
					t.Errorf("%s: %+v, want %v, %d nulls", name, c, to, holes)
				}
				if plain := name == "plain" && to != kernels.Bool && (!nulls || types[k].to.IsFloat()); plain != (c.Pieces != nil) || plain == (c.Why != "") {
					t.Errorf("%s, nulls %v: %s has %d pieces, and is decoded because %q", name, nulls, c.Name, len(c.Pieces), c.Why)
				} else if plain && !slices.Equal(lying(file, c), want[k]) {
					t.Errorf("%s, nulls %v: %s does not lie where it is said to", name, nulls, c.Name)
				}
				for _, how := range [][2]int{{0, 4096}, {0, 100}, {999, 1}, {1000, 2}, {1001, 1000}} {
					got, err := decoded(table, k, int64(how[0]), how[1])
					if err != nil || !slices.Equal(got, want[k][how[0]:]) {
						t.Errorf("%s, nulls %v, %v: %s differs: %v", name, nulls, how, c.Name, err)
					}
				}
			}
		}
	}
}

// lying returns the elements of a column where they lie in a file.
func lying(file []byte, c format.Column) (texts []string) {
	size := int64(c.Type.Size())
	for _, p := range c.Pieces {
		for i := range p.Len {
			if p.Valid != 0 && !bit(file[p.Valid:], i) {
				texts = append(texts, "NaN")
				continue
			}
			texts = append(texts, text(c.Type, file[p.Offset+i*size:]))
		}
	}
	return texts
}

// Columns of numbers are found among others, however many buffers those have.
func TestColumnsAreFoundAmongOthers(t *testing.T) {
	mem := memory.DefaultAllocator
	list := arrow.ListOf(arrow.StructOf(arrow.Field{Name: "s", Type: arrow.BinaryTypes.String}, arrow.Field{Name: "n", Type: arrow.Null}))
	fixed := arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int16)
	map32 := arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int32)
	words := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	for _, other := range []arrow.DataType{arrow.BinaryTypes.String, arrow.Null, list, fixed, map32, words, arrow.FixedWidthTypes.Date64, arrow.BinaryTypes.LargeBinary} {
		schema := arrow.NewSchema([]arrow.Field{{Name: "o", Type: other, Nullable: true}, {Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
		b := array.NewRecordBuilder(mem, schema)
		for i := range 5 {
			b.Field(0).AppendNull()
			b.Field(1).(*array.Float64Builder).Append(float64(i))
		}
		file := write(t, []arrow.RecordBatch{b.NewRecordBatch()})
		table, err := openBytes(file, 1<<20)
		if err != nil {
			t.Fatalf("%v: %v", other, err)
		}
		if got := lying(file, table.Columns()[1]); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("%v: %v, %+v", other, got, table.Columns()[1])
		}
	}
	view := arrow.NewSchema([]arrow.Field{{Name: "o", Type: arrow.BinaryTypes.StringView}, {Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
	b := array.NewRecordBuilder(mem, view)
	b.Field(0).(*array.StringViewBuilder).Append("longer than twelve bytes")
	b.Field(1).(*array.Float64Builder).Append(7)
	table, err := openBytes(write(t, []arrow.RecordBatch{b.NewRecordBatch()}), 1<<20)
	if err != nil || table.Columns()[1].Why != whyUnknown {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoNumberIsRefusedByName(t *testing.T) {
	words, date := array.NewStringBuilder(memory.DefaultAllocator), array.NewDate32Builder(memory.DefaultAllocator)
	words.Append("x")
	date.Append(3)
	schema := arrow.NewSchema([]arrow.Field{{Name: "w", Type: arrow.BinaryTypes.String}, {Name: "d", Type: arrow.FixedWidthTypes.Date32}}, nil)
	table, err := openBytes(write(t, []arrow.RecordBatch{array.NewRecordBatch(schema, []arrow.Array{words.NewArray(), date.NewArray()}, 1)}), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i, what := range []string{"it holds utf8", "it holds date32"} {
		var refused *format.Error
		if err := table.Columns()[i].Err; !errors.As(err, &refused) || !strings.Contains(err.Error(), what) {
			t.Errorf("%v", err)
		}
	}
}

func TestIntegersThatWouldBeRoundedAreAnError(t *testing.T) {
	b := array.NewUint64Builder(memory.DefaultAllocator)
	b.Append(1<<64 - 1)
	b.AppendNull()
	schema := arrow.NewSchema([]arrow.Field{{Name: "u", Type: arrow.PrimitiveTypes.Uint64, Nullable: true}}, nil)
	table, err := openBytes(write(t, []arrow.RecordBatch{array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, 2)}), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := decoded(table, 0, 0, 2); err == nil || !strings.Contains(err.Error(), "the integer 18446744073709551615 would be rounded") {
		t.Errorf("%v", err)
	}
}

func TestBatchLargerThanItsMemoryIsAnError(t *testing.T) {
	batches, _ := sample(false, 5000)
	for _, opts := range [][]ipc.Option{nil, {ipc.WithZstd()}} {
		table, err := openBytes(write(t, batches, opts...), 10000)
		if err == nil {
			_, err = decoded(table, 0, 0, 100)
		}
		if err == nil || !strings.Contains(err.Error(), "--decode-memory") {
			t.Errorf("%v", err)
		}
	}
}

// Bytes that are cut off or changed are an error or other numbers, never a crash.
func TestDamagedFileIsAnError(t *testing.T) {
	batches, _ := sample(true, 100, 50)
	r := rand.New(rand.NewPCG(3, 4))
	for _, opts := range [][]ipc.Option{nil, {ipc.WithLZ4()}} {
		whole := write(t, batches, opts...)
		for n := 0; n < len(whole); n += 1 + len(whole)/200 {
			if _, err := openBytes(whole[:n], 1<<20); err == nil {
				t.Errorf("%d of %d bytes are a file", n, len(whole))
			}
		}
		for range 300 {
			b := slices.Clone(whole)
			for range 1 + r.IntN(4) {
				b[r.IntN(len(b))] ^= 1 << r.IntN(8)
			}
			walk(b)
		}
	}
}

// walk decodes what can be decoded of bytes, and looks where columns are said to lie.
func walk(b []byte) {
	if table, err := openBytes(b, 1<<20); err == nil {
		walkTable(b, table)
	}
}

func walkTable(b []byte, table format.Table) {
	for i, c := range table.Columns() {
		if c.Err == nil && c.Pieces != nil && c.Len() < 1<<16 {
			if n := len(lying(b, c)); int64(n) != c.Len() {
				panic(fmt.Sprintf("%d elements lie in %+v", n, c))
			}
		}
		if c.Err == nil && c.Len() < 1<<16 {
			decoded(table, i, 0, 1000)
		}
	}
}

func FuzzOpen(f *testing.F) {
	batches, _ := sample(true, 20, 3)
	f.Add(write(f, batches))
	f.Add(write(f, batches, ipc.WithZstd()))
	f.Fuzz(func(t *testing.T, b []byte) {
		var table format.Table
		var err error
		fuzztest.Frugal(t, func() { table, err = openBytes(b, 1<<20) })
		if err == nil {
			walkTable(b, table) // whose memory is bounded buffer by buffer
		}
	})
}
