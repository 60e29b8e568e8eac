package supervisor

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// sharded has shards do a computation, through files, until it is done.
func sharded(t *testing.T, of int, do func(s Shard, next *Partial) (*Partial, error)) *Merged {
	t.Helper()
	path := filepath.Join(t.TempDir(), "partial")
	through := func(p *Partial) *Partial {
		t.Helper()
		if err := WritePartials(path, p); err != nil {
			t.Fatal(err)
		}
		all, err := ReadPartials(path)
		if err != nil {
			t.Fatal(err)
		}
		return all[0]
	}
	var next *Partial
	for range 8 {
		var parts []*Partial
		for i := range of {
			p, err := do(Shard{i, of}, next)
			if err != nil {
				t.Fatalf("shard %d of %d: %v", i, of, err)
			}
			parts = append([]*Partial{through(p)}, parts...)
		}
		m, err := MergePartials(next, parts...)
		if err != nil {
			t.Fatalf("%d shards: %v", of, err)
		}
		if m.Done {
			return m
		}
		next = through(m.Next)
	}
	t.Fatalf("%d shards: no end of rounds", of)
	return nil
}

func TestMergedShardsHaveTheBitsOfOneRun(t *testing.T) { onBothPools(t, mergedShardsHaveTheBits) }

func mergedShardsHaveTheBits(t *testing.T, start func(...Option) *Pool) {
	r := rand.New(rand.NewPCG(3, 1))
	const n = 100_001
	kinds := []struct {
		draw  func(i int) float64
		chunk uint64
		of    []int // shards, more than there are chunks among them
	}{
		{func(int) float64 { return r.NormFloat64()*1e3 + 1 }, 0, []int{1, 30}},
		{func(i int) float64 { return max(0, float64(i-n*15/16)) }, 1 << 16, []int{3}},
		{func(i int) float64 {
			return []float64{math.NaN(), math.Inf(1), 1e300, -1e-300, 3}[min(4, i%1000)]
		}, 1 << 15, []int{2, 3}},
	}
	exprs := "mean(x), std(x), median(x), sum((x - nanmean(x)) ** 3), corr(x, x[::-1]), quantile(abs(x - nanmean(x)), 0.9), median(x[::2]), prod(x), min(x), all(x > 0), max(x) if mean(x) > 0 else 7"
	for _, k := range kinds {
		xs := make([]float64, n)
		for i := range xs {
			xs[i] = k.draw(i)
		}
		pool := start(Workers(2), ChunkBytes(k.chunk))
		x := openRaw(t, pool, float64File(t, 3, xs, 0), 3, n).Named("x")
		for _, of := range k.of {
			for _, q := range []Inquiry{
				{},
				{Quantiles: []float64{0.01, 0.5, 0.99}, Method: kernels.Midpoint, Histogram: true, Bins: bins(t, "sturges")},
				{Histogram: true, Bins: bins(t, "fd")},
			} {
				describesTheSame(t, pool, x, q, of)
			}
			q := Query{Text: exprs, Arrays: []*Array{x}}
			if of == 3 {
				q.Text, q.Where = "sum(x), mean(x), var(x, ddof=1)", "x > 1"
			}
			evaluatesTheSame(t, pool, q, of)
		}
	}
}

func describesTheSame(t *testing.T, pool *Pool, x *Array, q Inquiry, of int) {
	t.Helper()
	want, err := pool.Describe(t.Context(), x, q)
	if err != nil {
		t.Fatal(err)
	}
	got := sharded(t, of, func(s Shard, next *Partial) (*Partial, error) {
		return pool.DescribeShard(t.Context(), x, q, s, next)
	})
	if !sameDescription(got.Description, want) {
		t.Errorf("%d shards of %s %v, %+v: %+v, want %+v", of, x.file.Path(), x.Shape, q, got.Description, want)
	}
	nulls, known := x.Nulls()
	if m := got.Arrays[0]; m.File != x.file.Path() || m.Nulls != nulls || m.NullsKnown != known || m.ShapeString() != x.ShapeString() {
		t.Errorf("%d shards of %s %v: %+v", of, x.file.Path(), x.Shape, m)
	}
}

func evaluatesTheSame(t *testing.T, pool *Pool, q Query, of int) {
	t.Helper()
	want, err := pool.Evaluate(t.Context(), q, 0)
	if err != nil {
		t.Fatal(err)
	}
	before := pool.Counters().Chunks
	got := sharded(t, of, func(s Shard, next *Partial) (*Partial, error) {
		return pool.EvaluateShard(t.Context(), q, s, next)
	})
	if fmt.Sprint(got.Answer.Results) != fmt.Sprint(want.Results) || !reflect.DeepEqual(got.Answer.Notes, want.Notes) {
		t.Errorf("%d shards of %s: %v, want %v", of, q.Text, got.Answer, want)
	}
	if ran := pool.Counters().Chunks - before; got.Run.Chunks != ran || got.Run.Workers != pool.Workers()*of {
		t.Errorf("%d shards of %s: the run is %+v, of %d chunks", of, q.Text, got.Run, ran)
	}
}

// sameDescription compares descriptions, in which NaN is the same as NaN.
func sameDescription(a, b *Description) bool {
	return string(a.Moments.Encode()) == string(b.Moments.Encode()) && reflect.DeepEqual(a.Histogram, b.Histogram) &&
		fmt.Sprint(a.Counted, a.Negative, a.Zeros, a.Quantiles, a.NoHistogram) == fmt.Sprint(b.Counted, b.Negative, b.Zeros, b.Quantiles, b.NoHistogram)
}

func bins(t *testing.T, s string) kernels.Bins {
	t.Helper()
	b, err := kernels.ParseBins(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Arrays that lie otherwise, are decoded, or have few elements or none.
func TestShardsOfAnyArrayHaveTheBitsOfOneRun(t *testing.T) {
	text := filepath.Join(t.TempDir(), "a.csv")
	var rows strings.Builder
	rows.WriteString("a,b\n")
	for i := range 40_000 {
		fmt.Fprintf(&rows, "%d,%d\n", i%97, i)
		if i%50 == 0 {
			rows.WriteString(",7\n")
		}
	}
	if err := os.WriteFile(text, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	pool := start(t, InProcess(), Workers(2), ChunkBytes(1<<15), DecodeMemory(1<<18))
	var all []*Array
	for _, path := range []string{text, "../testdata/ecg.npy"} {
		f, err := pool.File(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		all = append(all, f.Arrays()...)
	}
	swapped := *all[2]
	swapped.Swapped, swapped.Shape = true, []int64{12345}
	apart := *all[2]
	apart.Shape, apart.Strides = []int64{300, 100}, []int64{8, 8 * 300}
	none, one := *all[2], *all[2]
	none.Shape, one.Shape = []int64{0}, []int64{}
	joined, err := Concat(all[2], &swapped, &none, all[2])
	if err != nil {
		t.Fatal(err)
	}
	all = append(all, &swapped, &apart, &none, &one, joined)
	q := Inquiry{Quantiles: []float64{0.5}, Histogram: true, Bins: bins(t, "7")}
	for _, x := range all {
		describesTheSame(t, pool, x, q, 3)
	}
	evaluatesTheSame(t, pool, Query{Text: "mean(x), median(x[10:150000]), sum(x[5:200000] ** 2)", Arrays: []*Array{joined.Named("x")}}, 3)
}

func TestPartialsThatDoNotFitTogetherAreRefused(t *testing.T) {
	pool := start(t, InProcess(), Workers(1), ChunkBytes(1<<15))
	path := float64File(t, 0, ramp(100_000), 0)
	x := openRaw(t, pool, path, 0, 100_000)
	other := openRaw(t, pool, float64File(t, 0, ramp(100_000), 1), 0, 100_000)
	q := Inquiry{Quantiles: []float64{0.5}}
	dir := t.TempDir()
	number := 0
	shard := func(x *Array, q Inquiry, s Shard, next *Partial) *Partial {
		t.Helper()
		p, err := pool.DescribeShard(t.Context(), x, q, s, next)
		if err != nil {
			t.Fatal(err)
		}
		number++
		file := filepath.Join(dir, fmt.Sprint(number))
		if err := WritePartials(file, p); err != nil {
			t.Fatal(err)
		}
		read, err := ReadPartials(file)
		if err != nil {
			t.Fatal(err)
		}
		return read[0]
	}
	merge := func(next *Partial, parts ...*Partial) *Merged {
		t.Helper()
		m, err := MergePartials(next, parts...)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	a, b := shard(x, q, Shard{0, 2}, nil), shard(x, q, Shard{1, 2}, nil)
	next := merge(nil, a, b).Next
	later := shard(x, q, Shard{0, 2}, next)
	foreign := shard(other, q, Shard{1, 2}, nil)
	for _, c := range []struct {
		next  *Partial
		parts []*Partial
		fault PartialFault
		want  string
	}{
		{nil, []*Partial{b}, PartialMissing, "no partial of shard 0/2 (elements 0-49151): run those shards"},
		{nil, []*Partial{a, b, a}, PartialDoubled, a.file + ", " + a.file + ": both are of shard 0/2"},
		{nil, []*Partial{a, foreign}, PartialForeign, a.file + ", " + foreign.file + ": they are about different computations, the second of " + other.file.Path() + ", not " + path},
		{nil, []*Partial{a, shard(x, Inquiry{}, Shard{1, 2}, nil)}, PartialForeign, "with other options"},
		{nil, []*Partial{a, shard(x, q, Shard{1, 3}, nil)}, PartialForeign, "of 3 shards, not 2"},
		{nil, []*Partial{a, next}, PartialForeign, "what all shards have found"},
		{nil, []*Partial{later, b}, PartialForeign, later.file + ": it is of a later round"},
		{next, []*Partial{later, b}, PartialForeign, b.file + ": it is of the first round"},
		{merge(nil, shard(x, q, Shard{0, 1}, nil)).Next, []*Partial{later, b}, PartialForeign, "of 2 shards, not 1"},
		{a, []*Partial{a, b}, PartialForeign, "it is of one shard, and not what all have found"},
	} {
		_, err := MergePartials(c.next, c.parts...)
		var refused *PartialError
		if !errors.As(err, &refused) || refused.Fault != c.fault || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := pool.DescribeShard(t.Context(), other, q, Shard{0, 2}, next); err == nil || !strings.Contains(err.Error(), "another computation: of "+other.file.Path()) {
		t.Errorf("another array in the second round: %v", err)
	}
	next.part.Records[0].Asked++
	var refused *PartialError
	if _, err := pool.DescribeShard(t.Context(), x, q, Shard{0, 2}, next); !errors.As(err, &refused) || !strings.Contains(err.Error(), "are not those that this version") {
		t.Errorf("what another version asked: %v", err)
	}
	next.part.Records[0].Asked--
	b.part.Records[0].Asked++
	if _, err := MergePartials(nil, a, b); err == nil || !strings.Contains(err.Error(), "did not do the same pass") {
		t.Errorf("another pass: %v", err)
	}
	b.part.Records[0].Asked--
	b.part.Records[0].Nodes[0].Value[8]++ // the count
	if _, err := MergePartials(nil, a, b); err == nil || !strings.Contains(err.Error(), "moments of") {
		t.Errorf("a wrong count: %v", err)
	}
	for _, s := range []Shard{{2, 2}, {-1, 2}, {0, 0}, {0, MaxShards + 1}} {
		if _, err := pool.DescribeShard(t.Context(), x, q, s, nil); err == nil || !strings.Contains(err.Error(), "shards") {
			t.Errorf("shard %v: %v", s, err)
		}
	}
	m := open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64, Shape: []int64{1000, 100}}))
	for _, text := range []string{"x + 1", "max(sum(x, axis=0))", "mean(x), max(mean(x, axis=1))", "median(mean(x, axis=1))", "median(x) where x > 0"} {
		var refused *ShardError
		q := Query{Arrays: []*Array{m.Named("x")}}
		q.Text, q.Where, _ = strings.Cut(text, " where ")
		if _, err := pool.EvaluateShard(t.Context(), q, Shard{0, 2}, nil); !errors.As(err, &refused) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestPartialReplacesPartialsAlone(t *testing.T) {
	pool := start(t, InProcess(), Workers(1))
	path := float64File(t, 0, ramp(10), 0)
	p, err := pool.DescribeShard(t.Context(), openRaw(t, pool, path, 0, 10), Inquiry{}, Shard{0, 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	for range 2 {
		if err := WritePartials(out, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := WritePartials(path, p); err == nil || !strings.Contains(err.Error(), "no partial that may be replaced") {
		t.Errorf("over the data: %v", err)
	}
	for name, spoil := range map[string]func(b []byte) []byte{
		"cut off, or was changed": func(b []byte) []byte { return b[:len(b)-1] },
		"cut off":                 func(b []byte) []byte { b[60] ^= 1; return b },
		"another version":         func(b []byte) []byte { b[16]++; return b },
		"no partial":              func(b []byte) []byte { return nil },
	} {
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		spoiled := filepath.Join(t.TempDir(), "spoiled")
		if err := os.WriteFile(spoiled, spoil(b), 0o600); err != nil {
			t.Fatal(err)
		}
		var refused *PartialError
		if _, err := ReadPartials(spoiled); !errors.As(err, &refused) || !strings.HasPrefix(err.Error(), spoiled+": ") || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
}
