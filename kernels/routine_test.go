package kernels

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

type settings struct {
	Scale  float64
	On     bool
	Limits [2]struct {
		Low, High int16
		Open      bool
	}
	Phase complex64
}

func TestPlainValuesTravel(t *testing.T) {
	p, err := newPlain[settings]()
	if err != nil {
		t.Fatal(err)
	}
	want := settings{Scale: math.Pi, On: true, Phase: 1 - 2i}
	want.Limits[1].Low, want.Limits[1].Open = -3, true
	bytes := p.encode(want)
	if got, err := p.decode(bytes); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := p.decode(bytes[1:]); err == nil {
		t.Error("too few bytes were taken")
	}
	// A bool that a worker spoiled must be one all the same.
	for i := range bytes {
		bytes[i] = 0xff
	}
	got, err := p.decode(bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []bool{got.On, got.Limits[0].Open, got.Limits[1].Open} {
		if raw := p.encode(settings{On: b})[8]; raw != 1 {
			t.Errorf("a bool of %d", raw)
		}
	}
}

func TestPointersAreRefusedByName(t *testing.T) {
	refuse := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_, err := newPlain[struct {
		A int
		B [3]struct{ Names []string }
	}]()
	refuse(err, ".B[0].Names is a []string, which is memory of one process")
	_, err = newPlain[string]()
	refuse(err, "string is a string")
	_, err = newPlain[func()]()
	refuse(err, "func() is a func()")
	_, err = newPlain[*int]()
	refuse(err, "*int is a *int")
	_, err = newPlain[uintptr]()
	refuse(err, "uintptr is a uintptr")
	_, err = newPlain[struct{ E error }]()
	refuse(err, ".E is a error")
	_, err = newPlain[[257]byte]()
	refuse(err, "has 257 bytes, more than 256")
}

func TestWrongKernelsPanicWithTheirName(t *testing.T) {
	f := func(x []float64, _ struct{}) (int, error) { return len(x), nil }
	for want, register := range map[string]func(){
		`kernel "routine.twice": the name is taken`:                                     func() { NewFunc("routine.twice", f); NewFunc("routine.twice", f) },
		`kernel "summary": the name is taken`:                                           func() { NewFunc("summary", f) },
		`kernel "": its name has 0 bytes`:                                               func() { NewFunc("", f) },
		`kernel "` + strings.Repeat("n", 57) + `": its name has 57 bytes, want 1 to 56`: func() { NewFunc(strings.Repeat("n", 57), f) },
		`kernel "routine.pointer": *int is a *int`: func() {
			NewFunc("routine.pointer", func(x []float64, p *int) (int, error) { return *p, nil })
		},
		`kernel "routine.slice": []int is a []int`: func() {
			NewReduce("routine.slice", func(r *[]int, x []float64, _ struct{}) error { return nil }, func(a, _ []int) []int { return a })
		},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "kernels: "+want) {
					t.Errorf("%s, want %s", got, want)
				}
			}()
			register()
		}()
	}
}

func TestElementsAreAligned(t *testing.T) {
	sum := NewFunc("routine.sum", func(x []float64, _ struct{}) (s float64, err error) {
		for _, v := range x {
			s += v
		}
		return s, nil
	})
	run, err := sum.Prepare(nil)
	if err != nil {
		t.Fatal(err)
	}
	bytes := append([]byte{1, 2, 3}, bytesView([]float64{1, 2, 4})...)
	for _, data := range [][]byte{bytes[3:], bytes[3:19], bytes[3:], nil} {
		want := map[int]float64{24: 7, 16: 3, 0: 0}[len(data)]
		got, err := run(nil, data, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r, err := sum.With(struct{}{}).Decode(got); err != nil || r != want {
			t.Errorf("%v, %v, want %v", r, err, want)
		}
	}
}

func TestTypeForKnowsEveryElement(t *testing.T) {
	for got, want := range map[Type]Type{
		TypeFor[float64](): Float64, TypeFor[float32](): Float32, TypeFor[int8](): Int8, TypeFor[int16](): Int16, TypeFor[int32](): Int32,
		TypeFor[int64](): Int64, TypeFor[uint8](): Uint8, TypeFor[uint16](): Uint16, TypeFor[uint32](): Uint32, TypeFor[uint64](): Uint64,
	} {
		if got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if n := reflect.TypeFor[settings]().Size(); n > MaxPartial {
		t.Errorf("%d bytes", n)
	}
}
