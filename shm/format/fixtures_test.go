package format_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	_ "github.com/gangsaw/gangsaw/shm/format/fits"
	_ "github.com/gangsaw/gangsaw/shm/format/hdf5"
	_ "github.com/gangsaw/gangsaw/shm/format/netcdf"
	_ "github.com/gangsaw/gangsaw/shm/format/npy"
	_ "github.com/gangsaw/gangsaw/shm/format/npz"
	_ "github.com/gangsaw/gangsaw/shm/format/safetensors"
	_ "github.com/gangsaw/gangsaw/shm/format/wav"
)

// reference is what testdata/make.py had the reference implementation read.
type reference struct {
	Name   string
	DType  string `json:"dtype"`
	Shape  []int64
	Values []string
}

func references(t *testing.T) map[string][]reference {
	t.Helper()
	text, err := os.ReadFile("testdata/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]reference
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) < 30 {
		t.Fatalf("only %d files are expected", len(all))
	}
	return all
}

// detect describes a file of testdata.
func detect(t *testing.T, name string) (*os.File, []format.Array) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	_, arrays, err := format.Detect(f, info.Size())
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return f, arrays
}

func TestFilesOfReferenceImplementationsReadBackEqual(t *testing.T) {
	for file, want := range references(t) {
		f, arrays := detect(t, file)
		mapped := 0
		for _, a := range arrays {
			if a.Access == format.Mapped {
				mapped++
			}
		}
		if mapped != len(want) {
			t.Errorf("%s: %d mapped arrays, want %d: %+v", file, mapped, len(want), arrays)
		}
		for _, w := range want {
			at := slices.IndexFunc(arrays, func(a format.Array) bool { return a.Name == w.Name })
			if at < 0 {
				t.Errorf("%s: no array %q", file, w.Name)
				continue
			}
			a := arrays[at]
			dtype := a.Type
			if a.Scale != nil {
				dtype = a.Scale.Type
			}
			if dtype.String() != w.DType || !slices.Equal(a.Shape, w.Shape) {
				t.Errorf("%s: %q is %v %v, want %s %v", file, w.Name, dtype, a.Shape, w.DType, w.Shape)
				continue
			}
			if got := elements(t, f, &a); !slices.Equal(got, w.Values) {
				t.Errorf("%s: %q is\n%v, want\n%v", file, w.Name, got, w.Values)
			}
		}
	}
}

// elements reads an array element by element, in C order of its axes, as text.
func elements(t *testing.T, f *os.File, a *format.Array) []string {
	t.Helper()
	strides := a.Strides
	if strides == nil {
		strides = make([]int64, len(a.Shape))
		next := int64(a.Type.Size())
		for k := range a.Shape {
			i := len(a.Shape) - 1 - k
			if a.Fortran {
				i = k
			}
			strides[i] = next
			next *= a.Shape[i]
		}
	}
	all := []string{}
	var walk func(axis int, at int64)
	walk = func(axis int, at int64) {
		if axis == len(a.Shape) {
			b := make([]byte, a.Type.Size())
			if _, err := f.ReadAt(b, at); err != nil {
				t.Fatal(err)
			}
			if a.Swapped {
				slices.Reverse(b)
			}
			var bits uint64
			for i, v := range b {
				bits |= uint64(v) << (8 * i)
			}
			all = append(all, value(a, bits))
			return
		}
		for i := range a.Shape[axis] {
			walk(axis+1, at+i*strides[axis])
		}
	}
	walk(0, a.Offset)
	return all
}

// value returns what the bits of a stored element stand for.
func value(a *format.Array, bits uint64) string {
	s := a.Scale
	switch {
	case s == nil:
		return number(a.Type, bits)
	case slices.Contains(s.Missing, bits):
		return "--"
	case s.Flip:
		return number(s.Type, bits^1<<(8*a.Type.Size()-1))
	case s.Factor == 1 && s.Offset == 0:
		return number(a.Type, bits)
	}
	stored, err := strconv.ParseFloat(number(a.Type, bits), 64)
	if err != nil {
		return err.Error()
	}
	v := stored*s.Factor + s.Offset
	return number(s.Type, s.Type.FloatBits(v))
}

// number prints an element: integers by their digits, floats as Python's hex does.
func number(t kernels.Type, bits uint64) string {
	switch {
	case t == kernels.Float64:
		return hex(math.Float64frombits(bits))
	case t == kernels.Float32:
		return hex(float64(math.Float32frombits(uint32(bits))))
	case t == kernels.Float16:
		return hex(half(uint16(bits)))
	case t.IsSigned():
		shift := 64 - 8*t.Size()
		return strconv.FormatInt(int64(bits<<shift)>>shift, 10)
	}
	return strconv.FormatUint(bits, 10)
}

func half(b uint16) float64 {
	sign := 1.0
	if b>>15 == 1 {
		sign = -1
	}
	exponent, fraction := int(b>>10&31), float64(b&1023)
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

func hex(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == 0 && math.Signbit(f):
		return "-0x0.0p+0"
	case f == 0:
		return "0x0.0p+0"
	}
	sign := ""
	if f < 0 {
		sign, f = "-", -f
	}
	fraction, exponent := math.Frexp(f) // below 1, no subnormals come
	mantissa := uint64(math.Ldexp(fraction, 53)) &^ (1 << 52)
	return fmt.Sprintf("%s0x1.%013xp%+d", sign, mantissa, exponent-1)
}
