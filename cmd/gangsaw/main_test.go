package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor"
)

// commandVariable makes this binary the command.
const commandVariable = "GANGSAW_COMMAND_TEST"

func TestMain(m *testing.M) {
	supervisor.Main()
	if os.Getenv(commandVariable) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

type output struct {
	stdout, stderr string
	status         int
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), commandVariable+"=1")
	return cmd
}

func gangsaw(t *testing.T, args ...string) output {
	t.Helper()
	return finish(t, command(t, args...))
}

func finish(t *testing.T, cmd *exec.Cmd) output {
	t.Helper()
	stdout, stderr := begin(t, cmd)
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// begin starts a command and returns what it writes, to be read after Wait.
func begin(t *testing.T, cmd *exec.Cmd) (stdout, stderr *bytes.Buffer) {
	t.Helper()
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return stdout, stderr
}

// generated makes a file with gen and returns its path.
func generated(t *testing.T, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if out := gangsaw(t, append([]string{"gen", path}, args...)...); out.status != 0 {
		t.Fatalf("gen: %+v", out)
	}
	return path
}

// arrays returns the arrays of stat --json.
func arrays(t *testing.T, args ...string) string {
	t.Helper()
	out := gangsaw(t, append([]string{"stat", "--json"}, args...)...)
	if out.status != 0 {
		t.Fatalf("stat: %+v", out)
	}
	var all struct{ Arrays json.RawMessage }
	if err := json.Unmarshal([]byte(out.stdout), &all); err != nil {
		t.Fatal(err)
	}
	return string(all.Arrays)
}

const ecg = "../../testdata/ecg.npy"

func TestStatJSONKeepsTheContract(t *testing.T) {
	out := gangsaw(t, "stat", "--json", "-j", "2", ecg)
	if out.status != 0 {
		t.Fatalf("%+v", out)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out.stdout), &got); err != nil {
		t.Fatal(err)
	}
	run := got["run"].(map[string]any)
	for _, key := range []string{"seconds", "bytes_per_second"} {
		if v, ok := run[key].(float64); !ok || v <= 0 {
			t.Errorf("run.%s is %v", key, run[key])
		}
		delete(run, key)
	}
	array := got["arrays"].([]any)[0].(map[string]any)
	if std := array["std"].(float64); std < 0.59924739911772 || std > 0.59924739911774 {
		t.Errorf("std %v", std)
	}
	for _, key := range []string{"std", "skewness", "kurtosis"} {
		delete(array, key)
	}
	histogram := array["histogram"].(map[string]any)
	if edges, counts := histogram["edges"].([]any), histogram["counts"].([]any); len(edges) != 19 || edges[0] != -3.485 || edges[18] != 3.65 || len(counts) != 18 || counts[8] != 40019.0 {
		t.Errorf("histogram %v", histogram)
	}
	delete(array, "histogram")
	want := map[string]any{
		"schema": 1.0,
		"arrays": []any{map[string]any{
			"file": ecg, "name": "x", "dtype": "float64", "shape": []any{108000.0}, "count": 108000.0, "nan": 0.0, "inf": 0.0,
			"min": -3.485, "max": 3.65, "sum": -17831.745, "mean": -0.16510875, "ddof": 0.0, "negative": 76469.0, "zeros": 332.0,
			// As NumPy has them.
			"quantiles": map[string]any{"0.01": -1.465, "0.05": -1.03, "0.25": -0.475, "0.5": -0.225, "0.75": 0.065, "0.95": 0.93, "0.99": 1.77},
		}},
		"run": map[string]any{"workers": 2.0, "chunks": 54.0, "bytes": 1728000.0, "retries": 0.0, "respawns": 0.0, "quarantined": 0.0, "isa": kernels.CurrentTier().String()},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestStatTableAndCSV(t *testing.T) {
	out := gangsaw(t, "stat", ecg)
	for _, line := range []string{ecg + ": array \"x\", float64 (108000,)\n", "  count     108000\n", "  min       -3.485\n", "  q0.25     -0.475\n", "40019  "} {
		if !strings.Contains(out.stdout, line) {
			t.Errorf("table lacks %q:\n%s", line, out.stdout)
		}
	}
	if !strings.HasPrefix(out.stderr, "gangsaw: read 1.6 MiB in ") || strings.Count(out.stderr, "\n") != 1 {
		t.Errorf("standard error: %s", out.stderr)
	}
	out = gangsaw(t, "stat", "--format", "csv", "--progress", "none", "--quick", ecg)
	want := "file,name,dtype,shape,count,nan,inf,min,max,sum,mean,std,skewness,kurtosis,nulls\n" + ecg + ",x,float64,\"(108000,)\",108000,0,0,-3.485,3.65,-17831.745,-0.16510875,"
	if !strings.HasPrefix(out.stdout, want) || out.stderr != "" {
		t.Errorf("csv: %+v", out)
	}
}

func TestSpecialNumbersInJSON(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		dtype string
		bytes string
		want  string
	}{
		"infinite": {"f8", "\x00\x00\x00\x00\x00\x00\xf0\x7f", `"min":"Infinity","max":"Infinity","sum":"Infinity","mean":"Infinity","std":"NaN"`},
		"nan":      {"f8", "\x00\x00\x00\x00\x00\x00\xf8\x7f", `"count":1,"nan":1,"inf":0,"min":null,"max":null,"sum":0,"mean":null,"std":null`},
		"largest":  {"u8", "\xff\xff\xff\xff\xff\xff\xff\xff", `"min":"18446744073709551615","max":"18446744073709551615","sum":"18446744073709551615","mean":18446744073709552000`},
		"smallest": {"i8", "\x00\x00\x00\x00\x00\x00\x00\x80", `"min":"-9223372036854775808"`},
		"exact":    {"i8", "\x00\x00\x00\x00\x00\x00\x20\x00", `"min":9007199254740992`},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.bytes), 0o666); err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(strings.Join(strings.Fields(arrays(t, "--dtype", c.dtype, path)), ""), "1.8446744073709552e+19", "18446744073709552000")
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestSameOutputForAnyWorkersAndChunks(t *testing.T) {
	path := generated(t, "x.npy", "--shape", "3000001", "--dist", "wide", "--nan", "0.001")
	want := arrays(t, path)
	for _, args := range [][]string{{"-j", "1"}, {"-j", "2"}, {"-j", "7"}, {"--in-process"}, {"--chunk", "64KiB"}, {"--chunk", "16MiB"}, {"--in-process", "--chunk", "1"}} {
		if got := arrays(t, append(args, path)...); got != want {
			t.Errorf("%v: %s, want %s", args, got, want)
		}
	}
}

// A sparse file large enough that a run lasts.
func sparse(t *testing.T) string {
	return generated(t, "sparse.npy", "--dist", "zeros", "--shape", fmt.Sprint(256<<20))
}

func TestMistakesAreOneClearLine(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	data, err := os.ReadFile(ecg)
	if err != nil {
		t.Fatal(err)
	}
	short, empty, text := file("short.npy", string(data[:1000])), file("empty.npy", ""), file("text", "hello")
	half := file("half.npy", string(data[:50]))
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"stat " + dir + "/missing.npy", 1, dir + "/missing.npy: no such file or directory: check the path"},
		{"stat " + empty, 1, empty + ": the file is empty (0 bytes)"},
		{"stat " + dir, 1, dir + ": is a directory"},
		{"stat " + short, 1, short + ": npy, byte 128: float64 (108000,) needs 864000 bytes of data, the file holds 872"},
		{"stat " + half, 1, half + ": npy, byte 50: the file ends inside its header"},
		{"stat " + text, 1, text + ": unknown file format"},
		{"stat --dtype f8 " + text, 1, text + ": raw, byte 0: 5 bytes are not a whole number of float64 elements"},
		{"stat --dtype f8 " + ecg, 1, ecg + ": it is not raw but a file of format npy"},
		{"stat --dtype f9 " + text, 2, "--dtype: unknown dtype \"f9\": use one of float64 (f8)"},
		{"stat --shape 3 " + text, 2, "--shape is about raw files: it needs --dtype as well"},
		{"stat --dtype u1 --shape 3,x " + text, 2, "--shape 3,x: \"x\" is not a length"},
		{"stat --order middle --dtype f8 " + text, 2, "--order middle: give little or big"},
		{"stat --order little --dtype >f8 " + text, 2, "--dtype >f8 --order little: these are two byte orders"},
		{"stat --quantiles 0.5,2 " + ecg, 2, "--quantiles 0.5,2: \"2\" is none: write numbers from 0 to 1"},
		{"stat --quantiles 0.5,.50 " + ecg, 2, "--quantiles 0.5,.50: 0.5 is there twice"},
		{"stat --quantile-method mean " + ecg, 2, "--quantile-method: unknown quantile method \"mean\": use one of [linear"},
		{"stat --bins 0 " + ecg, 2, "--bins: \"0\" bins: give 1 to 4096, or one of the rules [auto"},
		{"stat --quick --bins 7 " + ecg, 2, "--quick reads once, and --bins takes a second time"},
		{"stat -c y " + ecg, 1, ecg + ": has no array \"y\": gangsaw info"},
		{"stat", 2, "stat needs a file: see gangsaw stat --help"},
		{"stat --chunk none " + ecg, 2, "--chunk none is not a size"},
		{"stat -j 0 " + ecg, 2, "--workers 0: give 1 to 1024"},
		{"stat -j 9223372036854775807 " + ecg, 2, "--workers 9223372036854775807: give 1 to 1024"},
		{"stat -j many " + ecg, 2, "invalid argument \"many\""},
		{"stat --retries -1 " + ecg, 2, "--retries -1: give 0 or more"},
		{"stat --json --format csv " + ecg, 2, "--json and --format csv contradict each other"},
		{"stat --chunk= " + ecg, 2, "--chunk  is not a size"},
		{"stat " + file("zip.npz", "PK\x03\x04..."), 1, "npz, byte 7: the archive has no directory at its end: it is truncated or no .npz file"},
		{"stat " + file("bad\x1b[31m.npy", "x"), 1, "/bad\uFFFD[31m.npy: unknown file format"},
		{"gen " + dir + " --overwrite", 1, dir + ": is a directory: name a file"},
		{"stat --format xml " + ecg, 2, "--format: \"xml\" is none of table, json, csv"},
		{"stat --progress maybe " + ecg, 2, "--progress: \"maybe\" is none of"},
		{"stat --what " + ecg, 2, "unknown flag: --what: see gangsaw stat --help"},
		{"info " + short, 1, short + ": npy, byte 128:"},
		{"info", 2, "info needs a file"},
		{"version 1", 2, "version takes no argument"},
		{"bench --size 1", 2, "--size 1: give 1.0 MiB to 16 GiB"},
		{"bench -j 0", 2, "--workers 0: give 1 to 1024"},
		{"bench --time 0s", 2, "--time 0s: give more than 0"},
		{"bench x", 2, "bench takes no argument, not \"x\": see gangsaw bench --help"},
		{"bench --dir " + dir + "/none", 1, "name another directory by --dir"},
		{"stats", 2, "unknown command \"stats\": did you mean stat?"},
		{"gen", 2, "gen needs one file to write, not 0"},
		{"gen " + text, 1, text + ": exists: give --overwrite to replace it"},
		{"gen " + dir + "/none/x.npy", 1, "no such file or directory"},
		{"gen x.npy --dtype i4", 2, "--dist: normal makes floats, not int32: use uniform or sequence"},
		{"gen x.npy --dist odd", 2, "--dist: \"odd\" is none of normal, uniform"},
		{"gen x.npy --nan 2", 2, "--nan 2: give a share from 0 to 1"},
		{"gen x.npy --shape -1", 2, "--shape -1: \"-1\" is not a length"},
		{"gen " + dir + "/x.npy --shape 9223372036854775807,9", 1, "is larger than any file"},
		{"gen " + dir + "/x.npy --shape 1152921504606846975", 1, "is larger than any file"},
	} {
		out := gangsaw(t, strings.Fields(c.args)...)
		if out.status != c.status || out.stdout != "" || !strings.HasPrefix(out.stderr, "gangsaw: ") ||
			strings.Count(out.stderr, "\n") != 1 || !strings.Contains(out.stderr, c.want) {
			t.Errorf("%s: %+v, want status %d and %q", c.args, out, c.status, c.want)
		}
	}
}

func TestUnreadableFileIsAClearError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret.npy")
	if err := os.WriteFile(path, []byte("x"), 0o000); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "stat", path)
	if os.Getuid() == 0 {
		// Root may read everything: be nobody, who must reach the file.
		if err := os.Chmod(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755); err != nil {
			t.Fatal(err)
		}
		self, err := os.ReadFile(cmd.Path)
		if err != nil {
			t.Fatal(err)
		}
		copied := filepath.Join(t.TempDir(), "gangsaw")
		if err := os.WriteFile(copied, self, 0o755); err != nil {
			t.Fatal(err)
		}
		for dir := filepath.Dir(copied); dir != os.TempDir(); dir = filepath.Dir(dir) {
			os.Chmod(dir, 0o755)
		}
		cmd.Path = copied
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out := finish(t, cmd)
	if want := "gangsaw: " + path + ": permission denied: make it readable for this user\n"; out.status != 1 || out.stderr != want {
		t.Errorf("%+v, want %q", out, want)
	}
}

// One bad file does not hide the others.
func TestStatGoesOnAfterABadFile(t *testing.T) {
	out := gangsaw(t, "stat", "missing.npy", ecg, ecg)
	if out.status != 1 || strings.Count(out.stdout, "  count     108000\n") != 2 || !strings.Contains(out.stderr, "gangsaw: missing.npy: no such file") {
		t.Errorf("%+v", out)
	}
}

func TestInfo(t *testing.T) {
	out := gangsaw(t, "info", ecg)
	want := ecg + `: npy
  array   x
  dtype   float64
  shape   (108000,)
  order   C, little-endian
  bytes   864000
  access  mapped at offset 128, aligned to 64
`
	if out.status != 0 || out.stdout != want || out.stderr != "" {
		t.Errorf("%+v, want %s", out, want)
	}
	raw := filepath.Join(t.TempDir(), "raw")
	if err := os.WriteFile(raw, make([]byte, 100), 0o666); err != nil {
		t.Fatal(err)
	}
	out = gangsaw(t, "info", "--json", "--dtype", "i2", "--shape", "3,4", "--offset", "6", raw)
	var got map[string]any
	if err := json.Unmarshal([]byte(out.stdout), &got); err != nil {
		t.Fatal(err)
	}
	if want := map[string]any{"schema": 1.0, "arrays": []any{map[string]any{
		"file": raw, "format": "raw", "name": "x", "dtype": "int16", "shape": []any{3.0, 4.0}, "order": "C", "byte_order": "little",
		"offset": 6.0, "alignment": 2.0, "bytes": 24.0, "access": "mapped",
	}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	out = gangsaw(t, "info", "--format", "csv", ecg)
	if want := "file,format,name,dtype,shape,order,byte_order,offset,bytes,access,alignment,values,note,remedy\n" + ecg + ",npy,x,float64,\"(108000,)\",C,little,128,864000,mapped,64,,,\n"; out.stdout != want {
		t.Errorf("csv: %s", out.stdout)
	}
}

func TestProgressFitsWhereItGoes(t *testing.T) {
	path := sparse(t)
	out := gangsaw(t, "stat", "--quick", "--progress", "json", path)
	// Every line is an object, the last one the end of the run.
	var line struct{ Bytes, Total, Retries uint64 }
	for text := range strings.Lines(out.stderr) {
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	if out.status != 0 || line.Bytes != 2<<30 || line.Total != 2<<30 || line.Retries != 0 {
		t.Errorf("%+v, last line %+v", out, line)
	}
	if out := gangsaw(t, "stat", "--quick", "--progress", "log", path); !strings.Contains(out.stderr, "gangsaw: read 2.0 GiB in ") {
		t.Errorf("log: %s", out.stderr)
	}
	if out := gangsaw(t, "stat", "--quick", "--progress", "none", path); out.stderr != "" {
		t.Errorf("none: %s", out.stderr)
	}
}

func TestVersion(t *testing.T) {
	out := gangsaw(t, "version", "--json")
	var got struct {
		Schema                     int
		Version, Go, OS, Arch, ISA string
	}
	if err := json.Unmarshal([]byte(out.stdout), &got); err != nil || got.Schema != 1 || got.Version == "" || got.OS != runtime.GOOS || got.ISA != kernels.CurrentTier().String() {
		t.Errorf("%+v, %v", out, err)
	}
}
