package supervisor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

func start(t testing.TB, opts ...Option) *Pool {
	t.Helper()
	pool, err := Start(context.Background(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Kill() })
	return pool
}

// rawFile writes elements behind offset bytes and returns the file's path.
func rawFile[T kernels.Number](t testing.TB, offset int, xs []T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data")
	b, err := binary.Append(make([]byte, offset), binary.LittleEndian, xs)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, pool *Pool, path string, opts ...FileOption) *Array {
	t.Helper()
	f, err := pool.File(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f.Arrays()[0]
}

// use starts a pool, computes something and closes it.
func use(t *testing.T, opts ...Option) {
	t.Helper()
	pool, err := Start(t.Context(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pool.File("../testdata/ecg.npy")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Stat(t.Context(), f.Arrays()[0]); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Close(), pool.Close(), pool.Close()); err != nil {
		t.Fatal(err)
	}
}

func normal(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = r.NormFloat64() * math.Pow10(r.IntN(30)-15)
	}
	return xs
}

func TestRealData(t *testing.T) {
	pool := start(t, Workers(2))
	s, err := pool.Stat(t.Context(), open(t, pool, "../testdata/ecg.npy"))
	if err != nil {
		t.Fatal(err)
	}
	// From Python: math.fsum, and fractions.Fraction for mean and variance.
	got := fmt.Sprintln(s.Count(), s.NaN(), s.Inf(), s.Min(), s.Max(), s.Sum(), s.Mean())
	if want := "108000 0 0 -3.485 3.65 -17831.745 -0.16510875\n"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if off := s.Std(0).Float64()/0.5992473991177295 - 1; math.Abs(off) > 1e-14 {
		t.Errorf("std %v is off by %.1g", s.Std(0), off)
	}
}

// sameBits compares what pools make of xs, behind offset bytes of a file, with
// what the kernel makes of it block by block.
func sameBits[T kernels.Number](t *testing.T, offset int, xs []T, pools ...[]Option) {
	t.Helper()
	path := rawFile(t, offset, xs)
	layout := Raw(raw.Layout{Type: kernels.TypeOf[T](), Offset: int64(offset)})
	folder := kernels.Summarize.NewFolder(kernels.TypeOf[T]())
	for i := 0; i < len(xs); i += kernels.BlockLen {
		folder.Blocks(shm.Bytes(xs[i:min(i+kernels.BlockLen, len(xs))]))
	}
	partial := make([]byte, kernels.Summarize.PartialSize())
	folder.Partial(partial)
	merger := kernels.Summarize.NewMerger(kernels.TypeOf[T]()).(*kernels.TreeMerger[kernels.Summary])
	if err := merger.Add(0, partial); err != nil {
		t.Fatal(err)
	}
	want := merger.Total()
	for _, opts := range pools {
		pool := start(t, opts...)
		got, err := pool.Stat(t.Context(), open(t, pool, path, layout))
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%v at offset %d: %+v, want %+v", kernels.TypeOf[T](), offset, got, want)
		}
	}
}

// sameBitsForAll does so for numbers of several types and alignments.
func sameBitsForAll(t *testing.T, pools ...[]Option) {
	t.Helper()
	xs := normal(300001, 1)
	xs[7], xs[200000] = math.NaN(), math.Inf(1)
	sameBits(t, 0, xs, pools...)
	sameBits(t, 3, xs, pools...) // not aligned to elements
	r := rand.New(rand.NewPCG(2, 2))
	words := make([]int16, 100003)
	for i := range words {
		words[i] = int16(r.Uint32())
	}
	sameBits(t, 0, words, pools...)
	sameBits(t, 1, words, pools...)
	sameBits(t, 0, []uint64{math.MaxUint64}, pools...)
}

func TestSameBitsForAnyPool(t *testing.T) {
	sameBitsForAll(t, []Option{Workers(1)}, []Option{Workers(2)}, []Option{Workers(7)}, []Option{InProcess(), Workers(3)},
		[]Option{ChunkBytes(1)}, []Option{ChunkBytes(64 << 10)}, []Option{ChunkBytes(16 << 20)})
}

func TestTruncatedFileIsAnErrorAndThePoolLives(t *testing.T) {
	for name, opts := range map[string][]Option{"processes": {Workers(2)}, "in process": {Workers(2), InProcess()}} {
		t.Run(name, func(t *testing.T) { truncate(t, 1<<20, opts...) })
	}
}

// truncate truncates a file of 8 MiB, which a pool has open, to size bytes.
func truncate(t *testing.T, size int64, opts ...Option) {
	t.Helper()
	path := rawFile(t, 0, normal(1<<20, 6))
	pool := start(t, append(opts, ChunkBytes(1))...)
	x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64}))
	if _, err := pool.Stat(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	var changed *shm.ChangedError
	want := fmt.Sprintf("%s: the file was truncated from 8388608 to %d bytes", path, size)
	if _, err := pool.Stat(t.Context(), x); !errors.As(err, &changed) || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("truncated: %v", err)
	}
	if _, err := pool.Stat(t.Context(), open(t, pool, "../testdata/ecg.npy")); err != nil {
		t.Errorf("another file after it: %v", err)
	}
	if c := pool.Counters(); c.Respawns != 0 {
		t.Errorf("%d workers died of it", c.Respawns)
	}
}

func TestStartRefusesBadOptions(t *testing.T) {
	for name, o := range map[string]Option{"no workers": Workers(0), "negative retries": Retries(-1)} {
		if pool, err := Start(t.Context(), o); err == nil {
			pool.Close()
			t.Errorf("%s: started", name)
		}
	}
}

func TestUseAfterClose(t *testing.T) {
	pool := start(t, Workers(1))
	f, err := pool.File("../testdata/ecg.npy")
	if err != nil {
		t.Fatal(err)
	}
	pool.Close()
	if _, err := pool.Stat(t.Context(), f.Arrays()[0]); !errors.Is(err, ErrClosed) {
		t.Errorf("stat: %v", err)
	}
	if _, err := pool.File("../testdata/ecg.npy"); !errors.Is(err, ErrClosed) {
		t.Errorf("file: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestArrayOfAnotherPoolIsRefused(t *testing.T) {
	a, b := start(t, InProcess()), start(t, InProcess())
	if _, err := b.Stat(t.Context(), open(t, a, "../testdata/ecg.npy")); err == nil || !strings.Contains(err.Error(), "another pool") {
		t.Errorf("%v", err)
	}
}
