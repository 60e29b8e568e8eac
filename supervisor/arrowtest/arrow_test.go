// Package arrowtest holds the promise that a record batch of arrow-go, built in an
// arena, is computed on where it lies. It is a module of its own, so that no program
// that embeds gangsaw takes arrow-go along.
package arrowtest

import (
	"fmt"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor"
)

// An arena is an allocator of arrow-go's.
var _ memory.Allocator = (*supervisor.Arena)(nil)

var (
	sum = kernels.NewReduce("arrow.sum", func(total *float64, x []float64, _ struct{}) error {
		for _, v := range x {
			*total += v
		}
		return nil
	}, func(left, right float64) float64 { return left + right })
	largest = kernels.NewReduce("arrow.largest", func(most *int32, x []int32, _ struct{}) error {
		for _, v := range x {
			*most = max(*most, v)
		}
		return nil
	}, func(left, right int32) int32 { return max(left, right) })
	double = kernels.NewMap("arrow.double", func(dst, src []int32, _ struct{}) error {
		for i, v := range src {
			dst[i] = 2 * v
		}
		return nil
	})
	half = kernels.NewMap("arrow.half", func(dst []float64, src []int32, by float64) error {
		for i, v := range src {
			dst[i] = float64(v) * by
		}
		return nil
	})
)

func TestMain(m *testing.M) {
	supervisor.Main()
	os.Exit(m.Run())
}

const rows = 50_000

// batch builds a record batch in an arena: numbers with nulls among them, which are
// zero, and counts.
func batch(t *testing.T, arena *supervisor.Arena) arrow.RecordBatch {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "number", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "count", Type: arrow.PrimitiveTypes.Int32},
	}, nil)
	b := array.NewRecordBuilder(arena, schema)
	defer b.Release()
	numbers, counts := b.Field(0).(*array.Float64Builder), b.Field(1).(*array.Int32Builder)
	for i := range rows {
		if i%7 == 0 {
			numbers.AppendNull()
		} else {
			numbers.Append(float64(i) / 4)
		}
		counts.Append(int32(i))
	}
	return b.NewRecordBatch()
}

// borders returns an arena, and allocations at its beginning and its end.
func borders(t *testing.T, pool *supervisor.Pool, size int, opts ...supervisor.ArenaOption) (arena *supervisor.Arena, first, last []byte) {
	t.Helper()
	arena, err := pool.Arena(size, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { arena.Close() })
	all := arena.Allocate(size)
	first, last = all[:1], all[size-1:]
	arena.Free(all)
	return arena, first, last
}

func TestRecordBatchIsComputedOnWhereItLies(t *testing.T) {
	for _, opts := range [][]supervisor.Option{nil, {supervisor.InProcess()}} {
		pool, err := supervisor.Start(t.Context(), append(opts, supervisor.Workers(2), supervisor.ChunkBytes(1))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { pool.Kill() })
		t.Run(fmt.Sprintf("in process %v", pool.InProcess()), func(t *testing.T) {
			arena, first, last := borders(t, pool, 4<<20, supervisor.Output())
			record := batch(t, arena)
			defer record.Release()
			column := func(i int, kind kernels.Type) *supervisor.Array {
				data := record.Column(i).Data()
				for _, b := range data.Buffers() {
					if b != nil && !inside(b.Bytes(), first, last) {
						t.Fatalf("a buffer of column %d is not in the arena", i)
					}
				}
				x, err := arena.Array(record.ColumnName(i), kind, data.Buffers()[1].Bytes()[:rows*kind.Size()])
				if err != nil {
					t.Fatal(err)
				}
				return x
			}
			numbers, counts := column(0, kernels.Float64), column(1, kernels.Int32)
			want, valid := 0.0, record.Column(0).(*array.Float64)
			for i := range rows {
				if valid.IsValid(i) {
					want += valid.Value(i) // a quarter: every sum is exact
				}
			}
			if valid.NullN() == 0 {
				t.Error("no validity bitmap")
			}
			if got, err := supervisor.Reduce(t.Context(), pool, sum.With(struct{}{}), numbers); err != nil || got != want {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
			if got, err := supervisor.Reduce(t.Context(), pool, largest.With(struct{}{}), counts); err != nil || got != rows-1 {
				t.Errorf("%v, %v", got, err)
			}
			mapped(t, pool, counts)
			// In place: the batch shows it, without a copy.
			if err := pool.InPlace(t.Context(), double.With(struct{}{}), counts); err != nil {
				t.Fatal(err)
			}
			for i, v := range record.Column(1).(*array.Int32).Int32Values() {
				if v != int32(2*i) {
					t.Fatalf("row %d: %d", i, v)
				}
			}
		})
	}
}

// mapped has workers write to an arena, and reads that as an array of arrow-go's.
func mapped(t *testing.T, pool *supervisor.Pool, counts *supervisor.Array) {
	output, first, last := borders(t, pool, 1<<20, supervisor.Output())
	b := output.Allocate(8 * rows)
	to, err := output.Array("half", kernels.Float64, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := pool.Apply(t.Context(), half.With(0.5), to, counts); err != nil {
		t.Fatal(err)
	}
	data := array.NewData(arrow.PrimitiveTypes.Float64, rows, []*memory.Buffer{nil, memory.NewBufferBytes(b)}, nil, 0, 0)
	defer data.Release()
	result := array.NewFloat64Data(data)
	defer result.Release()
	values := result.Float64Values()
	if !inside(arrow.Float64Traits.CastToBytes(values), first, last) {
		t.Error("what arrow-go reads is not in the arena")
	}
	for i, v := range values {
		if v != float64(i)/2 {
			t.Fatalf("row %d: %v", i, v)
		}
	}
}
