package supervisor

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
)

// scatter is an array of random numbers and layout in a file, and the same numbers one
// after another, in C order and this machine's, in another.
type scatter struct {
	array      format.Array
	path, copy string
}

func newScatter(t *testing.T, r *rand.Rand, typ kernels.Type, shape []int64, swapped bool) scatter {
	t.Helper()
	s := scatter{array: format.Array{Name: "x", Type: typ, Shape: shape, Strides: make([]int64, len(shape)), Swapped: swapped}}
	size := int64(typ.Size())
	// Axes in any order, with gaps, and backwards.
	below, span := int64(0), size
	for _, axis := range r.Perm(len(shape)) {
		stride := span + r.Int64N(3)
		s.array.Strides[axis] = stride
		span = stride*(shape[axis]-1) + span
		if r.IntN(3) == 0 {
			s.array.Strides[axis] = -stride
			below += stride * (shape[axis] - 1)
		}
	}
	s.array.Offset = 5 + below
	file, plain := make([]byte, 5+span+3), []byte{}
	for i := range file {
		file[i] = 0xa5
	}
	for i := range s.array.Len() {
		e := element(r, typ)
		plain = append(plain, e...)
		at := s.array.Offset
		for axis := len(shape) - 1; axis >= 0; axis-- {
			at += i % shape[axis] * s.array.Strides[axis]
			i /= shape[axis]
		}
		if swapped {
			slices.Reverse(e)
		}
		copy(file[at:], e)
	}
	s.path, s.copy = rawFile(t, 0, file), rawFile(t, 0, plain)
	return s
}

// element returns a random number in this machine's byte order.
func element(r *rand.Rand, typ kernels.Type) []byte {
	bits := r.Uint64()
	if typ.IsFloat() {
		f := r.NormFloat64() * 100
		if r.IntN(200) == 0 {
			f = []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0}[r.IntN(5)]
		}
		bits = typ.FloatBits(f)
	}
	e := make([]byte, typ.Size())
	for i := range e {
		e[i] = byte(bits >> (8 * i))
	}
	return e
}

// open opens the array and its copy.
func (s scatter) open(t *testing.T, pool *Pool) (x, same *Array) {
	t.Helper()
	a := s.array
	x = &Array{Array: a, file: open(t, pool, s.path, rawOf(kernels.Uint8)).file}
	a.Offset, a.Strides, a.Swapped = 0, nil, false
	return x, &Array{Array: a, file: open(t, pool, s.copy, rawOf(kernels.Uint8)).file}
}

// told is all that a pool finds out of an array, as text in which all bits show.
func told(t *testing.T, pool *Pool, x *Array) string {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Fatalf("%+v: %v", x.Array, err)
		}
	}
	stat, err := pool.Stat(t.Context(), x)
	fail(err)
	bins, err := kernels.ParseBins("fd")
	fail(err)
	d, err := pool.Describe(t.Context(), x, Inquiry{Quantiles: []float64{0, 0.3, 0.5, 1}, Histogram: true, Bins: bins})
	fail(err)
	qs, err := pool.Quantiles(t.Context(), x, kernels.Linear, 0.1, 0.9)
	fail(err)
	text := fmt.Sprintf("%+v\n%+v %d %d %v %v\n%v\n", stat, d.Moments, d.Negative, d.Zeros, d.Quantiles, d.NoHistogram, qs)
	if d.Histogram != nil {
		text += fmt.Sprintln(d.Histogram.Edges(), d.Histogram.Counts())
	}
	if len(x.Shape) == 2 {
		columns, err := pool.DescribeColumns(t.Context(), x)
		fail(err)
		text += fmt.Sprintf("%+v\n", columns)
	}
	return text
}

func TestArraysThatLieApartHaveTheBitsOfContiguousOnes(t *testing.T) {
	onBothPools(t, arraysThatLieApartHaveTheBits)
}

func arraysThatLieApartHaveTheBits(t *testing.T, start func(...Option) *Pool) {
	r := rand.New(rand.NewPCG(21, 1))
	var all []scatter
	for i, typ := range []kernels.Type{kernels.Float64, kernels.Float32, kernels.Int16, kernels.Uint64, kernels.Uint8, kernels.Float16, kernels.Int32, kernels.Float64} {
		shape := [][]int64{{20011}, {4500, 3}, {3, 70, 90}, {2, 9001}, {13, 1, 1000}, {1}}[i%6]
		all = append(all, newScatter(t, r, typ, shape, i%2 == 0))
	}
	before := kernels.CurrentTier()
	defer kernels.UseTier(before)
	want := make([]string, len(all))
	for tier := kernels.Scalar; tier <= kernels.BestTier(); tier++ {
		if err := kernels.UseTier(tier); err != nil {
			t.Fatal(err)
		}
		pool := start(Workers(2), ChunkBytes([]uint64{0, 1, 1 << 16}[tier%3]))
		for i, s := range all {
			x, same := s.open(t, pool)
			if want[i] == "" {
				want[i] = told(t, pool, same)
			}
			if got := told(t, pool, x); got != want[i] {
				t.Errorf("%v, %+v:\n%s\nwant\n%s", tier, x.Array, got, want[i])
			}
		}
	}
}

// Big-endian elements that lie one after another are taken as they lie.
func TestSwappedArraysAreReducedAsTheyLie(t *testing.T) {
	onBothPools(t, swappedArraysAreReducedAsTheyLie)
}

func swappedArraysAreReducedAsTheyLie(t *testing.T, start func(...Option) *Pool) {
	r := rand.New(rand.NewPCG(3, 21))
	plain, turned := []byte{}, []byte{}
	for range 90 * 300 {
		e := element(r, kernels.Float32)
		plain = append(plain, e...)
		slices.Reverse(e)
		turned = append(turned, e...)
	}
	a := format.Array{Name: "x", Type: kernels.Float32, Shape: []int64{90, 300}}
	for _, fortran := range []bool{false, true} {
		pool := start(Workers(2), ChunkBytes(1))
		a.Fortran = fortran
		a.Swapped = false
		want := told(t, pool, &Array{Array: a, file: open(t, pool, rawFile(t, 0, plain), rawOf(kernels.Uint8)).file})
		a.Swapped = true
		if got := told(t, pool, &Array{Array: a, file: open(t, pool, rawFile(t, 0, turned), rawOf(kernels.Uint8)).file}); got != want {
			t.Errorf("Fortran %v:\n%s\nwant\n%s", fortran, got, want)
		}
	}
}

// A reduction in Go gets the blocks of the copy.
func TestReduceTakesArraysAsTheyLie(t *testing.T) { onBothPools(t, reduceTakesArraysAsTheyLie) }

func reduceTakesArraysAsTheyLie(t *testing.T, start func(...Option) *Pool) {
	const rows = 9001
	file, xs := make([]byte, 24*rows), make([]float64, rows)
	for i := range xs {
		xs[i] = float64(i*7919%1000) / 8
		for k := range 8 {
			file[24*i+3+k] = byte(math.Float64bits(xs[i]) >> (56 - 8*k))
		}
	}
	x := format.Array{Name: "x", Type: kernels.Float64, Shape: []int64{rows}, Offset: 3, Strides: []int64{24}, Swapped: true}
	var tree kernels.Tree[extent]
	tree.Merge = mergeExtents
	for i := 0; i*kernels.BlockLen < rows; i++ {
		var e extent
		addExtent(&e, xs[i*kernels.BlockLen:min((i+1)*kernels.BlockLen, rows)], 0.1)
		tree.Add(uint64(i), e)
	}
	want, _ := tree.Root()
	path := rawFile(t, 0, file)
	for _, chunk := range []uint64{0, 1} {
		pool := start(Workers(2), ChunkBytes(chunk))
		a := &Array{Array: x, file: open(t, pool, path, rawOf(kernels.Uint8)).file}
		if got, err := Reduce(t.Context(), pool, extents.With(0.1), a); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
		var access *AccessError
		if _, err := Submit(pool, plain.With(0), a); !errors.As(err, &access) {
			t.Errorf("a function of elements that lie apart: %v", err)
		}
	}
}

// A file that ends before elements that lie apart is an error, and no pool's end.
func TestTruncationUnderElementsThatLieApartIsAnError(t *testing.T) {
	onBothPools(t, truncationUnderElementsThatLieApart)
}

func truncationUnderElementsThatLieApart(t *testing.T, start func(...Option) *Pool) {
	r := newRecords(t, 60_000)
	pool := start(Workers(2), ChunkBytes(1))
	a, b, err := recordsOf(pool, r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer a.file.Close()
	if _, err := pool.Stat(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(r.path, 1<<16); err != nil {
		t.Fatal(err)
	}
	var changed *shm.ChangedError
	if _, err := pool.Stat(t.Context(), a); !errors.As(err, &changed) {
		t.Errorf("stat: %v", err)
	}
	if _, err := pool.Describe(t.Context(), b, Inquiry{Quantiles: []float64{0.5}}); !errors.As(err, &changed) {
		t.Errorf("describe: %v", err)
	}
	if _, err := pool.Stat(t.Context(), open(t, pool, filepath.Join("..", "testdata", "ecg.npy"))); err != nil {
		t.Errorf("another file after it: %v", err)
	}
}
