package csv

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// kind is what a cell is.
type kind uint8

const (
	null     kind = iota
	signed        // fits int64
	unsigned      // fits uint64, and no int64
	float
	truth
	text // no number
)

// value is what a cell holds.
type value struct {
	kind  kind
	bits  uint64 // of an integer, as int64 if it is signed; 0 or 1 of a truth value
	float float64
}

// parse reads a cell.
func parse(cell string) value {
	cell = strings.Trim(cell, " \t")
	switch cell {
	case "", "NA", "N/A", "null", "NULL":
		return value{kind: null, float: math.NaN()}
	case "true", "True", "TRUE":
		return value{truth, 1, 1}
	case "false", "False", "FALSE":
		return value{truth, 0, 0}
	}
	if i, err := strconv.ParseInt(cell, 10, 64); err == nil {
		return value{signed, uint64(i), float64(i)}
	}
	if u, err := strconv.ParseUint(strings.TrimPrefix(cell, "+"), 10, 64); err == nil {
		return value{unsigned, u, float64(u)}
	}
	// Go reads 0x1p-2 and 1_0 as well.
	if strings.ContainsAny(cell, "xX_") {
		return value{kind: text}
	}
	f, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		return value{kind: text, float: f}
	}
	return value{kind: float, float: f}
}

// reproach says why a cell is no number.
func reproach(cell string) (what, remedy string) {
	if _, err := strconv.ParseFloat(strings.Trim(cell, " \t"), 64); errors.Is(err, strconv.ErrRange) {
		return shown(cell) + " is out of the range of float64", "write inf or a smaller number"
	}
	return shown(cell) + " is no number", "correct the cell, or leave it empty for null"
}

// exact reports whether an integer is one of float64 too, with all below it.
func (v value) exact() bool {
	const bound = 1 << 53
	if v.kind == unsigned {
		return false
	}
	i := int64(v.bits)
	return -bound <= i && i <= bound
}
