package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// severalSuffixes are the files that take several arrays.
var severalSuffixes = []string{".npz", ".safetensors", ".arrow", ".feather"}

// Several results go to one file, which has the same bytes whatever the pool is, and
// what was computed when it is read.
func TestResultsGoToOneFile(t *testing.T) {
	x := generated(t, "x.npy", "--shape", "300001")
	for _, suffix := range severalSuffixes {
		y := filepath.Join(filepath.Dir(x), "y"+suffix)
		var first []byte
		for _, args := range [][]string{{"-j", "1"}, {"-j", "3", "--chunk", "32KiB"}, {"--in-process", "--isa", "scalar"}} {
			const results = "double = x*2, m = x > mean(x), i = int16(x*100), `f 32` = float32(x) - min(x), x, u = uint8(x > 0)"
			out := gangsaw(t, append([]string{"eval", results, x, "-o", y, "--overwrite", "--format", "csv"}, args...)...)
			if out.status != 0 || !strings.Contains(out.stdout, y+`,f 32,float32,"(300001,)"`) {
				t.Fatalf("%s %v: %+v", suffix, args, out)
			}
			b, err := os.ReadFile(y)
			if err != nil || first != nil && !bytes.Equal(b, first) {
				t.Errorf("%s %v: other bytes, %v", suffix, args, err)
			}
			first = b
		}
		const differ = "count_nonzero(double != z*2), count_nonzero(m != (z > mean(z))), count_nonzero(i != int16(z*100)), count_nonzero(`f 32` != float32(z) - min(z)), count_nonzero(x != z), sum(abs(u - (z > 0)))"
		out := gangsaw(t, "eval", "--format", "csv", differ, "z="+x, y)
		if out.status != 0 || strings.Count(out.stdout, ",0,int64\n")+strings.Count(out.stdout, ",0,uint64\n") != 6 {
			t.Errorf("%s: %+v", suffix, out)
		}
	}
}

// Shapes and orders are kept where the file has them, and elements are picked.
func TestWhatAFileTakes(t *testing.T) {
	x := generated(t, "x.npy", "--shape", "300001")
	m := generated(t, "m.npy", "--shape", "30,40")
	dir := filepath.Dir(x)
	none := filepath.Join(dir, "none.npy")
	if out := gangsaw(t, "eval", "x[:0]", x, "-o", none); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	for i, c := range []struct{ text, suffixes, where, named, holds string }{
		{"t = m, r = m[3], s = m[1, 2:3] + m[:, :1]", ".npz .safetensors", "", "", "all(t == m), all(r == m[3]), all(s == m[1, 2] + m[:, :1])"},
		{"m[:, 3]", ".npy .npz .safetensors .arrow .feather", "", "y=", "all(y == m[:, 3])"},
		{"k = none, f = none > 0", ".npz .safetensors .arrow .feather", "", "", "size(k) + size(f) == 0"},
		{"a = x*2, b = x < 9", ".npz .safetensors", "x > 0.5", "", "min(a) > 1, all(b), sum(a) == 2*sum(where(x > 0.5, x, 0))"},
		{"a = x*2, b = uint8(x > 9)", ".arrow .feather", "x > 0.5", "", "min(a) > 1, max(b) == 0, sum(a) == 2*sum(where(x > 0.5, x, 0))"},
		{"x", ".safetensors .arrow", "x > 1e9", "y=", "size(y) == 0"},
		{"x", ".npz .feather", "x[:1] < 1e9", "y=", "all(y == x)"}, // a condition of another shape
		{"x", ".npz .feather", "x[:1] > 1e9", "y=", "size(y) == 0"},
	} {
		for _, suffix := range strings.Fields(c.suffixes) {
			y := filepath.Join(dir, fmt.Sprint("y", i, suffix))
			if out := gangsaw(t, "eval", c.text, "x="+x, "m="+m, "none="+none, "-o", y, "--where", c.where); out.status != 0 {
				t.Errorf("%s to %s: %+v", c.text, suffix, out)
				continue
			}
			out := gangsaw(t, "eval", "--format", "csv", c.holds, "x="+x, "m="+m, c.named+y)
			if out.status != 0 || strings.Contains(out.stdout, "False") || !strings.Contains(out.stdout, "True") {
				t.Errorf("%s to %s, %s: %+v", c.text, suffix, c.holds, out)
			}
		}
	}
}

func TestFilesRefuseClearlyAndAreNotThere(t *testing.T) {
	x := generated(t, "x.npy", "--shape", "1000")
	m := generated(t, "m.npy", "--shape", "3,4")
	dir := t.TempDir()
	for _, c := range []struct {
		name, text, where string
		status            int
		want              string
	}{
		{"y.npy", "x, x+1", "", 1, "2 expressions do not fit into one file of this kind: give one, or a name that ends in .npz"},
		{"y.bin", "x, x+1", "", 1, "2 expressions do not fit into one file"},
		{"y.npz", "x, mean(x)", "", 1, "mean(x) is a scalar"},
		{"y.safetensors", "x, x", "", 1, "two results are called x: name them, such as a = x"},
		{"y.arrow", "m", "", 1, "a column has one axis, and \"m\" has the shape (3, 4): write it to .npy"},
		{"y.feather", "x, x[1:]", "", 1, "columns have one length"},
		{"y.arrow", "bfloat16(x)", "", 1, "arrow has no bfloat16"},
		{"y.npz", "bfloat16(x)", "", 1, "npy has no bfloat16"},
		{"y.npz", "`../y` = x", "", 1, "cannot be the name of a member"},
		{"y.safetensors", "`__metadata__` = x", "", 1, "the name is taken"},
		{"y.arrow", "x > 0", "x > 0", 1, "cast it, by uint8(...) say"},
		{"y.safetensors", "x, x[1:]", "x > 0", 2, "different shapes"},
		{"y.safetensors", "m", "m > 0", 1, "m has 2 axes"},
		{"y.arrow", "x = 3", "", 2, "use == to compare"},
		{"y.arrow", "x - min(x[:0])", "", 2, "min of no elements"}, // known only when the file is begun
	} {
		args := []string{"eval", "--progress", "none", c.text, "x=" + x, "m=" + m, "-o", filepath.Join(dir, c.name)}
		if c.where != "" {
			args = append(args, "--where", c.where)
		}
		if out := gangsaw(t, args...); out.status != c.status || !strings.Contains(out.stderr, c.want) {
			t.Errorf("%s to %s: %+v, want %q", c.text, c.name, out, c.want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// Nulls are refused, or NaN if they may be: no number is made up for them.
func TestNullsOfAFileAreNoNumbers(t *testing.T) {
	dir := t.TempDir()
	path, y := filepath.Join(dir, "a.csv"), filepath.Join(dir, "y.arrow")
	if err := os.WriteFile(path, []byte("a,b\n1,5\n2,\n,7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := gangsaw(t, "eval", "s = a + b, a", path, "-o", y)
	if out.status != 1 || !strings.Contains(out.stderr, `array "a" has 1 nulls, which expressions do not know: take them for NaN (--nulls nan)`) {
		t.Errorf("%+v", out)
	}
	if _, err := os.Stat(y); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
	if out := gangsaw(t, "eval", "s = a + b, a, m = a > 0", path, "-o", y, "--nulls", "nan"); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	out = gangsaw(t, "eval", "--progress", "none", "--format", "csv", "count(s), nansum(s), count(a), nansum(a), nanmedian(a), count_nonzero(m)", y)
	var values []string
	for _, line := range strings.Split(strings.TrimSpace(out.stdout), "\n") {
		values = append(values, strings.Split(line, ",")[1])
	}
	if got := strings.Join(values, " "); got != "value 1 6 2 3 1.5 2" {
		t.Errorf("%s, %+v", got, out)
	}
}
