package main

import (
	"math"
	"math/rand/v2"
)

// draw puts the operands of one point into x.
type draw func(r *rand.Rand, f format, x *[3]float64)

// spot draws a number near which a function is hard.
type spot func(r *rand.Rand, f format) float64

// specials are the numbers that have rules of their own.
func specials(f format) []float64 {
	top := f.step(math.Inf(1), -1)
	return []float64{
		0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(),
		1, -1, 0.5, -0.5, 2, -2, 3, -3, 1.5, -1.5, f.step(1, 1), f.step(1, -1), f.step(-1, 1), f.step(-1, -1),
		top, -top, math.Ldexp(1, f.minExp), -math.Ldexp(1, f.minExp), math.Ldexp(1, f.tiniest()), -math.Ldexp(1, f.tiniest()),
		math.Ldexp(1, f.digits), -math.Ldexp(1, f.digits), math.Ldexp(1, f.digits) - 1, 1 - math.Ldexp(1, f.digits), math.Ldexp(1, f.digits+1), 1e10, -1e10,
	}
}

// anyBits draws any number, infinities and NaN included.
func anyBits(r *rand.Rand, f format) float64 { return f.bits(r.Uint64()) }

// anyExponent draws a magnitude from the whole range.
func anyExponent(r *rand.Rand, f format) float64 {
	return scaled(r, f.tiniest(), f.maxExp)
}

// scaled draws a number of either sign with an exponent from lo to hi.
func scaled(r *rand.Rand, lo, hi int) float64 {
	return sign(r) * math.Ldexp(1+r.Float64(), lo+r.IntN(hi-lo+1))
}

func sign(r *rand.Rand) float64 { return float64(1 - 2*r.IntN(2)) }

// few draws an integer below 2^bits of either sign, small ones as often as
// large ones.
func few(r *rand.Rand, bits int) int64 {
	return int64(sign(r)) * r.Int64N(1<<r.IntN(bits+1))
}

// beside draws a number near x: some steps of its format away.
func beside(r *rand.Rand, f format, x float64) float64 {
	return f.step(x, few(r, f.digits-8))
}

// The spots that many functions share.

func powerOfTwo(r *rand.Rand, f format) float64 {
	return sign(r) * math.Ldexp(1, f.tiniest()+r.IntN(f.maxExp-f.tiniest()+1))
}

// octaveCentre is where logarithms and roots choose the power of two.
func octaveCentre(r *rand.Rand, f format) float64 {
	return math.Ldexp(math.Sqrt2, int(few(r, 5)))
}

// tableStep is a point that a table or a choice of polynomial may begin at.
func tableStep(r *rand.Rand, _ format) float64 {
	return math.Ldexp(float64(few(r, 12)), -r.IntN(11))
}

func unit(r *rand.Rand, _ format) float64 { return sign(r) }

func origin(*rand.Rand, format) float64 { return 0 }

func everywhere(r *rand.Rand, f format) float64 {
	return []spot{powerOfTwo, octaveCentre, tableStep, unit, origin, anyExponent}[r.IntN(6)](r, f)
}

// unary draws the operand of a function: any bits, any magnitude, numbers of
// every day, and close to hard spots of functions at large and of this one.
func unary(ranges [][2]float64, own ...spot) draw {
	if len(own) == 0 {
		own = []spot{everywhere}
	}
	return func(r *rand.Rand, f format, x *[3]float64) {
		switch r.IntN(16) {
		case 0:
			x[0] = anyBits(r, f)
		case 1:
			x[0] = anyExponent(r, f)
		case 2:
			s := specials(f)
			x[0] = s[r.IntN(len(s))]
		case 3, 4, 5:
			x[0] = beside(r, f, everywhere(r, f))
		case 6, 7, 8, 9:
			x[0] = beside(r, f, own[r.IntN(len(own))](r, f))
		default:
			in := ranges[r.IntN(len(ranges))]
			x[0] = in[0] + r.Float64()*(in[1]-in[0])
		}
		x[0] = f.round(x[0])
	}
}

// edges are the binary logarithms of the results at which overflow, subnormal
// numbers and underflow begin, and of those that vanish beside 1.
func edges(r *rand.Rand, f format) float64 {
	e := []int{f.maxExp + 1, f.minExp, f.tiniest(), f.tiniest() - 1, f.digits, -f.digits, f.digits + 1, -f.digits - 1}
	return float64(e[r.IntN(len(e))])
}

// expSpot returns the hard spots of a function that grows like exp(factor*x):
// its edges, and where it chooses another power of two or table entry.
func expSpot(factor float64) spot {
	return func(r *rand.Rand, f format) float64 {
		if r.IntN(2) == 0 {
			return edges(r, f) / factor
		}
		k := float64(few(r, 11)) + 0.5
		return math.Ldexp(k, -[]int{0, 0, 0, 4, 5, 6, 7, 8}[r.IntN(8)]) / factor
	}
}

// turns are the hard spots of sin, cos and tan: multiples of pi/4, which
// multiples of pi/2 and the places half way are, and the worst of all.
func turns(r *rand.Rand, f format) float64 {
	if r.IntN(2) == 0 {
		return float64(few(r, min(f.digits, 40))) * (math.Pi / 4)
	}
	all := quarterTurns64()
	if f == binary32 {
		all = quarterTurns32()
	}
	return sign(r) * all[r.IntN(len(all))] * [...]float64{1, 1, 2, 0.5}[r.IntN(4)]
}

// at returns the spots x and -x.
func at(x ...float64) spot {
	return func(r *rand.Rand, _ format) float64 { return sign(r) * x[r.IntN(len(x))] }
}

// powers are the powers of integers: roots and logarithms are exact there.
func powers(n float64) spot {
	return func(r *rand.Rand, f format) float64 {
		return math.Pow(float64(few(r, int(float64(f.digits)/n))), n) * math.Ldexp(1, int(n)*int(few(r, 5)))
	}
}

func tenToThe(r *rand.Rand, f format) float64 {
	return math.Pow(10, float64(few(r, 5)))
}

// tangents are the tangents of multiples of pi/32.
func tangents(r *rand.Rand, _ format) float64 {
	return math.Tan(float64(few(r, 4)) * (math.Pi / 32))
}
