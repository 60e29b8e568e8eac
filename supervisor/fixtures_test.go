package supervisor

import (
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const fixtures = "../shm/format/testdata"

// What reference implementations wrote, in any byte order and with anything between,
// has the statistics of the numbers that they read back.
func TestStatOfReferenceFilesIsThatOfTheirValues(t *testing.T) {
	onBothPools(t, statOfReferenceFiles)
}

func statOfReferenceFiles(t *testing.T, start func(...Option) *Pool) {
	text, err := os.ReadFile(filepath.Join(fixtures, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]struct {
		Name   string
		Values []string
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	pool := start(Workers(2))
	turned, apart, scaled := 0, 0, 0
	for file, want := range all {
		f, err := pool.File(filepath.Join(fixtures, file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		for _, w := range want {
			i := slices.IndexFunc(f.Arrays(), func(x *Array) bool { return x.Name == w.Name })
			if i < 0 {
				t.Errorf("%s: no array %q", file, w.Name)
				continue
			}
			x := f.Arrays()[i]
			d, err := pool.Describe(t.Context(), x, Inquiry{Quantiles: []float64{0, 0.5, 1}, Method: kernels.Lower})
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			turned += boolInt(x.Swapped)
			apart += boolInt(x.Strides != nil)
			scaled += boolInt(x.scaling() != nil)
			values := slices.DeleteFunc(slices.Clone(w.Values), func(v string) bool { return v == "--" })
			if n, known := x.Nulls(); int(n) != len(w.Values)-len(values) || n > 0 && !known {
				t.Errorf("%s: %q has %d nulls, known %v, want %d", file, w.Name, n, known, len(w.Values)-len(values))
			}
			of := x.Array
			of.Type = x.ValueType()
			checkReference(t, file, of, d, w.Values)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if turned < 10 || apart < 5 || scaled < 8 {
		t.Errorf("only %d arrays are big-endian, %d lie apart, and %d are scaled", turned, apart, scaled)
	}
}

// checkReference holds a description against values, summed exactly.
func checkReference(t *testing.T, file string, a format.Array, d *Description, values []string) {
	t.Helper()
	var numbers []*big.Float
	var nan, inf uint64
	for _, v := range values {
		f, _, err := big.ParseFloat(v, 0, 2048, big.ToNearestEven)
		switch {
		case v == "nan", v == "--":
			nan++
			continue
		case err != nil:
			t.Fatalf("%s: %q: %q: %v", file, a.Name, v, err)
		case f.IsInf():
			inf++
		}
		numbers = append(numbers, f)
	}
	if d.Count() != uint64(len(values)) || d.NaN() != nan || d.Inf() != inf {
		t.Errorf("%s: %q: %d elements, %d NaN, %d infinite, want %d, %d, %d", file, a.Name, d.Count(), d.NaN(), d.Inf(), len(values), nan, inf)
	}
	if len(numbers) == 0 {
		return
	}
	slices.SortFunc(numbers, (*big.Float).Cmp)
	is := func(what string, got kernels.Value, want *big.Float) {
		t.Helper()
		same := got.String() == want.Text('f', 0)
		if f, _ := want.Float64(); a.Type.IsFloat() {
			same = got.Float64() == f // of either zero
		}
		if !same {
			t.Errorf("%s: %q: %s is %v, want %v", file, a.Name, what, got, want)
		}
	}
	n := len(numbers)
	is("min", d.Min(), numbers[0])
	is("max", d.Max(), numbers[n-1])
	is("least", d.Quantiles[0], numbers[0])
	is("median", d.Quantiles[1], numbers[(n-1)/2])
	is("greatest", d.Quantiles[2], numbers[n-1])
	if inf == 0 {
		sum := new(big.Float).SetPrec(2048)
		for _, f := range numbers {
			sum.Add(sum, f)
		}
		is("sum", d.Sum(), sum)
	}
}
