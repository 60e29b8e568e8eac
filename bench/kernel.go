package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor"
)

// Reduce measures a reduction in Go over so many bytes of zeros in a mapped
// file: on worker processes, on goroutines, which tell what the processes cost, and
// on both in turns. Call it from a benchmark, in a test binary whose TestMain begins
// with supervisor.Main.
func Reduce[R any](b *testing.B, c kernels.ReduceCall[R], size int64, opts ...supervisor.Option) {
	b.Helper()
	path := zeros(b, size)
	onBoth(b, opts, size, func(b *testing.B, pool *supervisor.Pool) func() error {
		x := open(b, pool, path, c.Routine().Type())
		return func() error {
			_, err := supervisor.Reduce(b.Context(), pool, c, x)
			return err
		}
	})
}

// Map does the same with a map of elements, zeros at first, from one arena to
// another. The bytes are those that are read.
func Map(b *testing.B, c kernels.MapCall, size int64, opts ...supervisor.Option) {
	b.Helper()
	in := c.Routine().Type()
	out, _ := c.Routine().Out()
	n := size / int64(in.Size())
	onBoth(b, opts, size, func(b *testing.B, pool *supervisor.Pool) func() error {
		src := array(b, pool, in, n)
		dst := array(b, pool, out, n, supervisor.Output())
		return func() error { return pool.Apply(b.Context(), c, dst, src) }
	})
}

// InPlace does the same with a map that changes the elements of a file, zeros at
// first, where they lie, exactly once. The bytes are those that are changed.
func InPlace(b *testing.B, c kernels.MapCall, size int64, opts ...supervisor.Option) {
	b.Helper()
	onBoth(b, opts, size, func(b *testing.B, pool *supervisor.Pool) func() error {
		x := open(b, pool, zeros(b, size), c.Routine().Type())
		return func() error { return pool.InPlace(b.Context(), c, x) }
	})
}

// zeros makes a file, written and not sparse, in pieces as large as Linux keeps
// together in memory, so that it lies there as what NumPy saves does.
func zeros(b *testing.B, size int64) (path string) {
	b.Helper()
	path = filepath.Join(b.TempDir(), "zeros")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	piece := make([]byte, 8<<20)
	for left := size; left > 0 && err == nil; left -= int64(len(piece)) {
		_, err = file.Write(piece[:min(left, int64(len(piece)))])
	}
	if err == nil {
		err = file.Sync() // so that nobody writes back while it is measured
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		b.Fatal(err)
	}
	return path
}

// open opens a file of bare numbers for the time of the benchmark.
func open(b *testing.B, pool *supervisor.Pool, path string, t kernels.Type) *supervisor.Array {
	b.Helper()
	f, err := pool.File(path, supervisor.Raw(raw.Layout{Type: t}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	return f.Arrays()[0]
}

// array makes an array in an arena of its own.
func array(b *testing.B, pool *supervisor.Pool, t kernels.Type, n int64, opts ...supervisor.ArenaOption) *supervisor.Array {
	b.Helper()
	arena, err := pool.Arena(int(n)*t.Size(), opts...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { arena.Close() })
	x, err := arena.Array("x", t, arena.Allocate(int(n)*t.Size()))
	if err != nil {
		b.Fatal(err)
	}
	return x
}
