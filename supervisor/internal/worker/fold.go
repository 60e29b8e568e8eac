package worker

import (
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

// fold is a program made ready to run.
type fold struct {
	record   wire.Record
	checksum uint32
	size     int // bytes of an element
	run      chunkFold
	err      error // why it cannot run
}

// folds keeps one fold, with its scratch, per program this worker has met.
type folds struct {
	beat  wire.Beat
	known map[wire.Record]*fold
	last  *fold
}

// fold runs the descriptor's program over its chunk. It returns the program's
// checksum also with an error, if there is one.
func (w *Worker) fold(d ring.Descriptor) (checksum uint32, payload []byte, err error) {
	record, err := wire.GetRecord(w.Control, d.Program)
	if err != nil {
		return 0, nil, err
	}
	f := w.folds.of(record)
	if f.err != nil {
		return f.checksum, nil, f.err
	}
	mem, err := w.Mapping(d.Mapping)
	if err != nil {
		return f.checksum, nil, err
	}
	hi, length := bits.Mul64(d.Count, uint64(f.size))
	if hi != 0 || d.Count == 0 {
		return f.checksum, nil, fmt.Errorf("descriptor of %d elements", d.Count)
	}
	data, err := shm.Slice(mem, d.Offset, length)
	if err != nil {
		return f.checksum, nil, err
	}
	payload, err = guard(f.run, data)
	return f.checksum, payload, err
}

// maxFolds bounds what a long life, or a scribbler, can make a worker keep.
const maxFolds = 256

// of returns the fold for a record.
func (f *folds) of(record wire.Record) *fold {
	if f.last != nil && f.last.record == record {
		return f.last
	}
	known, ok := f.known[record]
	if !ok {
		if len(f.known) >= maxFolds {
			clear(f.known)
		}
		known = f.prepare(record)
		f.known[record] = known
	}
	f.last = known
	return known
}

// prepare makes a record's program ready to run.
func (f *folds) prepare(record wire.Record) *fold {
	prepared := &fold{record: record, checksum: record.Checksum()}
	p, err := record.Program()
	if err != nil {
		prepared.err = err
		return prepared
	}
	r, ok := kernels.LookupReduction(p.Kernel)
	if !ok {
		prepared.err = fmt.Errorf("no kernel is named %q", p.Kernel)
		return prepared
	}
	prepared.size, prepared.run = p.Type.Size(), newFold(r, p.Type, f.beat)
	return prepared
}

// newFold returns the fold for elements of type t, which are folded where they
// lie.
func newFold(r *kernels.Reduction, t kernels.Type, beat wire.Beat) chunkFold {
	folder := r.NewFolder(t)
	partial := make([]byte, r.PartialSize())
	blockBytes := kernels.BlockLen * t.Size()
	return func(data []byte) ([]byte, error) {
		folder.Reset()
		for done, told := 0, 0; len(data) > 0; {
			n := min(len(data), blockBytes)
			folder.Block(data[:n])
			data = data[n:]
			if done += n; done-told >= wire.ProgressStep {
				beat.Progress(done)
				told = done
			}
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
