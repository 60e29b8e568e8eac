package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

func TestWrittenHeadersReadBackAndAreAligned(t *testing.T) {
	var arrays []format.Array
	for i, typ := range kernels.Types() {
		arrays = append(arrays, format.Array{Name: "w \"" + typ.String() + "\" <é>", Type: typ, Shape: [][]int64{{3, 5}, {}, {0, 2}}[i%3]})
	}
	header, placed, err := Header(arrays, map[string]string{"format": "pt"})
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(header))
	for _, a := range placed {
		size += a.Size()
		if a.Offset%int64(a.Type.Size()) != 0 {
			t.Errorf("%s lies at %d", a.Name, a.Offset)
		}
	}
	file := append(header, make([]byte, size-int64(len(header)))...)
	got, err := Parse(bytes.NewReader(file), size)
	if err != nil || !reflect.DeepEqual(sorted(got), sorted(placed)) {
		t.Errorf("%v\n%+v, want\n%+v", err, got, placed)
	}
	// Another reader of JSON finds what the format demands.
	n := binary.LittleEndian.Uint64(header)
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(header[8:], &entries); err != nil || (8+n)%8 != 0 || int(n) != len(header)-8 {
		t.Fatalf("%v: %q", err, header)
	}
	if string(entries["__metadata__"]) != `{"format":"pt"}` || len(entries) != len(arrays)+1 {
		t.Errorf("%s", header[8:])
	}
}

// sorted is the arrays by name: empty ones may stand before or behind their neighbours.
func sorted(arrays []format.Array) map[string]format.Array {
	all := map[string]format.Array{}
	for _, a := range arrays {
		all[a.Name] = a
	}
	return all
}

func TestHeaderRefusesWhatTheFormatHasNot(t *testing.T) {
	ok := format.Array{Name: "a", Type: kernels.Int8, Shape: []int64{2, 3}}
	fortran, none, meta := ok, ok, ok
	fortran.Fortran, none.Type, meta.Name = true, 0, "__metadata__"
	for _, c := range []struct {
		arrays []format.Array
		want   string
	}{
		{[]format.Array{ok, ok}, "the name is taken"},
		{[]format.Array{meta}, "the name is taken"},
		{[]format.Array{none}, "no dtype"},
		{[]format.Array{fortran}, "Fortran order"},
		{[]format.Array{{Name: "a", Type: kernels.Int8, Shape: []int64{1 << 40, 1 << 40}}}, "larger than any file"},
	} {
		if _, _, err := Header(c.arrays, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
