// Package partition cuts an array into chunks: aligned, power-of-two numbers
// of blocks, so that each chunk is a subtree of the block tree and any cut
// gives the same result. It is arithmetic on descriptions and touches no data.
package partition

import (
	"math/bits"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// DefaultChunk is the size of a chunk, in bytes, when none is asked for.
const DefaultChunk = 4 << 20

// perWorker is how many chunks each worker should find at least, so that the
// last one to finish does not keep the others waiting long.
const perWorker = 8

// Plan is an array cut into chunks.
type Plan struct {
	array       format.Array
	chunkBlocks uint64
	chunks      uint64
}

// Chunk is one piece of an array.
type Chunk struct {
	Index  uint64
	Offset uint64 // of the first byte in the file
	Count  uint64 // elements
	Bytes  uint64
}

// New cuts array into chunks of at most chunkBytes, but at least one block,
// rounded down to a power of two of blocks. With chunkBytes 0 it takes
// [DefaultChunk], or less where that leaves some of the workers idle. The
// array's bounds must have been checked.
func New(array format.Array, chunkBytes uint64, workers int) Plan {
	blocks := ceilDiv(uint64(array.Len()), kernels.BlockLen)
	blockBytes := uint64(kernels.BlockLen * array.Type.Size())
	limit := chunkBytes / blockBytes
	if chunkBytes == 0 {
		limit = min(DefaultChunk/blockBytes, blocks/uint64(perWorker*max(workers, 1)))
	}
	// The least power of two that is enough for one chunk.
	limit = min(limit, 1<<bits.Len64(max(blocks, 1)-1))
	chunkBlocks := uint64(1)
	if limit > 1 {
		chunkBlocks = 1 << (bits.Len64(limit) - 1)
	}
	return Plan{array, chunkBlocks, ceilDiv(blocks, chunkBlocks)}
}

// Whole leaves an array, which may be empty, in one chunk.
func Whole(array format.Array) Plan {
	return Plan{array, max(1, ceilDiv(uint64(array.Len()), kernels.BlockLen)), 1}
}

// Array returns the array that was cut.
func (p *Plan) Array() format.Array { return p.array }

// Chunks returns the number of chunks.
func (p *Plan) Chunks() uint64 { return p.chunks }

// ChunkBytes returns the bytes of every chunk but the last: [New] makes the same
// plan of them.
func (p *Plan) ChunkBytes() uint64 {
	return p.chunkBlocks * uint64(kernels.BlockLen*p.array.Type.Size())
}

// Chunk returns chunk i, below Chunks.
func (p *Plan) Chunk(i uint64) Chunk {
	size := uint64(p.array.Type.Size())
	length := uint64(p.array.Len())
	first := i * p.chunkBlocks * kernels.BlockLen
	count := min(p.chunkBlocks*kernels.BlockLen, length-first)
	return Chunk{i, uint64(p.array.Offset) + first*size, count, count * size}
}

func ceilDiv(a, b uint64) uint64 {
	if a == 0 {
		return 0
	}
	return (a-1)/b + 1
}
