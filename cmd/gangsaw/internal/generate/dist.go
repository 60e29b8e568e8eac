// Package generate makes files of numbers to try things on. The same [Spec]
// makes the same bytes whatever the number of CPUs, since each block of
// elements has a random source of its own. Only normal deviates may differ in
// their last bits between architectures, as math.Log does.
package generate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
)

// Dist is a distribution of numbers.
type Dist int

// The distributions.
const (
	Normal Dist = iota
	Uniform
	Wide
	Sequence
	Zeros
)

var dists = [...]struct{ name, help string }{
	Normal:   {"normal", "mean 0, standard deviation 1 (floats only)"},
	Uniform:  {"uniform", "floats from 0 to 1; integers over the whole range of the type"},
	Wide:     {"wide", "either sign, magnitudes spread evenly over 30 orders of ten (floats only)"},
	Sequence: {"sequence", "0, 1, 2, ...; integers wrap around"},
	Zeros:    {"zeros", "all 0, in a sparse file"},
}

// Names lists the distributions.
func Names() string {
	var names []string
	for _, d := range dists {
		names = append(names, d.name)
	}
	return strings.Join(names, ", ")
}

// Help describes the distributions, a line each.
func Help() string {
	var b strings.Builder
	for _, d := range dists {
		fmt.Fprintf(&b, "  %-9s %s\n", d.name, d.help)
	}
	return b.String()
}

// ParseDist reads the name of a distribution of numbers of type t.
func ParseDist(s string, t kernels.Type) (Dist, error) {
	for d := Normal; int(d) < len(dists); d++ {
		if dists[d].name != s {
			continue
		}
		if (d == Normal || d == Wide) && !t.IsFloat() {
			return 0, fmt.Errorf("%s makes floats, not %s: use uniform or sequence", s, t)
		}
		return d, nil
	}
	return 0, fmt.Errorf("%q is none of %s", s, Names())
}

// float returns element i.
func (d Dist) float(i uint64, r *rand.Rand) float64 {
	switch d {
	case Normal:
		return r.NormFloat64()
	case Uniform:
		return r.Float64()
	case Wide:
		return (2*r.Float64() - 1) * math.Pow10(r.IntN(31)-15)
	case Sequence:
		return float64(i)
	}
	return 0
}

// integer returns the bits of element i, to be cut to the type's size.
func (d Dist) integer(i uint64, r *rand.Rand) uint64 {
	switch d {
	case Uniform:
		return r.Uint64()
	case Sequence:
		return i
	}
	return 0
}
