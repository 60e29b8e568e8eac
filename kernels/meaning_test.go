package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
)

// get returns the bits of element i.
func get(src []byte, t Type, i int) uint64 {
	switch t.Size() {
	case 1:
		return uint64(src[i])
	case 2:
		return uint64(binary.NativeEndian.Uint16(src[2*i:]))
	case 4:
		return uint64(binary.NativeEndian.Uint32(src[4*i:]))
	}
	return binary.NativeEndian.Uint64(src[8*i:])
}

// floatOf and intOf return what the bits of an element mean.
func floatOf(t Type, bits uint64) float64 {
	switch t {
	case Float64:
		return math.Float64frombits(bits)
	case Float32:
		return float64(math.Float32frombits(uint32(bits)))
	case BFloat16:
		return float64(math.Float32frombits(uint32(bits) << 16))
	case Float16:
		// By the definition of IEEE 754: 1 bit, 5 bits, 10 bits.
		sign, exponent, fraction := 1-2*float64(bits>>15), int(bits>>10&31), float64(bits&1023)
		switch exponent {
		case 31:
			if fraction != 0 {
				return math.NaN()
			}
			return sign * math.Inf(1)
		case 0:
			return sign * math.Ldexp(fraction, -24)
		}
		return sign * math.Ldexp(1024+fraction, exponent-25)
	}
	f, _ := new(big.Float).SetInt(intOf(t, bits)).Float64()
	return f
}

func intOf(t Type, bits uint64) *big.Int {
	switch {
	case t == Bool:
		if bits != 0 {
			return big.NewInt(1)
		}
		return new(big.Int)
	case t.IsSigned():
		unused := 64 - 8*t.Size()
		return big.NewInt(int64(bits<<unused) >> unused)
	}
	return new(big.Int).SetUint64(bits)
}

// bitsOf returns the bits of a float result: every NaN is the canonical one.
func bitsOf(t Type, f float64) uint64 {
	if f != f {
		return map[Type]uint64{Float64: 0x7ff8000000000000, Float32: 0x7fc00000, Float16: 0x7e00, BFloat16: 0x7fc0}[t]
	}
	return t.FloatBits(f)
}

// wrapped returns the low bits of an integer.
func wrapped(t Type, i *big.Int) uint64 {
	m := new(big.Int).Lsh(big.NewInt(1), uint(8*t.Size()))
	return new(big.Int).Mod(i, m).Uint64() // Mod is never negative
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// meaning returns what a kernel must return for operands of these bits, from
// definitions of its own, and whether it knows the kernel.
func meaning(k *Elementwise, x []uint64) (uint64, bool) {
	t := k.In()[len(k.In())-1]
	switch {
	case k.Name() == "cast" || k.Name() == "saturate" || strings.HasPrefix(k.Name(), "fits_"):
		return conversion(k, t, x[0])
	case k.Name() == "cell":
		return cellMeaning([3]float64{math.Float64frombits(x[0]), math.Float64frombits(x[1]), math.Float64frombits(x[2])}), true
	case k.Name() == "where":
		if x[0] != 0 {
			x[2] = x[1]
		}
		if t == Bool {
			return truth(x[2] != 0), true
		}
		return x[2], true
	case t == Bool:
		return logic(k.Name(), x)
	case t.IsFloat():
		return floatMeaning(k, t, x)
	}
	return intMeaning(k, t, x)
}

func logic(name string, x []uint64) (uint64, bool) {
	switch name {
	case "logical_and":
		return truth(x[0] != 0 && x[1] != 0), true
	case "logical_or":
		return truth(x[0] != 0 || x[1] != 0), true
	case "logical_xor":
		return truth((x[0] != 0) != (x[1] != 0)), true
	case "logical_not":
		return truth(x[0] == 0), true
	}
	return 0, false
}

func floatMeaning(k *Elementwise, t Type, bits []uint64) (uint64, bool) {
	var x [3]float64
	for i := range bits {
		x[i] = floatOf(t, bits[i])
	}
	sign := uint64(1) << (8*t.Size() - 1)
	number := func(f float64) (uint64, bool) { return bitsOf(t, f), true }
	// A float32 operation is that of float64, rounded again: harmless for
	// those that IEEE defines (Figueroa 1995).
	switch k.Name() {
	case "add":
		return number(x[0] + x[1])
	case "subtract":
		return number(x[0] - x[1])
	case "multiply":
		return number(x[0] * x[1])
	case "divide":
		return number(x[0] / x[1])
	case "sqrt":
		return number(math.Sqrt(x[0]))
	case "fma":
		return fmaMeaning(t, x)
	case "fmod":
		return number(math.Mod(x[0], x[1]))
	case "remainder":
		return number(floorRemainder(x[0], x[1]))
	case "floor_divide":
		return floorQuotientOfFloats(t, x[0], x[1])
	case "floor":
		return number(math.Floor(x[0]))
	case "ceil":
		return number(math.Ceil(x[0]))
	case "trunc":
		return number(math.Trunc(x[0]))
	case "rint":
		return number(math.RoundToEven(x[0]))
	case "negative":
		return bits[0] ^ sign, true
	case "absolute":
		return bits[0] &^ sign, true
	case "sign":
		if x[0] == 0 || x[0] != x[0] {
			return number(x[0])
		}
		return number(math.Copysign(1, x[0]))
	case "minimum":
		return number(least(x[0], x[1]))
	case "maximum":
		return number(-least(-x[0], -x[1]))
	case "clip":
		return number(least(-least(-x[0], -x[1]), x[2]))
	case "isnan":
		return truth(math.IsNaN(x[0])), true
	case "isinf":
		return truth(math.IsInf(x[0], 0)), true
	case "isfinite":
		return truth(!math.IsInf(x[0], 0) && !math.IsNaN(x[0])), true
	case "signbit":
		return bits[0] / sign, true
	}
	return comparison(k.Name(), x[0] < x[1], x[0] == x[1], x[0] > x[1])
}

// least is the lesser of two: NaN if either is, also beside an infinity, where
// math.Min says otherwise; -0 < +0.
func least(x, y float64) float64 {
	switch {
	case x != x || y != y:
		return math.NaN()
	case x < y || x == y && math.Signbit(x):
		return x
	}
	return y
}

// extremes returns operands in which zeros, infinities and NaN meet in every way.
func extremes(in []Type) [][]byte {
	n := 1
	for _, t := range in {
		n *= len(extremesOf(t))
	}
	operands := make([][]byte, len(in))
	each := 1
	for i, t := range in {
		all := extremesOf(t)
		operands[i] = make([]byte, n*t.Size())
		for e := range n {
			put(operands[i], t, e, all[e/each%len(all)])
		}
		each *= len(all)
	}
	return operands
}

func extremesOf(t Type) []uint64 {
	if !t.IsFloat() {
		return []uint64{0, 1, 1 << (8*t.Size() - 1), math.MaxUint64}
	}
	sign := uint64(1) << (8*t.Size() - 1)
	var all []uint64
	for _, f := range []float64{0, 1, math.Inf(1), math.NaN()} {
		all = append(all, bitsOf(t, f), bitsOf(t, f)|sign)
	}
	return all
}

// floorRemainder is the rest with y's sign, also where it is 0.
func floorRemainder(x, y float64) float64 {
	r := math.Mod(x, y)
	switch {
	case r == 0:
		return math.Copysign(0, y)
	case math.Signbit(r) != math.Signbit(y):
		return r + y
	}
	return r
}

// floorQuotientOfFloats is (x-remainder)/y with the rounding that this has, as
// NumPy computes it.
func floorQuotientOfFloats(t Type, x, y float64) (uint64, bool) {
	if y == 0 {
		return bitsOf(t, x/y), true
	}
	rounded := func(f float64) float64 { return floatOf(t, bitsOf(t, f)) }
	rest := math.Mod(x, y)
	q := rounded(rounded(x-rest) / y)
	if rest != 0 && math.Signbit(rest) != math.Signbit(y) {
		q = rounded(q - 1)
	}
	if q == 0 {
		return bitsOf(t, math.Copysign(0, x/y)), true
	}
	floor := math.Floor(q)
	if q-floor > 0.5 {
		floor++
	}
	return bitsOf(t, floor), true
}

// cellMeaning takes what is cut off from one whole number to the next.
func cellMeaning(x [3]float64) uint64 {
	switch f := math.FMA(x[0], x[1], x[2]); {
	case f >= 2047:
		return 2047
	case f >= 1:
		return uint64(f)
	}
	return 0
}

// fmaMeaning rounds the exact value.
func fmaMeaning(t Type, x [3]float64) (uint64, bool) {
	for _, f := range x {
		if f-f != 0 {
			return bitsOf(t, x[0]*x[1]+x[2]), true // an infinity, or NaN
		}
	}
	exact := func(f float64) *big.Float { return new(big.Float).SetPrec(5000).SetFloat64(f) }
	p := exact(x[0])
	p.Mul(p, exact(x[1]))
	s := new(big.Float).SetPrec(5000).Add(p, exact(x[2]))
	if s.Sign() == 0 {
		return bitsOf(t, x[0]*x[1]+x[2]), true // has the sign of IEEE's rules
	}
	if t == Float32 {
		f, _ := s.Float32()
		return uint64(math.Float32bits(f)), true
	}
	f, _ := s.Float64()
	return math.Float64bits(f), true
}

func comparison(name string, less, equal, greater bool) (uint64, bool) {
	switch name {
	case "equal":
		return truth(equal), true
	case "not_equal":
		return truth(!equal), true
	case "less":
		return truth(less), true
	case "less_equal":
		return truth(less || equal), true
	case "greater":
		return truth(greater), true
	case "greater_equal":
		return truth(greater || equal), true
	}
	return 0, false
}

func intMeaning(k *Elementwise, t Type, bits []uint64) (uint64, bool) {
	var x [3]*big.Int
	for i := range bits {
		x[i] = intOf(t, bits[i])
	}
	z := new(big.Int)
	number := func(i *big.Int) (uint64, bool) { return wrapped(t, i), true }
	nonzero := func(f func() *big.Int) (uint64, bool) {
		if x[1].Sign() == 0 {
			return 0, true
		}
		return number(f())
	}
	w := uint64(8 * t.Size())
	switch k.Name() {
	case "add":
		return number(z.Add(x[0], x[1]))
	case "subtract":
		return number(z.Sub(x[0], x[1]))
	case "multiply":
		return number(z.Mul(x[0], x[1]))
	case "negative":
		return number(z.Neg(x[0]))
	case "absolute":
		return number(z.Abs(x[0]))
	case "sign":
		return number(big.NewInt(int64(x[0].Sign())))
	case "minimum":
		if x[1].Cmp(x[0]) < 0 {
			return bits[1], true
		}
		return bits[0], true
	case "maximum":
		if x[1].Cmp(x[0]) > 0 {
			return bits[1], true
		}
		return bits[0], true
	case "clip":
		if x[0].Cmp(x[1]) < 0 {
			x[0] = x[1]
		}
		if x[0].Cmp(x[2]) > 0 {
			x[0] = x[2]
		}
		return number(x[0])
	case "bitwise_and":
		return bits[0] & bits[1], true
	case "bitwise_or":
		return bits[0] | bits[1], true
	case "bitwise_xor":
		return bits[0] ^ bits[1], true
	case "invert":
		return number(z.Not(x[0]))
	case "byteswap":
		var swapped uint64
		for i := range t.Size() {
			swapped = swapped<<8 | bits[0]>>(8*i)&0xff
		}
		return swapped, true
	case "left_shift":
		if bits[1] >= w {
			return 0, true
		}
		return number(z.Lsh(x[0], uint(bits[1])))
	case "right_shift":
		return number(z.Rsh(x[0], uint(min(bits[1], w))))
	case "power":
		if x[1].Sign() < 0 {
			// 1/x^-y, cut off.
			if x[0].IsInt64() && (x[0].Int64() == 1 || x[0].Int64() == -1) {
				return number(z.Exp(x[0], x[1].And(x[1], big.NewInt(1)), nil))
			}
			return 0, true
		}
		m := new(big.Int).Lsh(big.NewInt(1), uint(w))
		return number(z.Exp(x[0], x[1], m))
	case "trunc_divide":
		return nonzero(func() *big.Int { return z.Quo(x[0], x[1]) })
	case "fmod":
		return nonzero(func() *big.Int { return z.Rem(x[0], x[1]) })
	case "floor_divide":
		return nonzero(func() *big.Int { return floorQuotient(x[0], x[1]) })
	case "remainder":
		return nonzero(func() *big.Int { return z.Sub(x[0], z.Mul(floorQuotient(x[0], x[1]), x[1])) })
	}
	if len(bits) < 2 {
		return 0, false
	}
	c := x[0].Cmp(x[1])
	return comparison(k.Name(), c < 0, c == 0, c > 0)
}

func floorQuotient(x, y *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	if r.Sign() != 0 && r.Sign() != y.Sign() {
		q.Sub(q, big.NewInt(1))
	}
	return q
}

// conversion is what the kernels of family cast must return.
func conversion(k *Elementwise, from Type, bits uint64) (uint64, bool) {
	to := k.Out()
	if name, ok := strings.CutPrefix(k.Name(), "fits_"); ok {
		var err error
		if to, err = ParseType(name); err != nil {
			panic(err)
		}
	}
	if to.IsFloat() {
		if !from.IsFloat() && to == Float32 {
			f, _ := new(big.Float).SetInt(intOf(from, bits)).Float32()
			return uint64(math.Float32bits(f)), true
		}
		return bitsOf(to, floatOf(from, bits)), true
	}
	if to == Bool && k.Name() == "cast" {
		return truth(floatOf(from, bits) != 0), true
	}
	lo, hi := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(8*to.Size()))
	if to.IsSigned() {
		hi.Rsh(hi, 1)
		lo.Neg(hi)
	}
	hi.Sub(hi, big.NewInt(1))
	var i *big.Int
	if from.IsFloat() {
		f := floatOf(from, bits)
		switch {
		case f != f && k.Name() == "saturate", f-f != 0 && k.Name() == "cast":
			return 0, true
		case f-f != 0 && k.Name() != "saturate":
			return 0, true // fits: false
		case f > 1e300:
			i = new(big.Int).Lsh(big.NewInt(1), 1100) // infinity among them
			if f-f == 0 {
				i, _ = big.NewFloat(f).Int(nil)
			}
		case f < -1e300:
			i = new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 1100))
			if f-f == 0 {
				i, _ = big.NewFloat(f).Int(nil)
			}
		default:
			i, _ = big.NewFloat(f).Int(nil)
		}
	} else {
		i = intOf(from, bits)
	}
	switch {
	case k.Name() == "cast":
		return wrapped(to, i), true
	case k.Name() == "saturate":
		if i.Cmp(lo) < 0 {
			i = lo
		}
		if i.Cmp(hi) > 0 {
			i = hi
		}
		return wrapped(to, i), true
	}
	return truth(i.Cmp(lo) >= 0 && i.Cmp(hi) <= 0), true
}

// mathFunctions are tested for accuracy elsewhere.
var mathFunctions = []string{"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "power", "cbrt", "hypot", "erf"}

func TestKernelsMeanWhatTheTableSays(t *testing.T) {
	onTiers(t, func(t *testing.T) {
		for _, k := range ElementwiseKernels() {
			operands := corpus(k.In(), 3000)
			for i, more := range extremes(k.In()) {
				operands[i] = append(operands[i], more...)
			}
			n := len(operands[0]) / k.In()[0].Size()
			dst := make([]byte, n*k.Out().Size())
			a, b, c := three(operands)
			k.Run(dst, a, b, c)
			wrong := 0
			for e := 0; e < n && wrong < 3; e++ {
				x := make([]uint64, len(operands))
				for i, typ := range k.In() {
					x[i] = get(operands[i], typ, e)
				}
				shown := fmt.Sprintf("%#x", x)
				want, known := meaning(k, x)
				if !known {
					for _, name := range mathFunctions {
						known = known || name == k.Name()
					}
					if !known {
						t.Errorf("%v has no meaning", k)
					}
					break
				}
				if got := get(dst, k.Out(), e); got != want {
					t.Errorf("%v of %s: %#x, want %#x", k, shown, got, want)
					wrong++
				}
			}
		}
	})
}
