package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestHistogramFitsTheEnvironment(t *testing.T) {
	for _, c := range []struct {
		env  []string
		want string
	}{
		{[]string{"LC_ALL=C.UTF-8", "COLUMNS=120"}, strings.Repeat("█", 91)},
		{[]string{"LC_ALL=C", "COLUMNS=", "NO_COLOR=1"}, strings.Repeat("#", 51)},
	} {
		cmd := command(t, "stat", "--bins", "3", ecg)
		cmd.Env = append(cmd.Env, c.env...)
		out := finish(t, cmd)
		if out.status != 0 || strings.Contains(out.stdout, "\x1b") || !strings.Contains(out.stdout, "  "+c.want+"\n") {
			t.Errorf("%v:\n%s%s", c.env, out.stdout, out.stderr)
		}
	}
}

func TestQuantilesAndBinsAsAsked(t *testing.T) {
	got := arrays(t, "--quantiles", "0.5,0,1,.1", "--quantile-method", "nearest", "--bins", "none", ecg)
	got = strings.Join(strings.Fields(got), "")
	if want := `"quantiles":{"0.5":-0.225,"0":-3.485,"1":3.65,"0.1":`; !strings.Contains(got, want) || strings.Contains(got, "histogram") {
		t.Errorf("%s, want %s", got, want)
	}
	out := gangsaw(t, "stat", "--bins", "none", "--quantiles", "0.5,0.25", "--format", "csv", ecg)
	if header, row, _ := strings.Cut(out.stdout, "\n"); !strings.HasSuffix(header, ",skewness,kurtosis,nulls,negative,zeros,q0.5,q0.25") || !strings.HasSuffix(row, ",76469,332,-0.225,-0.475\n") {
		t.Errorf("csv: %+v", out)
	}
	if got := arrays(t, "--quick", ecg); strings.Contains(got, "quantiles") || strings.Contains(got, "zeros") {
		t.Errorf("--quick: %s", got)
	}
	// A file of one infinity has quantiles but no bins.
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("\x00\x00\x80\x7f\x00\x00\x80\x3f"), 0o666); err != nil {
		t.Fatal(err)
	}
	out = gangsaw(t, "stat", "--dtype", "f4", path)
	if out.status != 0 || !strings.Contains(out.stdout, "  q0.5 ") || !strings.Contains(out.stderr, "has no histogram: no bins reach to infinity") {
		t.Errorf("%+v", out)
	}
}

func TestOneRowForEachColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte{1, 10, 2, 30, 6, 20}, 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"stat", "--per-column", "--dtype", "u1", "--shape", "3,2", "--progress", "none", path}
	out := gangsaw(t, args...)
	if want := path + ": array \"x\", uint8, 2 columns of 3\n" +
		"  column  count  nan  inf  min  max  sum  mean                std            skewness  kurtosis\n" +
		"       0      3    0    0    1    6    9     3  2.160246899469287  0.5951700641394974      -1.5\n" +
		"       1      3    0    0   10   30   60    20   8.16496580927726                   0      -1.5\n"; out.stdout != want {
		t.Errorf("%+v, want\n%s", out, want)
	}
	if got := strings.Join(strings.Fields(arrays(t, args[1:]...)), ""); !strings.Contains(got, `"name":"x[:,1]","dtype":"uint8","shape":[3],"column":1,"count":3,`) {
		t.Errorf("%s", got)
	}
	if got := arrays(t, "--per-column", "--dtype", "u1", "--shape", "3,0", path); got != "[]" {
		t.Errorf("without columns: %s", got)
	}
	if out := gangsaw(t, "stat", "--per-column", ecg); out.status != 1 || !strings.Contains(out.stderr, "only an array of two dimensions has columns") {
		t.Errorf("%+v", out)
	}
}
