package kernels

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// Type is the element type of an array. Its values travel between processes
// and never change meaning.
type Type uint8

// The element types. The zero Type is none of them.
const (
	Float64 Type = 1 + iota
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

const numTypes = int(Bool) + 1

var types = [...]struct {
	name, code string
	size       int
}{
	Float64:  {"float64", "f8", 8},
	Float32:  {"float32", "f4", 4},
	Int8:     {"int8", "i1", 1},
	Int16:    {"int16", "i2", 2},
	Int32:    {"int32", "i4", 4},
	Int64:    {"int64", "i8", 8},
	Uint8:    {"uint8", "u1", 1},
	Uint16:   {"uint16", "u2", 2},
	Uint32:   {"uint32", "u4", 4},
	Uint64:   {"uint64", "u8", 8},
	Float16:  {"float16", "f2", 2},
	BFloat16: {"bfloat16", "bf16", 2},
	Bool:     {"bool", "b1", 1},
}

// Types lists every element type.
func Types() []Type {
	all := make([]Type, 0, len(types)-1)
	for t := Float64; int(t) < len(types); t++ {
		all = append(all, t)
	}
	return all
}

// Valid reports whether t is an element type.
func (t Type) Valid() bool { return t >= Float64 && int(t) < len(types) }

// Size returns the bytes one element occupies, 0 for an invalid type.
func (t Type) Size() int {
	if !t.Valid() {
		return 0
	}
	return types[t].size
}

// IsFloat reports whether t is a floating point type.
func (t Type) IsFloat() bool {
	return t == Float64 || t == Float32 || t == Float16 || t == BFloat16
}

// IsSigned reports whether t is a signed integer type.
func (t Type) IsSigned() bool { return t >= Int8 && t <= Int64 }

// FloatBits returns the bits of the element of a floating point type that is
// next to f.
func (t Type) FloatBits(f float64) uint64 {
	switch t {
	case Float64:
		return math.Float64bits(f)
	case Float32:
		return uint64(math.Float32bits(float32(f)))
	case Float16, BFloat16:
		cast, _ := LookupCast("cast", Float64, t)
		from, to := make([]byte, 8), make([]byte, 2)
		binary.NativeEndian.PutUint64(from, math.Float64bits(f))
		cast.Run(to, from, nil, nil)
		return uint64(binary.NativeEndian.Uint16(to))
	}
	panic("kernels: " + t.String() + " is no floating point type")
}

// String returns NumPy's name of the type, such as "float64".
func (t Type) String() string {
	if !t.Valid() {
		return fmt.Sprintf("Type(%d)", uint8(t))
	}
	return types[t].name
}

// Code returns NumPy's short code of the type, such as "f8".
func (t Type) Code() string {
	if !t.Valid() {
		return ""
	}
	return types[t].code
}

// ParseType reads NumPy's name ("float64") or short code ("f8") of a type.
func ParseType(s string) (Type, error) {
	for _, t := range Types() {
		if s == t.String() || s == t.Code() {
			return t, nil
		}
	}
	return 0, fmt.Errorf("unknown dtype %q: use one of %s", s, TypeNames())
}

// TypeNames lists the names and codes that [ParseType] reads, for messages.
func TypeNames() string {
	var names []string
	for _, t := range Types() {
		names = append(names, t.String()+" ("+t.Code()+")")
	}
	return strings.Join(names, ", ")
}

// Float is the constraint of the floating point element types.
type Float interface{ float32 | float64 }

// Integer is the constraint of the integer element types.
type Integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// Number is the constraint of all element types.
type Number interface{ Float | Integer }

// TypeOf returns the Type whose elements are T.
func TypeOf[T Number]() Type {
	switch any(*new(T)).(type) {
	case float64:
		return Float64
	case float32:
		return Float32
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	default:
		return Uint64
	}
}
