package partition

import (
	"math/rand/v2"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

func TestChunksTileTheArrayOnBlockBorders(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		typ := kernels.Types()[r.IntN(10)]
		a := format.Array{Type: typ, Shape: []int64{r.Int64N(1 << r.IntN(24))}, Offset: r.Int64N(1000)}
		chunkBytes := uint64(0)
		if r.IntN(2) == 0 {
			chunkBytes = 1 + r.Uint64N(1<<r.IntN(26))
		}
		p := New(a, chunkBytes, 1+r.IntN(64))
		if p.chunkBlocks&(p.chunkBlocks-1) != 0 {
			t.Fatalf("%+v: %d blocks a chunk", a, p.chunkBlocks)
		}
		next, count := uint64(a.Offset), uint64(0)
		for i := range p.Chunks() {
			c := p.Chunk(i)
			if c.Index != i || c.Offset != next || c.Count == 0 || c.Bytes != c.Count*uint64(typ.Size()) {
				t.Fatalf("%+v: chunk %+v, want it at %d", a, c, next)
			}
			if i < p.Chunks()-1 && c.Count != p.chunkBlocks*kernels.BlockLen {
				t.Fatalf("%+v: chunk %+v is not full", a, c)
			}
			if chunkBytes > 0 && c.Bytes > max(chunkBytes, uint64(kernels.BlockLen*typ.Size())) {
				t.Fatalf("%+v: chunk %+v is larger than %d", a, c, chunkBytes)
			}
			next, count = next+c.Bytes, count+c.Count
		}
		if count != uint64(a.Len()) {
			t.Fatalf("%+v: chunks hold %d elements", a, count)
		}
	}
}

// A chunk of elements in pieces is told by the bytes among which these lie.
func TestChunksOfPiecesLieAmongTheirBytes(t *testing.T) {
	pieces := []format.Piece{{Offset: 100, Len: 4095}, {Offset: 20000, Len: 2}, {Offset: 90000, Len: 4095}, {Offset: 50000, Len: 5}}
	a := format.Array{Type: kernels.Int32, Shape: []int64{8197}}
	p, plain := Pieces(a, pieces, 1, 1), New(a, 1, 1)
	want := []Chunk{
		{0, 100, 4096, 4 * 4096, 20004 - 100},
		{1, 20004, 4096, 4 * 4096, 90000 + 4*4095 - 20004},
		{2, 50000, 5, 20, 20},
	}
	if p.Chunks() != plain.Chunks() || p.ChunkBytes() != plain.ChunkBytes() || p.Chunks() != 3 {
		t.Fatalf("%d chunks of %d bytes", p.Chunks(), p.ChunkBytes())
	}
	for i, w := range want {
		if got := p.Chunk(uint64(i)); got != w {
			t.Errorf("%+v, want %+v", got, w)
		}
	}
}

func TestDefaultChunks(t *testing.T) {
	for _, c := range []struct {
		elements int64
		workers  int
		chunks   uint64
	}{
		{0, 2, 0}, {1, 2, 1}, {4096, 2, 1}, {4097, 2, 2},
		{16 * 4096, 2, 16}, {1 << 20, 2, 16}, {1 << 29, 2, 1024}, {1 << 29, 64, 1024}, {1 << 25, 64, 512},
	} {
		p := New(format.Array{Type: kernels.Float64, Shape: []int64{c.elements}}, 0, c.workers)
		if p.Chunks() != c.chunks {
			t.Errorf("%d elements for %d workers: %d chunks, want %d", c.elements, c.workers, p.Chunks(), c.chunks)
		}
	}
}
