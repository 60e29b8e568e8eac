package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// splitECG writes the numbers of the ECG into files of a directory, and returns what
// is said of them as one.
func splitECG(t *testing.T, files int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	whole, err := os.ReadFile("../../testdata/ecg.npy")
	if err != nil {
		t.Fatal(err)
	}
	data := whole[len(whole)-8*108000:]
	for i := range files {
		from, to := 108000*i/files, 108000*(i+1)/files
		dict := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d,), }", to-from)
		header := append([]byte("\x93NUMPY\x01\x00\x76\x00"), dict+strings.Repeat(" ", 117-len(dict))+"\n"...)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("part-%04d.npy", i)), append(header, data[8*from:8*to]...), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// statOf returns what stat --json says, without what tells of files and of the run.
func statOf(t *testing.T, args ...string) string {
	t.Helper()
	out := gangsaw(t, append([]string{"stat", "--json", "--progress", "none"}, args...)...)
	var got struct{ Arrays []map[string]any }
	if err := json.Unmarshal([]byte(out.stdout), &got); err != nil || out.status != 0 || len(got.Arrays) != 1 {
		t.Fatalf("%v: %+v", err, out)
	}
	delete(got.Arrays[0], "file")
	return fmt.Sprint(got.Arrays)
}

func TestConcatTakesFilesForOneArray(t *testing.T) {
	const ecg = "../../testdata/ecg.npy"
	want := statOf(t, ecg)
	for _, files := range []int{7, 1000} {
		dir := splitECG(t, files)
		pattern := filepath.Join(dir, "part-*.npy")
		if got := statOf(t, "--concat", "-j", "2", pattern); got != want {
			t.Errorf("%d files: %s, want %s", files, got, want)
		}
		out := gangsaw(t, "eval", "sum(x), x[-1]", "--concat", "-j", "1", "--chunk", "32KiB", pattern)
		if alone := gangsaw(t, "eval", "sum(x), x[-1]", ecg); out.stdout != alone.stdout || out.status != 0 {
			t.Errorf("%d files: %+v, want %s", files, out, alone.stdout)
		}
		if note := fmt.Sprintf("%s is %d files, from %s", pattern, files, filepath.Join(dir, "part-0000.npy")); !strings.Contains(out.stderr, note) {
			t.Errorf("%s", out.stderr)
		}
	}
}

func TestConcatNamesAndRefusals(t *testing.T) {
	dir := splitECG(t, 3)
	for name, from := range map[string]string{"s.npz": "stored.npz", "t.npz": "stored.npz", "u.npz": "types.npz", "a.csv": ""} {
		b := []byte("x\n1\n")
		if from != "" {
			var err error
			if b, err = os.ReadFile(fixtures + from); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args   string
		status int
		want   string // on either output
	}{
		{"eval size(a),size(b) --concat a=part-000[01].npy b=part-0002.npy", 0, "size(a)  72000\nsize(b)  36000\n"},
		{"eval size(x) --concat part-0000.npy part-0002.npy", 0, "72000\n"},
		{"eval size(c) --concat s.npz t.npz", 0, "10\n"},
		{"eval size(x) --concat s.npz#a part-0000.npy", 1, `part-0000.npy: array "x" `},
		{"eval a+1 --concat -c a -o out.npy s.npz t.npz", 0, "12 elements"},
		{"stat --concat --quick --format csv -c a -c c s.npz t.npz", 0, "s.npz and 1 more,a,"},
		{"stat --concat s.npz u.npz", 1, "u.npz: has no array "},
		{"stat --concat part-9*.npy", 1, "part-9*.npy: no file matches it: check the pattern"},
		{"stat --concat part-[", 2, "part-[: syntax error in pattern: close what [ opens"},
		{"stat --concat a.csv a.csv", 1, `a.csv: array "x" is decoded, and only what lies in files as numbers is concatenated`},
		{"eval x*2 --concat --in-place part-0000.npy part-0001.npy", 2, "--in-place changes one file: run it once for each FILE, without --concat"},
		{"stat --concat part-0000.npy missing.npy", 1, "missing.npy: no such file"},
	} {
		cmd := command(t, strings.Fields(c.args)...)
		cmd.Dir = dir
		if out := finish(t, cmd); out.status != c.status || !strings.Contains(out.stdout+out.stderr, c.want) {
			t.Errorf("%s: %+v, want %q", c.args, out, c.want)
		}
	}
}
