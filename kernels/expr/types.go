package expr

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/gangsaw/gangsaw/kernels"
)

// dtype is the type of a value: an element type, or, weak, that of a number in
// the text or of a reduction's value, which takes on that of what it meets. Weak
// integers, of type Int64, are of any size.
type dtype struct {
	elem kernels.Type
	weak bool
}

var (
	weakInt   = dtype{kernels.Int64, true}
	weakFloat = dtype{kernels.Float64, true}
	mask      = dtype{kernels.Bool, false}
)

func strong(t kernels.Type) dtype { return dtype{t, false} }

func (d dtype) isBool() bool  { return d.elem == kernels.Bool }
func (d dtype) isFloat() bool { return d.elem.IsFloat() }
func (d dtype) isInt() bool   { return !d.isBool() && !d.isFloat() }
func (d dtype) is16() bool    { return d.elem == kernels.Float16 || d.elem == kernels.BFloat16 }

// String names the type as a message does.
func (d dtype) String() string {
	switch {
	case !d.weak:
		return d.elem.String()
	case d.isFloat():
		return "float"
	}
	return "int"
}

// rank orders the kinds of types: bool, integer, float.
func (d dtype) rank() int {
	switch {
	case d.isFloat():
		return 2
	case d.isInt():
		return 1
	}
	return 0
}

// promote returns the type in which two meet, by the rules of NumPy 2 (NEP 50).
func promote(a, b dtype) dtype {
	switch {
	case a.weak && b.weak:
		if a.rank() >= b.rank() {
			return a
		}
		return b
	case a.weak:
		return promote(b, a)
	case b.weak && b.rank() <= a.rank():
		return a
	case b.weak:
		return strong(b.elem) // what a literal is by itself
	}
	return strong(promoteElements(a.elem, b.elem))
}

func promoteElements(a, b kernels.Type) kernels.Type {
	da, db := strong(a), strong(b)
	switch {
	case a == b:
		return a
	case da.rank() < db.rank():
		return promoteElements(b, a)
	case db.isBool():
		return a
	case db.isFloat(): // both are
		if da.is16() && db.is16() {
			return kernels.Float32
		}
		return larger(a, b)
	case da.isFloat():
		return larger(a, floatOf(b, a))
	case a.IsSigned() == b.IsSigned():
		return larger(a, b)
	case a.IsSigned() && a.Size() > b.Size():
		return a
	case b.IsSigned() && b.Size() > a.Size():
		return b
	}
	// The least signed type that holds the unsigned one.
	switch max(a.Size(), b.Size()) {
	case 1:
		return kernels.Int16
	case 2:
		return kernels.Int32
	case 4:
		return kernels.Int64
	}
	return kernels.Float64
}

// larger returns the type of more bytes, the first of equals.
func larger(a, b kernels.Type) kernels.Type {
	if b.Size() > a.Size() {
		return b
	}
	return a
}

// floatOf returns the float type in which NumPy computes functions of a type;
// that of one byte is small, a type of 16 bits.
func floatOf(t, small kernels.Type) kernels.Type {
	switch {
	case t.IsFloat():
		return t
	case t.Size() == 1 && small.Size() == 2:
		return small
	case t.Size() == 1:
		return kernels.Float16
	case t.Size() == 2:
		return kernels.Float32
	}
	return kernels.Float64
}

// constant is one value that is known. Weak integers are big, all others are
// the bits of an element.
type constant struct {
	dtype
	bits uint64
	big  *big.Int
}

func floatConstant(f float64) constant {
	if f != f { // the NaN that kernels make
		return constant{dtype: weakFloat, bits: 0x7ff8000000000000}
	}
	return constant{dtype: weakFloat, bits: math.Float64bits(f)}
}

func intConstant(i *big.Int) constant { return constant{dtype: weakInt, big: i} }

func boolConstant(b bool) constant {
	c := constant{dtype: mask}
	if b {
		c.bits = 1
	}
	return c
}

// float returns a weak number as the nearest float64.
func (c constant) float() float64 {
	if c.big != nil {
		f, _ := new(big.Float).SetInt(c.big).Float64()
		return f
	}
	return math.Float64frombits(c.bits)
}

// key tells constants apart.
func (c constant) key() (uint64, string) {
	if c.big != nil {
		return 0, c.big.String()
	}
	return c.bits, ""
}

// element returns the bytes of the element, in this machine's order.
func (c constant) element() []byte {
	b := make([]byte, 8)
	switch size := c.elem.Size(); size {
	case 1:
		b[0] = byte(c.bits)
	case 2:
		binary.NativeEndian.PutUint16(b, uint16(c.bits))
	case 4:
		binary.NativeEndian.PutUint32(b, uint32(c.bits))
	default:
		binary.NativeEndian.PutUint64(b, c.bits)
	}
	return b[:c.elem.Size()]
}

// elementConstant returns the constant whose bytes these are.
func elementConstant(d dtype, b []byte) constant {
	c := constant{dtype: d}
	switch len(b) {
	case 1:
		c.bits = uint64(b[0])
	case 2:
		c.bits = uint64(binary.NativeEndian.Uint16(b))
	case 4:
		c.bits = uint64(binary.NativeEndian.Uint32(b))
	default:
		c.bits = binary.NativeEndian.Uint64(b)
	}
	return c
}

// bounds returns the least and the greatest value of an integer type.
func bounds(t kernels.Type) (lo, hi *big.Int) {
	lo, hi = new(big.Int), big.NewInt(1)
	width := uint(8 * t.Size())
	if t.IsSigned() {
		hi.Lsh(hi, width-1)
		lo.Neg(hi)
	} else {
		hi.Lsh(hi, width)
	}
	return lo, hi.Sub(hi, big.NewInt(1))
}

// holds reports whether an integer is in the range of an integer type.
func holds(t kernels.Type, i *big.Int) bool {
	lo, hi := bounds(t)
	return i.Cmp(lo) >= 0 && i.Cmp(hi) <= 0
}

// wrapped returns the low bits of an integer that is in range.
func wrapped(t kernels.Type, i *big.Int) uint64 {
	m := new(big.Int).Lsh(big.NewInt(1), uint(8*t.Size()))
	return new(big.Int).Mod(i, m).Uint64() // Mod is never negative
}
