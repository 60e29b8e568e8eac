package format

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
)

// Scaling tells what the stored numbers of an array stand for: Factor times the
// number plus Offset, in the arithmetic of float64 (see [kernels.Scaling]), except for
// those that mean that there is no number.
type Scaling struct {
	Type           kernels.Type // of what they stand for, if none is missing
	Factor, Offset float64
	// Flip: integers of the same size as the stored ones, whose highest bit is
	// stored inverted; Factor is 1, and Offset a power of two that Type holds
	// exactly.
	Flip    bool
	Missing []uint64 // bits of stored elements that stand for no number
	Implied bool     // Missing is what the format has where a file says nothing
}

// String tells it in a few words.
func (s *Scaling) String() string {
	var parts []string
	if s.Factor != 1 || s.Offset != 0 {
		parts = append(parts, number(s.Factor)+" * stored + "+number(s.Offset)+" is "+s.Type.String())
	}
	if n := len(s.Missing); n == 1 && s.Implied {
		parts = append(parts, "the format's fill value stands for none")
	} else if n == 1 {
		parts = append(parts, "one stored value stands for none")
	} else if n > 1 {
		parts = append(parts, strconv.Itoa(n)+" stored values stand for none")
	}
	return strings.Join(parts, ", ")
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

// Bits returns the bits of the element in b, which has to hold one, in the byte
// order of the array.
func (a *Array) Bits(b []byte) uint64 {
	var order binary.ByteOrder = binary.LittleEndian
	if a.Swapped {
		order = binary.BigEndian
	}
	switch a.Type.Size() {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(order.Uint16(b))
	case 4:
		return uint64(order.Uint32(b))
	}
	return order.Uint64(b)
}

// Float returns the number that the bits of an element of a type without
// Float16 and BFloat16 are.
func Float(t kernels.Type, b uint64) float64 {
	switch {
	case t == kernels.Float64:
		return math.Float64frombits(b)
	case t == kernels.Float32:
		return float64(math.Float32frombits(uint32(b)))
	case t.IsSigned():
		shift := 64 - 8*t.Size()
		return float64(int64(b<<shift) >> shift)
	}
	return float64(b)
}
