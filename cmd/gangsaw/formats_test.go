package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const fixtures = "../../shm/format/testdata/"

func TestInfoSaysOfEachArrayWhetherItIsMapped(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"records_C.npy#b.c", "records_C.npy: npy\n  array   b.c\n  dtype   int16\n  shape   (2, 3, 2, 3)\n" +
			"  order   C, big-endian, strides [120 40 6 2]\n  bytes   72\n  access  mapped at offset 260, aligned to 4\n"},
		{"-c scaled classic.nc", "classic.nc: netcdf\n  array   scaled\n  dtype   int16\n  shape   (4,)\n" +
			"  order   C, big-endian, strides [64]\n  bytes   8\n  access  mapped at offset 828, aligned to 4\n" +
			"  values  0.5 * stored + 20 is float64, one stored value stands for none\n"},
		{"compressed.npz", "compressed.npz: npz\n  array   a\n  dtype   float64\n  shape   (6,)\n  access  decoded\n" +
			"  note    the member is compressed\n  remedy  write the file with numpy.savez instead of savez_compressed\n"},
		{"other.h5#chunked", "other.h5: hdf5\n  array   chunked\n  dtype   float64\n  shape   (6,)\n  access  decoded\n" +
			"  note    the elements lie in chunks\n  remedy  h5repack -l CONTI -f NONE in.h5 out.h5\n"},
	} {
		cmd := command(t, append([]string{"info"}, strings.Fields(c.args)...)...)
		cmd.Dir = fixtures
		if out := finish(t, cmd); out.status != 0 || out.stdout != c.want || out.stderr != "" {
			t.Errorf("%s: %+v, want\n%s", c.args, out, c.want)
		}
	}
}

func TestInfoJSONTellsWhatStoredNumbersStandFor(t *testing.T) {
	out := gangsaw(t, "info", "--json", fixtures+"scaled.fits")
	var got struct{ Arrays []map[string]any }
	if err := json.Unmarshal([]byte(out.stdout), &got); err != nil || len(got.Arrays) != 1 {
		t.Fatalf("%v: %+v", err, out)
	}
	values := got.Arrays[0]["values"].(map[string]any)
	for key, want := range map[string]any{"dtype": "float64", "factor": 0.5, "offset": 100.25, "missing": 1.0} {
		if values[key] != want {
			t.Errorf("values.%s is %v, want %v", key, values[key], want)
		}
	}
}

func TestArraysArePickedByName(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(fixtures + "stored.npz")
	if err != nil {
		t.Fatal(err)
	}
	// Of these names, the one with # and = is the file's own.
	for _, name := range []string{"s.npz", "a=s.npz#a"} {
		if err := os.WriteFile(filepath.Join(dir, name), whole, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		want string // on stdout
		err  string
	}{
		{[]string{"eval", "size(a)", "s.npz#a"}, "6\n", ""},
		{[]string{"eval", "size(y)", "y=s.npz#a"}, "6\n", ""},
		{[]string{"eval", "size(c)", "s.npz"}, "5\n", ""},
		{[]string{"eval", "size(a)", "-c", "a", "s.npz"}, "6\n", ""},
		{[]string{"eval", "size(`q.a`)", "q=s.npz"}, "6\n", ""},
		{[]string{"eval", "size(c)", "a=s.npz#a"}, "5\n", ""}, // all arrays of the file of that name
		{[]string{"eval", "mean(x)", "s.npz#none"}, "", "s.npz: has no array \"none\": gangsaw info s.npz lists them"},
		{[]string{"eval", "mean(b)", "s.npz#b"}, "61253430\n", ""}, // big-endian
		{[]string{"stat", "-c", "none", "s.npz"}, "", "s.npz: has no array \"none\""},
		{[]string{"stat", "s.npz#none"}, "", "s.npz: has no array \"none\""},
	} {
		cmd := command(t, append(c.args, "--progress", "none")...)
		cmd.Dir = dir
		out := finish(t, cmd)
		if c.err != "" {
			if out.status != 1 || out.stdout != "" || !strings.Contains(out.stderr, c.err) {
				t.Errorf("%v: %+v, want %q", c.args, out, c.err)
			}
		} else if out.status != 0 || out.stdout != c.want {
			t.Errorf("%v: %+v, want %q", c.args, out, c.want)
		}
	}
}

// Fields of records, in either byte order, and the images of a FITS file have a row each.
func TestStatHasARowForEachArray(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"records_C.npy"}, []string{`,a,float32,"(2, 3)",6,1,1,`, `,b.c,int16,"(2, 3, 2, 3)",36,0,0,-31467,27786,-196809,`,
			`,b.d,uint8,"(2, 3)",6,0,0,44,199,651,108.5,`, `,e,bool,"(2, 3)",6,`, `,f,float64,"(2, 3, 2)",12,1,1,`}},
		{[]string{"all.fits", "-c", "I2", "-c", "I8"}, []string{`,I2,int16,"(2, 1, 3)",6,0,0,-27166,32546,27878,`,
			`,I8,int64,"(2, 1, 3)",6,0,0,-6322586694333742190,7857651981029072660,1251600347056892190,`}},
	} {
		cmd := command(t, append([]string{"stat", "--quick", "--progress", "none", "--format", "csv"}, c.args...)...)
		cmd.Dir = fixtures
		out := finish(t, cmd)
		lines := strings.Split(strings.TrimSuffix(out.stdout, "\n"), "\n")
		if out.status != 0 || out.stderr != "" || len(lines) != 1+len(c.want) {
			t.Errorf("%v: %+v", c.args, out)
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(lines[1+i], c.args[0]+want) {
				t.Errorf("%v: %s, want %s", c.args, lines[1+i], want)
			}
		}
	}
}

func TestBareNumbersHaveEitherByteOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte{1, 0, 0, 2}, 0o666); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--dtype i2": "513", "--dtype <i2 --order little": "513", "--dtype >i2": "258", "--dtype i2 --order big": "258",
		"--dtype =i2 --order big --offset 2": "2",
	} {
		args := append(strings.Fields(args), "--format", "csv", "sum(x)", path)
		if out := gangsaw(t, append([]string{"eval"}, args...)...); out.status != 0 || !strings.Contains(out.stdout, "sum(x),"+want+",") {
			t.Errorf("%v: %+v", args, out)
		}
	}
}

// What the file says that stored numbers stand for is what is computed on, nulls apart;
// --stored has the stored ones.
func TestScaledAndCompressedNumbersAreComputedOn(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		want   string // on either output
	}{
		{[]string{"stat", "--quick", "--format", "csv", "scaled.fits"}, 0, "scaled.fits,SCALED,float64,\"(2, 3)\",6,0,0,97.75,104.75,507.25,101.45,2.521904042583698,"},
		{[]string{"stat", "--quick", "--json", "scaled.fits"}, 0, `"nulls": 1,`},
		{[]string{"stat", "--quick", "--raw", "--format", "csv", "scaled.fits"}, 0, "scaled.fits,SCALED,int16,\"(2, 3)\",6,0,0,-32768,9,"},
		{[]string{"stat", "--quick", "--stored", "--format", "csv", "scaled.fits"}, 0, "scaled.fits,SCALED,int16,\"(2, 3)\",6,0,0,-32768,9,"},
		{[]string{"stat", "--quick", "--format", "csv", "classic.nc#fixed_i4"}, 0, "classic.nc,fixed_i4,int32,"}, // netCDF's fill value is nowhere
		{[]string{"eval", "sum(x)", "scaled.fits"}, 1, `array "x" has 1 nulls, which expressions do not know`},
		{[]string{"eval", "nansum(x)", "scaled.fits", "--nulls", "nan"}, 0, "507.25\n"},
		{[]string{"eval", "nanmax(x)", "unsigned.nc", "--nulls", "nan"}, 0, "253\n"},
		{[]string{"stat", "--quick", "--format", "csv", "compressed.npz"}, 0, "kurtosis,nulls\ncompressed.npz,a,float64,\"(6,)\",6,0,0,0,5,15,2.5,1.707825127659933,0,"},
		{[]string{"eval", "sum(x[2:])", "compressed.npz"}, 0, "14\n"},
		{[]string{"eval", "x * 2", "compressed.npz"}, 0, "[0 2 4 6 8 10] float64 (6,)"},
		{[]string{"stat", "compressed.npz", "--progress", "log"}, 0, "compressed.npz is decoded in every pass: the member is compressed; to have it mapped, write the file with numpy.savez instead of savez_compressed"},
		{[]string{"eval", "x * 2", "compressed.npz", "--in-place"}, 1, "takes no part in changes in place"},
		{[]string{"eval", "x * 2", "scaled.fits", "--in-place", "--nulls", "nan"}, 1, "take the stored numbers as they are by --stored"},
	} {
		cmd := command(t, append(c.args, "--progress", "none")...)
		cmd.Dir = fixtures
		if out := finish(t, cmd); out.status != c.status || !strings.Contains(out.stdout+out.stderr, c.want) {
			t.Errorf("%q: %+v, want %q", c.args, out, c.want)
		}
	}
}

// No numbers come of arrays that cannot be computed on as they lie.
func TestStatRefusesWhatItCannotComputeOn(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"all.fits#TABLE", "all.fits: array \"TABLE\": tables are not supported: write a column"},
	} {
		cmd := command(t, append([]string{"stat", "--progress", "none"}, strings.Fields(c.args)...)...)
		cmd.Dir = fixtures
		if out := finish(t, cmd); out.status != 1 || out.stdout != "" || !strings.HasPrefix(out.stderr, "gangsaw: "+c.want) {
			t.Errorf("%s: %+v, want %q", c.args, out, c.want)
		}
	}
}

func TestStatLeavesOutWhatHoldsNoNumbers(t *testing.T) {
	out := gangsaw(t, "stat", "--progress", "log", "--format", "csv", fixtures+"other.h5#unwritten")
	if out.status != 1 || !strings.Contains(out.stderr, "it was never written") {
		t.Errorf("%+v", out)
	}
	out = gangsaw(t, "stat", "--progress", "log", fixtures+"other.h5")
	if out.status != 1 || !strings.Contains(out.stderr, `array "text" is left out: the elements are of class variable length`) ||
		!strings.Contains(out.stdout, `array "complex.r", float64 (1,)`) || !strings.Contains(out.stderr, `array "chunked": the elements lie in chunks`) {
		t.Errorf("%+v", out)
	}
}

// The elements of a file are not read, however many there are.
func TestInfoOfATenGibibyteFileReadsNoElements(t *testing.T) {
	path := filepath.Join(t.TempDir(), "big.npy")
	dict := "{'descr': '<f8', 'fortran_order': False, 'shape': (1342177280,), }"
	header := append([]byte("\x93NUMPY\x01\x00\x76\x00"), dict+strings.Repeat(" ", 117-len(dict))+"\n"...)
	if err := os.WriteFile(path, header, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 128+10<<30); errors.Is(err, syscall.EFBIG) {
		t.Skip("this file system has no files of 10 GiB: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	out := gangsaw(t, "info", path)
	if out.status != 0 || !strings.Contains(out.stdout, "bytes   10737418240\n") {
		t.Errorf("%+v", out)
	}
}
