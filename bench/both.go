package bench

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/supervisor"
)

// prepare makes ready what is measured in one pool.
type prepare func(b *testing.B, pool *supervisor.Pool) (run func() error)

// onBoth measures on worker processes, where the system has them, on goroutines,
// and on both in turns: machines are noisy, and what is measured a minute later is
// measured on another machine.
func onBoth(b *testing.B, opts []supervisor.Option, size int64, p prepare) {
	inProcess := append(opts[:len(opts):len(opts)], supervisor.InProcess())
	b.Run("processes", func(b *testing.B) {
		needProcesses(b)
		alone(b, opts, size, p)
	})
	b.Run("goroutines", func(b *testing.B) { alone(b, inProcess, size, p) })
	b.Run("in turns", func(b *testing.B) {
		needProcesses(b)
		inTurns(b, p.in(b, opts), p.in(b, inProcess))
	})
}

func needProcesses(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("worker processes need Linux")
	}
}

// in makes ready in a pool of its own, which lives as long as the benchmark.
func (p prepare) in(b *testing.B, opts []supervisor.Option) func() error {
	pool, err := supervisor.Start(b.Context(), opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { pool.Kill() })
	run := p(b, pool)
	if err := run(); err != nil { // pages are there from here on
		b.Fatal(err)
	}
	return run
}

func alone(b *testing.B, opts []supervisor.Option, size int64, p prepare) {
	run := p.in(b, opts)
	b.SetBytes(size)
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
}

// inTurns reports how fast processes are as a share of goroutines, by the medians
// of runs in turns. A turn is some runs: after a change, the first ones find the
// caches of the others.
func inTurns(b *testing.B, processes, goroutines func() error) {
	share(b, "%-of-goroutines", 8, func() {}, processes, goroutines)
}

// share reports how fast one is as a share of the other, by the medians of turns of
// so many runs, each of which something prepares.
func share(b *testing.B, unit string, runs int, prepare func(), one, other func() error) {
	var times [2][]time.Duration
	for turn := 0; b.Loop(); turn++ {
		for i := range 2 {
			which := (turn + i) % 2 // nobody is always the second
			for range runs {
				prepare()
				begin := time.Now()
				if err := []func() error{one, other}[which](); err != nil {
					b.Fatal(err)
				}
				times[which] = append(times[which], time.Since(begin))
			}
		}
	}
	b.ReportMetric(0, "ns/op") // of many runs, which means nothing
	first, second := median(times[0]), median(times[1])
	b.ReportMetric(float64(first.Microseconds())/1e3, "ms")
	b.ReportMetric(float64(second.Microseconds())/1e3, "yardstick-ms")
	b.ReportMetric(100*float64(second)/float64(first), unit)
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
