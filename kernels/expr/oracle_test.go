package expr

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
)

// The oracle evaluates random expressions element by element: integers as big
// numbers, floats in float64 rounded to their type, types by what NumPy's table
// of safe casts says. It shares no rule with what it is held against.

// term is an expression.
type term struct {
	op   string // "" for an array, "#" for a number
	text string // of an array or number
	args []*term
}

// otype is a type; weak ones are Python's.
type otype struct {
	t    kernels.Type
	weak bool
}

// number is an element: an integer or truth value, or a float.
type number struct {
	i *big.Int
	f float64
}

// column is a term's value: one number for each element, or one alone.
type column struct {
	typ    otype
	single bool
	known  bool // made of numbers in the text alone
	n      []number
}

var errRefused = errors.New("refused")

func (t *term) String() string {
	args := make([]string, len(t.args))
	for i, a := range t.args {
		args[i] = a.String()
	}
	switch {
	case len(args) == 0:
		return t.text
	case strings.ContainsAny(t.op[:1], "abcdefghijklmnopqrstuvwxyz") && t.op != "and" && t.op != "or" && t.op != "not":
		return t.op + "(" + strings.Join(args, ", ") + ")"
	case len(args) == 1:
		return "(" + t.op + " " + args[0] + ")"
	}
	return "(" + args[0] + " " + t.op + " " + args[1] + ")"
}

// safely reports whether NumPy casts a type to another safely.
func safely(from, to kernels.Type) bool {
	bits := func(t kernels.Type) int {
		return map[kernels.Type]int{kernels.Float16: 8, kernels.BFloat16: 8, kernels.Float32: 16, kernels.Float64: 64}[t]
	}
	switch {
	case from == to || from == kernels.Bool:
		return true
	case to == kernels.Bool || from.IsFloat() && !to.IsFloat():
		return false
	case from.IsFloat():
		return to.Size() > from.Size()
	case to.IsFloat():
		return 8*from.Size() <= bits(to)
	case from.IsSigned() == to.IsSigned():
		return to.Size() >= from.Size()
	}
	return to.IsSigned() && to.Size() > from.Size()
}

// meet returns the least type to which all cast safely.
func meet(columns ...*column) otype {
	var strong []kernels.Type
	weak := kernels.Type(0)
	for _, c := range columns {
		switch {
		case !c.typ.weak:
			strong = append(strong, c.typ.t)
		case weak == 0 || c.typ.t == kernels.Float64:
			weak = c.typ.t
		}
	}
	if len(strong) == 0 {
		return otype{weak, true}
	}
	k := kernels.Bool
	for _, t := range []kernels.Type{kernels.Bool, kernels.Int8, kernels.Uint8, kernels.Int16, kernels.Uint16, kernels.Int32, kernels.Uint32, kernels.Int64, kernels.Uint64,
		kernels.BFloat16, kernels.Float16, kernels.Float32, kernels.Float64} {
		k = t
		all := true
		for _, s := range strong {
			all = all && safely(s, t)
		}
		if all {
			break
		}
	}
	switch {
	case weak == kernels.Float64 && !k.IsFloat():
		k = kernels.Float64
	case weak == kernels.Int64 && k == kernels.Bool:
		k = kernels.Int64
	}
	return otype{k, false}
}

// rounded returns a float as one of type t.
func rounded(t kernels.Type, f float64) float64 {
	switch t {
	case kernels.Float64:
		return f
	case kernels.Float32:
		return float64(float32(f))
	case kernels.BFloat16:
		return float64(math.Float32frombits(uint32(t.FloatBits(f)) << 16))
	}
	return half(uint16(t.FloatBits(f)))
}

// half returns the value of a float16 by the definition of IEEE 754.
func half(bits uint16) float64 {
	sign, exponent, fraction := 1-2*float64(bits>>15), int(bits>>10&31), float64(bits&1023)
	switch {
	case exponent == 31 && fraction != 0:
		return math.NaN()
	case exponent == 31:
		return sign * math.Inf(1)
	case exponent == 0:
		return sign * math.Ldexp(fraction, -24)
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}

// wrap returns an integer as one of type t.
func wrap(t kernels.Type, i *big.Int) *big.Int {
	width := uint(8 * t.Size())
	m := new(big.Int).And(i, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), width), big.NewInt(1)))
	if t.IsSigned() && m.Bit(int(width)-1) == 1 {
		m.Sub(m, new(big.Int).Lsh(big.NewInt(1), width))
	}
	return m
}

// to converts by astype, or, weak numbers, by promotion.
func (c *column) to(want otype) (*column, error) {
	out := &column{typ: want, single: c.single}
	for _, n := range c.n {
		switch {
		case c.typ == want:
		case want.t.IsFloat() && c.typ.t.IsFloat():
			n.f = rounded(want.t, n.f)
		case want.t.IsFloat():
			exact := new(big.Float).SetInt(n.i)
			if n.f, _ = exact.Float64(); want.t != kernels.Float64 {
				f, _ := exact.Float32()
				n.f = rounded(want.t, float64(f))
			}
		case want.t == kernels.Bool && c.typ.t.IsFloat():
			n.i = truthOf(n.f != 0)
		case want.t == kernels.Bool:
			n.i = truthOf(n.i.Sign() != 0)
		case c.typ.t.IsFloat():
			i := new(big.Int)
			if n.f-n.f == 0 {
				i, _ = big.NewFloat(n.f).Int(nil)
			}
			n.i = wrap(want.t, i)
		case want.weak:
		default:
			i := wrap(want.t, n.i)
			if c.typ.weak && i.Cmp(n.i) != 0 {
				return nil, errRefused
			}
			n.i = i
		}
		if want.t.IsFloat() {
			n.i = nil
		}
		out.n = append(out.n, n)
	}
	return out, nil
}

func truthOf(b bool) *big.Int {
	if b {
		return big.NewInt(1)
	}
	return new(big.Int)
}

// floatsFor returns the type of NumPy's functions of floats.
func floatsFor(t otype) otype {
	switch {
	case t.t.IsFloat():
		return t
	case t.weak || t.t.Size() > 2:
		return otype{kernels.Float64, t.weak}
	case t.t.Size() == 2:
		return otype{kernels.Float32, false}
	}
	return otype{kernels.Float16, false}
}

// evaluate returns the value of a term.
func (t *term) evaluate(arrays []array) (*column, error) {
	if t.op == "" {
		for _, a := range arrays {
			if a.Name == t.text {
				return columnOf(a), nil
			}
		}
	}
	if t.op == "#" {
		if i, ok := new(big.Int).SetString(t.text, 0); ok {
			return &column{otype{kernels.Int64, true}, true, true, []number{{i: i}}}, nil
		}
		var f float64
		fmt.Sscan(t.text, &f)
		return &column{otype{kernels.Float64, true}, true, true, []number{{f: f}}}, nil
	}
	args := make([]*column, len(t.args))
	for i, a := range t.args {
		var err error
		if args[i], err = a.evaluate(arrays); err != nil {
			return nil, err
		}
	}
	if len(args) == 1 && reducers[t.op] != nil {
		if args[0].single {
			return nil, errRefused
		}
		return reducers[t.op](args[0])
	}
	c, err := elementwise(t.op, args)
	if err == nil {
		c.known = true
		for _, a := range args {
			c.known = c.known && a.known
		}
	}
	return c, err
}

func columnOf(a array) *column {
	c := &column{typ: otype{a.Type, false}}
	for i := range a.Shape[0] {
		bits := get(a.bytes, a.Type, i)
		var n number
		switch a.Type {
		case kernels.Float64:
			n.f = math.Float64frombits(bits)
		case kernels.Float32:
			n.f = float64(math.Float32frombits(uint32(bits)))
		case kernels.BFloat16:
			n.f = float64(math.Float32frombits(uint32(bits) << 16))
		case kernels.Float16:
			n.f = half(uint16(bits))
		case kernels.Bool:
			n.i = truthOf(bits != 0)
		default:
			n.i = wrap(a.Type, new(big.Int).SetUint64(bits))
		}
		c.n = append(c.n, n)
	}
	return c
}

// bits returns the bits of element i; all NaN are one.
func (c *column) bits(i int) uint64 {
	n, t := c.n[i], c.typ.t
	switch {
	case t.IsFloat() && n.f != n.f:
		return t.FloatBits(math.NaN()) &^ (1 << (8*t.Size() - 1))
	case t.IsFloat():
		return t.FloatBits(n.f)
	}
	return new(big.Int).And(n.i, new(big.Int).SetUint64(math.MaxUint64>>(64-8*t.Size()))).Uint64()
}

// reducers give weak numbers.
var reducers = map[string]func(c *column) (*column, error){
	"min": func(c *column) (*column, error) { return c.pick(true) },
	"max": func(c *column) (*column, error) { return c.pick(false) },
	"sum": func(c *column) (*column, error) {
		sum := new(big.Int)
		for _, n := range c.n {
			if n.i == nil {
				return nil, errors.New("sums of floats are tested elsewhere")
			}
			sum.Add(sum, n.i)
		}
		wide := kernels.Int64
		if !c.typ.t.IsSigned() && c.typ.t != kernels.Bool {
			wide = kernels.Uint64
		}
		if wrap(wide, sum).Cmp(sum) != 0 {
			return nil, errRefused
		}
		return alone(kernels.Int64, number{i: sum}), nil
	},
	"mean": func(c *column) (*column, error) {
		sum := new(big.Int)
		for _, n := range c.n {
			if n.i == nil {
				return nil, errors.New("means of floats are tested elsewhere")
			}
			sum.Add(sum, n.i)
		}
		f, _ := new(big.Rat).SetFrac(sum, big.NewInt(int64(len(c.n)))).Float64()
		return alone(kernels.Float64, number{f: f}), nil
	},
	"count_nonzero": func(c *column) (*column, error) {
		count := int64(0)
		for _, n := range c.n {
			if n.i != nil && n.i.Sign() != 0 || n.i == nil && n.f != 0 {
				count++
			}
		}
		return alone(kernels.Int64, number{i: big.NewInt(count)}), nil
	},
}

func alone(t kernels.Type, n number) *column {
	return &column{otype{t, t != kernels.Bool}, true, false, []number{n}}
}

func (c *column) pick(least bool) (*column, error) {
	best := c.n[0]
	for _, n := range c.n[1:] {
		switch {
		case n.i != nil:
			if n.i.Cmp(best.i) < 0 == least && n.i.Cmp(best.i) != 0 {
				best = n
			}
		case least:
			best.f = min(best.f, n.f)
		default:
			best.f = max(best.f, n.f)
		}
	}
	switch {
	case c.typ.t == kernels.Bool:
		return alone(kernels.Bool, best), nil
	case c.typ.t.IsFloat():
		return alone(kernels.Float64, best), nil
	}
	return alone(kernels.Int64, best), nil
}
