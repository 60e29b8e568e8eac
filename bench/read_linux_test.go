package bench

import (
	"os"
	"sync"
	"testing"
	"time"

	"github.com/edsrzf/mmap-go"

	"github.com/gangsaw/gangsaw/bench/ceiling"
	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor"
)

// fastest returns the fastest of the simplest loops over mem.
func fastest(mem []byte) ceiling.Loop {
	var best ceiling.Loop
	least := time.Duration(1 << 62)
	for range 3 {
		for _, l := range ceiling.Loops() {
			begin := time.Now()
			load(mem, l)
			if took := time.Since(begin); took < least {
				best, least = l, took
			}
		}
	}
	return best
}

// load reads all of mem, on every CPU.
func load(mem []byte, l ceiling.Loop) {
	var results sync.Map
	inParallel(mem, func(part []byte) { results.Store(l.Load(part), true) })
}

// mapAll maps a file.
func mapAll(path string) (mmap.MMap, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return mmap.Map(file, mmap.RDONLY, 0)
}

// BenchmarkWarmSum adds up a file by a pool that has read it before, beside the fastest
// loop over a mapping that has its pages.
func BenchmarkWarmSum(b *testing.B) {
	path := zeros(b, large)
	mem, err := mapAll(path)
	if err != nil {
		b.Fatal(err)
	}
	defer mem.Unmap()
	l := fastest(mem)
	pool, err := supervisor.Start(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	x := open(b, pool, path, kernels.Float64)
	share(b, "%-of-"+l.Name, 4, func() {}, func() error {
		_, err := pool.Eval(b.Context(), "sum(x)", x)
		return err
	}, func() error {
		load(mem, l)
		return nil
	})
}

// BenchmarkFreshSum adds up a large file that is in memory and that nobody has mapped,
// by a pool that is started for it, beside the fastest loop over a new mapping.
func BenchmarkFreshSum(b *testing.B) {
	if testing.Short() {
		b.Skip("takes 4 GiB")
	}
	path := zeros(b, 4*large)
	mem, err := mapAll(path)
	if err != nil {
		b.Fatal(err)
	}
	l := fastest(mem[:large])
	mem.Unmap()
	share(b, "%-of-"+l.Name, 1, func() {}, func() error {
		return whole(b, path, func(pool *supervisor.Pool, x *supervisor.Array) error {
			_, err := pool.Eval(b.Context(), "sum(x)", x)
			return err
		})
	}, func() error {
		mem, err := mapAll(path)
		if err == nil {
			load(mem, l)
			err = mem.Unmap()
		}
		return err
	})
}
