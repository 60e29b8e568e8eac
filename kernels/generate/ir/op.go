package ir

// Op is an operation on lanes.
type Op uint8

// The operations. Unless said otherwise operands and result have one type.
const (
	Load  Op = 1 + iota // element Imm, converted to its lane type: exact
	Const               // Imm holds the bits
	State               // of folds: state Imm before this element
	Param               // of folds: uniform operand Imm
	Other               // of combinations: state Imm of the later lane

	// Floats, each rounded once to nearest, ties to even.
	FAdd
	FSub
	FMul
	FDiv
	FSqrt
	FMA  // a*b+c
	FNMA // c-a*b
	FMS  // a*b-c
	// FMin is a where a < b, else b; FMax is a where a > b, else b. So b comes
	// back where either is NaN and where both are zeros.
	FMin
	FMax
	Floor
	Ceil
	Trunc
	Rint // to nearest, ties to even

	// Bits.
	And
	Or
	Xor
	AndNot // a &^ b
	ShlI   // by Imm
	ShrI   // by Imm, zeros come in
	SarI   // by Imm, the sign comes in
	Shl    // by b, unsigned; from the width on, 0
	Shr    // by b, unsigned; from the width on, 0
	Sar    // by b, unsigned; from the width on, the sign
	Swap   // the bytes, first to last

	// Integers, wrapping.
	IAdd
	ISub
	IMul

	// The parts of 64-bit lanes, bytes and words of 16 bits.
	SumBytes // of how far apart the bytes are, unsigned
	DotWords // the signed products of words, by twos added to 32 bits
	MulWords // wrapping
	LowBytes // of words, with their signs
	HighBytes
	AddHalves // wrapping, of 32 bits
	MinBytes  // unsigned
	MaxBytes
	MinWords // signed
	MaxWords

	// Comparisons make truth values. Those of floats are false where either
	// operand is NaN, but FNe.
	FEq
	FNe
	FLt
	FLe
	IEq
	ILt // signed
	ULt // unsigned

	MAnd
	MOr
	MXor
	MNot
	Select // operands: mask, value where true, value where false

	// Changes of type.
	ToBits   // float to its bits
	FromBits // bits to the float
	Widen    // F32 to F64: exact
	Narrow   // F64 to F32: rounded once
	FromInt  // signed I64 or I32 to F64, F32: rounded once
	FromUint // unsigned likewise
	Sext     // integer to a wider one, signed
	Zext     // integer to a wider one, unsigned
	Cut      // integer to a narrower one: its low bits
	// ToInt cuts a float off to a signed I64 or I32. The operand must be in
	// range.
	ToInt

	// Ldexp is a * 2^b, rounded once, where b is integral, |b| <= 2000, and a is
	// 0, infinite, NaN, or within 2^-20 and 2^20.
	Ldexp
	// Lookup is entry b of Table, whose length is a power of two: the low bits
	// of the integer b count.
	Lookup
	// Exponent is the k and Significand the m of a = 2^k * m with m from 1 to
	// less than 2, for positive finite a; for others either is any value. Imm is
	// 1 where a is known to be normal or not to matter.
	Exponent
	Significand
)

// isCommutative tells for which operations operands may change places.
var isCommutative = map[Op]bool{
	FAdd: true, FMul: true, And: true, Or: true, Xor: true, IAdd: true, IMul: true,
	FEq: true, FNe: true, IEq: true, MAnd: true, MOr: true, MXor: true,
}
