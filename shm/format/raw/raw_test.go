package raw

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		layout Layout
		size   int64
		shape  string
		err    string
	}{
		{Layout{Type: kernels.Float64}, 80, "(10,)", ""},
		{Layout{Type: kernels.Int8, Offset: 3}, 10, "(7,)", ""},
		{Layout{Type: kernels.Float32, Shape: []int64{2, 3}, Offset: 1}, 30, "(2, 3)", ""},
		{Layout{Type: kernels.Float64, Offset: 80}, 80, "(0,)", ""},
		{Layout{Type: kernels.Float64}, 81, "", "81 bytes are not a whole number"},
		{Layout{Type: kernels.Float64, Offset: 81}, 80, "", "outside the file"},
		{Layout{Type: kernels.Float64, Offset: -1}, 80, "", "outside the file"},
		{Layout{Type: kernels.Float64, Shape: []int64{11}}, 80, "", "needs 88 bytes"},
		{Layout{Type: kernels.Float64, Shape: []int64{-1}}, 80, "", "negative"},
		{Layout{Type: kernels.Float64, Shape: []int64{math.MaxInt64, math.MaxInt64}}, 80, "", "larger than any file"},
		{Layout{}, 80, "", "no dtype"},
	} {
		arrays, err := Parse(c.layout, c.size)
		if c.err != "" {
			var bad *format.Error
			if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v in %d bytes: %v, want %q", c.layout, c.size, err, c.err)
			}
			continue
		}
		if err != nil || len(arrays) != 1 || arrays[0].ShapeString() != c.shape || arrays[0].Offset != c.layout.Offset {
			t.Errorf("%+v in %d bytes: %+v, %v", c.layout, c.size, arrays, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(uint8(1), int64(0), int64(5), int64(2), int64(80))
	f.Fuzz(func(t *testing.T, typ uint8, offset, rows, columns, size int64) {
		arrays, err := Parse(Layout{Type: kernels.Type(typ), Shape: []int64{rows, columns}, Offset: offset}, size)
		if err != nil {
			return
		}
		if a := arrays[0]; a.Len() > 0 && (a.Size() <= 0 || a.Offset+a.Size() > size) {
			t.Errorf("%+v does not lie in %d bytes", a, size)
		}
	})
}
