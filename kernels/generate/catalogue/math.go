package catalogue

import "github.com/gangsaw/gangsaw/kernels/generate/ir"

// throughFloat64 makes a function of float64 for float64 and, narrowed, for
// float32. The function's NaN is canonical.
func throughFloat64(name string, f func(b *ir.B, x ir.V) ir.V) []*ir.Kernel {
	return unary(name, floats, func(b *ir.B, t ir.Elem, x ir.V) ir.V {
		if t == ir.Float32 {
			return f(b, x.Widen()).Narrow()
		}
		return f(b, x)
	})
}

// canonically is f with its NaN made the canonical one.
func canonically(f func(b *ir.B, x ir.V) ir.V) func(*ir.B, ir.V) ir.V {
	return func(b *ir.B, x ir.V) ir.V { return canonical(b, f(b, x)) }
}

// horner is the polynomial with these coefficients, highest power first.
func horner(x ir.V, coefficients ...float64) ir.V {
	p := x.C(coefficients[0])
	for _, c := range coefficients[1:] {
		p = p.FMA(x, x.C(c))
	}
	return p
}

// halves is horner for even and odd powers apart, which takes less time where
// each step waits for the one before.
func halves(x, squared ir.V, coefficients ...float64) ir.V {
	var parts [2]ir.V
	last := len(coefficients) - 1
	for i, c := range coefficients {
		if p := &parts[(last-i)%2]; i < 2 {
			*p = x.C(c)
		} else {
			*p = p.FMA(squared, x.C(c))
		}
	}
	return parts[1].FMA(x, parts[0])
}

// fastTwoSum is x+y and its rounding error, where |x| >= |y| or x is 0 (Dekker
// 1971).
func fastTwoSum(x, y ir.V) (sum, tail ir.V) {
	sum = x.Add(y)
	return sum, x.Sub(sum).Add(y)
}

// twoSum is x+y and its rounding error (Knuth, TAOCP 2, 4.2.2).
func twoSum(x, y ir.V) (sum, tail ir.V) {
	sum = x.Add(y)
	part := sum.Sub(x)
	return sum, x.Sub(sum.Sub(part)).Add(y.Sub(part))
}

// twoProduct is x*y and its rounding error.
func twoProduct(x, y ir.V) (product, tail ir.V) {
	product = x.Mul(y)
	return product, x.FMS(y, product)
}

// withSign puts the sign bit of s into v, which is not of the other sign.
func withSign(b *ir.B, v, s ir.V) ir.V {
	return v.Bits().Or(s.Bits().And(signBit(b, s.Type()))).AsFloat()
}

// The magic sum: adding 1.5*2^52 rounds to an integer, which 1023 more turns
// into a biased exponent in the low bits.
const (
	magic       = 0x1.8p52
	biasedMagic = magic + 1023
)

// negativePower is 2^-k for integral |k| <= 1022.
func negativePower(k ir.V) ir.V {
	return k.C(biasedMagic).Sub(k).Bits().ShlI(52).AsFloat()
}
