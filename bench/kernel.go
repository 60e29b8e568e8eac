package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor"
)

// Reduce measures a reduction in Go over so many bytes of zeros in a mapped
// file: on worker processes, and on goroutines, which tell what the processes
// cost. Call it from a benchmark, in a test binary whose TestMain begins with
// supervisor.Main.
func Reduce[R any](b *testing.B, c kernels.ReduceCall[R], size int64, opts ...supervisor.Option) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "zeros")
	// Written, not sparse, so that it lies in memory as other files do.
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	piece := bytes.Repeat([]byte{0}, 1<<20)
	for left := size; left > 0 && err == nil; left -= int64(len(piece)) {
		_, err = file.Write(piece[:min(left, int64(len(piece)))])
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		b.Fatal(err)
	}
	onBoth(b, opts, func(b *testing.B, pool *supervisor.Pool) {
		f, err := pool.File(path, supervisor.Raw(raw.Layout{Type: c.Routine().Type()}))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		b.SetBytes(size)
		for b.Loop() {
			if _, err := supervisor.Reduce(b.Context(), pool, c, f.Arrays()[0]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// onBoth runs a benchmark on worker processes, where the system has them, and on
// goroutines.
func onBoth(b *testing.B, opts []supervisor.Option, run func(b *testing.B, pool *supervisor.Pool)) {
	for _, kind := range []struct {
		name string
		opts []supervisor.Option
	}{{"processes", opts}, {"goroutines", append(opts[:len(opts):len(opts)], supervisor.InProcess())}} {
		b.Run(kind.name, func(b *testing.B) {
			if kind.name == "processes" && runtime.GOOS != "linux" {
				b.Skip("worker processes need Linux")
			}
			pool, err := supervisor.Start(b.Context(), kind.opts...)
			if err != nil {
				b.Fatal(err)
			}
			defer pool.Kill()
			run(b, pool)
		})
	}
}
