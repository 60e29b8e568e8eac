package csv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

func open(t *testing.T, text, path string) format.Table {
	t.Helper()
	table, err := Open(strings.NewReader(text), int64(len(text)), path, format.TableOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// texts decodes a column, some elements at a time.
func texts(t *testing.T, table format.Table, column, step int) string {
	t.Helper()
	c := table.Columns()[column]
	d, err := table.Decode([]int{column})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var all []string
	for left := int(c.Len()); left > 0; {
		n := min(step, left)
		b := make([]byte, n*c.Type.Size())
		if err := d.Decode([][]byte{b}, n); err != nil {
			t.Fatal(err)
		}
		for ; len(b) > 0; b = b[c.Type.Size():] {
			all = append(all, c.Type.Text(b[:c.Type.Size()]))
		}
		left -= n
	}
	return strings.Join(all, " ")
}

func TestColumnsAreWhatAllTheirCellsAre(t *testing.T) {
	for _, c := range []struct {
		text, path string
		want       string // name, type, nulls and elements of each column
	}{
		{"a,b\n1,2.5\n-3,1e3\n", "x.csv", "a int64 0: 1 -3|b float64 0: 2.5 1000"},
		{"1,2\n3,4\n", "x.csv", "c1 int64 0: 1 3|c2 int64 0: 2 4"},
		{"1,x\n3,4\n", "x.csv", "1 int64 0: 3|x int64 0: 4"},
		{"\xef\xbb\xbfa\n+7\n", "x.csv", "a int64 0: 7"},
		{"a\tb\n 1 \t\"2\"\n", "x.TSV", "a int64 0: 1|b int64 0: 2"},
		{"a\n18446744073709551615\n0\n", "x.csv", "a uint64 0: 18446744073709551615 0"},
		{"a\n9223372036854775807\n-9223372036854775808\n", "x.csv", "a int64 0: 9223372036854775807 -9223372036854775808"},
		{"a,b\n1,\n,2\nNA,NULL\n", "x.csv", "a float64 2: 1 NaN NaN|b float64 2: NaN 2 NaN"},
		{"a,b\nTrue,true\nfalse,\n", "x.csv", "a bool 0: true false|b float64 1: 1 NaN"},
		{"a,b\nnan,-inf\nInfinity,.5\n", "x.csv", "a float64 0: NaN Infinity|b float64 0: -Infinity 0.5"},
		{"\"a,\"\"b\",c\n1,2\r\n\n3,4", "x.csv", "a,\"b int64 0: 1 3|c int64 0: 2 4"},
		{"a\n9007199254740993\n0.5\n", "x.csv", "a float64 0: 9007199254740992 0.5"},
		{"a,\n1,2\n", "x.csv", "a int64 0: 1|c2 int64 0: 2"},
		{"a\n", "x.csv", "a float64 0: "},
	} {
		table := open(t, c.text, c.path)
		for _, step := range []int{1, 2, 1000} {
			var got []string
			for i, col := range table.Columns() {
				if col.Err != nil {
					t.Errorf("%q: %v", c.text, col.Err)
					continue
				}
				got = append(got, fmt.Sprintf("%s %v %d: %s", col.Name, col.Type, col.Nulls, texts(t, table, i, step)))
			}
			if got := strings.Join(got, "|"); got != c.want {
				t.Errorf("%q: %s, want %s", c.text, got, c.want)
			}
		}
	}
}

func TestBadCellsAreNamedWithTheirPlace(t *testing.T) {
	long := strings.Repeat("z", 100)
	for _, c := range []struct{ text, want string }{
		{"a,b\n1,2\n3,x4\n", `csv, line 3, column 3: "b": "x4" is no number: correct the cell, or leave it empty for null`},
		{"a,b\n1,2\n\"3\n\",0x10\n", `csv, line 4, column 3: "b": "0x10" is no number: correct the cell, or leave it empty for null`},
		{"b\n1_000\n", `csv, line 2, column 1: "b": "1_000" is no number: correct the cell, or leave it empty for null`},
		{"b\n" + long + "\n", `csv, line 2, column 1: "b": "` + long[:40] + `"... is no number: correct the cell, or leave it empty for null`},
		{"b\n1e999\n", `csv, line 2, column 1: "b": "1e999" is out of the range of float64: write inf or a smaller number`},
		{"b\n1\ntrue\n", `csv, line 3, column 1: "b": "true" is among truth values, or the first of those among numbers: make all one or the other`},
		{"b,c\n9007199254740993,1\n,1\n", `csv, line 2, column 1: "b": the integer "9007199254740993" would be rounded to float64, as which the column is read, since it also holds nulls, or both negative integers and some above int64: write one of them with a point if rounding is meant, or take those out`},
		{"b,b\n1,2\n", `csv, line 1, column 3: "b": another column has this name: rename one`},
	} {
		bad := ""
		for _, col := range open(t, c.text, "x.csv").Columns() {
			var at *Error
			if errors.As(col.Err, &at) {
				bad = at.Error()
			}
		}
		if bad != c.want {
			t.Errorf("%q:\n%s, want\n%s", c.text, bad, c.want)
		}
	}
}

func TestTextThatIsNoTableIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"\n\n":                          `csv, line 1, column 1: there are no cells`,
		"a,b\n1\n":                      `csv, line 2, column 1: the row has 1 cells, and those above have 2: is this the delimiter (--delimiter), and does each quote have its end?`,
		"a,b\n1,2\n\"3,4":               `csv, line 3, column 5: extraneous or missing " in quoted-field: is this the delimiter (--delimiter), and does each quote have its end?`,
		"a,b\n1,\"2\"x\n":               `csv, line 2, column 5: extraneous or missing " in quoted-field: is this the delimiter (--delimiter), and does each quote have its end?`,
		strings.Repeat(",", maxColumns): `csv, line 1, column 1: the row has 131073 cells, more than 131072: is this the delimiter (--delimiter)?`,
		"a\n1\n\"" + strings.Repeat("x", maxRow+2*bufferSize): `csv, line 3, column 1: a row has more than 16 MiB: is this the delimiter (--delimiter), and does each quote have its end?`,
	} {
		_, err := Open(strings.NewReader(text), int64(len(text)), "x.csv", format.TableOptions{})
		var at *Error
		if !errors.As(err, &at) || at.Error() != want {
			t.Errorf("%.30q:\n%v, want\n%s", text, err, want)
		}
	}
}

func TestDelimiterIsTheOneThatWasSaid(t *testing.T) {
	text := "a;b\n1,5;2\n"
	table, err := Open(strings.NewReader(text), int64(len(text)), "x.csv", format.TableOptions{Delimiter: ';'})
	if err != nil {
		t.Fatal(err)
	}
	if c := table.Columns(); len(c) != 2 || c[0].Err == nil || c[1].Err != nil || texts(t, table, 1, 1) != "2" {
		t.Errorf("%v", c)
	}
}

// Text that is another by the time it is decoded is an error, and no number.
func TestTextThatChangedIsNoticed(t *testing.T) {
	before, after := "a,b\n1,2\n3,4\n", []string{"a,b\n1,2\n3,x\n", "a,b\n1,2\n3  \n", "a,b\n1,2\n   \n", "a,b\n1,2\n3.5,4\n"}
	for _, now := range after {
		text := []byte(before)
		table, err := Open(bytes.NewReader(text), int64(len(text)), "x.csv", format.TableOptions{})
		if err != nil {
			t.Fatal(err)
		}
		copy(text, now)
		d, err := table.Decode([]int{0, 1})
		if err != nil {
			t.Fatal(err)
		}
		var at *Error
		if err := d.Decode([][]byte{make([]byte, 16), make([]byte, 16)}, 2); !errors.As(err, &at) || at.Line != 3 {
			t.Errorf("%q: %v", now, err)
		}
	}
}

func TestSkippedRowsAreThoseInFront(t *testing.T) {
	var text strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&text, "%d,%v\n", i, float64(i)/8)
	}
	table := open(t, text.String(), "x.csv")
	d, err := table.Decode([]int{1, 0})
	if err == nil {
		err = d.Skip(990)
	}
	b, c := make([]byte, 80), make([]byte, 80)
	if err == nil {
		err = d.Decode([][]byte{b, c}, 10)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		if f, n := math.Float64frombits(binary.NativeEndian.Uint64(b[8*i:])), binary.NativeEndian.Uint64(c[8*i:]); f != float64(990+i)/8 || n != uint64(990+i) {
			t.Errorf("row %d: %v %v", 990+i, f, n)
		}
	}
}

// What is read of any text, is read again, and nulls are as many as NaN stand for
// them.
func FuzzOpen(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "1;2", "\"a\"\n\"1\n\"", "a\n\n1e5,2", "a,b\n,NaN\nNA,18446744073709551615\n", "true\nfalse\n"} {
		f.Add(s, uint8(0))
	}
	f.Fuzz(func(t *testing.T, text string, delimiter uint8) {
		o := format.TableOptions{Delimiter: []rune{0, ',', ';', '\t', ' '}[int(delimiter)%5]}
		var table format.Table
		var err error
		fuzztest.Frugal(t, func() { table, err = Open(strings.NewReader(text), int64(len(text)), "x.csv", o) })
		if err != nil {
			var at *Error
			if !errors.As(err, &at) {
				t.Fatalf("%T %v", err, err)
			}
			return
		}
		for i, c := range table.Columns() {
			if c.Err != nil {
				continue
			}
			if err := c.Check("csv", math.MaxInt64); err != nil || c.Len() > int64(len(text)) {
				t.Fatalf("%v %v", c, err)
			}
			if all := texts(t, table, i, 3); c.Type != kernels.Float64 && c.Nulls > 0 || strings.Count(all, "NaN") < int(c.Nulls) {
				t.Fatalf("%v: %s", c, all)
			}
		}
	})
}
