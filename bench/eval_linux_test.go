package bench

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/edsrzf/mmap-go"
	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor"
)

const formula = "clip((x - 10) / 3, -3, 3)"

// whole starts a pool for one use of a file of bare numbers, as a command does.
func whole(b *testing.B, path string, use func(pool *supervisor.Pool, x *supervisor.Array) error) error {
	pool, err := supervisor.Start(b.Context())
	if err != nil {
		return err
	}
	defer pool.Close()
	f, err := pool.File(path, supervisor.Raw(raw.Layout{Type: kernels.Float64}))
	if err != nil {
		return err
	}
	defer f.Close()
	return use(pool, f.Arrays()[0])
}

// BenchmarkEvalTo writes a formula's values to a new file, beside the best that the
// system does: room is made, and 2 MiB at a time are written of what is in the
// cache, by every CPU.
func BenchmarkEvalTo(b *testing.B) {
	path := zeros(b, large)
	out, best := filepath.Join(b.TempDir(), "out.npy"), filepath.Join(b.TempDir(), "best")
	prepare := func() {
		os.Remove(out)
		os.Remove(best)
		unix.Sync()
	}
	share(b, "%-of-pwrite", 1, prepare, func() error {
		return whole(b, path, func(pool *supervisor.Pool, x *supervisor.Array) error {
			_, _, err := pool.EvalTo(b.Context(), supervisor.Query{Text: formula, Arrays: []*supervisor.Array{x}}, out, false)
			return err
		})
	}, func() error { return write(best, large) })
}

// write writes a new file of so many bytes.
func write(path string, size int) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.Fallocate(int(file.Fd()), 0, 0, int64(size)); err != nil {
		return err
	}
	const piece = 2 << 20
	var next atomic.Int64
	return onAllCPUs(func() error {
		scratch := make([]byte, piece)
		for {
			at := next.Add(piece) - piece
			if at >= int64(size) {
				return nil
			}
			if _, err := file.WriteAt(scratch, at); err != nil {
				return err
			}
		}
	})
}

// BenchmarkEvalInPlace changes a file in place, exactly once, beside the same kernels
// over the mapped file on goroutines, without a journal.
func BenchmarkEvalInPlace(b *testing.B) {
	path := zeros(b, large)
	share(b, "%-of-no-journal", 1, unix.Sync, func() error {
		return whole(b, path, func(pool *supervisor.Pool, x *supervisor.Array) error {
			_, err := pool.EvalInPlace(b.Context(), supervisor.Query{Text: formula, Arrays: []*supervisor.Array{x}}, x)
			return err
		})
	}, func() error { return replace(path) })
}

// replace applies the formula to the numbers of a file where they lie.
func replace(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	mem, err := mmap.Map(file, mmap.RDWR, 0)
	if err != nil {
		return err
	}
	defer mem.Unmap()
	two := []kernels.Type{kernels.Float64, kernels.Float64}
	subtract, _ := kernels.LookupElementwise("subtract", two...)
	divide, _ := kernels.LookupElementwise("divide", two...)
	clip, _ := kernels.LookupElementwise("clip", append(two, kernels.Float64)...)
	ten, three, low := number(10), number(3), number(-3)
	const populated, block = 16 << 20, 32 << 10
	var next atomic.Int64
	return onAllCPUs(func() error {
		scratch := make([]byte, block)
		for {
			at := next.Add(populated) - populated
			if at >= int64(len(mem)) {
				return nil
			}
			part := mem[at:min(at+populated, int64(len(mem)))]
			if err := unix.Madvise(part, unix.MADV_POPULATE_WRITE); err != nil {
				return err
			}
			for ; len(part) > 0; part = part[block:] {
				x := part[:block]
				subtract.Run(scratch, x, ten, nil)
				divide.Run(scratch, scratch, three, nil)
				clip.Run(x, scratch, low, three)
			}
		}
	})
}

// number returns the bytes of a number.
func number(f float64) []byte {
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(f))
}

// onAllCPUs runs f on as many goroutines as there are CPUs.
func onAllCPUs(f func() error) error {
	var group sync.WaitGroup
	failed := make([]error, runtime.GOMAXPROCS(0))
	for i := range failed {
		group.Go(func() { failed[i] = f() })
	}
	group.Wait()
	return errors.Join(failed...)
}
