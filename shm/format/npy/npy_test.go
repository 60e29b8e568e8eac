package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

// file makes a .npy file by hand.
func file(version byte, dict string, data int) []byte {
	b := []byte("\x93NUMPY")
	b = append(b, version, 0)
	if version == 1 {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
	} else {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(dict)))
	}
	return append(append(b, dict...), make([]byte, data)...)
}

func parse(b []byte) ([]format.Array, error) { return Parse(bytes.NewReader(b), int64(len(b))) }

func TestParseReadsWhatNumPyWrites(t *testing.T) {
	for _, c := range []struct {
		version byte
		dict    string
		want    format.Array
	}{
		{1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }      \n", format.Array{Type: kernels.Float64, Shape: []int64{3}}},
		{2, "{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }\n", format.Array{Type: kernels.Int32, Shape: []int64{2, 3}, Fortran: true}},
		{3, "{'descr': '|u1', 'fortran_order': False, 'shape': (), }", format.Array{Type: kernels.Uint8, Shape: []int64{}}},
		{1, "{'shape': (0, 5), 'fortran_order': False, 'descr': '|i1'}", format.Array{Type: kernels.Int8, Shape: []int64{0, 5}}},
		{1, `{"descr": "<f4", "fortran_order": False, "shape": (3L, 1L)}`, format.Array{Type: kernels.Float32, Shape: []int64{3, 1}}},
		{1, "{'descr': '>u1', 'fortran_order': False, 'shape': (1,)}", format.Array{Type: kernels.Uint8, Shape: []int64{1}}},
		{1, "{'descr': 'u8', 'fortran_order': False, 'shape': (1,)}", format.Array{Type: kernels.Uint64, Shape: []int64{1}}},
		{1, "{'descr': '>f8', 'fortran_order': False, 'shape': (1,)}", format.Array{Type: kernels.Float64, Shape: []int64{1}, Swapped: true}},
	} {
		b := file(c.version, c.dict, 64)
		c.want.Name, c.want.Offset = "x", int64(len(b)-64)
		got, err := parse(b)
		if err != nil || !reflect.DeepEqual(got, []format.Array{c.want}) {
			t.Errorf("%s: %+v, %v, want %+v", c.dict, got, err, c.want)
		}
	}
}

// Headers are in Latin-1 up to version 2, and NumPy writes version 3 only for names that
// are not.
func TestFieldsHaveTheNamesThatTheyWereGiven(t *testing.T) {
	for _, c := range []struct {
		version byte
		quoted  string
		want    string
	}{
		{1, "'gr\xf6\xdfe'", "größe"},
		{2, "'\xb5m'", "µm"},
		{3, "'größe π'", "größe π"},
		{1, `'it\'s "x"'`, `it's "x"`},
		{1, `'a\\b\tc\nd\re'`, "a\\b\tc\nd\re"},
		{1, `'\x85 \u200b \U000e0001'`, "\u0085 \u200b \U000e0001"},
	} {
		b := file(c.version, "{'descr': [("+c.quoted+", '<f8')], 'fortran_order': False, 'shape': (1,)}", 8)
		if got, err := parse(b); err != nil || len(got) != 1 || got[0].Name != c.want {
			t.Errorf("%s: %+v, %v, want %q", c.quoted, got, err, c.want)
		}
	}
	for _, quoted := range []string{`'\`, `'\q'`, `'\x1'`, `'\u12g4'`} {
		b := file(1, "{'descr': [("+quoted+", '<f8')], 'fortran_order': False, 'shape': (1,)}", 8)
		if got, err := parse(b); err == nil {
			t.Errorf("%s: %+v", quoted, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	ok := "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n"
	dict := func(descr, order, shape string) []byte {
		return file(1, fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }", descr, order, shape), 64)
	}
	good := file(1, ok, 16)
	for name, c := range map[string]struct {
		b    []byte
		want string // part of the message
	}{
		"empty":            {nil, "byte 0: it does not begin"},
		"magic":            {[]byte("\x93NUMPX\x01\x00"), "byte 0: it does not begin"},
		"version":          {file(4, ok, 16), "byte 6: version 4.0"},
		"minor version":    {append([]byte("\x93NUMPY\x01\x01"), good[8:]...), "byte 6: version 1.1"},
		"no length":        {good[:9], "byte 9: the file ends inside its header"},
		"no header":        {good[:10], "byte 10: the file ends inside its header"},
		"half a header":    {good[:40], "byte 40: the file ends inside its header"},
		"no data":          {good[:len(good)-16], "needs 16 bytes of data, the file holds 0"},
		"short by one":     {good[:len(good)-1], "needs 16 bytes of data, the file holds 15"},
		"header too long":  {append([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), good...), "the header claims 4294967295 bytes"},
		"complex":          {dict("'<c16'", "False", "(1,)"), "byte 20: dtype \"<c16\" holds complex"},
		"object":           {dict("'|O'", "False", "(1,)"), "Python objects"},
		"text":             {dict("'<U5'", "False", "(1,)"), "text"},
		"dates":            {dict("'<M8[ns]'", "False", "(1,)"), "dates"},
		"long double":      {dict("'<f16'", "False", "(1,)"), "float of a width"},
		"bfloat16":         {dict("'<bf16'", "False", "(1,)"), "is not supported"},
		"unknown":          {dict("'<q9'", "False", "(1,)"), "is not supported"},
		"numpy name":       {dict("'float64'", "False", "(1,)"), "is a float of a width"},
		"tiny descr":       {dict("'<'", "False", "(1,)"), "dtype \"<\" is not known"},
		"no fields":        {dict("[]", "False", "(1,)"), "no fields"},
		"only padding":     {dict("[('', '|V8')]", "False", "(1,)"), "no fields"},
		"field twice":      {dict("[('a', '<f8'), ('a', '<f4')]", "False", "(1,)"), "field \"a\" comes twice"},
		"huge record":      {dict("[('a', '|V1000000000000000000'), ('b', '|V1000000000000000000')]", "False", "(1,)"), "larger than any file"},
		"huge field":       {dict("[('a', '<f8', (4294967296, 4294967296))]", "False", "(1,)"), "larger than any file"},
		"record too short": {dict("[('a', '<f8'), ('b', '<f8')]", "False", "(5,)"), "needs 80 bytes of data, the file holds 64"},
		"deep":             {dict(strings.Repeat("[('a', ", 40), "False", "(5,)"), "nested more than 32 deep"},
		"unknown field":    {dict("[('a', 'float')]", "False", "(1,)"), "dtype \"float\" is not known"},
		"order":            {dict("'<f8'", "0", "(1,)"), "expected True or False"},
		"negative":         {dict("'<f8'", "False", "(-1,)"), "expected a length"},
		"no tuple":         {dict("'<f8'", "False", "(1)"), "expected ','"},
		"list":             {dict("'<f8'", "False", "[1]"), "expected '('"},
		"huge length":      {dict("'<f8'", "False", "(99999999999999999999,)"), "larger than any file"},
		"product":          {dict("'<f8'", "False", "(4294967296, 4294967296)"), "larger than any file"},
		"product wraps":    {dict("'<f8'", "False", "(4294967296, 4294967296, 0)"), "larger than any file"},
		"axes":             {dict("'<f8'", "False", "("+strings.Repeat("1,", 65)+")"), "more than 64 axes"},
		"twice":            {file(1, "{'descr': '<f8', 'descr': '<f8'}", 16), "comes twice"},
		"unknown key":      {file(1, "{'descr': '<f8', 'x': 1}", 16), "unknown key"},
		"missing key":      {file(1, "{'descr': '<f8', 'fortran_order': False}", 16), "key \"shape\" is missing"},
		"behind":           {file(1, ok[:len(ok)-1]+"x", 16), "unexpected 'x' behind"},
		"not a dictionary": {file(1, "__import__('os')", 16), "expected '{'"},
		"no end":           {file(1, "{'descr': '<f8", 16), "does not end"},
		"escape":           {file(1, "{'de\\qscr': '<f8'}", 16), "escape"},
		"no comma":         {file(1, "{'descr': '<f8' 'shape': (1,)}", 16), "expected ',' or '}'"},
	} {
		_, err := parse(c.b)
		var bad *format.Error
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// The header of a file that NumPy wrote.
func TestHeaderIsNumPys(t *testing.T) {
	b, err := os.ReadFile("../../../testdata/ecg.npy")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Header(format.Array{Type: kernels.Float64, Shape: []int64{108000}})
	if err != nil || !bytes.Equal(got, b[:len(got)]) {
		t.Errorf("header\n%q, %v, NumPy's\n%q", got, err, b[:len(got)])
	}
}

func TestHeaderReadsBack(t *testing.T) {
	for _, typ := range kernels.Types() {
		for _, shape := range [][]int64{{}, {0}, {3}, {2, 3}, {1, 2, 3, 4, 1, 1, 1, 1, 1, 1, 1, 1}} {
			want := format.Array{Name: "x", Type: typ, Shape: shape, Fortran: len(shape) == 2}
			h, err := Header(want)
			if typ == kernels.BFloat16 {
				if err == nil {
					t.Errorf("bfloat16 has the header %q", h)
				}
				continue
			}
			want.Offset = int64(len(h))
			if len(h)%align != 0 {
				t.Errorf("%v %v: elements begin at %d", typ, shape, len(h))
			}
			got, err := parse(append(h, make([]byte, want.Size())...))
			if err != nil || !reflect.DeepEqual(got, []format.Array{want}) {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(file(1, "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n", 24))
	f.Add(file(2, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3L), }\n", 6))
	f.Add(file(3, "{'descr': [('a', '<f8'), ('', '|V3'), ('b', [('c', '>i2', (2,)), ('d', '|O')])], 'fortran_order': False, 'shape': (2,), }\n", 60))
	f.Fuzz(func(t *testing.T, b []byte) {
		var arrays []format.Array
		var err error
		fuzztest.Frugal(t, func() { arrays, err = parse(b) })
		if err != nil {
			return
		}
		for _, a := range arrays {
			if err := a.Check("npy", int64(len(b))); err != nil || !a.Type.Valid() && a.Access == format.Mapped {
				t.Errorf("%+v does not lie in %d bytes: %v", a, len(b), err)
			}
		}
	})
}
