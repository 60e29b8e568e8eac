package worker

import (
	"bytes"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

type written struct{ b []byte }

func (w *written) WriteAt(b []byte, at int64) (int, error) {
	w.b = append(w.b[:at:at], b...)
	return len(b), nil
}

func TestPickTakesWhatTheMaskHoldsFor(t *testing.T) {
	for size := 1; size <= 16; size++ {
		values := make([]byte, 5*size)
		for i := range values {
			values[i] = byte(i)
		}
		var want []byte
		for _, i := range []int{1, 2, 4} {
			want = append(want, values[i*size:(i+1)*size]...)
		}
		p := &piece{bytes: make([]byte, 0, 10*size)}
		for range 2 {
			if err := p.pick(values, []byte{0, 1, 255, 0, 2}, size); err != nil { // any byte but 0 is true
				t.Errorf("%d bytes each: %v", size, err)
			}
		}
		if !bytes.Equal(p.bytes, append(want, want...)) {
			t.Errorf("%d bytes each: %v", size, p.bytes)
		}
	}
}

// No more elements are written than were counted, or they would come to lie where
// those of the next chunk belong.
func TestPickWritesNoMoreThanWasCounted(t *testing.T) {
	const n = 80*kernels.BlockLen + 5 // more than is written at once
	plan, err := expr.Compile("x, x+1", []expr.Input{{Name: "x", Type: kernels.Uint8, Shape: []int{n}}}, expr.Options{Where: "x > 1", Pick: expr.PickElements})
	if err != nil {
		t.Fatal(err)
	}
	pass, err := plan.Start().Next()
	if err != nil {
		t.Fatal(err)
	}
	b := &wire.Binding{
		Shape: []uint64{n}, Tile: 1, Length: n, Chunk: 128 * kernels.BlockLen, Program: pass.Program, Pick: wire.Pick{Kind: wire.PickWrite},
		Inputs: []wire.Source{{Type: kernels.Uint8}}, Outputs: []wire.Source{{Type: kernels.Uint8}, {Type: kernels.Uint8}},
	}
	e, err := newEvaluation(b, b.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	x := extent{rows: 1, count: n}
	src := bytes.Repeat([]byte{0, 3, 1, 7}, n/4+1)[:n]
	if err := e.attend(func(uint32) ([]byte, error) { return src, nil }, x); err != nil {
		t.Fatal(err)
	}
	for room, ok := range map[uint64]bool{n / 2: true, n/2 - 1: false, n/2 + 1: false, 0: false} {
		var to [2]written
		for i, p := range e.pieces {
			p.to, p.bytes, p.element = &to[i], p.bytes[:0], 0
		}
		got, err := e.pick(x, room, func(int) {})
		if (err == nil) != ok || ok && (got != room || !bytes.Equal(to[0].b, bytes.Repeat([]byte{3, 7}, n)[:n/2]) || !bytes.Equal(to[1].b, bytes.Repeat([]byte{4, 8}, n)[:n/2])) {
			t.Errorf("room for %d: %d, %v", room, got, err)
		}
		if uint64(len(to[0].b)) > room {
			t.Errorf("%d are written, where there was room for %d", len(to[0].b), room)
		}
	}
}

// What is picked is streamed in blocks, and has to be as much as was counted.
func TestStreamHasWhatIsPickedInOrder(t *testing.T) {
	const n = 5*kernels.BlockLen + 7
	plan, err := expr.Compile("x*2", []expr.Input{{Name: "x", Type: kernels.Int32, Shape: []int{n}}}, expr.Options{Where: "x % 3 != 1", Pick: expr.PickElements})
	if err != nil {
		t.Fatal(err)
	}
	pass, err := plan.Start().Next()
	if err != nil {
		t.Fatal(err)
	}
	b := &wire.Binding{Shape: []uint64{n}, Tile: 1, Length: n, Chunk: 8 * kernels.BlockLen, Program: pass.Program, Pick: wire.Pick{Kind: wire.PickRead}, Inputs: []wire.Source{{Type: kernels.Int32}}}
	v, err := newComputed(b, wire.Program{Type: kernels.Int32, Survey: &wire.Survey{}})
	if err != nil {
		t.Fatal(err)
	}
	s := v.made
	src := make([]byte, 4*n)
	var want []byte
	for i := range n {
		src[4*i], src[4*i+1] = byte(i), byte(i>>8)
		if i%3 != 1 {
			want = append(want, byte(2*i), byte(2*i>>8), 0, 0)
		}
	}
	x := extent{rows: 1, count: n}
	if err := s.evaluation.attend(func(uint32) ([]byte, error) { return src, nil }, x); err != nil {
		t.Fatal(err)
	}
	for _, elements := range []int{len(want) / 4, len(want)/4 - 1, len(want)/4 + 1, 0} {
		s.begin(x)
		var got []byte
		for at := 0; at < elements; {
			k := min(kernels.BlockLen, elements-at)
			got = append(got, s.block(at, k)...)
			at += k
		}
		if err := s.end(elements); (err == nil) != (elements == len(want)/4) {
			t.Errorf("%d elements: %v", elements, err)
		}
		if known := min(len(got), len(want)); !bytes.Equal(got[:known], want[:known]) || len(got) != 4*elements {
			t.Errorf("%d elements: %d bytes, and others than were picked", elements, len(got))
		}
	}
}

// Masks of any bytes become bits, the first the lowest.
func TestPackMakesBitsOfBytes(t *testing.T) {
	var mask, want []byte
	for i := range 1003 {
		m := byte(i * 151)
		if i%3 == 0 || i%7 == 0 {
			m = 0
		}
		mask = append(mask, m)
		if i%8 == 0 {
			want = append(want, 0)
		}
		if m != 0 {
			want[i/8] |= 1 << (i % 8)
		}
		if got := pack(nil, mask); !bytes.Equal(got, want) {
			t.Fatalf("%d elements: %x, want %x", len(mask), got, want)
		}
	}
}
