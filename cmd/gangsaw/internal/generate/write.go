package generate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/npy"
)

// Spec says what file to make.
type Spec struct {
	Type      kernels.Type
	Shape     []int64
	Dist      Dist
	Seed      uint64
	NaN       float64 // share of elements that are NaN instead
	NPY       bool    // with a .npy header, else bare numbers
	Overwrite bool
}

// largest is well above what any file system holds and below any overflow.
const largest = 1 << 62

// Write makes the file at path and returns its size. It appears there complete
// or not at all.
func Write(ctx context.Context, path string, s Spec) (int64, error) {
	a := format.Array{Type: s.Type, Shape: s.Shape}
	if err := a.Check("gen", largest); err != nil {
		return 0, fmt.Errorf("%s: %s of shape %s is larger than any file", path, a.Type, a.ShapeString())
	}
	var header []byte
	if s.NPY {
		var err error
		if header, err = npy.Header(a); err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
	}
	out, err := shm.CreateOutput(path, s.Overwrite)
	if err != nil {
		return 0, err
	}
	defer out.Discard()
	size := int64(len(header)) + a.Size()
	if err := s.fill(ctx, out, header, size); err != nil {
		return 0, err
	}
	return size, out.Commit()
}

// fill writes header and numbers, pieces in parallel.
func (s *Spec) fill(ctx context.Context, out *shm.Output, header []byte, size int64) error {
	if s.Dist == Zeros && s.NaN == 0 {
		if err := out.Extend(size); err != nil {
			return err
		}
		_, err := out.WriteAt(header, 0)
		return err
	}
	if err := out.Reserve(size); err != nil {
		return err
	}
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for i := range errs {
		group.Go(func() { errs[i] = s.fillPieces(ctx, out, header, size, &next) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// pieceBytes is how much is written to the file at once. Linux keeps an aligned
// piece of this size together in memory, where it is mapped by few large pages.
const pieceBytes = 8 << 20

// fillPieces writes the pieces of the file that next hands out.
func (s *Spec) fillPieces(ctx context.Context, out *shm.Output, header []byte, size int64, next *atomic.Int64) error {
	block := kernels.BlockLen * int64(s.Type.Size())
	buf := make([]byte, min(pieceBytes, size))
	for {
		at := (next.Add(1) - 1) * pieceBytes
		if at >= size {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		piece := buf[:min(pieceBytes, size-at)]
		left := piece
		if at == 0 {
			left = left[copy(left, header):]
		}
		for begin := max(0, at-int64(len(header))); len(left) > 0; {
			n := min(block-begin%block, int64(len(left)))
			s.part(uint64(begin/block), begin%block, left[:n])
			left, begin = left[n:], begin+n
		}
		if _, err := out.WriteAt(piece, at); err != nil {
			return err
		}
	}
}

// part fills dst with bytes of a block, from the one at skip on.
func (s *Spec) part(block uint64, skip int64, dst []byte) {
	if skip == 0 {
		s.block(block, dst)
		return
	}
	whole := make([]byte, skip+int64(len(dst)))
	s.block(block, whole)
	copy(dst, whole[skip:])
}

// block fills buf with the elements of a block.
func (s *Spec) block(block uint64, buf []byte) {
	r := rand.New(rand.NewPCG(s.Seed, block))
	item := s.Type.Size()
	for k := range len(buf) / item {
		i := block*kernels.BlockLen + uint64(k)
		var bits uint64
		if s.Type.IsFloat() {
			f := s.Dist.float(i, r)
			if s.NaN > 0 && r.Float64() < s.NaN {
				f = math.NaN()
			}
			bits = s.Type.FloatBits(f)
		} else {
			bits = s.Dist.integer(i, r)
		}
		if s.Type == kernels.Bool {
			bits &= 1
		}
		switch at := buf[k*item:]; item {
		case 1:
			at[0] = byte(bits)
		case 2:
			binary.LittleEndian.PutUint16(at, uint16(bits))
		case 4:
			binary.LittleEndian.PutUint32(at, uint32(bits))
		default:
			binary.LittleEndian.PutUint64(at, bits)
		}
	}
}
