package supervisor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
)

// linearly is the quantile of numbers in order, by exact arithmetic; q is decimal.
func linearly(sorted []float64, q string) float64 {
	at, _ := new(big.Rat).SetString(q)
	at.Mul(at, big.NewRat(int64(len(sorted)-1), 1))
	i := new(big.Int).Quo(at.Num(), at.Denom())
	part := at.Sub(at, new(big.Rat).SetInt(i))
	a := new(big.Rat).SetFloat64(sorted[i.Int64()])
	b := new(big.Rat).SetFloat64(sorted[min(int(i.Int64())+1, len(sorted)-1)])
	f, _ := b.Sub(b, a).Mul(b, part).Add(b, a).Float64()
	return f
}

func TestEvalTakesQuantiles(t *testing.T) { onBothPools(t, evalTakesQuantiles) }

func evalTakesQuantiles(t *testing.T, start func(...Option) *Pool) {
	const n = 100_002
	r := rand.New(rand.NewPCG(5, 6))
	xs, fs, is := make([]float64, n), make([]float32, n), make([]int64, n)
	for i := range xs {
		xs[i], fs[i], is[i] = r.NormFloat64(), float32(r.ExpFloat64()), int64(r.IntN(1<<50))
	}
	xPath, fPath, iPath := rawFile(t, 3, xs), rawFile(t, 0, fs), rawFile(t, 8, is)
	sorted, part := slices.Sorted(slices.Values(xs)), slices.Sorted(slices.Values(xs[1000:70_001]))
	wide, whole := make([]float64, n), make([]float64, n)
	for i := range wide {
		wide[i], whole[i] = float64(fs[i]), float64(is[i])
	}
	slices.Sort(wide)
	slices.Sort(whole)
	top := 0
	for _, x := range xs {
		top += boolInt(x > linearly(sorted, "0.99"))
	}
	for _, chunk := range []uint64{1, 1 << 17, 0} {
		pool := start(Workers(2), ChunkBytes(chunk))
		x := openRaw(t, pool, xPath, 3, n).Named("x")
		f := open(t, pool, fPath, Raw(raw.Layout{Type: kernels.Float32})).Named("f")
		i := open(t, pool, iPath, Raw(raw.Layout{Type: kernels.Int64, Offset: 8})).Named("i")
		values, err := pool.Eval(t.Context(), "median(x), quantile(x, 0.1) - percentile(x, 99.9), nanmedian(f), quantile(i, .3), median(x[1000:70001]), count_nonzero(x > quantile(x, .99))", x, f, i)
		if err != nil {
			t.Fatal(err)
		}
		want := []float64{linearly(sorted, "0.5"), linearly(sorted, "0.1") - linearly(sorted, "0.999"), linearly(wide, "0.5"), linearly(whole, "0.3"), linearly(part, "0.5"), float64(top)}
		for k, v := range values {
			if v.Float64() != want[k] {
				t.Errorf("chunks of %d: expression %d is %v, want %v", chunk, k, v, want[k])
			}
		}
		// In a condition, which an output obeys; what is written is read back.
		out := filepath.Join(t.TempDir(), "y.bin")
		if a, _, err := pool.EvalTo(t.Context(), Query{Text: "x", Where: "x > quantile(x, .99)", Arrays: []*Array{x}}, out, false); err != nil || a[0].Len() != int64(top) {
			t.Errorf("%v, %v, want %d", a, err, top)
		}
		if _, _, err := pool.EvalTo(t.Context(), Query{Text: "x - median(x)", Arrays: []*Array{x}}, out, true); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil || len(b) != 8*n {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		for k, x := range xs {
			if got := math.Float64frombits(binary.LittleEndian.Uint64(b[8*k:])); got != x-want[0] {
				t.Fatalf("element %d is %v, want %v", k, got, x-want[0])
			}
		}
	}
}

// Quantiles of one array are found by one search, however they are written.
func TestQuantilesOfAnArrayShareASearch(t *testing.T) {
	pool := start(t, Workers(1), InProcess())
	x := openRaw(t, pool, float64File(t, 0, ramp(50), 0), 0, 50).Named("x")
	y := x.Named("y")
	e, err := pool.compile(t.Context(), Query{Text: "median(x), quantile(x, .9), nanmedian(x), percentile(x, 90, method=lower), median(y), median(x[:25])", Arrays: []*Array{x, y}}, expr.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	var got []string
	for _, o := range e.orders {
		got = append(got, fmt.Sprintf("%s %d %v %v", o.of.Name, o.of.Len(), o.qs, o.places))
	}
	if want := "x 50 [0.5 0.9] [0 1 2 3]; y 50 [0.5] [4]; x 25 [0.5] [5]"; strings.Join(got, "; ") != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestQuantileIsNaNWhereAnElementIs(t *testing.T) {
	pool := start(t, Workers(1), InProcess())
	xs := ramp(5001)
	xs[17], xs[99] = math.NaN(), math.Copysign(math.NaN(), -1)
	x := openRaw(t, pool, float64File(t, 0, xs, 0), 0, len(xs)).Named("x")
	a, err := pool.Evaluate(t.Context(), Query{Text: "quantile(x, 0.25), nanquantile(x, 1), nanmedian(x[:10])", Arrays: []*Array{x}}, 3)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(a.Results[0].Scalar, a.Results[1].Scalar, a.Results[2].Scalar, a.Notes)
	if want := "NaN 5000 4.5 [{quantile(x, 0.25) 2 nanquantile}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What does not lie as surveys take it is gone through as what is computed is.
func TestQuantilesOfWhatLiesApart(t *testing.T) {
	pool := start(t, Workers(1), InProcess())
	path := float64File(t, 0, ramp(60), 0)
	x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64, Shape: []int64{6, 10}})).Named("x")
	swapped := open(t, pool, npyFile(t, "{'descr': '>f8', 'fortran_order': False, 'shape': (2,), }", append(make([]byte, 8), 0x40, 0x10, 0, 0, 0, 0, 0, 0))).Named("s")
	values, err := pool.Eval(t.Context(), "median(x[2]), median(x[1:3]), median(x[None]), median(x[-1, 2:4]), median(x[:, 3]), median(x[::2]), quantile(x[::-1], 1), median(s), median(x[0, :0] + 1), median(sum(x, axis=1))", x, swapped)
	if err != nil || fmt.Sprint(values) != "[24.5 19.5 29.5 52.5 28 24.5 59 2 NaN 295]" {
		t.Errorf("%v, %v", values, err)
	}
}

// Quantiles of what is computed, and of what a condition picks of it, are those of the
// elements in order.
func TestQuantilesOfWhatIsComputed(t *testing.T) { onBothPools(t, quantilesOfWhatIsComputed) }

func quantilesOfWhatIsComputed(t *testing.T, start func(...Option) *Pool) {
	const n = 300_001
	r := rand.New(rand.NewPCG(7, 8))
	xs, ks := make([]float64, n), make([]int32, n)
	var deviations, picked, positive []float64
	last := 0.0 // of the negative
	for i := range xs {
		xs[i], ks[i] = r.NormFloat64(), int32(i/1000) // sorted, so that chunks differ in what is picked
		if ks[i]%7 == 0 && ks[i] > 100 {
			picked = append(picked, 3*xs[i])
		}
		if xs[i] > 0 {
			positive = append(positive, xs[i])
		} else if xs[i] < 0 {
			last = float64(2 * ks[i])
		}
	}
	middle := linearly(slices.Sorted(slices.Values(xs)), "0.5")
	for _, x := range xs {
		deviations = append(deviations, math.Abs(x-middle))
	}
	for _, all := range [][]float64{deviations, picked, positive} {
		slices.Sort(all)
	}
	xPath, kPath := rawFile(t, 0, xs), rawFile(t, 0, ks)
	for _, chunk := range []uint64{1, 1 << 18} {
		pool := start(Workers(2), ChunkBytes(chunk))
		x := openRaw(t, pool, xPath, 0, n).Named("x")
		k := open(t, pool, kPath, rawOf(kernels.Int32)).Named("k")
		for _, c := range []struct {
			text, where string
			want        float64
		}{
			{"quantile(abs(x - median(x)), 0.9)", "", linearly(deviations, "0.9")},
			{"quantile(x*3, .25)", "(k % 7 == 0) & (k > 100)", linearly(picked, "0.25")},
			{"median(x)", "x > 0", linearly(positive, "0.5")},
			{"quantile(k * 2, 1, method=lower)", "x < 0", last},
			{"median(x)", "k < 0", math.NaN()},
			{"count_nonzero(x > quantile(x, 0.5))", "k == 7", 500},
		} {
			a, err := pool.Evaluate(t.Context(), Query{Text: c.text, Where: c.where, Arrays: []*Array{x, k}}, 0)
			if err != nil {
				t.Fatalf("%s where %s: %v", c.text, c.where, err)
			}
			if got := a.Results[0].Scalar.Float64(); got != c.want && !(got != got && c.want != c.want) {
				t.Errorf("chunks of %d: %s where %s is %v, want %v", chunk, c.text, c.where, got, c.want)
			}
		}
	}
}

// centring makes of ramp(n) numbers from which its quantiles cannot be told any more.
const centring = "(x - median(x)) / (quantile(x, .75) - quantile(x, .25)) + 1e6"

func centred(n int) func(i int) float64 {
	return func(i int) float64 { return (float64(i)-float64(n-1)/2)/(float64(n-1)/2) + 1e6 }
}

func TestQuantilesInPlace(t *testing.T) { onBothPools(t, quantilesInPlace) }

func quantilesInPlace(t *testing.T, start func(...Option) *Pool) {
	const n = 20001
	pool := start(Workers(2), ChunkBytes(1))
	path := float64File(t, 0, ramp(n), 5)
	x := openRaw(t, pool, path, 0, n).Named("x")
	if _, err := pool.EvalInPlace(t.Context(), Query{Text: centring, Arrays: []*Array{x}}, x); err != nil {
		t.Fatal(err)
	}
	holdsFile(t, path, 0, centred(n), n, 5)
}

// A run that was interrupted is finished with the quantiles of the elements before it.
func TestQuantilesInPlaceAreResumed(t *testing.T) { onBothPools(t, quantilesInPlaceAreResumed) }

func quantilesInPlaceAreResumed(t *testing.T, start func(...Option) *Pool) {
	const n = 20001
	pool := start(Workers(2))
	path := float64File(t, 0, ramp(n), 0)
	x := openRaw(t, pool, path, 0, n).Named("x")
	e, err := pool.compile(t.Context(), Query{Text: centring, Arrays: []*Array{x}}, expr.Options{Apart: true, As: kernels.Float64})
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
	if err := c.read(e, pass, centring, x); err != nil {
		t.Fatal(err)
	}
	c.job.Plan = partition.New(x.Array, 1, 1)
	if err := c.open(t.Context(), x, taskOptions{}); err != nil {
		t.Fatal(err)
	}
	const done = 4096 // the first chunk
	for i := range done {
		binary.LittleEndian.PutUint64(target.Bytes()[8*i:], math.Float64bits(centred(n)(i)))
	}
	binary.LittleEndian.PutUint64(c.journal.Mapping().Bytes()[c.journal.Layout().Marks:], 2)
	if err := errors.Join(c.journal.Close(), target.Close()); err != nil {
		t.Fatal(err)
	}
	if err := pool.Resume(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	holdsFile(t, path, 0, centred(n), n, 0)
}
