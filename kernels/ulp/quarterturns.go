package main

import (
	"math"
	"math/big"
	"sync"
)

// piBits is enough for the fraction of any float64 over pi/2.
const piBits = 1300

// scaledPi returns floor(pi * 2^piBits), nearly, by Machin's formula.
var scaledPi = sync.OnceValue(func() *big.Int {
	const guard = 32
	arctanOfInverse := func(n int64) *big.Int {
		power := new(big.Int).Lsh(big.NewInt(1), piBits+guard)
		power.Div(power, big.NewInt(n))
		sum := new(big.Int)
		for k := int64(0); power.Sign() != 0; k++ {
			term := new(big.Int).Div(power, big.NewInt(2*k+1))
			if k%2 == 1 {
				term.Neg(term)
			}
			sum.Add(sum, term)
			power.Div(power, big.NewInt(n*n))
		}
		return sum
	}
	pi := new(big.Int).Mul(big.NewInt(16), arctanOfInverse(5))
	pi.Sub(pi, new(big.Int).Mul(big.NewInt(4), arctanOfInverse(239)))
	return pi.Rsh(pi, guard)
})

// quarterTurns returns numbers of the format that are exceptionally close to
// multiples of pi/2, at every magnitude: for each exponent e the integers n of
// at most f.digits bits for which n*2^e is nearest to a multiple are the
// denominators of the convergents of 2^e/(pi/2).
func quarterTurns(f format) []float64 {
	var found []float64
	for e := -f.digits; e <= f.maxExp-f.digits+1; e++ {
		num := new(big.Int).Lsh(big.NewInt(1), uint(piBits+1+max(e, 0)))
		den := new(big.Int).Lsh(scaledPi(), uint(max(-e, 0)))
		before, q := big.NewInt(1), new(big.Int)
		for q.BitLen() <= f.digits && den.Sign() != 0 {
			if q.Sign() > 0 && q.BitLen() > f.digits/2 {
				n, _ := new(big.Float).SetInt(q).Float64()
				found = append(found, math.Ldexp(n, e))
			}
			part, rest := new(big.Int).DivMod(num, den, new(big.Int))
			num, den = den, rest
			// Denominators follow q(i) = part(i)*q(i-1) + q(i-2), from 1 and 0.
			before, q = q, part.Mul(part, q).Add(part, before)
		}
	}
	return found
}

// The quarter turns of each format.
var (
	quarterTurns64 = sync.OnceValue(func() []float64 { return quarterTurns(binary64) })
	quarterTurns32 = sync.OnceValue(func() []float64 { return quarterTurns(binary32) })
)
