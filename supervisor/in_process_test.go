package supervisor

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// These tests need no worker processes: they run on every system, and under
// emulators, which cannot start a program again.
//
//	go test -run InProcess ./supervisor

func TestInProcessPoolSaysSo(t *testing.T) {
	if !start(t, InProcess()).InProcess() {
		t.Error("it claims to have processes")
	}
}

func TestInProcessStatisticsEqualADirectComputation(t *testing.T) {
	// Whole numbers, of which plain sums are exact.
	r := rand.New(rand.NewPCG(9, 9))
	xs := make([]float64, 200001)
	n, lo, hi, sum, squares := 0.0, math.Inf(1), math.Inf(-1), 0.0, 0.0
	for i := range xs {
		x := float64(r.IntN(2001) - 1000)
		if i%1000 == 7 {
			xs[i] = math.NaN()
			continue
		}
		xs[i] = x
		n++
		lo, hi = min(lo, x), max(hi, x)
		sum += x
		squares += float64(x * x)
	}
	pool := start(t, InProcess(), Workers(3))
	s, err := pool.Stat(t.Context(), open(t, pool, rawFile(t, 0, xs), Raw(raw.Layout{Type: kernels.Float64})))
	if err != nil {
		t.Fatal(err)
	}
	if s.Count() != uint64(len(xs)) || s.NaN() != uint64(len(xs))-uint64(n) || s.Inf() != 0 {
		t.Errorf("%d numbers, %d NaN, %d infinite", s.Count(), s.NaN(), s.Inf())
	}
	for name, c := range map[string]struct{ got, want float64 }{
		"min":  {s.Min().Float64(), lo},
		"max":  {s.Max().Float64(), hi},
		"sum":  {s.Sum().Float64(), sum},
		"mean": {s.Mean().Float64(), sum / n},
	} {
		if c.got != c.want {
			t.Errorf("%s %v, want %v", name, c.got, c.want)
		}
	}
	std := math.Sqrt(squares/n - float64(sum/n*(sum/n)))
	if got := s.Std(0).Float64(); math.Abs(got/std-1) > 1e-13 {
		t.Errorf("std %v, want %v", got, std)
	}
}

func TestInProcessSameBitsForAnyPool(t *testing.T) {
	sameBitsForAll(t, []Option{InProcess(), Workers(1)}, []Option{InProcess(), Workers(5)}, []Option{InProcess(), ChunkBytes(1)})
}

// The last page stays, so that nothing faults: of the address of a SIGBUS,
// which tells a truncated file from a bug, qemu-user makes 0 on arm64. With the
// fault it is TestTruncatedFileIsAnErrorAndThePoolLives.
func TestInProcessTruncatedFileIsAnErrorAndThePoolLives(t *testing.T) {
	truncate(t, 8<<20-8, InProcess(), Workers(2))
}

func TestInProcessCancelledStatReturnsAndThePoolLives(t *testing.T) {
	// Sparse, and large enough that it is not done before the cancellation.
	path := filepath.Join(t.TempDir(), "sparse")
	if err := os.WriteFile(path, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<30); err != nil {
		t.Fatal(err)
	}
	pool := start(t, InProcess(), Workers(2), ChunkBytes(1))
	x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64}))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil && pool.Counters().Chunks == 0 {
			time.Sleep(100 * time.Microsecond)
		}
		cancel()
	}()
	if _, err := pool.Stat(ctx, x); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if c := pool.Counters(); c.Bytes == 0 || c.Bytes >= 1<<30 {
		t.Errorf("%d bytes were read of what was cancelled", c.Bytes)
	}
	if s, err := pool.Stat(t.Context(), open(t, pool, "../testdata/ecg.npy")); err != nil || s.Count() != 108000 {
		t.Errorf("after it: %d numbers, %v", s.Count(), err)
	}
}

// lowestFreeFile returns the number that the next file to be opened gets. It
// grows with files that are left open.
func lowestFreeFile(t *testing.T) uintptr {
	t.Helper()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return file.Fd()
}

func TestInProcessPoolsLeaveNothingBehind(t *testing.T) {
	opts := []Option{InProcess(), Workers(3), Standby(1)}
	use(t, opts...)
	files, goroutines := lowestFreeFile(t), runtime.NumGoroutine()
	for range 20 {
		use(t, opts...)
	}
	// Goroutines end a moment after what they waited for.
	for begin := time.Now(); runtime.NumGoroutine() > goroutines; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), goroutines)
		}
	}
	if now := lowestFreeFile(t); now > files {
		t.Errorf("the next file gets number %d, before: %d", now, files)
	}
}
