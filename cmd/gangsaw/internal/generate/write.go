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

// fill writes header and numbers, blocks in parallel.
func (s *Spec) fill(ctx context.Context, out *shm.Output, header []byte, size int64) error {
	if s.Dist == Zeros && s.NaN == 0 {
		if err := out.Extend(size); err != nil {
			return err
		}
	} else {
		if err := out.Reserve(size); err != nil {
			return err
		}
	}
	if _, err := out.WriteAt(header, 0); err != nil {
		return err
	}
	if s.Dist == Zeros && s.NaN == 0 {
		return nil
	}
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for i := range errs {
		group.Go(func() { errs[i] = s.fillBlocks(ctx, out, int64(len(header)), size, &next) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// fillBlocks writes the blocks that next hands out.
func (s *Spec) fillBlocks(ctx context.Context, out *shm.Output, start, size int64, next *atomic.Int64) error {
	item := int64(s.Type.Size())
	buf := make([]byte, kernels.BlockLen*item)
	for {
		block := next.Add(1) - 1
		at := start + block*int64(len(buf))
		if at >= size {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		part := buf[:min(int64(len(buf)), size-at)]
		s.block(uint64(block), part)
		if _, err := out.WriteAt(part, at); err != nil {
			return err
		}
	}
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
