package worker

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// newWorker returns a worker over memory of the test's.
func newWorker(t *testing.T, mem []byte) *Worker {
	t.Helper()
	control := make([]byte, wire.ControlSize(2))
	r, err := ring.Format(wire.RingBytes(control), 2)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range []wire.Program{{Kernel: "summary", Type: kernels.Float64}, {Kernel: "none", Type: kernels.Float64}, {Kernel: "summary", Type: kernels.Int16}} {
		rec, err := p.Record()
		if err != nil {
			t.Fatal(err)
		}
		wire.PutRecord(control, i, rec)
	}
	w := &Worker{
		Incarnation: 1, Ring: r, Control: control, Results: make([]byte, wire.ResultsSize(2)),
		Mapping: func(number uint32, _ bool) ([]byte, error) {
			if number != 5 {
				return nil, errors.New("no such mapping")
			}
			return mem, nil
		},
	}
	if err := w.Init(false); err != nil {
		t.Fatal(err)
	}
	return w
}

// do hands one descriptor to the worker and returns its result.
func do(t *testing.T, w *Worker, d ring.Descriptor) wire.Result {
	t.Helper()
	w.Ring.Publish(1, w.Ring.Load(1), d)
	looks := 0
	w.Stopped = func() bool { looks++; return looks > 1 }
	if err := w.Run(); err != nil {
		t.Fatal(err)
	}
	word := w.Ring.Load(1)
	result, err := wire.GetResult(w.Results, 1, new(wire.Scratch))
	if err != nil || word.State() != ring.Done || result.Descriptor != d || result.Word != ring.MakeWord(word.Generation(), 1, ring.Claimed) {
		t.Fatalf("%v, %+v, %v", word, result, err)
	}
	return result
}

func TestTaskIsDoneWhereItsBytesLie(t *testing.T) {
	mem := make([]byte, 3+8*5000)
	for i := range 5000 {
		binary.LittleEndian.PutUint64(mem[3+8*i:], math.Float64bits(float64(i)))
	}
	w := newWorker(t, mem)
	// At an offset that fits no element, and again to find the fold reset.
	for range 2 {
		r := do(t, w, ring.Descriptor{Mapping: 5, Offset: 3, Count: 5000})
		s, err := summaryOf(kernels.Float64, r.Payload)
		rec, _ := wire.GetRecord(w.Control, 0)
		if r.Status != wire.OK || r.Program != rec.Checksum() || err != nil || s.Count() != 5000 || s.Sum().Float64() != 4999*2500 {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

func TestDescriptorsThatDoNotFitAreRefused(t *testing.T) {
	w := newWorker(t, make([]byte, 800))
	for want, d := range map[string]ring.Descriptor{
		"no program at offset 63":                    {Program: 63, Mapping: 5, Count: 1},
		"no program at offset 99999999":              {Program: 99999999, Mapping: 5, Count: 1},
		"malformed program":                          {Program: wire.ProgramOffset(3), Mapping: 5, Count: 1},
		"no kernel is named \"none\"":                {Program: wire.ProgramOffset(1), Mapping: 5, Count: 1},
		"no such mapping":                            {Mapping: 4, Count: 1},
		"descriptor of 0 elements":                   {Mapping: 5},
		"region of 808 bytes":                        {Mapping: 5, Count: 101},
		"at offset 8 is outside":                     {Mapping: 5, Count: 100, Offset: 8},
		"at offset 18446744073709551608 is outside":  {Mapping: 5, Count: 1, Offset: math.MaxUint64 - 7},
		"descriptor of 2305843009213693953 elements": {Mapping: 5, Count: 1<<61 + 1},
	} {
		if r := do(t, w, d); r.Status != wire.Failed || !strings.Contains(string(r.Payload), want) {
			t.Errorf("%+v: status %d, %q, want %q", d, r.Status, r.Payload, want)
		}
	}
}

var (
	ran      []int64
	oddAlone = kernels.NewFunc("worker.odd-alone", func(_ []byte, n int64) (int64, error) {
		if ran = append(ran, n); n%2 == 0 {
			panic("even")
		}
		return -n, nil
	})
)

// What an earlier worker has answered is not called again.
func TestCallsGoOnWhereADeadWorkerStopped(t *testing.T) {
	const n = 9
	var params [][]byte
	for i := range int64(n) {
		params = append(params, oddAlone.With(i).Params())
	}
	in, out := make([]byte, wire.CallsSize(n, 8)), make([]byte, 64+wire.AnswersSize(n, 8))
	wire.PutCalls(in, params, 8, 8)
	calls, err := wire.GetCalls(in)
	if err != nil {
		t.Fatal(err)
	}
	answers, err := wire.AnswersTo(calls, out[64:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		answers.Put(i, wire.OK, []byte("answered"))
	}
	w := newWorker(t, nil)
	rec, err := wire.Program{Kernel: oddAlone.Name(), Type: oddAlone.Type(), Target: &wire.Target{Mapping: 6, Destination: 64}}.Record()
	if err != nil {
		t.Fatal(err)
	}
	wire.PutRecord(w.Control, 0, rec)
	w.Mapping = func(number uint32, write bool) ([]byte, error) {
		return map[uint32][]byte{5: in, 6: out}[number], nil
	}
	ran = nil
	if r := do(t, w, ring.Descriptor{Mapping: 5, Count: uint64(len(in))}); r.Status != wire.OK || r.Program != rec.Checksum() || len(r.Payload) > 0 {
		t.Fatalf("%+v", r)
	}
	if !slices.Equal(ran, []int64{3, 4, 5, 6, 7, 8}) || answers.Done() != n {
		t.Errorf("called %v, %d answers", ran, answers.Done())
	}
	for i := range n {
		status, payload, err := answers.Get(i)
		switch {
		case err != nil:
			t.Error(err)
		case i < 3:
			if string(payload) != "answered" {
				t.Errorf("answer %d: %s", i, payload)
			}
		case i%2 == 1:
			if status != wire.OK || int64(binary.NativeEndian.Uint64(payload)) != int64(-i) {
				t.Errorf("answer %d: %v, % x", i, status, payload)
			}
		case status != wire.Panicked || !strings.HasPrefix(string(payload), "panic: even\x00"):
			t.Errorf("answer %d: %v, %s", i, status, payload)
		}
	}
	if r := do(t, w, ring.Descriptor{Mapping: 5, Count: 10}); r.Status != wire.Failed || string(r.Payload) != "calls of 10 bytes" {
		t.Errorf("%+v", r)
	}
}

func TestRevokedWorkerEnds(t *testing.T) {
	w := newWorker(t, make([]byte, 800))
	ready := w.Ring.Publish(0, w.Ring.Load(0), ring.Descriptor{Mapping: 5, Count: 1})
	w.Mapping = func(uint32, bool) ([]byte, error) {
		w.Ring.Reset(0, ready) // the supervisor takes it for dead
		return make([]byte, 8), nil
	}
	if err := w.Run(); !errors.Is(err, ErrRevoked) {
		t.Errorf("%v", err)
	}
}

func TestFaultElsewhereIsNotTakenForTheDatas(t *testing.T) {
	var panicked *panicError
	_, err := guard(func(_, _ []byte, _ func(int)) ([]byte, error) { panic("a bug\x00") }, nil, make([]byte, 8), nil)
	if !errors.As(err, &panicked) || !strings.HasPrefix(string(panicked.text()), "panic: a bug\x00") ||
		!strings.Contains(panicked.stack, "TestFaultElsewhereIsNotTakenForTheDatas") || strings.Contains(panicked.stack, "guard") {
		t.Errorf("%v, stack %s", err, panicked.stack)
	}
	var nowhere *int
	if _, err := guard(func(_, _ []byte, _ func(int)) ([]byte, error) { *nowhere = 1; return nil, nil }, nil, make([]byte, 8), nil); !errors.As(err, &panicked) {
		t.Errorf("%v", err)
	}
}

func TestMisalignedElementsGoThroughScratch(t *testing.T) {
	words := []int16{1, -2, 3, 4}
	b := append([]byte{9}, shm.Bytes(words)...)
	partial, err := kernels.Summarize.NewRun(kernels.Int16)(nil, b[1:], func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	if s, err := summaryOf(kernels.Int16, partial); err != nil || s.Sum().String() != "6" {
		t.Errorf("%v, %v", s.Sum(), err)
	}
}

func TestProgressIsToldOnTheWay(t *testing.T) {
	mem := make([]byte, 5*wire.ProgressStep/2)
	w := newWorker(t, mem)
	if r := do(t, w, ring.Descriptor{Mapping: 5, Count: uint64(len(mem)) / 8}); r.Status != wire.OK {
		t.Fatalf("%+v", r)
	}
	beat := wire.BeatOf(w.Results)
	if _, progress := beat.Load(); progress != 2 {
		t.Errorf("progress %d of 2.5 steps", progress)
	}
	turns, _ := beat.Load()
	beat.Turn()
	if after, progress := beat.Load(); after != turns+1 || progress != 0 {
		t.Errorf("the next turn: %d after %d, progress %d", after, turns, progress)
	}
}

// summaryOf reads an encoded summary.
func summaryOf(t kernels.Type, partial []byte) (kernels.Summary, error) {
	m := kernels.Summarize.NewMerger(t).(*kernels.TreeMerger[kernels.Summary])
	err := m.Add(0, partial)
	return m.Total(), err
}
