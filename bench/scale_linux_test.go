package bench

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor"
)

// BenchmarkScale reads files of three sizes by a warm pool each, the largest without
// its 16 GiB on disk, and reports the private memory of this process and of the
// largest worker beside the rate.
func BenchmarkScale(b *testing.B) {
	for _, size := range []int64{64 << 20, 1 << 30, 16 << 30} {
		b.Run(fmt.Sprintf("%dMiB", size>>20), func(b *testing.B) {
			if testing.Short() && size > large {
				b.Skip("takes all of a file's size in page cache")
			}
			path := filepath.Join(b.TempDir(), "x")
			if err := errors.Join(os.WriteFile(path, nil, 0o666), os.Truncate(path, size)); err != nil {
				b.Fatal(err)
			}
			pool, err := supervisor.Start(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			defer pool.Close()
			x := open(b, pool, path, kernels.Float64)
			sum := func() {
				if _, err := pool.Eval(b.Context(), "sum(x)", x); err != nil {
					b.Fatal(err)
				}
			}
			sum()                // pages are there from here on
			debug.FreeOSMemory() // of what ran before
			b.SetBytes(size)
			for b.Loop() {
				sum()
			}
			own, workers := privateMemory(b)
			b.ReportMetric(float64(own)/(1<<20), "own-MiB")
			b.ReportMetric(float64(slices.Max(workers))/(1<<20), "worker-MiB")
		})
	}
}

// privateMemory returns the anonymous memory that is resident, of this process and of
// its pools' workers.
func privateMemory(b *testing.B) (own uint64, workers []uint64) {
	runs, err := supervisor.LiveRuns()
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range runs {
		if r.PID != os.Getpid() {
			continue
		}
		for _, w := range r.Workers {
			workers = append(workers, anonymous(b, w.PID))
		}
	}
	return anonymous(b, os.Getpid()), workers
}

func anonymous(b *testing.B, pid int) uint64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); fields[0] == "RssAnon:" {
			kib, err := strconv.ParseUint(fields[1], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib << 10
		}
	}
	b.Fatalf("no RssAnon of process %d", pid)
	return 0
}
