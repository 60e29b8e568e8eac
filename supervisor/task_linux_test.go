package supervisor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// Benchmarks of tasks that do nothing, in worker processes, beside goroutines
// that do the same and Python's ProcessPoolExecutor.

// mostTasks is how many tasks one job of nops has at most.
const mostTasks = 1 << 24

// nops returns a function that has n tasks done which do nothing: chunks of one
// block of a sparse file that nobody reads.
func nops(b *testing.B, pool *Pool) func(n int) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "sparse")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(mostTasks * kernels.BlockLen); err != nil {
		b.Fatal(err)
	}
	x := open(b, pool, path, Raw(raw.Layout{Type: kernels.Int8}))
	return func(n int) {
		for ; n > 0; n -= mostTasks {
			array := format.Array{Name: "x", Type: kernels.Int8, Shape: []int64{int64(min(n, mostTasks)) * kernels.BlockLen}}
			err := pool.engine.Run(b.Context(), engine.Job{
				Program: wire.Program{Kernel: kernels.Nop.Name(), Type: kernels.Int8},
				Plan:    partition.New(array, 1, 1),
				Mapping: x.file.mapping,
				Number:  x.file.number,
				Accept:  kernels.Nop.NewMerger(kernels.Int8).Add,
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkTasks(b *testing.B) {
	for _, workers := range []int{1, 2, 64} {
		b.Run(fmt.Sprintf("processes/workers=%d", workers), func(b *testing.B) {
			run := nops(b, start(b, Workers(workers)))
			run(1000)
			b.ResetTimer()
			run(b.N)
		})
	}
	b.Run("futures/workers=2", func(b *testing.B) {
		pool := start(b, Workers(2))
		n := int64(0)
		for r, err := range Map(b.Context(), pool, square, forever, InFlight(256)) {
			if err != nil || r != 49 {
				b.Fatal(r, err)
			}
			if n++; n == int64(b.N) {
				return
			}
		}
	})
	b.Run("channel/workers=2", func(b *testing.B) {
		tasks, results := make(chan int, 256), make(chan int, 256)
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				for task := range tasks {
					results <- task
				}
			})
		}
		go func() {
			for i := range b.N {
				tasks <- i
			}
			close(tasks)
		}()
		for range b.N {
			<-results
		}
		group.Wait()
	})
	b.Run("ProcessPoolExecutor/workers=2", func(b *testing.B) {
		python(b, `
import time
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(2) as pool:
    list(pool.map(abs, range(100)))
    begin = time.perf_counter()
    list(pool.map(abs, range(20000)))
    print((time.perf_counter() - begin) / 20000 * 1e9)
`)
	})
}

// forever yields 7 again and again.
func forever(yield func(int64) bool) {
	for yield(7) {
	}
}

func BenchmarkRoundTrip(b *testing.B) {
	b.Run("processes", func(b *testing.B) {
		run := nops(b, start(b, Workers(1)))
		run(1000)
		times := make([]time.Duration, 0, b.N)
		for b.Loop() {
			begin := time.Now()
			run(1)
			times = append(times, time.Since(begin))
		}
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "median-ns")
	})
	b.Run("future", func(b *testing.B) {
		pool := start(b, Workers(1))
		times := make([]time.Duration, 0, b.N)
		for b.Loop() {
			begin := time.Now()
			f, err := Submit(pool, square.With(7), nil)
			if err != nil {
				b.Fatal(err)
			}
			if r, err := f.Result(b.Context()); err != nil || r != 49 {
				b.Fatal(r, err)
			}
			times = append(times, time.Since(begin))
		}
		slices.Sort(times)
		b.ReportMetric(float64(times[len(times)/2].Nanoseconds()), "median-ns")
	})
	b.Run("ProcessPoolExecutor", func(b *testing.B) {
		python(b, `
import statistics, time
from concurrent.futures import ProcessPoolExecutor
times = []
with ProcessPoolExecutor(1) as pool:
    for _ in range(3000):
        begin = time.perf_counter()
        pool.submit(abs, 1).result()
        times.append(time.perf_counter() - begin)
print(statistics.median(times) * 1e9)
`)
	})
}

// python runs a script that measures by itself and prints nanoseconds.
func python(b *testing.B, script string) {
	b.Helper()
	python3, err := exec.LookPath("python3")
	if err != nil {
		b.Skip("this machine has no python3")
	}
	out, err := exec.Command(python3, "-c", script).Output()
	if err != nil {
		b.Fatalf("%s: %v", python3, err)
	}
	var ns float64
	if _, err := fmt.Sscan(strings.TrimSpace(string(out)), &ns); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
	}
	b.ReportMetric(ns, "ns/op")
}
