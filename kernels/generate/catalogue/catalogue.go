// Package catalogue describes every elementwise kernel.
package catalogue

import (
	"math"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/kernels/generate/ir"
)

// Family is a group of kernels that share a file.
type Family struct {
	Name    string
	Kernels []*ir.Kernel
}

// Families returns every kernel.
func Families() []Family {
	cast, saturate, fits := casts()
	return []Family{
		{"arithmetic", arithmetic()},
		{"compare", compare()},
		{"bits", bits()},
		{"choose", choose()},
		{"integer", integer()},
		{"cast", cast},
		{"saturate", saturate},
		{"fits", fits},
		{"cell", []*ir.Kernel{cell()}},
		{"round", round()},
		{"exponential", exponential()},
		{"trigonometric", trigonometric()},
		{"inverse", inverse()},
		{"logarithm", logarithm()},
		{"hyperbolic", hyperbolic()},
		{"power", powersAndRoots()},
		{"divide", division()},
	}
}

var (
	floats   = []ir.Elem{ir.Float64, ir.Float32}
	signed   = []ir.Elem{ir.Int8, ir.Int16, ir.Int32, ir.Int64}
	unsigned = []ir.Elem{ir.Uint8, ir.Uint16, ir.Uint32, ir.Uint64}
	integers = append(append([]ir.Elem{}, signed...), unsigned...)
)

// nanBits are those of the NaN that arithmetic makes.
const (
	nan64 = 0x7ff8000000000000
	nan32 = 0x7fc00000
)

// nan returns the canonical NaN of a float type.
func nan(b *ir.B, t ir.Type) ir.V {
	if t == ir.F64 {
		return b.Int(ir.I64, nan64).AsFloat()
	}
	return b.Int(ir.I32, nan32).AsFloat()
}

// canonical is v with every NaN made the canonical one.
func canonical(b *ir.B, v ir.V) ir.V {
	return v.Ne(v).Select(nan(b, v.Type()), v)
}

// signBit returns the sign bit of a type.
func signBit(b *ir.B, t ir.Type) ir.V {
	return b.Int(t.Bits(), 1<<(8*t.Width()-1))
}

// copySign is |v| with the sign of s.
func copySign(b *ir.B, v, s ir.V) ir.V {
	m := signBit(b, v.Type())
	return v.Bits().AndNot(m).Or(s.Bits().And(m)).AsFloat()
}

// abs is |v|.
func abs(b *ir.B, v ir.V) ir.V {
	return v.Bits().AndNot(signBit(b, v.Type())).AsFloat()
}

// Terms returns the polynomials that functions written by hand share with
// kernels.
func Terms() (all []*ir.Table) {
	for _, p := range []struct {
		name  string
		terms []float64
	}{{"cosineTerms", cosineTerms}, {"sineTerms", sineTerms}} {
		t := &ir.Table{Name: p.name}
		for _, c := range p.terms {
			t.Entries = append(t.Entries, math.Float64bits(c))
		}
		all = append(all, t)
	}
	return all
}

// Plain returns the kernels that exist in portable code only.
func Plain() (all []*ir.Kernel) {
	for _, t := range integers {
		all = append(all, &ir.Kernel{Name: "power", In: []ir.Elem{t, t}, Out: t, Plain: "IntegerPower[" + t.GoType() + "]"})
	}
	return all
}

// unary makes out = f(in) for each type.
func unary(name string, types []ir.Elem, f func(b *ir.B, t ir.Elem, x ir.V) ir.V) (all []*ir.Kernel) {
	for _, t := range types {
		b := ir.New(name, t, t)
		all = append(all, b.Done(f(b, t, b.In(0))))
	}
	return all
}

// binary makes out = f(in, in) for each type.
func binary(name string, types []ir.Elem, f func(b *ir.B, t ir.Elem, x, y ir.V) ir.V) (all []*ir.Kernel) {
	for _, t := range types {
		b := ir.New(name, t, t, t)
		all = append(all, b.Done(f(b, t, b.In(0), b.In(1))))
	}
	return all
}

func join(groups ...[]*ir.Kernel) (all []*ir.Kernel) {
	for _, g := range groups {
		all = append(all, g...)
	}
	return all
}

// sorted orders kernels by name and type.
func sorted(all []*ir.Kernel) []*ir.Kernel {
	slices.SortStableFunc(all, func(x, y *ir.Kernel) int { return strings.Compare(x.ID(), y.ID()) })
	return all
}
