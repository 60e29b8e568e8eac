package supervisor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
)

// scaledCase is stored numbers and what they stand for.
type scaledCase struct {
	stored kernels.Type
	by     format.Scaling
	as     kernels.Type                // of the numbers, once nulls are known
	number func(stored uint64) float64 // as far as it is no integer
}

var scaledCases = []scaledCase{
	{kernels.Int16, format.Scaling{Type: kernels.Float64, Factor: 0.1, Offset: 7.3}, kernels.Float64,
		func(b uint64) float64 { return float64(0.1*float64(int16(b))) + 7.3 }},
	{kernels.Float32, format.Scaling{Type: kernels.Float64, Factor: 0.3, Missing: []uint64{0x42280000}}, kernels.Float64, // 42
		func(b uint64) float64 {
			if b == 0x42280000 {
				return math.NaN()
			}
			return 0.3 * float64(math.Float32frombits(uint32(b)))
		}},
	{kernels.Uint8, format.Scaling{Type: kernels.Uint8, Factor: 1, Missing: []uint64{7}}, kernels.Float64,
		func(b uint64) float64 {
			if b == 7 {
				return math.NaN()
			}
			return float64(b)
		}},
	{kernels.Int64, format.Scaling{Type: kernels.Int64, Factor: 1, Missing: []uint64{1 << 63}}, kernels.Int64, nil},
	{kernels.Int32, format.Scaling{Type: kernels.Uint32, Factor: 1, Offset: 1 << 31, Flip: true}, kernels.Uint32, nil},
	{kernels.Int16, format.Scaling{Type: kernels.Uint16, Factor: 1, Offset: 1 << 15, Flip: true, Missing: []uint64{5, 6}}, kernels.Float64,
		func(b uint64) float64 {
			if b == 5 || b == 6 {
				return math.NaN()
			}
			return float64(uint16(b) ^ 1<<15)
		}},
}

// files returns a file of stored numbers, in such a byte order, and one of what they
// stand for.
func (c *scaledCase) files(t *testing.T, r *rand.Rand, n int, swapped bool) (stored, plain string, a format.Array) {
	t.Helper()
	var from, to []byte
	for i := range n {
		e := element(r, c.stored)
		if i == 3 && c.number != nil && c.by.Missing != nil {
			copy(e, binary.LittleEndian.AppendUint64(nil, c.by.Missing[0]))
		}
		var word [8]byte
		copy(word[:], e)
		bits := binary.LittleEndian.Uint64(word[:])
		switch {
		case c.number != nil:
			to = binary.LittleEndian.AppendUint64(to, math.Float64bits(c.number(bits)))
		case c.by.Flip:
			flipped := bytes.Clone(e)
			flipped[len(e)-1] ^= 0x80
			to = append(to, flipped...)
		default:
			to = append(to, e...)
		}
		if swapped {
			for i := range len(e) / 2 {
				e[i], e[len(e)-1-i] = e[len(e)-1-i], e[i]
			}
		}
		from = append(from, e...)
	}
	by := c.by
	a = format.Array{Name: "x", Type: c.stored, Shape: []int64{int64(n)}, Swapped: swapped, Scale: &by}
	return rawFile(t, 0, from), rawFile(t, 0, to), a
}

func (c *scaledCase) open(t *testing.T, pool *Pool, stored, plain string, a format.Array) (x, same *Array) {
	t.Helper()
	x = &Array{Array: a, file: open(t, pool, stored, rawOf(kernels.Uint8)).file, scaled: newScaled(a)}
	a.Type, a.Scale, a.Swapped = c.as, nil, false
	return x, &Array{Array: a, file: open(t, pool, plain, rawOf(kernels.Uint8)).file}
}

func TestScaledArraysHaveTheBitsOfWhatTheyStandFor(t *testing.T) {
	onBothPools(t, scaledArraysHaveTheBits)
}

func scaledArraysHaveTheBits(t *testing.T, start func(...Option) *Pool) {
	r := rand.New(rand.NewPCG(31, 1))
	before := kernels.CurrentTier()
	defer kernels.UseTier(before)
	for i := range scaledCases {
		c := &scaledCases[i]
		stored, plain, a := c.files(t, r, 20011, i%2 == 0)
		want := ""
		for tier := kernels.Scalar; tier <= kernels.BestTier(); tier++ {
			if err := kernels.UseTier(tier); err != nil {
				t.Fatal(err)
			}
			pool := start(Workers(1+int(tier)), ChunkBytes([]uint64{0, 1, 1 << 16}[tier%3]))
			x, same := c.open(t, pool, stored, plain, a)
			if want == "" {
				want = told(t, pool, same)
			}
			if got := told(t, pool, x); got != want {
				t.Errorf("%v of %v, %v: \n%s, want\n%s", c.as, c.stored, tier, got, want)
			}
			if x.ValueType() != c.as {
				t.Errorf("%v stand for %v", c.stored, x.ValueType())
			}
			text := "nanmean(x), nanmax(x - 3), count_nonzero(isnan(x))"
			got, err := pool.Evaluate(t.Context(), Query{Text: text, Arrays: []*Array{x}, NullsAreNaN: true}, 0)
			wanted, werr := pool.Evaluate(t.Context(), Query{Text: text, Arrays: []*Array{same}}, 0)
			if err != nil || werr != nil {
				t.Fatal(err, werr)
			}
			for k, v := range wanted.Results {
				if fmt.Sprint(got.Results[k].Scalar) != fmt.Sprint(v.Scalar) {
					t.Errorf("%v of %v: %s is %v, want %v", c.as, c.stored, v.Expr, got.Results[k].Scalar, v.Scalar)
				}
			}
			pool.Close()
		}
	}
}

// Pieces may be scaled each in its own way, if what they stand for has one type.
func TestScaledArraysAreConcatenated(t *testing.T) {
	r := rand.New(rand.NewPCG(32, 1))
	pool := start(t, Workers(2), ChunkBytes(1))
	var parts, sames []*Array
	for i, n := range []int{5000, 4097, 3000} {
		c := &scaledCases[i]
		stored, plain, a := c.files(t, r, n, i == 1)
		x, same := c.open(t, pool, stored, plain, a)
		parts, sames = append(parts, x), append(sames, same)
	}
	x, err := Concat(parts...)
	if err != nil {
		t.Fatal(err)
	}
	same, err := Concat(sames...)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := told(t, pool, x), told(t, pool, same); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if nulls, known := x.Nulls(); !known || nulls == 0 {
		t.Errorf("%d nulls, known: %v", nulls, known)
	}
	var scaled *ShardError
	if _, err := pool.DescribeShard(t.Context(), parts[0], Inquiry{}, Shard{0, 2}, nil); !errors.As(err, &scaled) {
		t.Errorf("a shard: %v", err)
	}
}

// An expression over elements that stand for no number is refused, before it is
// computed, unless they may be NaN.
func TestNullsOfStoredNumbersAreRefused(t *testing.T) {
	pool := start(t, Workers(1))
	x, _ := func() (*Array, *Array) {
		c := &scaledCases[2]
		stored, plain, a := c.files(t, rand.New(rand.NewPCG(1, 1)), 5000, false)
		return c.open(t, pool, stored, plain, a)
	}()
	var nulls *NullsError
	if _, err := pool.Eval(t.Context(), "sum(x)", x); !errors.As(err, &nulls) || nulls.Nulls == 0 {
		t.Errorf("%v", err)
	}
	big := rawFile(t, 0, []int64{1<<53 + 1, -9, 5})
	a := format.Array{Name: "x", Type: kernels.Int64, Shape: []int64{3}, Scale: &format.Scaling{Type: kernels.Int64, Factor: 1, Missing: []uint64{5}}}
	x = &Array{Array: a, file: open(t, pool, big, rawOf(kernels.Uint8)).file, scaled: newScaled(a)}
	var scaled *ScaledError
	if _, err := pool.Stat(t.Context(), x); !errors.As(err, &scaled) || !strings.Contains(err.Error(), "1 of its integers would be rounded to float64, as which it is read, since 1 elements stand for no number") {
		t.Errorf("%v", err)
	}
}

// fitsCopy returns a copy of a file of the fixtures, opened, and one of its arrays.
func fitsCopy(t *testing.T, pool *Pool, name, array string) (string, *Array) {
	t.Helper()
	whole, err := os.ReadFile(filepath.Join(fixtures, name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := pool.File(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	for _, x := range f.Arrays() {
		if x.Name == array {
			return path, x
		}
	}
	t.Fatalf("%s has no array %s", name, array)
	return "", nil
}

func TestUnsignedNumbersAreChangedInPlace(t *testing.T) {
	onBothPools(t, unsignedNumbersAreChanged)
}

func unsignedNumbersAreChanged(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	for _, array := range []string{"U2", "U4", "U8"} {
		path, x := fitsCopy(t, pool, "all.fits", array)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pool.EvalInPlace(t.Context(), Query{Text: "x // 3 + 1", Arrays: []*Array{x.Named("x")}}, x); err == nil {
			t.Error("another array of the query was changed")
		}
		named := x.Named("x")
		if _, err := pool.EvalInPlace(t.Context(), Query{Text: "x // 3 + 1", Arrays: []*Array{named}}, named); err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		size := x.Type.Size()
		number := func(b []byte, i int64) (v uint64) {
			for _, c := range b[x.Offset+i*int64(size):][:size] {
				v = v<<8 | uint64(c)
			}
			return v ^ 1<<(8*size-1)
		}
		for i := range x.Len() {
			if was, is := number(before, i), number(after, i); is != was/3+1 {
				t.Errorf("%s: %d became %d, want %d", array, was, is, was/3+1)
			}
		}
	}
}

// A run that was interrupted knows what is stored, of what it changes and of what it
// only reads.
func TestChangeOfUnsignedNumbersIsResumed(t *testing.T) {
	pool := start(t, Workers(1))
	path, x := fitsCopy(t, pool, "all.fits", "U2")
	var y *Array
	for _, a := range x.file.Arrays() {
		if a.Name == "U4" {
			y = a
		}
	}
	const text = "U2 + uint16(U4 % 1000)"
	q := Query{Text: text, Arrays: []*Array{x, y}}
	want, err := pool.Evaluate(t.Context(), q, 3)
	if err != nil {
		t.Fatal(err)
	}
	e, err := pool.compile(t.Context(), q, expr.Options{Apart: true, As: x.ValueType(), Order: expr.COrder})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	pass, err := e.reduce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	target, err := shm.OpenTarget(t.Context(), path, shm.TargetOptions{Patience: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	c := &change{pool: pool, target: target}
	if err := c.read(e, pass, text, x); err != nil {
		t.Fatal(err)
	}
	c.job.Plan = cutOf(x.Array, nil, 0, 1)
	if err := c.open(t.Context(), x, taskOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.journal.Close(), errors.Join(c.release()...), target.Close()); err != nil {
		t.Fatal(err)
	}
	if err := pool.Resume(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	f, err := pool.File(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := pool.Evaluate(t.Context(), Query{Text: "U2", Arrays: f.Arrays()}, 3)
	if err != nil || !bytes.Equal(got.Results[0].Head, want.Results[0].Head) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

// Where not each result could be stored, nothing is changed.
func TestScaledArraysAreNotChangedInPlace(t *testing.T) {
	pool := start(t, Workers(1))
	for _, c := range []struct{ file, array, want string }{
		{"scaled.fits", "SCALED", "not every result is one that stored numbers stand for (0.5 * stored + 100.25 is float64, one stored value stands for none)"},
		{"unsigned.nc", "v", "a result might be one of the numbers that stand for none (one stored value stands for none)"},
	} {
		path, x := fitsCopy(t, pool, c.file, c.array)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		x = x.Named("x")
		_, err = pool.EvalInPlace(t.Context(), Query{Text: "x * 2", Arrays: []*Array{x}, NullsAreNaN: true}, x)
		var scaled *ScaledError
		if !errors.As(err, &scaled) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.file, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s is not what it was: %v", c.file, err)
		}
	}
}
