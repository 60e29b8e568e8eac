package kernels

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// fold runs the summary reduction over xs cut into chunks of that many blocks,
// whose partials arrive in the order that r shuffles.
func fold[T Number](t testing.TB, xs []T, chunkBlocks int, r *rand.Rand) Summary {
	t.Helper()
	type part struct {
		chunk uint64
		bytes []byte
	}
	var parts []part
	folder := Summarize.NewFolder(TypeOf[T]())
	for chunk, rest := uint64(0), xs; len(rest) > 0; chunk++ {
		folder.Reset()
		for b := 0; b < chunkBlocks && len(rest) > 0; b++ {
			n := min(BlockLen, len(rest))
			folder.Blocks(bytesView(rest[:n]))
			rest = rest[n:]
		}
		p := part{chunk, make([]byte, Summarize.PartialSize())}
		folder.Partial(p.bytes)
		parts = append(parts, p)
	}
	if r != nil {
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	}
	m := Summarize.NewMerger(TypeOf[T]()).(*TreeMerger[Summary])
	for _, p := range parts {
		if err := m.Add(p.chunk, p.bytes); err != nil {
			t.Fatal(err)
		}
	}
	return m.Total()
}

// exact holds the results of exact rational arithmetic.
type exact struct{ sum, mean, variance *big.Rat }

// exactOf computes in rationals with the textbook formulas.
func exactOf[T Number](xs []T) exact {
	sum, squares := new(big.Rat), new(big.Rat)
	for _, x := range xs {
		v := rational(x)
		sum.Add(sum, v)
		squares.Add(squares, v.Mul(v, v))
	}
	n := big.NewRat(int64(len(xs)), 1)
	mean := new(big.Rat).Quo(sum, n)
	variance := squares.Quo(squares, n)
	variance.Sub(variance, new(big.Rat).Mul(mean, mean))
	return exact{sum, mean, variance}
}

func rational[T Number](x T) *big.Rat {
	switch v := any(x).(type) {
	case float64:
		return new(big.Rat).SetFloat64(v)
	case float32:
		return new(big.Rat).SetFloat64(float64(v))
	case uint64:
		return new(big.Rat).SetInt(new(big.Int).SetUint64(v))
	}
	return new(big.Rat).SetInt64(int64(x))
}

// checkExact holds a summary of finite numbers against exact arithmetic: sum
// and mean rounded once, std to 14 digits.
func checkExact[T Number](t *testing.T, name string, xs []T) {
	t.Helper()
	s := fold(t, xs, 4, nil)
	want := exactOf(xs)
	if s.Count() != uint64(len(xs)) || s.NaN() != 0 || s.Inf() != 0 {
		t.Errorf("%s: count %d, nan %d, inf %d, want %d, 0, 0", name, s.Count(), s.NaN(), s.Inf(), len(xs))
	}
	if s.Type().IsFloat() {
		if sum, _ := want.sum.Float64(); s.Sum().Float64() != sum {
			t.Errorf("%s: sum %v, want %v", name, s.Sum(), sum)
		}
	} else if s.Sum().Big().Cmp(want.sum.Num()) != 0 {
		t.Errorf("%s: sum %v, want %v", name, s.Sum(), want.sum.Num())
	}
	if mean, _ := want.mean.Float64(); s.Mean().Float64() != mean {
		t.Errorf("%s: mean %v, want %v", name, s.Mean(), mean)
	}
	std, _ := new(big.Float).Sqrt(new(big.Float).SetPrec(200).SetRat(want.variance)).Float64()
	if got := s.Std(0).Float64(); math.Abs(got-std) > max(1e-14*std, 0x1p-1074) {
		t.Errorf("%s: std %v, want %v", name, got, std)
	}
}

func numbers[T Number](n int, f func(i int) T) []T {
	xs := make([]T, n)
	for i := range xs {
		xs[i] = f(i)
	}
	return xs
}

var lengths = fewer(1, 2, 31, 32, 33, 127, BlockLen-1, BlockLen, BlockLen+1, 3*BlockLen+17)

// fewer is lengths without the last, which takes long, under the race detector.
func fewer(lengths ...int) []int {
	if raceDetector {
		return lengths[:len(lengths)-1]
	}
	return lengths
}

func TestFloatSummaryAgreesWithExactArithmetic(t *testing.T) {
	onTiers(t, floatSummaryAgreesWithExactArithmetic)
}

func floatSummaryAgreesWithExactArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, f := range map[string]func(i int) float64{
		"normal":    func(int) float64 { return r.NormFloat64() },
		"30 orders": func(int) float64 { return (2*r.Float64() - 1) * math.Pow10(r.IntN(31)-15) },
		"far mean":  func(int) float64 { return 1e7 + 0.2 + 0.1*float64(1-2*r.IntN(2)) },
		"ramp":      func(i int) float64 { return 1e9 + float64(i)*1e-3 },
		"equal":     func(int) float64 { return 0.1 },
		"cancel":    func(i int) float64 { return float64(1-2*(i%2)) * (1e15 + float64(i/2)*0.125) },
		"tiny":      func(int) float64 { return r.NormFloat64() * 0x1p-700 },
		"subnormal": func(int) float64 { return float64(r.IntN(1000)) * 0x1p-1074 },
		"huge":      func(int) float64 { return r.NormFloat64() * 0x1p1000 },
		"bands":     func(i int) float64 { return r.NormFloat64() * math.Ldexp(1, 900*(i/BlockLen%2)) },
		"zeros":     func(int) float64 { return 0 },
	} {
		for _, n := range lengths {
			checkExact(t, fmt.Sprintf("%s[%d]", name, n), numbers(n, f))
		}
	}
	for _, n := range lengths {
		checkExact(t, fmt.Sprintf("float32[%d]", n), numbers(n, func(int) float32 { return float32(r.NormFloat64() * 1e30) }))
	}
}

func testIntegers[T Integer](t *testing.T, r *rand.Rand) {
	for _, n := range lengths {
		name := fmt.Sprintf("%v[%d]", TypeOf[T](), n)
		checkExact(t, name, numbers(n, func(int) T { return T(r.Uint64()) }))
		lo, hi := T(0), ^T(0) // unsigned
		if lo > hi {
			lo, hi = ^T(0)<<(8*TypeOf[T]().Size()-1), ^(^T(0) << (8*TypeOf[T]().Size() - 1))
		}
		checkExact(t, name+" close", numbers(n, func(int) T { return hi - T(r.IntN(3)) }))
		checkExact(t, name+" extremes", numbers(n, func(i int) T { return []T{lo, hi}[i%2] }))
		checkExact(t, name+" largest", numbers(n, func(int) T { return hi }))
		s := fold(t, numbers(n, func(i int) T { return []T{hi, lo}[i%2] }), 2, nil)
		if want := rational(hi).Num(); s.Max().Big().Cmp(want) != 0 {
			t.Errorf("%s: max %v, want %v", name, s.Max(), want)
		}
		if want := rational(lo).Num(); n > 1 && s.Min().Big().Cmp(want) != 0 {
			t.Errorf("%s: min %v, want %v", name, s.Min(), want)
		}
	}
}

func TestIntegerSummaryAgreesWithExactArithmetic(t *testing.T) {
	onTiers(t, integerSummaryAgreesWithExactArithmetic)
}

func integerSummaryAgreesWithExactArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	testIntegers[int8](t, r)
	testIntegers[int16](t, r)
	testIntegers[int32](t, r)
	testIntegers[int64](t, r)
	testIntegers[uint8](t, r)
	testIntegers[uint16](t, r)
	testIntegers[uint32](t, r)
	testIntegers[uint64](t, r)
}

func TestSameBitsForAnyChunksInAnyOrder(t *testing.T) { onTiers(t, sameBitsForAnyChunksInAnyOrder) }

func sameBitsForAnyChunksInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	xs := numbers(37*BlockLen+123, func(i int) float64 {
		switch r.IntN(1000) {
		case 0:
			return math.NaN()
		case 1:
			return r.NormFloat64() * 0x1p800
		}
		return (2*r.Float64() - 1) * math.Pow10(r.IntN(31)-15)
	})
	want := fold(t, xs, 64, nil)
	for _, chunkBlocks := range []int{1, 2, 4, 8, 16, 32} {
		for range 20 {
			if got := fold(t, xs, chunkBlocks, r); got != want {
				t.Fatalf("chunks of %d blocks: %+v, want %+v", chunkBlocks, got, want)
			}
		}
	}
}

// The definition of the lanes, written down a second time as plainly as
// possible.
func TestLanesFollowTheirDefinition(t *testing.T) { onTiers(t, lanesFollowTheirDefinition) }

func lanesFollowTheirDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for n := 1; n <= 300; n++ {
		xs := numbers(n, func(int) float64 { return r.NormFloat64() * math.Pow10(r.IntN(20)) })
		var sums [32]double
		var squares [32]float64
		pivot := xs[0]
		for i, x := range xs {
			s, e := twoSum(sums[i%32].hi, x)
			sums[i%32] = double{s, sums[i%32].lo + e}
			d := x - pivot
			squares[i%32] = math.FMA(d, d, squares[i%32])
		}
		for _, half := range []int{16, 8, 4, 2, 1} {
			for j := range half {
				s, e := twoSum(sums[j].hi, sums[j+half].hi)
				sums[j] = double{s, sums[j].lo + sums[j+half].lo + e}
				squares[j] += squares[j+half]
			}
		}
		var f blockFold
		scanFolds[Float64].run(f.states[:], bytesView(xs), math.Float64bits(pivot), 0)
		if got := (double{f.float(0), f.float(1)}); got != sums[0] {
			t.Fatalf("sum of %d: %v, want %v", n, got, sums[0])
		}
		if lo, hi := f.float(2), f.float(3); lo != slices.Min(xs) || hi != slices.Max(xs) {
			t.Fatalf("extremes of %d: %v %v", n, lo, hi)
		}
		if q := f.float(4); q != squares[0] {
			t.Fatalf("deviations of %d: %v, want %v", n, q, squares[0])
		}
	}
}

func TestSpecialValues(t *testing.T) { onTiers(t, specialValues) }

func specialValues(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	negZero := math.Copysign(0, -1)
	for _, c := range []struct {
		xs                       []float64
		nan, inf                 uint64
		min, max, sum, mean, std string
	}{
		{[]float64{}, 0, 0, "", "", "0", "", ""},
		{[]float64{nan, nan}, 2, 0, "", "", "0", "", ""},
		{[]float64{nan, 3, 5}, 1, 0, "3", "5", "8", "4", "1"},
		{[]float64{inf, 1}, 0, 1, "1", "Infinity", "Infinity", "Infinity", "NaN"},
		{[]float64{-inf, nan}, 1, 1, "-Infinity", "-Infinity", "-Infinity", "-Infinity", "NaN"},
		{[]float64{-inf, inf, 1}, 0, 2, "-Infinity", "Infinity", "NaN", "NaN", "NaN"},
		{[]float64{0, negZero}, 0, 0, "-0", "0", "0", "0", "0"},
		{[]float64{negZero, 0}, 0, 0, "-0", "0", "0", "0", "0"},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, 0, 0, "1.7976931348623157e+308", "1.7976931348623157e+308", "Infinity", "1.7976931348623157e+308", "0"},
		{[]float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64, -math.MaxFloat64}, 0, 0,
			"-1.7976931348623157e+308", "1.7976931348623157e+308", "0", "0", "1.7976931348623157e+308"},
		{[]float64{5e-324, 1.5e-323}, 0, 0, "5e-324", "1.5e-323", "2e-323", "1e-323", "5e-324"},
	} {
		s := fold(t, c.xs, 1, nil)
		got := fmt.Sprintln(s.NaN(), s.Inf(), s.Min(), s.Max(), s.Sum(), s.Mean(), s.Std(0))
		if want := fmt.Sprintln(c.nan, c.inf, c.min, c.max, c.sum, c.mean, c.std); got != want || s.Count() != uint64(len(c.xs)) {
			t.Errorf("%v: count %d, %s, want %s", c.xs, s.Count(), got, want)
		}
	}
}

// NaN and infinities in some blocks must not disturb what the rest says.
func TestNaNAreLeftOutEverywhere(t *testing.T) { onTiers(t, naNAreLeftOutEverywhere) }

func naNAreLeftOutEverywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, n := range lengths {
		xs := numbers(n, func(int) float64 { return r.NormFloat64() * 1e150 })
		var clean []float64
		for i := range xs {
			if r.IntN(3) == 0 || i/BlockLen == 1 {
				xs[i] = math.NaN()
			} else {
				clean = append(clean, xs[i])
			}
		}
		if len(clean) == 0 {
			continue
		}
		s, want := fold(t, xs, 1, nil), exactOf(clean)
		if s.NaN() != uint64(n-len(clean)) {
			t.Errorf("%d: nan %d, want %d", n, s.NaN(), n-len(clean))
		}
		if sum, _ := want.sum.Float64(); s.Sum().Float64() != sum {
			t.Errorf("%d: sum %v, want %v", n, s.Sum(), sum)
		}
		if mean, _ := want.mean.Float64(); s.Mean().Float64() != mean {
			t.Errorf("%d: mean %v, want %v", n, s.Mean(), mean)
		}
		variance, _ := new(big.Float).SetRat(want.variance).Float64()
		if std := math.Sqrt(variance); math.Abs(s.Std(0).Float64()-std) > 1e-14*std {
			t.Errorf("%d: std %v, want %v", n, s.Std(0), std)
		}
	}
}

func TestVarWithDDOF(t *testing.T) {
	s := fold(t, []float64{1, 2, 3, 4}, 1, nil)
	for ddof, want := range map[float64]float64{0: 1.25, 1: 5.0 / 3, 4: math.NaN(), 5: math.NaN()} {
		got := s.Var(ddof).Float64()
		if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("var with ddof %v: %v, want %v", ddof, got, want)
		}
	}
}

// The bits of results are a promise to every later version and instruction
// set; this hash may not change.
func TestResultBitsAreWhatTheyAlwaysWere(t *testing.T) { onTiers(t, resultBitsAreWhatTheyAlwaysWere) }

func resultBitsAreWhatTheyAlwaysWere(t *testing.T) {
	// No normal deviates: their last bits depend on the machine's math.Log.
	r := rand.New(rand.NewPCG(11, 12))
	h := fnv.New64a()
	put := func(s Summary) {
		h.Write(encodedSummary(s))
	}
	for n := 1; n < 3*BlockLen; n += 97 {
		put(fold(t, numbers(n, func(int) float64 { return (r.Float64() - 0.5) * math.Pow10(r.IntN(60)-30) }), 1, nil))
		put(fold(t, numbers(n, func(i int) float64 { return float64(i) * 0.1 }), 1, nil))
		put(fold(t, numbers(n, func(int) float32 { return float32(r.Float64() - 0.5) }), 1, nil))
		put(fold(t, numbers(n, func(int) int16 { return int16(r.Uint32()) }), 1, nil))
		put(fold(t, numbers(n, func(int) uint64 { return r.Uint64() }), 1, nil))
	}
	if got, want := h.Sum64(), uint64(0xbf4a65024e50f3b3); got != want {
		t.Errorf("hash %#x, want %#x", got, want)
	}
}

func encodedSummary(s Summary) []byte {
	b := make([]byte, Summarize.PartialSize())
	encodeSummary(s, &words{bytes: b})
	return b
}

func decodedSummary(b []byte) (Summary, error) {
	m := Summarize.NewMerger(Float64).(*TreeMerger[Summary])
	err := m.Add(0, b)
	return m.Total(), err
}

func TestDecodeRefusesWhatNoSummaryCanBe(t *testing.T) {
	good := fold(t, []float64{1, 2, math.NaN()}, 1, nil)
	encoded := func(change func(s *Summary)) []byte {
		s := good
		change(&s)
		return encodedSummary(s)
	}
	if s, err := decodedSummary(encoded(func(*Summary) {})); err != nil || s != good {
		t.Fatalf("round trip: %+v, %v", s, err)
	}
	for name, b := range map[string][]byte{
		"short":      make([]byte, Summarize.PartialSize()-1),
		"type":       encoded(func(s *Summary) { s.typ = 99 }),
		"zero":       make([]byte, Summarize.PartialSize()),
		"counts":     encoded(func(s *Summary) { s.nan = 4 }),
		"overflow":   encoded(func(s *Summary) { s.nan = 1<<64 - 1 }),
		"band":       encoded(func(s *Summary) { s.band = 3 }),
		"low band":   encoded(func(s *Summary) { s.band = -1 << 30 }),
		"large sum":  encoded(func(s *Summary) { s.fsum = double{math.MaxFloat64, math.MaxFloat64} }),
		"rest > sum": encoded(func(s *Summary) { s.fsum = double{1, 2} }),
		"negative":   encoded(func(s *Summary) { s.m2 = -1 }),
		"sum":        encoded(func(s *Summary) { s.fsum.hi = math.NaN() }),
		"rest":       encoded(func(s *Summary) { s.fsum.lo = math.Inf(1) }),
		"deviation":  encoded(func(s *Summary) { s.m2 = math.Inf(1) }),
	} {
		if _, err := decodedSummary(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	m := Summarize.NewMerger(Float32)
	if err := m.Add(0, encoded(func(*Summary) {})); err == nil {
		t.Error("a float64 partial was accepted for a float32 array")
	}
}

func BenchmarkSummary(b *testing.B) {
	for _, elements := range []int{BlockLen, 1 << 20} {
		b.Run(fmt.Sprintf("float64/%dKiB", elements*8>>10), func(b *testing.B) {
			xs := numbers(elements, func(i int) float64 { return float64(i) })
			benchFold(b, xs)
		})
		b.Run(fmt.Sprintf("int32/%dKiB", elements*4>>10), func(b *testing.B) {
			xs := numbers(elements, func(i int) int32 { return int32(i) })
			benchFold(b, xs)
		})
	}
}

func benchFold[T Number](b *testing.B, xs []T) {
	folder := Summarize.NewFolder(TypeOf[T]())
	b.SetBytes(int64(len(xs) * TypeOf[T]().Size()))
	for b.Loop() {
		folder.Reset()
		for i := 0; i < len(xs); i += BlockLen {
			folder.Blocks(bytesView(xs[i:min(i+BlockLen, len(xs))]))
		}
	}
}
