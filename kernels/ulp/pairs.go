package main

import (
	"math"
	"math/rand/v2"
)

// mixed draws from all, and now and then any bits and specials.
func mixed(operands int, all ...draw) draw {
	return func(r *rand.Rand, f format, x *[3]float64) {
		s := specials(f)
		switch r.IntN(12) {
		case 0:
			for i := range operands {
				x[i] = s[r.IntN(len(s))]
			}
		case 1:
			for i := range operands {
				x[i] = anyBits(r, f)
			}
			if r.IntN(2) == 0 {
				x[r.IntN(operands)] = s[r.IntN(len(s))]
			}
		default:
			all[r.IntN(len(all))](r, f, x)
		}
		for i := range operands {
			x[i] = f.round(x[i])
		}
	}
}

// everyday draws operands of every day.
func everyday(r *rand.Rand, f format, x *[3]float64) {
	for i := range x {
		x[i] = []float64{1, 10, 1000}[r.IntN(3)] * (2*r.Float64() - 1)
	}
}

// anyMagnitudes draws operands from the whole range.
func anyMagnitudes(r *rand.Rand, f format, x *[3]float64) {
	for i := range x {
		x[i] = anyExponent(r, f)
	}
}

// alike draws operands of nearly the same magnitude, from the whole range.
func alike(r *rand.Rand, f format, x *[3]float64) {
	x[0] = anyExponent(r, f)
	for i := 1; i < len(x); i++ {
		x[i] = sign(r) * beside(r, f, x[0])
	}
}

// inRatio draws operands whose ratio is bounded by a power of two on each
// side, from the whole range.
func inRatio(bound int) draw {
	return func(r *rand.Rand, f format, x *[3]float64) {
		x[0] = anyExponent(r, f)
		for i := 1; i < len(x); i++ {
			x[i] = scaled(r, -bound, bound) * x[0]
		}
	}
}

// atTableStep draws operands whose ratio is near a place where a table or a
// choice of polynomial may begin.
func atTableStep(r *rand.Rand, f format, x *[3]float64) {
	x[0] = scaled(r, -10, 10)
	x[1] = beside(r, f, x[0]/tableStep(r, f))
	if r.IntN(2) == 0 {
		x[0], x[1] = x[1], x[0]
	}
}

// atRange returns operands of which the first two are near the ends of the
// range: subnormal numbers, and those where squares and sums overflow.
func atRange(r *rand.Rand, f format, x *[3]float64) {
	ends := [...]int{f.maxExp, f.maxExp - 1, f.minExp, f.tiniest() + 2, f.maxExp / 2, f.minExp / 2}
	for i := range x {
		e := ends[r.IntN(len(ends))]
		x[i] = scaled(r, max(e-2, f.tiniest()), min(e+1, f.maxExp))
	}
}

// The points of power.

// powerEverywhere draws any exponent of the result that is in range.
func powerEverywhere(r *rand.Rand, f format, x *[3]float64) {
	x[0] = math.Abs(anyExponent(r, f))
	x[1] = (float64(f.tiniest()) + r.Float64()*float64(f.maxExp-f.tiniest())) / math.Log2(x[0])
}

// powerNearOne draws bases near 1 with exponents that bring the result back
// into the whole range.
func powerNearOne(r *rand.Rand, f format, x *[3]float64) {
	x[0] = f.step(1, few(r, f.digits-2))
	x[1] = (float64(f.tiniest()) + r.Float64()*float64(f.maxExp-f.tiniest())) / math.Log2(x[0])
}

// powerAtEdge draws results where overflow, subnormal numbers or underflow
// begin.
func powerAtEdge(r *rand.Rand, f format, x *[3]float64) {
	x[0] = math.Abs(anyExponent(r, f))
	if r.IntN(2) == 0 {
		x[0] = f.step(1, few(r, f.digits-2))
	}
	x[0] = f.round(x[0])
	x[1] = beside(r, f, edges(r, f)/math.Log2(x[0]))
}

// powerOfInteger draws integral exponents, bases of both signs.
func powerOfInteger(r *rand.Rand, f format, x *[3]float64) {
	x[1] = float64(few(r, 10))
	switch r.IntN(4) {
	case 0:
		x[0] = float64(few(r, 8))
	case 1:
		x[0] = beside(r, f, sign(r))
		x[1] = float64(few(r, f.digits+2))
	default:
		x[0] = sign(r) * math.Exp2((2*r.Float64()-1)*float64(f.maxExp)/max(1, math.Abs(x[1])))
	}
}

// powerOfFraction draws exponents that are simple fractions.
func powerOfFraction(r *rand.Rand, f format, x *[3]float64) {
	x[0] = math.Abs(anyExponent(r, f))
	if r.IntN(2) == 0 {
		x[0] = math.Abs(powers(2)(r, f))
	}
	x[1] = float64(few(r, 3)) / []float64{2, 3, 4}[r.IntN(3)]
}

// powerAtStep draws bases where logarithms choose another table entry or
// power of two, and any exponent.
func powerAtStep(r *rand.Rand, f format, x *[3]float64) {
	x[0] = math.Abs(beside(r, f, everywhere(r, f)))
	x[1] = 2 * (2*r.Float64() - 1) * float64(f.maxExp) / math.Log2(x[0])
}

// cancelled draws products that the addend all but takes away.
func cancelled(r *rand.Rand, f format, x *[3]float64) {
	x[0], x[1] = f.round(scaled(r, f.minExp/2, f.maxExp/2-1)), f.round(scaled(r, f.minExp/2, f.maxExp/2-1))
	x[2] = -beside(r, f, x[0]*x[1])
}

// besideProduct draws addends of about the product's magnitude, results among
// the subnormal numbers included.
func besideProduct(r *rand.Rand, f format, x *[3]float64) {
	e := f.tiniest() + r.IntN(f.maxExp-f.tiniest())
	part := r.IntN(100) - 50
	x[0] = scaled(r, e/2+part, e/2+part)
	x[1] = scaled(r, e-e/2-part, e-e/2-part)
	x[2] = x[0] * x[1] * scaled(r, -f.digits-2, f.digits+2)
}
