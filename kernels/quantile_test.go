package kernels

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// surveyed does a survey of data in chunks, as a pool does, with room for so many
// bytes of kept keys.
func surveyed(t *testing.T, s *Survey, typ Type, data []byte, chunk, room int) (sample []uint64, tally *Tally, moments Moments) {
	t.Helper()
	read, err := DecodeSurvey(s.Encode())
	if err != nil {
		t.Fatal(err)
	}
	runner := read.NewSurveyor(typ)
	counts := make([]uint64, len(s.Keep))
	kept := make([][]uint64, len(s.Keep))
	tree := Tree[Moments]{Merge: combined(mergeMoments)}
	overflow := false
	for c := uint64(0); len(data) > 0; c++ {
		part := data[:min(chunk*typ.Size(), len(data))]
		data = data[len(part):]
		var memory []byte
		b, err := runner.Chunk(c, part, func(int) {}, func(n int) ([]byte, uint64) {
			if room -= n; room < 0 {
				return nil, 0
			}
			memory = make([]byte, n)
			return memory, c
		})
		if err != nil || len(b) > 16<<10 {
			t.Fatalf("a result of %d bytes, %v", len(b), err)
		}
		found, err := s.Decode(typ, uint64(len(part)/typ.Size()), b)
		if err != nil {
			t.Fatal(err)
		}
		sample = append(sample, found.Sample...)
		tree.Add(c, found.Moments)
		if overflow = overflow || found.Overflow; !overflow && s.Keeps() && KeptChecksum(0, view[uint64](memory)) != found.Checksum {
			t.Fatal("kept keys have another checksum")
		}
		keys := view[uint64](memory)
		for i, n := range found.Counts {
			counts[i] += n
			if s.Keep[i] && !overflow {
				kept[i] = append(kept[i], keys[:n]...)
				keys = keys[n:]
			}
		}
	}
	if overflow {
		kept = make([][]uint64, len(kept))
	}
	moments, _ = tree.Root()
	return sample, NewTally(typ, s, counts, kept), moments
}

// quantilesOf returns quantiles of data and how many surveys they took.
func quantilesOf(t *testing.T, typ Type, data []byte, room int, m Method, qs ...float64) ([]Value, int) {
	t.Helper()
	const chunk = 16 * BlockLen
	q, err := NewQuantiles(typ, uint64(len(data)/typ.Size()), qs...)
	if err != nil {
		t.Fatal(err)
	}
	if n := q.SampleSize(); n > 0 {
		sample, _, _ := surveyed(t, &Survey{Sample: min(n*chunk*typ.Size()/len(data), MaxSample)}, typ, data, chunk, 0)
		q.Sampled(sample)
	}
	for passes := 1; passes < 20; passes++ {
		cuts := NewCuts(typ)
		q.Cut(cuts)
		s, _ := cuts.Survey(q.Sample())
		if _, tally, _ := surveyed(t, s, typ, data, chunk, room); q.Learn(tally) {
			return q.Values(m), passes
		}
	}
	t.Fatal("no end of surveys")
	return nil, 0
}

// quantileMeaning computes a quantile of sorted numbers, in fractions.
func quantileMeaning(typ Type, xs []*big.Rat, m Method, decimal string) string {
	q, _ := new(big.Rat).SetString(decimal)
	at := q.Mul(q, big.NewRat(int64(len(xs)-1), 1))
	floor := new(big.Int).Div(at.Num(), at.Denom())
	rest := new(big.Rat).Sub(at, new(big.Rat).SetInt(floor))
	i := int(floor.Int64())
	j := i
	if rest.Sign() > 0 {
		j++
	}
	var y *big.Rat
	switch m {
	case Lower:
		y = xs[i]
	case Higher:
		y = xs[j]
	case Midpoint:
		y = new(big.Rat).Add(xs[i], xs[j])
		y.Quo(y, big.NewRat(2, 1))
	case Nearest:
		y = xs[i]
		if c := rest.Cmp(big.NewRat(1, 2)); c > 0 || c == 0 && i%2 == 1 {
			y = xs[j]
		}
	default:
		y = new(big.Rat).Sub(xs[j], xs[i])
		y.Mul(y, rest).Add(y, xs[i])
	}
	if !typ.IsFloat() && y.IsInt() {
		return y.Num().String()
	}
	f, _ := y.Float64()
	return FormatFloat(f)
}

// arrangements are n elements each, of many shapes, as bits of the type.
func arrangements(typ Type, n int) map[string][]uint64 {
	r := rand.New(rand.NewPCG(5, uint64(typ)))
	number := func(f float64) uint64 {
		if typ.IsFloat() {
			return typ.FloatBits(f)
		}
		return uint64(int64(f)) // wraps
	}
	fill := func(f func(i int) uint64) []uint64 {
		xs := make([]uint64, n)
		for i := range xs {
			xs[i] = f(i)
		}
		return xs
	}
	scale := min(float64(n), math.Ldexp(1, 8*typ.Size()-2))
	all := map[string][]uint64{
		"random bits": fill(func(int) uint64 { return r.Uint64() }),
		"normal":      fill(func(int) uint64 { return number(r.NormFloat64() * 1000) }),
		"sorted":      fill(func(i int) uint64 { return number(float64(i) / float64(n) * scale) }),
		"reversed":    fill(func(i int) uint64 { return number(float64(n-i) / float64(n) * scale) }),
		"constant":    fill(func(int) uint64 { return number(42) }),
		"two values":  fill(func(int) uint64 { return number(float64(r.IntN(2))) }),
		"few values":  fill(func(int) uint64 { return number(float64(r.IntN(5))) }),
		"outliers":    fill(func(i int) uint64 { return number(math.Ldexp(1, 14) * float64(max(0, 1-i%1000))) }),
		// What the sample does not see: it takes an element of each stretch.
		"late": fill(func(i int) uint64 { return number(max(0, float64(i-n*7/8))) }),
		"log":  fill(func(int) uint64 { return number(math.Exp(r.NormFloat64() * 3)) }),
	}
	if typ.Size() == 8 && !typ.IsFloat() {
		all["near the end"] = fill(func(int) uint64 { return math.MaxUint64 - uint64(r.IntN(1000)) })
		all["least and greatest"] = fill(func(int) uint64 { return 1<<63 - uint64(r.IntN(2)) })
		all["close"] = fill(func(int) uint64 { return 1<<62 + uint64(r.IntN(100000)) })
	}
	if typ.IsFloat() {
		all["NaN"] = fill(func(i int) uint64 {
			if r.IntN(3) == 0 {
				return typ.FloatBits(math.Copysign(math.NaN(), float64(r.IntN(2))-0.5))
			}
			return number(r.NormFloat64())
		})
		all["all NaN"] = fill(func(int) uint64 { return typ.FloatBits(math.NaN()) })
		all["zeros"] = fill(func(int) uint64 { return number(math.Copysign(0, float64(r.IntN(2))-0.5)) })
	}
	if typ == Float64 {
		all["subnormal"] = fill(func(int) uint64 { return uint64(r.IntN(1000)) | r.Uint64()&(1<<63) })
		all["huge"] = fill(func(int) uint64 { return number((r.Float64() - 0.5) * 2 * math.MaxFloat64) })
		all["infinite"] = fill(func(i int) uint64 { return number(math.Inf(r.IntN(2) - i%2)) })
		all["in a needle"] = fill(func(i int) uint64 {
			if i%50 == 0 {
				return number(math.Ldexp(float64(r.IntN(2))-0.5, 1000))
			}
			return number(1 + float64(r.IntN(1<<20))*0x1p-52)
		})
	}
	return all
}

// sortedNumbers returns the numbers among elements in order, by Go's own comparison.
func sortedNumbers(typ Type, data []byte) []*big.Rat {
	n := len(data) / typ.Size()
	rats := func(n int, at func(i int) *big.Rat) []*big.Rat {
		all := make([]*big.Rat, n)
		for i := range all {
			all[i] = at(i)
		}
		return all
	}
	switch {
	case typ.IsFloat():
		var xs []float64
		for i := range n {
			if f := floatElement(data, typ, i); f == f {
				xs = append(xs, f)
			}
		}
		slices.Sort(xs)
		return rats(len(xs), func(i int) *big.Rat { return new(big.Rat).SetFloat64(xs[i]) })
	case typ.IsSigned():
		xs := make([]int64, n)
		for i := range xs {
			xs[i] = int64(integerElement(data, typ, i))
		}
		slices.Sort(xs)
		return rats(n, func(i int) *big.Rat { return new(big.Rat).SetInt64(xs[i]) })
	}
	xs := make([]uint64, n)
	for i := range xs {
		xs[i] = integerElement(data, typ, i)
	}
	slices.Sort(xs)
	return rats(n, func(i int) *big.Rat { return new(big.Rat).SetUint64(xs[i]) })
}

func TestQuantilesAreExactInterpolation(t *testing.T) {
	qs := []float64{0.5, 0, 1, 0.25, 0.75, 0.01, 0.99, 0.1, 1.0 / 3, 1e-9}
	for _, typ := range Types() {
		n := surveyAll + 3*BlockLen + 5
		if typ.Size() == 1 {
			n = 3*BlockLen + 1
		}
		turn := 0
		for name, bits := range arrangements(typ, n) {
			data := make([]byte, n*typ.Size())
			for i, b := range bits {
				putElement(data[i*typ.Size():], typ, b)
			}
			xs := sortedNumbers(typ, data)
			if slices.Contains(xs, nil) {
				continue // infinities have no fractions: see below
			}
			for k := range 2 {
				m, room := Linear, math.MaxInt
				if k > 0 {
					m, room = Lower+Method(turn)%Midpoint, turn%2<<12
					turn++
				}
				got, passes := quantilesOf(t, typ, data, room, m, qs...)
				if name == "normal" && k == 0 && passes > 1 {
					t.Errorf("%v, %s: %d surveys", typ, name, passes)
				}
				for k, q := range qs {
					want := ""
					if len(xs) > 0 {
						want = quantileMeaning(typ, xs, m, fmt.Sprint(q))
					}
					if text := got[k].String(); text != want && !(text == "-0" && want == "0") {
						t.Errorf("%v, %s, %v, room for %d: quantile %v is %q, want %q", typ, name, m, room, q, text, want)
					}
				}
			}
		}
	}
}

func TestQuantilesBesideInfinities(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		xs   []float64
		q    float64
		want string
	}{
		{[]float64{inf, 1}, 0.5, "Infinity"}, {[]float64{1, -inf}, 0.5, "-Infinity"}, {[]float64{inf, -inf}, 0.5, "NaN"},
		{[]float64{inf, inf}, 0.5, "Infinity"}, {[]float64{inf, 1, 2}, 0.5, "2"}, {[]float64{-inf, 1, inf}, 0, "-Infinity"},
		{[]float64{-inf, 1, inf, math.NaN()}, 1, "Infinity"}, {[]float64{math.NaN()}, 0.5, ""},
		{[]float64{math.MaxFloat64, -math.MaxFloat64}, 0.5, "0"}, {[]float64{math.MaxFloat64, math.MaxFloat64}, 0.3, "1.7976931348623157e+308"},
		{[]float64{0x1p-1074, 0}, 0.5, "0"}, {[]float64{0x1p-1074, 0x1p-1073}, 0.5, "1e-323"},
	} {
		if got, _ := quantilesOf(t, Float64, bytesView(c.xs), math.MaxInt, Linear, c.q); got[0].String() != c.want {
			t.Errorf("quantile %v of %v is %q, want %q", c.q, c.xs, got[0].String(), c.want)
		}
	}
	for _, q := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := NewQuantiles(Float64, 10, q); err == nil {
			t.Errorf("quantile %v was accepted", q)
		}
	}
}

func TestSurveysCountOnEveryTier(t *testing.T) {
	before := CurrentTier()
	defer UseTier(before)
	for _, typ := range Types() {
		for name, bits := range arrangements(typ, 2*BlockLen+77) {
			data := make([]byte, len(bits)*typ.Size())
			var keys []uint64
			for i, b := range bits {
				putElement(data[i*typ.Size():], typ, b)
				keys = append(keys, elementKey(typ, data, i))
			}
			cuts := NewCuts(typ)
			cuts.Signs()
			for i := 0; i < len(keys); i += 501 {
				cuts.alone(keys[i])
			}
			s, _ := cuts.Survey(slices.Sorted(slices.Values(keys)))
			want := make([]uint64, len(s.Keep))
			for _, key := range keys {
				i := 0
				for i < len(s.Cuts) && s.Cuts[i] <= key {
					i++
				}
				want[i]++
			}
			for tier := Scalar; tier <= BestTier(); tier++ {
				UseTier(tier)
				runner := s.NewSurveyor(typ)
				b, _ := runner.Chunk(0, data, func(int) {}, nil)
				got, err := s.Decode(typ, uint64(len(keys)), b)
				if err != nil || !slices.Equal(got.Counts, want) {
					t.Errorf("%v, %v, %s: counts %v, want %v, %v", tier, typ, name, got, want, err)
				}
			}
		}
	}
}

func TestSelectMovesRanksToTheirPlaces(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	for n := 1; n < 5000; n += 1 + n/3 {
		for _, span := range []uint64{1, 2, 10, math.MaxUint64} {
			keys := make([]uint64, n)
			for i := range keys {
				keys[i] = r.Uint64N(span)
			}
			want := slices.Sorted(slices.Values(keys))
			ranks := []uint64{uint64(r.IntN(n)), uint64(r.IntN(n)), uint64(n - 1)}
			slices.Sort(ranks)
			selectRanks(keys, 0, ranks, 0)
			for _, i := range ranks {
				if keys[i] != want[i] {
					t.Fatalf("%d keys below %d: rank %d is %d, want %d", n, span, i, keys[i], want[i])
				}
			}
		}
	}
}

func FuzzSurvey(f *testing.F) {
	f.Add((&Survey{Moments: true, Cuts: []uint64{5, 9}, Keep: []bool{false, true, false}, Scale: 1}).Encode(), uint8(Float32), make([]byte, 40))
	f.Add((&Survey{Moments: true, Sample: 3}).Encode(), uint8(Float16), make([]byte, 40))
	f.Add((&Survey{Columns: 3}).Encode(), uint8(Float32), make([]byte, 36))
	f.Add((&Survey{Cuts: []uint64{1 << 63}, Keep: []bool{true, true}}).Encode(), uint8(Int16), []byte{1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, encoded []byte, typ uint8, data []byte) {
		elem := Type(typ)
		s, err := DecodeSurvey(encoded)
		if err != nil || !elem.Valid() {
			return
		}
		n := len(data) / elem.Size()
		s.Decode(elem, uint64(n), data)
		if n == 0 {
			return
		}
		b, err := s.NewSurveyor(elem).Chunk(7, data[:n*elem.Size()], func(int) {}, func(n int) ([]byte, uint64) { return make([]byte, n), 3 })
		if err != nil {
			return
		}
		if s.Columns > 0 {
			_, err = s.DecodeColumns(elem, 7, uint64(n+s.Columns-1)/uint64(s.Columns), b)
		} else {
			_, err = s.Decode(elem, uint64(n), b)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}
