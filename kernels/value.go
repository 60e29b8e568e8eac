package kernels

import (
	"math"
	"math/big"
	"strconv"
)

// Value is one number of a result: a float64, or an integer of up to 128 bits
// held exactly. The zero Value is absent.
type Value struct {
	kind valueKind
	f    float64
	i    int128
}

type valueKind uint8

const (
	absent valueKind = iota
	floating
	integer
)

func floatValue(f float64) Value { return Value{kind: floating, f: canonicalNaN(f)} }

// FloatValue returns f as a value.
func FloatValue(f float64) Value { return floatValue(f) }

func intValue(i int128) Value { return Value{kind: integer, i: i} }

// Exists reports whether there is a number at all: the minimum of no elements
// does not exist.
func (v Value) Exists() bool { return v.kind != absent }

// IsInteger reports whether v is an exact integer rather than a float64.
func (v Value) IsInteger() bool { return v.kind == integer }

// Float64 returns v rounded to nearest, NaN when v does not exist.
func (v Value) Float64() float64 {
	switch v.kind {
	case floating:
		return v.f
	case integer:
		f, _ := v.i.big().Float64()
		return f
	}
	return math.NaN()
}

// Big returns v as an integer, nil when it is not one.
func (v Value) Big() *big.Int {
	if v.kind != integer {
		return nil
	}
	return v.i.big()
}

// String returns the shortest text that reads back to the same bits, NaN,
// Infinity or -Infinity for those, and the empty string when v does not exist.
func (v Value) String() string {
	switch v.kind {
	case floating:
		return FormatFloat(v.f)
	case integer:
		return v.i.big().String()
	}
	return ""
}

// FormatFloat returns the shortest text that reads back to the same bits, in
// decimal notation for everyday magnitudes and with an exponent beyond.
func FormatFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	form := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		form = 'e'
	}
	return strconv.FormatFloat(f, form, -1, 64)
}
