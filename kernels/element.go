package kernels

import (
	"encoding/binary"
	"math"

	"github.com/gangsaw/gangsaw/kernels/internal/portable"
)

// canonicalNaN makes any NaN the one that arithmetic makes.
func canonicalNaN(f float64) float64 {
	if f != f {
		return math.Float64frombits(0x7ff8000000000000)
	}
	return f
}

// putElement writes the bits of one element.
func putElement(dst []byte, t Type, bits uint64) {
	switch t.Size() {
	case 1:
		dst[0] = byte(bits)
	case 2:
		binary.NativeEndian.PutUint16(dst, uint16(bits))
	case 4:
		binary.NativeEndian.PutUint32(dst, uint32(bits))
	default:
		binary.NativeEndian.PutUint64(dst, bits)
	}
}

// integerElement returns element i of integers as 64 bits.
func integerElement(block []byte, t Type, i int) uint64 {
	switch t {
	case Int8:
		return uint64(int8(block[i]))
	case Uint8:
		return uint64(block[i])
	case Bool:
		return uint64(boolByte(block[i] != 0))
	case Int16:
		return uint64(int16(binary.NativeEndian.Uint16(block[2*i:])))
	case Uint16:
		return uint64(binary.NativeEndian.Uint16(block[2*i:]))
	case Int32:
		return uint64(int32(binary.NativeEndian.Uint32(block[4*i:])))
	case Uint32:
		return uint64(binary.NativeEndian.Uint32(block[4*i:]))
	}
	return binary.NativeEndian.Uint64(block[8*i:])
}

// floatElement returns element i of floats as float64.
func floatElement(block []byte, t Type, i int) float64 {
	switch t {
	case Float16:
		return float64(portable.FromFloat16(binary.NativeEndian.Uint16(block[2*i:])))
	case BFloat16:
		return float64(portable.FromBFloat16(binary.NativeEndian.Uint16(block[2*i:])))
	case Float32:
		return float64(math.Float32frombits(binary.NativeEndian.Uint32(block[4*i:])))
	}
	return math.Float64frombits(binary.NativeEndian.Uint64(block[8*i:]))
}
