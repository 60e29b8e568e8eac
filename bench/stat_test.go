package bench

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/edsrzf/mmap-go"

	"github.com/gangsaw/gangsaw/bench/ceiling"
	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor"
)

func TestMain(m *testing.M) {
	supervisor.Main()
	os.Exit(m.Run())
}

const (
	size  = 256 << 20 // bytes
	large = 1 << 30   // of what is to tell the price of isolation
)

// numbers writes a file of float64 and returns its path.
func numbers(b *testing.B) string {
	b.Helper()
	buf := make([]byte, size)
	for i := range size / 8 {
		binary.LittleEndian.PutUint64(buf[8*i:], math.Float64bits(float64(i%1000)))
	}
	path := filepath.Join(b.TempDir(), "x")
	if err := os.WriteFile(path, buf, 0o666); err != nil {
		b.Fatal(err)
	}
	return path
}

// mapped returns the numbers, mapped for the time of the benchmark.
func mapped(b *testing.B) []byte {
	b.Helper()
	file, err := os.Open(numbers(b))
	if err != nil {
		b.Fatal(err)
	}
	mem, err := mmap.Map(file, mmap.RDONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		mem.Unmap()
		file.Close()
	})
	return mem
}

// inParallel splits mem between as many goroutines as there are CPUs.
func inParallel(mem []byte, f func(part []byte)) {
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	part := len(mem) / workers / ceiling.Step * ceiling.Step
	for i := range workers {
		group.Go(func() { f(mem[i*part : (i+1)*part]) })
	}
	group.Wait()
}

// BenchmarkRead is the ceiling: the simplest loops over the bytes, in a mapping
// that is populated. The best of them counts.
func BenchmarkRead(b *testing.B) {
	mem := mapped(b)
	for _, l := range ceiling.Loops() {
		b.Run(l.Name, func(b *testing.B) {
			b.SetBytes(size)
			var results sync.Map
			for b.Loop() {
				inParallel(mem, func(part []byte) { results.Store(l.Load(part), true) })
			}
		})
	}
}

// BenchmarkNaiveGoroutines is what one would write by hand: one pass with
// count, minimum, maximum, plain sum and plain sum of squares.
func BenchmarkNaiveGoroutines(b *testing.B) {
	mem := mapped(b)
	b.SetBytes(size)
	var results sync.Map
	for b.Loop() {
		inParallel(mem, func(part []byte) {
			lo, hi, sum, squares := math.Inf(1), math.Inf(-1), 0.0, 0.0
			for i := 0; i+8 <= len(part); i += 8 {
				x := math.Float64frombits(binary.LittleEndian.Uint64(part[i:]))
				lo, hi = min(lo, x), max(hi, x)
				sum += x
				squares += x * x
			}
			results.Store([4]float64{lo, hi, sum, squares}, true)
		})
	}
}

func BenchmarkStat(b *testing.B) {
	path := numbers(b)
	onBoth(b, nil, size, func(b *testing.B, pool *supervisor.Pool) func() error {
		x := open(b, pool, path, kernels.Float64)
		return func() error {
			_, err := pool.Stat(b.Context(), x)
			return err
		}
	})
}

// total is a user's reduction.
var total = kernels.NewReduce("bench.total", func(sum *float64, x []float64, _ struct{}) error {
	s0, s1, s2, s3 := 0.0, 0.0, 0.0, 0.0
	for ; len(x) >= 4; x = x[4:] {
		s0, s1, s2, s3 = s0+x[0], s1+x[1], s2+x[2], s3+x[3]
	}
	for _, v := range x {
		s0 += v
	}
	*sum += s0 + s1 + s2 + s3
	return nil
}, func(left, right float64) float64 { return left + right })

func BenchmarkReduceInGo(b *testing.B) { Reduce(b, total.With(struct{}{}), large) }

// axpb is a user's map.
var axpb = kernels.NewMap("bench.axpb", func(dst, src []float64, p [2]float64) error {
	for i, v := range src {
		dst[i] = p[0]*v + p[1]
	}
	return nil
})

func BenchmarkMapInGo(b *testing.B)     { Map(b, axpb.With([2]float64{2, 3}), large/2) }
func BenchmarkInPlaceInGo(b *testing.B) { InPlace(b, axpb.With([2]float64{2, 3}), large/2) }

// BenchmarkFirstResult is the time from nothing to the statistics of a small
// file: start workers, open, compute, close.
func BenchmarkFirstResult(b *testing.B) {
	for b.Loop() {
		pool, err := supervisor.Start(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		f, err := pool.File("../testdata/ecg.npy")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := pool.Stat(b.Context(), f.Arrays()[0]); err != nil {
			b.Fatal(err)
		}
		f.Close()
		pool.Close()
	}
}
