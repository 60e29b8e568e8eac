package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/gangsaw/gangsaw/shm"
)

const benchBytes, benchChunk = 256 << 20, 4 << 20

// axpb is the kernel of the benchmarks: memory is slower.
func axpb(dst, src []byte, _ int) error {
	to, err := shm.View[float64](dst)
	if err != nil {
		return err
	}
	from, err := shm.View[float64](src)
	for i, v := range from {
		to[i] = float64(2*v) + 1
	}
	return err
}

// BenchmarkCommit is what exactly-once costs, by the size of a unit, with two
// goroutines over a file in page cache whose pages are writable: bytes that are
// changed, so that twice as many cross the memory. Bare is the kernel alone, which
// is what a crash leaves half applied; undo keeps the old bytes instead of the new.
func BenchmarkCommit(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x")
	if err := os.WriteFile(path, make([]byte, benchBytes), 0o600); err != nil {
		b.Fatal(err)
	}
	target, err := shm.OpenTarget(b.Context(), path, shm.TargetOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer target.Close()
	if err := shm.Populate(target.Bytes(), 0, benchBytes); err != nil {
		b.Fatal(err)
	}
	inChunks := func(b *testing.B, f func(area uint32, chunk uint64, data []byte) error) {
		b.SetBytes(benchBytes)
		for b.Loop() {
			var group sync.WaitGroup
			for area := range uint32(2) {
				group.Go(func() {
					for chunk := uint64(area); chunk < benchBytes/benchChunk; chunk += 2 {
						if err := f(area, chunk, target.Bytes()[chunk*benchChunk:][:benchChunk]); err != nil {
							b.Error(err)
						}
					}
				})
			}
			group.Wait()
		}
	}
	b.Run("bare", func(b *testing.B) {
		inChunks(b, func(_ uint32, _ uint64, data []byte) error {
			for ; len(data) > 0; data = data[UnitBytes:] {
				if err := axpb(data[:UnitBytes], data[:UnitBytes], 0); err != nil {
					return err
				}
			}
			return nil
		})
	})
	for _, unit := range []uint64{4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10} {
		g := Geometry{Bytes: benchBytes, Chunk: benchChunk, Unit: unit}
		open := func(b *testing.B) (Layout, []byte) {
			j, err := Create(filepath.Join(b.TempDir(), "j"), &Header{
				Array: Array{Type: "float64", Shape: []int64{benchBytes / 8}}, Target: Target{Size: benchBytes}, Chunk: g.Chunk, Unit: unit}, 2, 0o600)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { j.Close() })
			return j.layout, j.mapping.Bytes()
		}
		b.Run(fmt.Sprintf("redo/%dKiB", unit>>10), func(b *testing.B) {
			layout, log := open(b)
			inChunks(b, func(area uint32, chunk uint64, data []byte) error {
				pen, err := layout.NewPen(log, area, chunk, data)
				if err != nil {
					return err
				}
				pen.mark.Store(0)
				return pen.Run(axpb, func(int) {})
			})
		})
		b.Run(fmt.Sprintf("undo/%dKiB", unit>>10), func(b *testing.B) {
			layout, log := open(b)
			inChunks(b, func(area uint32, chunk uint64, data []byte) error {
				pen, err := layout.NewPen(log, area, chunk, data)
				if err != nil {
					return err
				}
				for u := range benchChunk / unit {
					old, at := pen.scratch[:unit], data[u*unit:][:unit]
					copy(old, at)
					pen.armed.Store(armedWord(chunk, u))
					if err := axpb(at, old, 0); err != nil {
						return err
					}
					pen.mark.Store(u + 1)
				}
				return nil
			})
		})
	}
}
