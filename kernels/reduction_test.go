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

// partialOf folds elements as one chunk, block by block.
func partialOf(r *Reduction, t Type, elements []byte) []byte { return foldedBy(r, t, elements, 1) }

// total reduces elements in chunks of a few blocks, each through its encoded
// partial.
func total[P any](t *testing.T, r *Reduction, typ Type, elements []byte) P {
	t.Helper()
	m := r.NewMerger(typ).(*TreeMerger[P])
	for chunk, size := uint64(0), 4*BlockLen*typ.Size(); len(elements) > 0; chunk++ {
		n := min(size, len(elements))
		if err := m.Add(chunk, partialOf(r, typ, elements[:n])); err != nil {
			t.Fatal(err)
		}
		elements = elements[n:]
	}
	return m.Total()
}

// hashOfReduction returns the hash of a reduction's partials over the corpus
// and over pieces of every length from 1 to 300, at every alignment; of floats
// once more without what is not finite.
func hashOfReduction(r *Reduction, t Type) uint64 {
	h := fnv.New64a()
	elements := corpus([]Type{t}, corpusLen)[0]
	tame := make([]byte, len(elements))
	for i := range corpusLen {
		put(tame, t, i, ordinary(t, i))
	}
	for _, data := range [][]byte{elements, tame} {
		h.Write(partialOf(r, t, data))
		from := 0
		for n := 1; n <= 300; n++ {
			if from+n > corpusLen {
				from = n % 64
			}
			piece := append(make([]byte, n%64), data[from*t.Size():(from+n)*t.Size()]...)[n%64:]
			h.Write(partialOf(r, t, piece))
			from += n
		}
	}
	return h.Sum64()
}

// pairsOf folds pairs as one chunk.
func pairsOf(r *PairReduction, x, y Type, xs, ys []byte) []byte {
	folder := r.NewFolder(x, y)
	for len(xs) > 0 {
		n := min(BlockLen, len(xs)/x.Size())
		folder.Block(xs[:n*x.Size()], ys[:n*y.Size()])
		xs, ys = xs[n*x.Size():], ys[n*y.Size():]
	}
	b := make([]byte, r.PartialSize())
	folder.Partial(b)
	return b
}

// totalOfPairs reduces pairs of float64 in chunks of two blocks, each through its
// encoded partial.
func totalOfPairs[P any](t *testing.T, r *PairReduction, xs, ys []float64) P {
	t.Helper()
	m := r.NewMerger().(*TreeMerger[P])
	for chunk := uint64(0); len(xs) > 0; chunk++ {
		n := min(2*BlockLen, len(xs))
		if err := m.Add(chunk, pairsOf(r, Float64, Float64, bytesView(xs[:n]), bytesView(ys[:n]))); err != nil {
			t.Fatal(err)
		}
		xs, ys = xs[n:], ys[n:]
	}
	return m.Total()
}

// hashOfPairs returns the hash of a reduction's partials over the corpus and over
// ordinary elements, of several lengths and at several alignments.
func hashOfPairs(r *PairReduction, x, y Type) uint64 {
	h := fnv.New64a()
	operands := corpus([]Type{x, y}, corpusLen)
	tame := [][]byte{make([]byte, len(operands[0])), make([]byte, len(operands[1]))}
	for i := range corpusLen {
		put(tame[0], x, i, ordinary(x, i))
		put(tame[1], y, i, ordinary(y, i*7+3))
	}
	for _, data := range [][][]byte{operands, tame} {
		for at, n := range []int{1, 2, 31, 32, 33, 65, 300, BlockLen - 1, BlockLen, BlockLen + 1, corpusLen} {
			shifted := func(i int, t Type) []byte {
				return append(make([]byte, at*(i+1)), data[i][:n*t.Size()]...)[at*(i+1):]
			}
			h.Write(pairsOf(r, x, y, shifted(0, x), shifted(1, y)))
		}
	}
	return h.Sum64()
}

// exactly is the rational value of a finite float.
func exactly(f float64) *big.Rat { return new(big.Rat).SetFloat64(f) }

func floatOfRat(r *big.Rat) float64 {
	f, _ := r.Float64()
	return f
}

// ulps returns how far got is from a rational, in units of the last place of
// its correct rounding.
func ulps(got float64, want *big.Rat) float64 {
	f := floatOfRat(want)
	if got == f {
		return 0
	}
	ulp := math.Abs(math.Nextafter(f, math.Inf(1)) - f)
	off := new(big.Rat).Sub(exactly(got), want)
	return math.Abs(floatOfRat(off)) / ulp
}

// exactSum returns the exact sum of floats: 2,300 bits hold any.
func exactSum(xs []float64) *big.Rat {
	sum := new(big.Float).SetPrec(2300)
	for _, x := range xs {
		sum.Add(sum, new(big.Float).SetFloat64(x))
	}
	exact, _ := sum.Rat(nil)
	if exact == nil {
		return new(big.Rat)
	}
	return exact
}

func TestSumsOfIllConditionedDataAreAlmostCorrectlyRounded(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	for trial := range 100 {
		// Pairs that cancel, and a small rest: a condition number of up to
		// about 1e15.
		cond := math.Pow10(r.IntN(16))
		xs := numbers(500+r.IntN(10000), func(int) float64 { return (r.Float64() - 0.5) * math.Pow10(r.IntN(30)-15) })
		magnitudes := 0.0
		for _, x := range xs {
			magnitudes += math.Abs(x)
		}
		for range len(xs) / 4 {
			x := (r.Float64() - 0.5) * magnitudes * cond / float64(len(xs))
			xs = append(xs, x, -x)
		}
		r.Shuffle(len(xs), func(i, j int) { xs[i], xs[j] = xs[j], xs[i] })
		exact := exactSum(xs)
		onTiers(t, func(t *testing.T) {
			s := total[Summary](t, Summarize, Float64, bytesView(xs))
			if off := ulps(s.Sum().Float64(), exact); off > 1 {
				t.Errorf("trial %d, condition %g, %d elements: sum %v is off by %v ulp", trial, cond, len(xs), s.Sum(), off)
			}
		})
	}
}

func TestSumsOver30OrdersAreCorrectlyRounded(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 5))
	for range 50 {
		xs := numbers(1+r.IntN(30000), func(int) float64 { return (2*r.Float64() - 1) * math.Pow10(r.IntN(31)-15) })
		want := floatOfRat(exactSum(xs))
		onTiers(t, func(t *testing.T) {
			s := total[Summary](t, Summarize, Float64, bytesView(xs))
			if got := s.Sum().Float64(); got != want {
				t.Errorf("%d elements: sum %v, want %v", len(xs), got, want)
			}
		})
	}
}

func TestMomentsAgreeWithExactArithmetic(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 5))
		check := func(name string, typ Type, elements []byte) {
			n := len(elements) / typ.Size()
			mean := new(big.Rat)
			for i := range n {
				mean.Add(mean, ratOf(typ, get(elements, typ, i)))
			}
			mean.Quo(mean, big.NewRat(int64(n), 1))
			var m [5]*big.Rat
			for p := range m {
				m[p] = new(big.Rat)
			}
			for i := range n {
				d := new(big.Rat).Sub(ratOf(typ, get(elements, typ, i)), mean)
				power := big.NewRat(1, 1)
				for p := 1; p < 5; p++ {
					power = new(big.Rat).Mul(power, d)
					m[p].Add(m[p], power)
				}
			}
			f := func(x *big.Rat) *big.Float { return new(big.Float).SetPrec(300).SetRat(x) }
			nf := new(big.Float).SetPrec(300).SetInt64(int64(n))
			s3 := new(big.Float).SetPrec(300).Mul(new(big.Float).Sqrt(nf), f(m[3]))
			s3.Quo(s3, new(big.Float).SetPrec(300).Mul(f(m[2]), new(big.Float).SetPrec(300).Sqrt(f(m[2]))))
			k4 := new(big.Float).SetPrec(300).Mul(nf, f(m[4]))
			k4.Quo(k4, new(big.Float).SetPrec(300).Mul(f(m[2]), f(m[2])))
			skew, _ := s3.Float64()
			kurt, _ := k4.Float64()
			got := total[Moments](t, DescribeMoments, typ, elements)
			if g := got.Skewness().Float64(); math.Abs(g-skew) > 1e-12*max(1, math.Abs(skew)) {
				t.Errorf("%s: skewness %v, want %v", name, g, skew)
			}
			if g := got.Kurtosis().Float64(); math.Abs(g-(kurt-3)) > 1e-12*kurt {
				t.Errorf("%s: kurtosis %v, want %v", name, g, kurt-3)
			}
		}
		for _, n := range fewer(3, 100, 5*BlockLen-7) {
			check(fmt.Sprint("normal ", n), Float64, bytesView(numbers(n, func(int) float64 { return 3 + r.NormFloat64() })))
			check(fmt.Sprint("skewed ", n), Float64, bytesView(numbers(n, func(int) float64 { return math.Exp(r.NormFloat64()) })))
			check(fmt.Sprint("huge ", n), Float64, bytesView(numbers(n, func(int) float64 { return r.NormFloat64() * 0x1p1000 })))
			check(fmt.Sprint("float32 ", n), Float32, bytesView(numbers(n, func(int) float32 { return float32(r.ExpFloat64()) })))
			check(fmt.Sprint("int16 ", n), Int16, bytesView(numbers(n, func(int) int16 { return int16(r.Uint32()) >> r.IntN(8) })))
			check(fmt.Sprint("int64 ", n), Int64, bytesView(numbers(n, func(int) int64 { return int64(r.Uint64()) >> r.IntN(2) })))
			check(fmt.Sprint("uint64 ", n), Uint64, bytesView(numbers(n, func(int) uint64 { return r.Uint64() >> r.IntN(2) })))
		}
	})
}

// ratOf returns what the bits of a finite element mean.
func ratOf(t Type, bits uint64) *big.Rat {
	if t.IsFloat() {
		return exactly(floatOf(t, bits))
	}
	return new(big.Rat).SetInt(intOf(t, bits))
}

func TestProductsAgreeWithExactArithmetic(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 5))
		for name, f := range map[string]func(i int) float64{
			"near 1":    func(int) float64 { return 1 + 0.01*(r.Float64()-0.5) },
			"signs":     func(int) float64 { return (r.Float64() - 0.5) * 3.9 },
			"swings":    func(i int) float64 { return math.Ldexp(1+r.Float64(), 1000*(1-2*(i%2))) },
			"subnormal": func(i int) float64 { return map[int]float64{0: 0x1p-1070, 1: 0x1p1000}[i%2] * (1 + r.Float64()) },
		} {
			for _, n := range []int{1, 2, 31, 100, 5000, 20000} {
				xs := numbers(n, f)
				exact := new(big.Float).SetPrec(3000).SetInt64(1)
				for _, x := range xs {
					exact.Mul(exact, new(big.Float).SetFloat64(x))
				}
				want, _ := exact.Float64()
				p := total[Product](t, Multiply, Float64, bytesView(xs))
				got, err := p.Result()
				if err != nil || got.Float64() != want {
					t.Errorf("%s, %d: %v, %v, want %v", name, n, got, err, want)
				}
			}
		}
		inf, nan := math.Inf(1), math.NaN()
		for _, c := range []struct {
			xs   []float64
			want float64
			nan  uint64
		}{
			{nil, 1, 0}, {[]float64{2, nan, 3}, 6, 1}, {[]float64{0, inf}, nan, 0}, {[]float64{-2, inf}, -inf, 0},
			{[]float64{0, -1}, math.Copysign(0, -1), 0}, {[]float64{-0x1p-1074, 0.25}, math.Copysign(0, -1), 0}, {[]float64{1e300, -1e300}, -inf, 0},
		} {
			p := total[Product](t, Multiply, Float64, bytesView(c.xs))
			got, err := p.Result()
			if err != nil || math.Float64bits(got.Float64()) != math.Float64bits(c.want) && !(got.Float64() != got.Float64() && c.want != c.want) || p.NaN() != c.nan {
				t.Errorf("%v: %v, %v, %d NaN", c.xs, got, err, p.NaN())
			}
		}
	})
	for _, c := range []struct {
		xs   []int64
		want string
	}{
		{[]int64{math.MaxInt64, -1, 1}, "-9223372036854775807"}, {[]int64{math.MinInt64, 1}, "-9223372036854775808"}, {[]int64{math.MinInt64, -1}, ""},
		{[]int64{1 << 62, 1 << 62, 1 << 62, 0}, "0"}, {[]int64{1 << 62, 1 << 62, 1 << 62, 1 << 62}, ""}, {[]int64{3, -5, 7}, "-105"},
	} {
		p := total[Product](t, Multiply, Int64, bytesView(c.xs))
		got, err := p.Result()
		if (err != nil) != (c.want == "") || err == nil && got.String() != c.want {
			t.Errorf("%v: %v, %v, want %q", c.xs, got, err, c.want)
		}
	}
}

func TestExtremesAreTheFirst(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 5))
		for _, typ := range Types() {
			for range 30 {
				n := 1 + r.IntN(3*BlockLen)
				elements := corpus([]Type{typ}, n)[0]
				for i := range n {
					if r.IntN(3) > 0 {
						put(elements, typ, i, ordinary(typ, r.IntN(5)))
					}
				}
				least, most, nan := -1, -1, -1
				value := func(i int) float64 { return floatOf(typ, get(elements, typ, i)) }
				less := func(i, j int) bool {
					if typ.IsFloat() {
						return value(i) < value(j)
					}
					return intOf(typ, get(elements, typ, i)).Cmp(intOf(typ, get(elements, typ, j))) < 0
				}
				for i := range n {
					if typ.IsFloat() && math.IsNaN(value(i)) {
						if nan < 0 {
							nan = i
						}
						continue
					}
					if least < 0 || less(i, least) {
						least = i
					}
					if most < 0 || less(most, i) {
						most = i
					}
				}
				p := total[Extremes](t, FindExtremes, typ, elements)
				if at, ok := p.NaNArgMin(); ok != (least >= 0) || ok && at != uint64(least) {
					t.Fatalf("%v: least at %d, want %d", typ, at, least)
				}
				if at, ok := p.NaNArgMax(); ok != (most >= 0) || ok && at != uint64(most) {
					t.Fatalf("%v: greatest at %d, want %d", typ, at, most)
				}
				if nan >= 0 {
					least, most = nan, nan
				}
				lo, _ := p.ArgMin()
				if hi, ok := p.ArgMax(); !ok || lo != uint64(least) || hi != uint64(most) {
					t.Fatalf("%v: extremes at %d and %d, want %d and %d", typ, lo, hi, least, most)
				}
			}
		}
	})
}

func TestTruthAndNormsAgreeWithDefinitions(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for _, typ := range Types() {
			elements := corpus([]Type{typ}, 2*BlockLen+77)[0]
			n := len(elements) / typ.Size()
			nonzero := uint64(0)
			var finiteOnes []byte
			magnitudes, squares := new(big.Rat), new(big.Rat)
			largest := 0.0
			for i := range n {
				bits := get(elements, typ, i)
				f := floatOf(typ, bits)
				if f != 0 {
					nonzero++
				}
				if f-f == 0 {
					one := make([]byte, typ.Size())
					put(one, typ, 0, bits)
					finiteOnes = append(finiteOnes, one...)
					x := exactly(f)
					magnitudes.Add(magnitudes, new(big.Rat).Abs(x))
					squares.Add(squares, new(big.Rat).Mul(x, x))
					largest = max(largest, math.Abs(f))
				}
			}
			p := total[Truth](t, CountTruth, typ, elements)
			if p.Count() != uint64(n) || p.CountNonzero() != nonzero || !p.Any() || p.All() != (nonzero == uint64(n)) {
				t.Errorf("%v: %+v, want %d of %d", typ, p, nonzero, n)
			}
			norms := total[Norms](t, MeasureNorms, typ, finiteOnes)
			root, _ := new(big.Float).Sqrt(new(big.Float).SetPrec(300).SetRat(squares)).Float64()
			one := floatOfRat(magnitudes)
			if got := norms.Norm1(); got != one && math.Abs(got-one) > 1e-15*one {
				t.Errorf("%v: 1-norm %v, want %v", typ, got, one)
			}
			if got := norms.Norm2(); got != root && math.Abs(got-root) > 1e-15*root {
				t.Errorf("%v: 2-norm %v, want %v", typ, got, root)
			}
			if got := norms.NormInf(); got != largest {
				t.Errorf("%v: infinity norm %v, want %v", typ, got, largest)
			}
		}
	})
}

func TestPairsAgreeWithExactArithmetic(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 5))
		for _, n := range []int{2, 33, BlockLen, 3*BlockLen + 5} {
			xs := numbers(n, func(int) float64 { return 1e4 + r.NormFloat64() })
			ys := numbers(n, func(i int) float64 { return -3*xs[i] + r.NormFloat64() })
			count := big.NewRat(int64(n), 1)
			dot, sx, sy, xx, yy := new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)
			for i := range n {
				x, y := exactly(xs[i]), exactly(ys[i])
				dot.Add(dot, new(big.Rat).Mul(x, y))
				sx.Add(sx, x)
				sy.Add(sy, y)
				xx.Add(xx, new(big.Rat).Mul(x, x))
				yy.Add(yy, new(big.Rat).Mul(y, y))
			}
			central := func(p, a, b *big.Rat) float64 {
				ab := new(big.Rat).Mul(a, b)
				return floatOfRat(new(big.Rat).Sub(p, ab.Quo(ab, count)))
			}
			// A NaN on either side leaves the pair out.
			xs, ys = append(xs, math.NaN(), 1), append(ys, 1, math.NaN())
			d := totalOfPairs[Dot](t, SumProducts, xs, ys)
			p := totalOfPairs[Comoments](t, Covary, xs, ys)
			if p.Count() != uint64(n)+2 || p.NaN() != 2 || d.Count() != uint64(n)+2 || d.NaN() != 2 {
				t.Fatalf("%d pairs and 2 with NaN: %+v, %+v", n, p, d)
			}
			if off := ulps(d.Sum(), dot); off > 0.5 {
				t.Errorf("%d: dot %v is off by %v ulp", n, d.Sum(), off)
			}
			cov := central(dot, sx, sy)
			if got := p.Covariance(1) * float64(n-1); math.Abs(got-cov) > 1e-12*math.Abs(cov) {
				t.Errorf("%d: covariance %v, want %v", n, got, cov)
			}
			corr := cov / math.Sqrt(central(xx, sx, sx)*central(yy, sy, sy))
			if got := p.Correlation(); math.Abs(got-corr) > 1e-12 {
				t.Errorf("%d: correlation %v, want %v", n, got, corr)
			}
		}
	})
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		xs, ys []float64
		want   float64
	}{
		{[]float64{inf, 1}, []float64{1, 1}, inf}, {[]float64{1e200, 1}, []float64{-1e200, 1}, -inf}, {[]float64{1e308, 1e308}, []float64{1, 1}, inf},
		{[]float64{inf, 1}, []float64{0, 1}, nan}, {[]float64{inf, inf}, []float64{1, -1}, nan}, {nil, nil, 0},
	} {
		// The second block tests the merging.
		xs, ys := make([]float64, BlockLen+len(c.xs)), make([]float64, BlockLen+len(c.xs))
		for _, at := range []int{0, BlockLen} {
			copy(xs[at:], c.xs)
			copy(ys[at:], c.ys)
		}
		p := totalOfPairs[Dot](t, SumProducts, xs, ys)
		if got := p.Sum(); math.Float64bits(got) != math.Float64bits(canonicalNaN(c.want)) {
			t.Errorf("dot of %v and %v: %v, want %v", c.xs, c.ys, got, c.want)
		}
	}
	r := rand.New(rand.NewPCG(6, 6))
	for _, n := range []int{2, 3, 1000, 2*BlockLen + 7} {
		for _, factor := range []float64{-1, 1, -4, 0.5, -0x1p300} {
			xs := numbers(n, func(int) float64 { return r.NormFloat64() })
			ys := numbers(n, func(i int) float64 { return factor * xs[i] })
			p := totalOfPairs[Comoments](t, Covary, xs, ys)
			if got := p.Correlation(); got != math.Copysign(1, factor) {
				t.Errorf("%d pairs x, %v*x: correlation %v", n, factor, got)
			}
		}
	}
}

// Sums of products that cancel, of both types with a kernel of their own.
func TestDotsOfIllConditionedPairsAreAlmostCorrectlyRounded(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 7))
	for trial := range 20 {
		cond := math.Pow10(r.IntN(15))
		n := 500 + r.IntN(2*BlockLen)
		xs := numbers(n, func(int) float32 { return float32((r.Float64() - 0.5) * math.Pow10(r.IntN(8)-4)) })
		ys := numbers(n, func(int) float32 { return float32(r.Float64() - 0.5) })
		for i := n / 2; i < n-1; i++ { // what came before, but for a little
			xs[i], ys[i] = -xs[i-n/2], ys[i-n/2]*float32(1+1/cond)
		}
		exact := new(big.Rat)
		wideXs, wideYs := make([]float64, n), make([]float64, n)
		for i := range xs {
			wideXs[i], wideYs[i] = float64(xs[i]), float64(ys[i])
			exact.Add(exact, new(big.Rat).Mul(exactly(wideXs[i]), exactly(wideYs[i])))
		}
		onTiers(t, func(t *testing.T) {
			p := totalOfPairs[Dot](t, SumProducts, wideXs, wideYs)
			if off := ulps(p.Sum(), exact); off > 1 {
				t.Errorf("trial %d, condition %g: dot %v is off by %v ulp", trial, cond, p.Sum(), off)
			}
			narrow := SumProducts.NewMerger().(*TreeMerger[Dot])
			if err := narrow.Add(0, pairsOf(SumProducts, Float32, Float32, bytesView(xs), bytesView(ys))); err != nil {
				t.Fatal(err)
			}
			if got := narrow.Total(); ulps(got.Sum(), exact) > 1 {
				t.Errorf("trial %d, condition %g: dot of float32 %v, of float64 %v", trial, cond, got.Sum(), p.Sum())
			}
		})
	}
}

func TestHistogramHasNumPysBins(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 5))
	for _, bins := range []int{1, 3, 10, 256} {
		h, err := NewHistogram(-1, 2, bins)
		if err != nil {
			t.Fatal(err)
		}
		xs := numbers(3*BlockLen, func(i int) float64 {
			if i%3 == 0 {
				return h.Edges()[r.IntN(bins+1)] // on an edge
			}
			return r.NormFloat64()
		})
		xs[5], xs[6] = math.NaN(), math.Inf(-1)
		other, _ := NewHistogram(-1, 2, bins)
		for i := 0; i < len(xs); i += BlockLen {
			[]*Histogram{h, other}[i/BlockLen%2].Block(Float64, bytesView(xs[i:i+BlockLen]))
		}
		read, err := DecodeHistogram(other.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Add(read); err != nil {
			t.Fatal(err)
		}
		want := make([]uint64, bins)
		var below, above uint64
		for _, x := range xs {
			switch i, exact := slices.BinarySearch(h.Edges(), x); {
			case x != x:
			case x < -1:
				below++
			case x > 2:
				above++
			case exact:
				want[min(i, bins-1)]++
			default:
				want[i-1]++
			}
		}
		b, a, nan := h.Outside()
		if !slices.Equal(h.Counts(), want) || b != below || a != above || nan != 1 {
			t.Errorf("%d bins: %v, %d, %d, %d, want %v, %d, %d, 1", bins, h.Counts(), b, a, nan, want, below, above)
		}
	}
	for _, c := range []struct {
		lo, hi float64
		bins   int
	}{{0, 1, 0}, {1, 0, 3}, {math.NaN(), 1, 3}, {0, math.Inf(1), 3}, {-math.MaxFloat64, math.MaxFloat64, 3},
		{0, 5e-324, 10}, {0, 1e-308, 100}, {1e300, 1e300, 10}, {0x1p54, 0x1p54, 10}, {1e16, 1e16 + 4, 10}} {
		if _, err := NewHistogram(c.lo, c.hi, c.bins); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

// FuzzPartial feeds the mergers of all reductions bytes from nowhere.
func FuzzPartial(f *testing.F) {
	for name, r := range reductions {
		for _, t := range []Type{Float64, Int16, Bool} {
			f.Add(name, uint8(t), partialOf(r, t, corpus([]Type{t}, 50)[0]))
		}
	}
	for name, r := range pairReductions {
		f.Add(name, uint8(0), pairsOf(r, Float32, Int16, corpus([]Type{Float32}, 50)[0], corpus([]Type{Int16}, 50)[0]))
	}
	h, _ := NewHistogram(0, 1, 3)
	f.Add("histogram", uint8(0), h.Encode())
	f.Fuzz(func(t *testing.T, name string, typ uint8, b []byte) {
		DecodeHistogram(b)
		var m Merger
		if r, ok := pairReductions[name]; ok {
			m = r.NewMerger()
		} else if r, ok := reductions[name]; ok && Type(typ).Valid() {
			m = r.NewMerger(Type(typ))
		} else {
			return
		}
		if m.Add(0, b) != nil {
			return
		}
		if err := m.Add(1, b); err != nil {
			t.Fatalf("%s %v: refused the second time: %v", name, Type(typ), err)
		}
		switch m := m.(type) {
		case *TreeMerger[Summary]:
			s := m.Total()
			_ = fmt.Sprint(s.Min(), s.Max(), s.Sum(), s.Mean(), s.Var(1), s.Std(0))
		case *TreeMerger[Moments]:
			s := m.Total()
			_ = fmt.Sprint(s.Skewness(), s.Kurtosis())
		case *TreeMerger[Product]:
			p := m.Total()
			p.Result()
		case *TreeMerger[Norms]:
			p := m.Total()
			_ = p.Norm1() + p.Norm2() + p.NormInf()
		case *TreeMerger[Extremes]:
			p := m.Total()
			if at, ok := p.ArgMin(); ok && at >= p.count {
				t.Errorf("least of %d elements at %d", p.count, at)
			}
		case *TreeMerger[Dot]:
			p := m.Total()
			_ = p.Sum()
		case *TreeMerger[Comoments]:
			p := m.Total()
			if r := p.Correlation(); r < -1 || r > 1 {
				t.Errorf("correlation %v, covariance %v", r, p.Covariance(1))
			}
		}
	})
}
