package kernels

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Whatever the elements, among them such as two bands do not hold side by side.
func TestTotalHasTheBitsOfTheSummary(t *testing.T) { onTiers(t, totalHasTheBitsOfTheSummary) }

func totalHasTheBitsOfTheSummary(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 7))
	sign := func(x float64) float64 { return math.Copysign(x, r.Float64()-0.5) }
	near := func(exponents ...int) func(int) float64 {
		return func(int) float64 {
			return sign(math.Ldexp(1+r.Float64(), exponents[r.IntN(len(exponents))]))
		}
	}
	beside := func(special float64, every int) func(int) float64 {
		return func(i int) float64 {
			if i%every == every-1 {
				return sign(special)
			}
			return sign(r.Float64())
		}
	}
	edge := math.Ldexp(1, 199)
	for name, f := range map[string]func(i int) float64{
		"ordinary":    beside(1e10, 100),
		"zeros":       func(int) float64 { return sign(0) },
		"tiny":        near(-210, -400, -900, -1060),
		"subnormal":   func(int) float64 { return sign(float64(r.IntN(100)) * 0x1p-1074) },
		"huge":        near(300, 800, 1022),
		"all bands":   near(-1074, -800, -400, -201, -200, -199, 0, 198, 199, 200, 201, 400, 800, 1023),
		"the edge":    beside(edge, 4099),
		"below it":    beside(math.Nextafter(edge, 0), 4099),
		"many below":  beside(math.Nextafter(edge, 0), 2),
		"cancelling":  func(i int) float64 { return [...]float64{0x1p205, -0x1p205, 0x1p-700, 3}[i%4] },
		"a NaN":       beside(math.NaN(), 9000),
		"NaN":         beside(math.NaN(), 3),
		"infinities":  beside(math.Inf(1), 9000),
		"an infinity": func(i int) float64 { return [...]float64{1, math.Inf(-1)}[i/20000] },
	} {
		xs := numbers(5*BlockLen+77, f)
		for _, n := range []int{1, 31, 32, 33, BlockLen, BlockLen + 1, len(xs)} {
			sameTotals(t, name, Float64, bytesView(xs[:n]))
		}
		narrower := numbers(len(xs), func(i int) float32 { return float32(xs[i]) })
		sameTotals(t, name, Float32, bytesView(narrower))
	}
	for _, typ := range Types() {
		sameTotals(t, "the corpus", typ, corpus([]Type{typ}, corpusLen)[0])
	}
}

func sameTotals(t *testing.T, name string, typ Type, elements []byte) {
	t.Helper()
	got, s := total[Total](t, AddUp, typ, elements), total[Summary](t, Summarize, typ, elements)
	want := s.Total
	if got.count != want.count || got.nan != want.nan || got.posInf != want.posInf || got.negInf != want.negInf || got.isum != want.isum {
		t.Errorf("%s, %d bytes of %v: %+v, want %+v", name, len(elements), typ, got, want)
	}
	if g, w := got.Sum().String(), want.Sum().String(); g != w {
		t.Errorf("%s, %d bytes of %v: sum %s, want %s", name, len(elements), typ, g, w)
	}
	if g, w := got.Mean().String(), want.Mean().String(); g != w {
		t.Errorf("%s, %d bytes of %v: mean %s, want %s", name, len(elements), typ, g, w)
	}
	// Of ordinary elements all that is known, also for another merge.
	if want.band == 0 && got != want {
		t.Errorf("%s, %d bytes of %v: %+v, want %+v", name, len(elements), typ, got, want)
	}
}

func TestDecodeRefusesWhatNoTotalCanBe(t *testing.T) {
	good := total[Total](t, AddUp, Float64, bytesView([]float64{1, 2, math.NaN()}))
	decoded := func(change func(s *Total)) (Total, error) {
		s := good
		change(&s)
		b := make([]byte, AddUp.PartialSize())
		encodeTotal(s, &words{bytes: b})
		m := AddUp.NewMerger(Float64).(*TreeMerger[Total])
		err := m.Add(0, b)
		return m.Total(), err
	}
	if s, err := decoded(func(*Total) {}); err != nil || s != good {
		t.Fatalf("round trip: %+v, %v", s, err)
	}
	for name, change := range map[string]func(s *Total){
		"type":       func(s *Total) { s.typ = 99 },
		"counts":     func(s *Total) { s.nan = 4 },
		"overflow":   func(s *Total) { s.nan = 1<<64 - 1 },
		"band":       func(s *Total) { s.band = 3 },
		"large sum":  func(s *Total) { s.fsum = double{math.MaxFloat64, math.MaxFloat64} },
		"rest > sum": func(s *Total) { s.fsum = double{1, 2} },
		"sum":        func(s *Total) { s.fsum.hi = math.NaN() },
	} {
		if _, err := decoded(change); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
