package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTextIsDecoded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(path, []byte("id;price;name;hole\n1;2.5;x;\n2;-1;y;7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := gangsaw(t, "stat", "--delimiter", ";", "--format", "csv", "--quantiles", "0.5", path)
	want := strings.Join([]string{
		`file,name,dtype,shape,count,nan,inf,min,max,sum,mean,std,skewness,kurtosis,nulls,negative,zeros,q0.5`,
		path + `,id,int64,"(2,)",2,0,0,1,2,3,1.5,0.5,0,-2,0,0,0,1.5`,
		path + `,price,float64,"(2,)",2,0,0,-1,2.5,1.5,0.75,1.75,0,-2,0,1,0,0.75`,
		path + `,hole,float64,"(2,)",2,0,0,7,7,7,7,0,NaN,NaN,1,0,0,7`, ""}, "\n")
	if out.stdout != want || out.status != 0 {
		t.Errorf("%+v", out)
	}
	note := path + ` is decoded in every pass: its numbers are text; to have a column mapped, write it to a file of its own: gangsaw eval ... ` + path + ` -o x.npy; left out: "name" (csv, line 2, column 7: "name": "x" is no number: correct the cell, or leave it empty for null)`
	if !strings.Contains(out.stderr, note) {
		t.Errorf("%s", out.stderr)
	}
	for _, c := range []struct {
		args   []string
		status int
		want   string // on either output
	}{
		{[]string{"eval", "sum(id*price)", path, "--delimiter", ";"}, 0, "0.5\n"},
		{[]string{"eval", "sum(hole)", path, "--delimiter", ";"}, 1, `array "hole" has 1 nulls`},
		{[]string{"eval", "nansum(hole)", path, "--delimiter", ";", "--nulls", "nan"}, 0, "7\n"},
		{[]string{"eval", "sum(hole)", path, "--nulls", "0"}, 2, "--nulls 0: give refuse or nan"},
		{[]string{"eval", "price*2", path + "#price", "--delimiter", ";", "--in-place"}, 1, "takes no part in changes in place"},
		{[]string{"eval", "price*2", "a=" + path + "#price", "--delimiter", ";;"}, 2, "--delimiter"},
		{[]string{"stat", "--decode-memory", "many", path}, 2, "--decode-memory many is not a size"},
		{[]string{"stat", "--dtype", "u1", path}, 0, "count  "},
		{[]string{"stat", "--delimiter", ";", path + "#hole"}, 0, "  nulls     1\n"},
		{[]string{"stat", "--delimiter", ";", path + "#hole"}, 0, "  q0.5      7\n"},
		{[]string{"stat", "--delimiter", ";", "--json", path + "#hole"}, 0, `"nulls": 1,`},
		{[]string{"stat", "--delimiter", ";", "--json", path + "#hole"}, 0, `"0.5": 7,`},
		{[]string{"stat", "--delimiter", ";", "--quick", "--json", path + "#hole"}, 0, `"nulls": 1,`},
		{[]string{"stat", "--delimiter", ";", "--per-column", path + "#id"}, 1, "describe it as a whole (without --per-column)"},
		{[]string{"eval", "id[::-1]", path, "--delimiter", ";"}, 1, "need all of it in memory"},
		{[]string{"info", "--delimiter", ";", path}, 0, "note    its numbers are text"},
		{[]string{"info", "--delimiter", ";", path}, 0, `column "name" cannot be decoded`},
	} {
		if out := gangsaw(t, c.args...); out.status != c.status || !strings.Contains(out.stdout+out.stderr, c.want) {
			t.Errorf("%q: %+v", c.args, out)
		}
	}
}
