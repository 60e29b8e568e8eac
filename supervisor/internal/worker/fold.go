package worker

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime/debug"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// chunkFold folds the bytes of one chunk and returns its encoded partial,
// valid until the next call.
type chunkFold func(data []byte) ([]byte, error)

// folds keeps one fold, with its scratch, per program this worker has met.
type folds map[wire.Program]chunkFold

// fold runs the descriptor's program over its chunk.
func (w *Worker) fold(d ring.Descriptor) ([]byte, error) {
	program, err := wire.GetProgram(w.Control, d.Program)
	if err != nil {
		return nil, err
	}
	fold, err := w.folds.of(program)
	if err != nil {
		return nil, err
	}
	mem, err := w.Mapping(d.Mapping)
	if err != nil {
		return nil, err
	}
	hi, length := bits.Mul64(d.Count, uint64(program.Type.Size()))
	if hi != 0 || d.Count == 0 {
		return nil, fmt.Errorf("descriptor of %d elements", d.Count)
	}
	data, err := shm.Slice(mem, d.Offset, length)
	if err != nil {
		return nil, err
	}
	return guard(fold, data)
}

// of returns the fold for a program.
func (f *folds) of(p wire.Program) (chunkFold, error) {
	if fold, ok := (*f)[p]; ok {
		return fold, nil
	}
	r, ok := kernels.LookupReduction(p.Kernel)
	if !ok {
		return nil, fmt.Errorf("no kernel is named %q", p.Kernel)
	}
	if *f == nil {
		*f = folds{}
	}
	fold := newFold(r, p.Type)
	(*f)[p] = fold
	return fold, nil
}

func newFold(r *kernels.Reduction, t kernels.Type) chunkFold {
	switch t {
	case kernels.Float64:
		return foldOf[float64](r)
	case kernels.Float32:
		return foldOf[float32](r)
	case kernels.Int8:
		return foldOf[int8](r)
	case kernels.Int16:
		return foldOf[int16](r)
	case kernels.Int32:
		return foldOf[int32](r)
	case kernels.Int64:
		return foldOf[int64](r)
	case kernels.Uint8:
		return foldOf[uint8](r)
	case kernels.Uint16:
		return foldOf[uint16](r)
	case kernels.Uint32:
		return foldOf[uint32](r)
	case kernels.Uint64:
		return foldOf[uint64](r)
	}
	panic("worker: no fold for " + t.String())
}

// foldOf returns the fold for elements of T. Elements are folded where they
// lie; those that are not aligned go through scratch, block by block.
func foldOf[T kernels.Number](r *kernels.Reduction) chunkFold {
	folder := kernels.NewFolder[T](r)
	partial := make([]byte, r.PartialSize())
	blockBytes := kernels.BlockLen * kernels.TypeOf[T]().Size()
	var scratch []T
	return func(data []byte) ([]byte, error) {
		folder.Reset()
		for len(data) > 0 {
			n := min(len(data), blockBytes)
			block, err := shm.View[T](data[:n])
			var misfit *shm.ViewError
			if errors.As(err, &misfit) && misfit.Align {
				if scratch == nil {
					scratch = make([]T, kernels.BlockLen)
				}
				block, err = scratch[:n/kernels.TypeOf[T]().Size()], nil
				copy(shm.Bytes(block), data)
			}
			if err != nil {
				return nil, err
			}
			folder.Block(block)
			data = data[n:]
		}
		folder.Partial(partial)
		return partial, nil
	}
}

// faultError is a fault while reading a mapping.
type faultError struct{ offset uint64 }

func (e *faultError) Error() string {
	return fmt.Sprintf("the file could not be read %d bytes into the chunk", e.offset)
}

// guard runs fold and turns a fault inside data into a *faultError. Any other
// panic goes on.
func guard(fold chunkFold, data []byte) (partial []byte, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			offset, inside := faultOffset(p, data)
			if !inside {
				panic(p)
			}
			err = &faultError{offset}
		}
	}()
	return fold(data)
}
