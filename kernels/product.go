package kernels

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
)

// Product is the partial of the product reduction. Nothing overflows on the
// way: of floats the significands are multiplied, with compensation, and the
// exponents added; of integers the magnitude is exact up to 128 bits.
type Product struct {
	typ                   Type
	count, nan, inf, zero uint64
	negative              bool // an odd number of elements has a sign bit

	// Of floats that are finite and not 0.
	significand double // of [1, 2), to the last bit
	exponent    int64
	// Of integers that are not 0; all ones stands for that and more.
	high, low uint64
}

// Multiply is the product reduction.
var Multiply = registerTree("product", partial[Product]{
	size:  11 * 8,
	empty: emptyProduct,
	fold:  func(f *blockFold, p *Product, t Type, block []byte) { *p = f.product(t, block) },
	merge: mergeProducts,
	encode: func(p Product, w *words) {
		for _, v := range [...]uint64{uint64(p.typ), p.count, p.nan, p.inf, p.zero, uint64(boolByte(p.negative)), uint64(p.exponent), p.high, p.low} {
			w.put(v)
		}
		w.putDouble(p.significand)
	},
	decode: func(t Type, r *words) (Product, error) {
		typ := r.get()
		p := Product{typ: t, count: r.get(), nan: r.get(), inf: r.get(), zero: r.get(), negative: r.get() != 0,
			exponent: int64(r.get()), high: r.get(), low: r.get(), significand: r.getDouble()}
		const far = 1 << 61 // more than the exponents of 2^50 elements add up to
		switch {
		case typ != uint64(t):
			return p, fmt.Errorf("of type %d, want %v", typ, t)
		case p.count > maxCount || p.nan > maxCount || p.inf > maxCount || p.zero > maxCount || p.nan+p.inf+p.zero > p.count:
			return p, fmt.Errorf("counts %d+%d+%d of %d elements", p.nan, p.inf, p.zero, p.count)
		case !(p.significand.hi >= 1 && p.significand.hi <= 2 && math.Abs(p.significand.lo) <= 0x1p-50) || p.exponent > far || p.exponent < -far:
			return p, fmt.Errorf("with significand %v and exponent %d", p.significand, p.exponent)
		}
		return p, nil
	},
})

func emptyProduct(t Type) Product { return Product{typ: t, significand: double{1, 0}, low: 1} }

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// NaN returns the number of elements that are NaN.
func (p *Product) NaN() uint64 { return p.nan }

// Result returns the product of the elements that are not NaN, 1 of none: of
// floats, correctly rounded on ordinary data; of integers it is exact, and an
// error where it does not fit a signed 64-bit integer, of unsigned types an
// unsigned one.
func (p *Product) Result() (Value, error) {
	if !p.typ.IsFloat() {
		return p.integer()
	}
	sign := 1.0
	if p.negative {
		sign = -1
	}
	switch {
	case p.inf > 0 && p.zero > 0:
		return floatValue(math.NaN()), nil
	case p.inf > 0:
		return floatValue(math.Inf(int(sign))), nil
	case p.zero > 0:
		return floatValue(math.Copysign(0, sign)), nil
	case p.exponent > 2000:
		return floatValue(math.Inf(int(sign))), nil
	case p.exponent < -2000:
		return floatValue(math.Copysign(0, sign)), nil
	}
	exact := new(big.Float).SetPrec(200).SetFloat64(p.significand.hi)
	exact.Add(exact, big.NewFloat(p.significand.lo))
	exact.SetMantExp(exact, int(p.exponent))
	f, _ := exact.Float64()
	return floatValue(sign * f), nil
}

func (p *Product) integer() (Value, error) {
	limit := uint64(math.MaxInt64)
	switch {
	case p.zero > 0:
		return intValue(int128{}), nil
	case !p.typ.IsSigned():
		limit = math.MaxUint64
	case p.negative:
		limit = 1 << 63
	}
	if p.high > 0 || p.low > limit {
		return Value{}, fmt.Errorf("the product of %d %v elements does not fit 64 bits: cast to float64 first", p.count, p.typ)
	}
	if p.negative {
		return intValue(int128{-1, -p.low}), nil
	}
	return intValue(int128{0, p.low}), nil
}

// mergeProducts makes a the product of its elements and those of b.
func mergeProducts(a, b *Product) {
	a.count += b.count
	a.nan += b.nan
	a.inf += b.inf
	a.zero += b.zero
	a.negative = a.negative != b.negative
	switch {
	case a.typ.IsFloat():
		a.significand = a.significand.times(b.significand)
		a.exponent += b.exponent
		a.normalize()
	// Magnitudes are 1 or more, so that whatever overflows stays so.
	case a.high > 0 && b.high > 0:
		a.high, a.low = math.MaxUint64, math.MaxUint64
	case b.high > 0:
		a.high, a.low = timesWord(b.high, b.low, a.low)
	default:
		a.high, a.low = timesWord(a.high, a.low, b.low)
	}
}

// timesWord returns a magnitude times another of 64 bits, all ones if it overflows.
func timesWord(high, low, by uint64) (_, _ uint64) {
	carry, low := bits.Mul64(low, by)
	over, high := bits.Mul64(high, by)
	high, c := bits.Add64(high, carry, 0)
	if over > 0 || c > 0 {
		return math.MaxUint64, math.MaxUint64
	}
	return high, low
}

// normalize brings the significand back to [1, 2).
func (p *Product) normalize() {
	_, e := math.Frexp(p.significand.hi)
	p.significand = p.significand.ldexp(1 - e)
	p.exponent += int64(e - 1)
}

// times returns x*y to about 2^-103 (Dekker's product with FMA).
func (x double) times(y double) double {
	p := float64(x.hi * y.hi) // never fused with the sum below
	e := math.FMA(x.hi, y.hi, -p)
	e = math.FMA(x.hi, y.lo, math.FMA(x.lo, y.hi, e))
	hi, lo := fastTwoSum(p, e)
	return double{hi, lo}
}

// toFloat64 are the kernels that cast to float64, by type.
var toFloat64 = castsTo(Float64)

// asFloat64 converts a block into dst and returns that part of it.
func (f *blockFold) asFloat64(dst []float64, t Type, block []byte) []float64 {
	n := len(block) / t.Size()
	t, block = f.widened(t, block)
	if t == Float64 {
		copy(bytesView(dst), block)
	} else {
		toFloat64()[t].Run(bytesView(dst[:n]), block, nil, nil)
	}
	return dst[:n]
}

func (f *blockFold) product(t Type, block []byte) Product {
	if !t.IsFloat() {
		return f.integerProduct(t, block)
	}
	p := emptyProduct(t)
	xs := f.asFloat64(f.doubles[:], t, block)
	p.count = uint64(len(xs))
	f.multiply(&p, xs)
	special := uint64(0)
	for _, n := range f.lanes(4) {
		special += n
	}
	if special > 0 {
		// Without what is special, and with subnormals made normal.
		p = emptyProduct(p.typ)
		p.count = uint64(len(xs))
		subnormal := p.withoutSpecials(xs)
		f.multiply(&p, xs)
		p.exponent -= 54 * subnormal
	}
	return p
}

// withoutSpecials counts NaN, infinities and zeros and puts 1 with their sign,
// of NaN without one, in their place. It scales subnormals by 2^54 and returns
// how many there are.
func (p *Product) withoutSpecials(xs []float64) (subnormal int64) {
	for i, x := range xs {
		switch {
		case x != x:
			p.nan++
			xs[i] = 1
		case x == 0:
			p.zero++
			xs[i] = math.Copysign(1, x)
		case x-x != 0:
			p.inf++
			xs[i] = math.Copysign(1, x)
		case math.Abs(x) < 0x1p-1022:
			subnormal++
			xs[i] = x * 0x1p54
		}
	}
	return subnormal
}

// multiply sets the product of xs.
func (f *blockFold) multiply(p *Product, xs []float64) {
	productFolds[Float64].run(f.states[:], bytesView(xs), 0, 0)
	p.significand, p.exponent = double{1, 0}, -1023*int64(len(xs))
	for l := range Lanes {
		hi, lo := math.Float64frombits(f.lanes(0)[l]), math.Float64frombits(f.lanes(1)[l])
		hi, lo = fastTwoSum(hi, lo)
		p.significand = p.significand.times(double{hi, lo})
		p.exponent += int64(f.lanes(2)[l])
		p.normalize()
		p.negative = p.negative != (f.lanes(3)[l]>>63 == 1)
	}
}

var zeroElement [8]byte

func (f *blockFold) integerProduct(t Type, block []byte) Product {
	p := emptyProduct(t)
	p.count = uint64(len(block) / t.Size())
	p.zero = p.count - f.truthOf(t, block).nonzero
	if t.IsSigned() {
		negative := f.truth2[:p.count]
		less[t].Run(negative, block, zeroElement[:t.Size()], nil)
		p.negative = f.truthOf(Bool, negative).nonzero%2 == 1
	}
	if t == Bool {
		return p // of ones
	}
	// Once it overflows the rest of the magnitudes means nothing.
	for i := 0; i < int(p.count) && p.high&p.low < math.MaxUint64; i++ {
		v := integerElement(block, t, i)
		if t.IsSigned() && int64(v) < 0 {
			v = -v
		}
		if v > 1 {
			p.high, p.low = timesWord(p.high, p.low, v)
		}
	}
	return p
}
