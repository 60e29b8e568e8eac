package expr

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

var (
	unaryOps  = []string{"-", "~", "not", "absolute", "sign", "floor", "sqrt", "isnan", "float32", "int8", "uint16", "float16", "float64", "bool", "int64", "uint64", "bfloat16"}
	binaryOps = []string{"+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "&", "|", "^", "<<", ">>", "and", "or", "minimum", "maximum", "fmod", "+", "*", "-"}
	literals  = []string{"0", "1", "2", "3", "7", "100", "200", "300", "70000", "0.5", "2.5", "1e300", "0.1", "5000000000", "9223372036854775807", "18446744073709551615", "0x10"}
)

func randomTerm(r *rand.Rand, arrays []array, depth int) *term {
	next := func() *term { return randomTerm(r, arrays, depth-1) }
	switch k := r.IntN(20); {
	case depth == 0 || k < 2:
		if r.IntN(4) == 0 {
			return &term{op: "#", text: literals[r.IntN(len(literals))]}
		}
		return &term{text: arrays[r.IntN(len(arrays))].Name}
	case k < 6:
		return &term{op: unaryOps[r.IntN(len(unaryOps))], args: []*term{next()}}
	case k < 7:
		return &term{op: []string{"min", "max", "sum", "mean", "count_nonzero"}[r.IntN(5)], args: []*term{next()}}
	case k < 8:
		return &term{op: []string{"where", "clip"}[r.IntN(2)], args: []*term{next(), next(), next()}}
	}
	return &term{op: binaryOps[r.IntN(len(binaryOps))], args: []*term{next(), next()}}
}

// corpus returns an array of every type, with every special value and others.
func corpus(r *rand.Rand, n int) []array {
	var all []array
	for _, t := range kernels.Types() {
		bits := make([]uint64, n)
		for i := range bits {
			f := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 2.5, 3, 127, 128, -129, 255, 256, 32768, 65504, 1e5, 0x1p31, 0x1p53, 0x1p63, -0x1p63, 0x1p64,
				1e300, 5e-324, 1e-40, math.Inf(1), math.Inf(-1), math.NaN(), r.Float64(), r.NormFloat64() * 100}[r.IntN(28)]
			switch {
			case t.IsFloat():
				bits[i] = t.FloatBits(f)
			case t == kernels.Bool:
				bits[i] = uint64(r.IntN(2))
			case r.IntN(2) == 0:
				bits[i] = uint64(int64(r.IntN(21) - 10))
			default:
				bits[i] = []uint64{1 << (8*t.Size() - 1), 1<<(8*t.Size()-1) - 1, math.MaxUint64, r.Uint64()}[r.IntN(4)]
			}
		}
		all = append(all, ofBits(t.Code(), t, bits...))
	}
	return all
}

func TestRandomExpressionsAreAsTheOracleSays(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 2))
	arrays := corpus(r, 300)
	defer kernels.UseTier(kernels.CurrentTier())
	computed, refused := 0, 0
	for round := range rounds(4000) {
		term := randomTerm(r, arrays, 1+r.IntN(4))
		want, werr := term.evaluate(arrays)
		if werr != nil && werr != errRefused {
			continue
		}
		if i := weakInteger(want); i != nil && wrap(kernels.Int64, i).Cmp(i) != 0 && wrap(kernels.Uint64, i).Cmp(i) != 0 {
			werr = errRefused // no type of 64 bits holds it
		}
		if kernels.UseTier(kernels.Tier(r.IntN(int(kernels.BestTier())+1))) != nil {
			t.Fatal("no tier")
		}
		got, _, err := compute(term.String(), arrays, Options{}, how{chunk: 1, tile: 1 << r.IntN(13)})
		if (err != nil) != (werr != nil) {
			t.Fatalf("seed %d, round %d: %v: %v, the oracle says %v", seed, round, term, err, werr)
		}
		if err != nil {
			refused++
			continue
		}
		computed++
		compareWith(t, fmt.Sprintf("seed %d, round %d: %v", seed, round, term), got[0], want)
	}
	if computed < rounds(1200) || refused < rounds(500) {
		t.Errorf("only %d expressions were computed and %d refused", computed, refused)
	}
}

// weakInteger returns a scalar that is a weak integer.
func weakInteger(c *column) *big.Int {
	if c == nil || !c.single || !c.typ.weak {
		return nil
	}
	return c.n[0].i
}

func compareWith(t *testing.T, name string, got outcome, want *column) {
	t.Helper()
	if got.Array == want.single || got.Type != want.typ.t {
		t.Fatalf("%s is of %v, want %v", name, got.Type, want.typ.t)
	}
	if !got.Array {
		v, n := got.value, want.n[0]
		if n.i != nil && v.Big() != nil && v.Big().Cmp(n.i) != 0 || want.typ.t.IsFloat() && math.Float64bits(v.Float64()) != math.Float64bits(n.f) && n.f == n.f ||
			want.typ.t == kernels.Bool && v.Float64() != float64(n.i.Int64()) {
			t.Fatalf("%s is %v, want %v %v", name, v, n.i, n.f)
		}
		return
	}
	for i := range want.n {
		bits := get(got.bytes, got.Type, i)
		one := columnOf(ofBits("", got.Type, bits)).bits(0)
		if one != want.bits(i) {
			t.Fatalf("%s: element %d is %#x, want %#x", name, i, bits, want.bits(i))
		}
	}
}
