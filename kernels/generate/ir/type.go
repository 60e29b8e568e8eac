// Package ir describes elementwise kernels once, as straight-line dataflow
// over the lanes of a vector, so that every tier computes the same bits from
// the same description.
//
// Each operation has one exact meaning, which IEEE 754 or two's complement
// arithmetic fixes for every lane: what Go's portable code does with one
// element, AVX2 and AVX-512 do with four to sixty-four.
package ir

import "fmt"

// Elem is the type of elements in memory.
type Elem uint8

// The element types, in the order of kernels.Type.
const (
	Float64 Elem = 1 + iota
	Float32
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Float16
	BFloat16
	Bool
)

var elems = [...]struct {
	name  string // in names of functions
	gotyp string // in signatures
	size  int
	lane  Type // what a load makes of it
}{
	Float64:  {"Float64", "float64", 8, F64},
	Float32:  {"Float32", "float32", 4, F32},
	Int8:     {"Int8", "int8", 1, I8},
	Int16:    {"Int16", "int16", 2, I16},
	Int32:    {"Int32", "int32", 4, I32},
	Int64:    {"Int64", "int64", 8, I64},
	Uint8:    {"Uint8", "uint8", 1, I8},
	Uint16:   {"Uint16", "uint16", 2, I16},
	Uint32:   {"Uint32", "uint32", 4, I32},
	Uint64:   {"Uint64", "uint64", 8, I64},
	Float16:  {"Float16", "uint16", 2, F32},
	BFloat16: {"BFloat16", "uint16", 2, F32},
	Bool:     {"Bool", "uint8", 1, M},
}

// String returns the name of e as it stands in names of functions.
func (e Elem) String() string { return elems[e].name }

// GoType returns the Go type that holds an element.
func (e Elem) GoType() string { return elems[e].gotyp }

// Size returns the bytes of an element.
func (e Elem) Size() int { return elems[e].size }

// Lane returns the type of a lane that holds an element.
func (e Elem) Lane() Type { return elems[e].lane }

// IsFloat, IsSigned and IsUnsigned tell the kinds of elements apart.
func (e Elem) IsFloat() bool    { return e == Float64 || e == Float32 || e == Float16 || e == BFloat16 }
func (e Elem) IsSigned() bool   { return e >= Int8 && e <= Int64 }
func (e Elem) IsUnsigned() bool { return e >= Uint8 && e <= Uint64 }

// Type is the type of a lane while it is computed with. Integer lanes are bit
// patterns; operations say whether they are signed.
type Type uint8

// The lane types.
const (
	F64 Type = 1 + iota
	F32
	I64
	I32
	I16
	I8
	M // a truth value
)

// Width returns the bytes of a lane, 0 for truth values, which take the width
// of what they were made from.
func (t Type) Width() int {
	return [...]int{F64: 8, F32: 4, I64: 8, I32: 4, I16: 2, I8: 1, M: 0}[t]
}

// IsFloat reports whether lanes are floats.
func (t Type) IsFloat() bool { return t == F64 || t == F32 }

// Bits returns the integer type of the same width.
func (t Type) Bits() Type {
	switch t {
	case F64:
		return I64
	case F32:
		return I32
	}
	return t
}

// GoType returns the Go type of a lane in portable code.
func (t Type) GoType() string {
	return [...]string{F64: "float64", F32: "float32", I64: "uint64", I32: "uint32", I16: "uint16", I8: "uint8", M: "bool"}[t]
}

func (t Type) String() string {
	if t == M {
		return "mask"
	}
	return fmt.Sprintf("%c%d", "IF"[map[bool]int{false: 0, true: 1}[t.IsFloat()]], 8*t.Width())
}
