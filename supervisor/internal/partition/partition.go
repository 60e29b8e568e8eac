// Package partition cuts an array into chunks: aligned, power-of-two numbers
// of blocks, so that each chunk is a subtree of the block tree and any cut
// gives the same result. It is arithmetic on descriptions and touches no data.
package partition

import (
	"math"
	"math/bits"
	"sort"

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
	groups      uint64 // of columns, 0 if chunks have whole blocks

	rows      uint64 // of a plan of rows
	tile      uint64 // rows in a chunk
	perRow    uint64 // chunks of each row
	length    uint64 // elements of each row
	offset    uint64 // of the bytes among which the elements lie
	extent    uint64 // and how many these are
	scattered bool

	pieces []format.Piece // where the elements lie; nil: together
	ends   []uint64       // elements up to the end of each
}

// Chunk is one piece of an array.
type Chunk struct {
	Index  uint64
	Offset uint64 // of the first byte in the file
	Count  uint64 // elements
	Bytes  uint64 // of them
	Extent uint64 // bytes from Offset on, among which they lie
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
	return Plan{array: array, chunkBlocks: chunkBlocks, chunks: ceilDiv(blocks, chunkBlocks)}
}

// Whole leaves an array, which may be empty, in one chunk.
func Whole(array format.Array) Plan {
	return Plan{array: array, chunkBlocks: max(1, ceilDiv(uint64(array.Len()), kernels.BlockLen)), chunks: 1}
}

// Columns cuts an array of two dimensions in C order, not empty, into groups of columns
// in blocks of rows: chunk i has group i mod [kernels.ColumnGroups], from its first
// element to its last.
func Columns(array format.Array) Plan {
	groups := uint64(kernels.ColumnGroups(int(array.Shape[1])))
	return Plan{array: array, chunkBlocks: 1, chunks: ceilDiv(uint64(array.Shape[0]), kernels.BlockLen) * groups, groups: groups}
}

// ColumnRows returns how many rows a chunk of columns has.
func (p *Plan) ColumnRows(i uint64) uint64 {
	return min(kernels.BlockLen, uint64(p.array.Shape[0])-i/p.groups*kernels.BlockLen)
}

// Rows cuts rows of so many elements each, of the array's type, which lie somewhere
// in the bytes of the array, into chunks of at most tile rows and chunkBytes. Chunk i
// is the part i mod [Plan.PerRow] of the rows from i / PerRow * [Plan.Tile] on.
func Rows(array format.Array, rows, length, tile, chunkBytes uint64, workers int) Plan {
	p := Plan{array: array, rows: rows, length: length, scattered: true}
	p.offset, p.extent = array.Extent()
	p.tile = max(1, min(tile, ceilDiv(rows, uint64(perWorker*max(workers, 1)))))
	size := uint64(array.Type.Size())
	if length < kernels.BlockLen {
		// Short rows: as many as make some work.
		p.tile = max(1, min(tile, max(p.tile, kernels.BlockLen/max(1, length))))
	}
	if chunkBytes == 0 {
		chunkBytes = DefaultChunk
		for chunkBytes > kernels.BlockLen*size && length*size*rows/chunkBytes < uint64(perWorker*max(workers, 1)) {
			chunkBytes /= 2
		}
	}
	p.chunkBlocks = 1
	for most := chunkBytes / size / min(p.tile, max(1, rows)); p.chunkBlocks*2*kernels.BlockLen <= most && p.chunkBlocks*kernels.BlockLen < length; {
		p.chunkBlocks *= 2
	}
	p.perRow = ceilDiv(length, p.chunkBlocks*kernels.BlockLen)
	p.chunks = p.perRow * ceilDiv(rows, p.tile)
	return p
}

// Scattered cuts length elements, of the array's type, which lie somewhere in its
// bytes, into chunks as [New] does.
func Scattered(array format.Array, length, chunkBytes uint64, workers int) Plan {
	flat := format.Array{Name: array.Name, Type: array.Type, Shape: []int64{int64(length)}}
	p := New(flat, chunkBytes, workers)
	p.array, p.length, p.scattered = array, length, true
	p.offset, p.extent = array.Extent()
	return p
}

// Pieces cuts an array with one axis whose elements lie in pieces, one piece after another,
// into chunks as [New] does.
func Pieces(array format.Array, pieces []format.Piece, chunkBytes uint64, workers int) Plan {
	p := New(array, chunkBytes, workers)
	p.pieces = pieces
	end := uint64(0)
	for _, one := range pieces {
		end += uint64(one.Len)
		p.ends = append(p.ends, end)
	}
	return p
}

// among returns the bytes among which count elements from one on lie in their pieces.
func (p *Plan) among(first, count uint64) (offset, extent uint64) {
	size := uint64(p.array.Type.Size())
	low, high := uint64(math.MaxUint64), uint64(0)
	for i := sort.Search(len(p.ends), func(k int) bool { return p.ends[k] > first }); i < len(p.ends); i++ {
		one := p.pieces[i]
		begin := p.ends[i] - uint64(one.Len)
		if begin >= first+count {
			break
		}
		at := uint64(one.Offset)
		low = min(low, at+(max(first, begin)-begin)*size)
		high = max(high, at+(min(first+count, p.ends[i])-begin)*size)
	}
	return low, high - low
}

// Tile returns how many rows a chunk has, at most.
func (p *Plan) Tile() uint64 { return max(1, p.tile) }

// PerRow returns how many chunks each row is cut into.
func (p *Plan) PerRow() uint64 {
	if p.rows == 0 {
		return p.chunks
	}
	return p.perRow
}

// Array returns the array that was cut.
func (p *Plan) Array() format.Array { return p.array }

// ElementSize returns the bytes of an element.
func (p *Plan) ElementSize() int { return p.array.Type.Size() }

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
	if p.groups > 0 {
		columns, group := uint64(p.array.Shape[1]), i%p.groups*kernels.ColumnGroup
		first := i/p.groups*kernels.BlockLen*columns + group
		rows, width := p.ColumnRows(i), min(kernels.ColumnGroup, columns-group)
		count := (rows-1)*columns + width
		return Chunk{i, uint64(p.array.Offset) + first*size, count, rows * width * size, count * size}
	}
	if p.rows > 0 {
		rows, part := i/p.perRow*p.tile, i%p.perRow*p.chunkBlocks*kernels.BlockLen
		count := min(p.tile, p.rows-rows) * min(p.chunkBlocks*kernels.BlockLen, p.length-part)
		return Chunk{i, p.offset, count, count * size, p.extent}
	}
	length := uint64(p.array.Len())
	if p.scattered {
		length = p.length
	}
	first := i * p.chunkBlocks * kernels.BlockLen
	count := min(p.chunkBlocks*kernels.BlockLen, length-first)
	if p.scattered {
		return Chunk{i, p.offset, count, count * size, p.extent}
	}
	if p.pieces != nil {
		offset, extent := p.among(first, count)
		return Chunk{i, offset, count, count * size, extent}
	}
	return Chunk{i, uint64(p.array.Offset) + first*size, count, count * size, count * size}
}

func ceilDiv(a, b uint64) uint64 {
	if a == 0 {
		return 0
	}
	return (a-1)/b + 1
}
