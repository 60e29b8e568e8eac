package worker

import (
	"errors"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// piecesOfBinding goes over an input in two pieces along an axis.
func piecesOfBinding(axis int) *wire.Binding {
	b := &wire.Binding{Shape: []uint64{3, 20}, Tile: 1, Length: 60, Chunk: 4096}
	b.Inputs = []wire.Source{{Type: kernels.Float32, Axis: axis, Pieces: []wire.Piece{
		{Length: 1, Source: wire.Source{Mapping: 1, Type: kernels.Float32, Offset: 800, Strides: []int64{-80, 4}, Valid: &wire.Bitmap{Offset: 7, First: 400, Bits: 800}}},
		{Length: b.Shape[axis] - 1, Source: wire.Source{Mapping: 1, Type: kernels.Float32, Swapped: true, Offset: 17, Strides: []int64{80, 4}}},
	}}}
	return b
}

// Whatever a binding says, elements are taken from the mapping or refused.
func FuzzGather(f *testing.F) {
	b := wire.Binding{Shape: []uint64{3, 20}, Tile: 1, Length: 60, Chunk: 4096}
	b.Inputs = []wire.Source{{Type: kernels.Float32, Swapped: true, Offset: 800, Strides: []int64{-200, 4}}, {Type: kernels.Int8, Offset: 3, Strides: []int64{0, 1}}}
	f.Add(b.Encode())
	b.Rows = 1
	b.Length = 20
	f.Add(b.Encode())
	f.Add(piecesOfBinding(1).Encode())
	f.Add(piecesOfBinding(0).Encode())
	mem := make([]byte, 1<<12)
	f.Fuzz(func(t *testing.T, code []byte) {
		b, err := wire.DecodeBinding(code)
		if err != nil || b.Chunk == 0 || b.Chunk%kernels.BlockLen != 0 {
			return
		}
		x, err := extentOf(b, 0)
		if err != nil {
			return
		}
		for _, s := range b.Inputs {
			in, err := newSource(b, s)
			if err != nil {
				continue
			}
			if _, err := in.attend(func(uint32) ([]byte, error) { return mem, nil }, x, nil); err != nil {
				continue
			}
			k := min(x.count, kernels.BlockLen)
			if got := in.take(x.row+x.rows-1, x.first+uint64(x.count-k), k); len(got) != k*s.Type.Size() {
				t.Fatalf("%d bytes of %d elements", len(got), k)
			}
		}
	})
}

// Whatever a view says, what it shows is folded or surveyed, or it is refused.
func FuzzView(f *testing.F) {
	b := wire.Binding{Shape: []uint64{3, 20}, Tile: 1, Length: 60, Chunk: 4096}
	b.Inputs = []wire.Source{{Mapping: 1, Type: kernels.Float32, Swapped: true, Offset: 800, Strides: []int64{-200, 4}}}
	f.Add(b.Encode(), uint64(0), false)
	f.Add(b.Encode(), uint64(0), true)
	b.Rows, b.Tile, b.Length = 1, 2, 20
	f.Add(b.Encode(), uint64(1), false)
	f.Add(piecesOfBinding(1).Encode(), uint64(0), false)
	f.Add(piecesOfBinding(0).Encode(), uint64(0), true)
	mem := make([]byte, 1<<12)
	spec := (&kernels.Survey{Moments: true, Sample: 3}).Encode()
	f.Fuzz(func(t *testing.T, code []byte, chunk uint64, surveyed bool) {
		b, err := wire.DecodeBinding(code)
		if err != nil || len(b.Inputs) == 0 {
			return
		}
		all := [][]byte{code, mem, spec}
		w := &Worker{progress: func(int) {}, Mapping: func(n uint32, _ bool) ([]byte, error) {
			if n >= uint32(len(all)) {
				return nil, errors.New("no such mapping")
			}
			return all[n], nil
		}}
		codeOf := func(n uint32) wire.Code {
			return wire.Code{Mapping: n, Length: uint32(len(all[n])), Checksum: wire.Sum(all[n])}
		}
		view := codeOf(0)
		of := wire.Program{Kernel: kernels.DescribeMoments.Name(), Type: b.Inputs[0].Type, View: &view}
		if surveyed {
			of.Kernel, of.Survey = "", &wire.Survey{Code: codeOf(2), Kept: wire.NoMapping}
		}
		record, err := of.Record()
		if err != nil {
			t.Fatal(err)
		}
		p := w.prepare(record)
		if p.err != nil {
			return
		}
		x, err := extentOf(b, chunk)
		if err != nil || x.rows*uint64(x.count) > 1<<16 {
			return
		}
		result, err := w.look(ring.Descriptor{Chunk: chunk, Count: x.rows * uint64(x.count)}, p)
		var panicked *panicError
		if errors.As(err, &panicked) {
			t.Fatal(err, panicked.stack)
		}
		if want := int(x.rows) * kernels.DescribeMoments.PartialSize(); err == nil && !surveyed && len(result) != want {
			t.Fatalf("%d bytes of %d rows, want %d", len(result), x.rows, want)
		}
	})
}
