package expr

import (
	"math"
	"math/big"

	"github.com/gangsaw/gangsaw/kernels"
)

// evaluate returns the value of a scalar whose operands are known. It panics
// with an *Error where there is none.
func evaluate(n *node, args []constant) constant {
	switch n.op {
	case opKernel:
		return elementOf(n, args)
	case opExact:
		return exact(n, args)
	case opConvert:
		return converted(n, args[0])
	case opCompare:
		i := elementInteger(args[0])
		return boolConstant(compared(n.name, i.Cmp(args[1].big)))
	}
	panic("expr: no scalar operation")
}

// elementOf runs a kernel for one element, so that a scalar has the bits that an
// element would have.
func elementOf(n *node, args []constant) constant {
	var operands [3][]byte
	for i, a := range args {
		operands[i] = a.element()
	}
	dst := make([]byte, n.elem.Size())
	n.kernel.Run(dst, operands[0], operands[1], operands[2])
	return elementConstant(n.dtype, dst)
}

// elementInteger returns an element of an integer type.
func elementInteger(c constant) *big.Int {
	if c.elem.IsSigned() {
		unused := 64 - 8*c.elem.Size()
		return big.NewInt(int64(c.bits<<unused) >> unused)
	}
	return new(big.Int).SetUint64(c.bits)
}

// converted returns a weak number as of type n.dtype.
func converted(n *node, c constant) constant {
	out := constant{dtype: n.dtype}
	switch {
	case n.isFloat() && c.big == nil:
		out.bits = n.elem.FloatBits(c.float())
	case n.isFloat():
		f := c.float()
		if math.IsInf(f, 0) {
			panic(n.at.errorf("write it as a float", "an integer of %d bits is too large for a float", c.big.BitLen()))
		}
		if n.elem == kernels.Float32 { // rounded once
			f32, _ := new(big.Float).SetInt(c.big).Float32()
			f = float64(f32)
		}
		out.bits = n.elem.FloatBits(f)
	case !holds(n.elem, c.big):
		panic(n.at.errorf("cast the array to a wider type: int64(x)", "the integer %s is out of bounds for %v", shown(c.big), n.elem))
	case n.name == naturalExponent && c.big.Sign() < 0:
		panic(n.at.errorf("cast to float64 first: float64(x)**-1", "an integer to a negative power"))
	default:
		out.bits = wrapped(n.elem, c.big)
	}
	return out
}

// shown returns an integer for a message.
func shown(i *big.Int) string {
	if s := i.String(); len(s) <= 40 {
		return s
	}
	return "of so many digits"
}

// naturalExponent marks the conversion of an exponent of integers.
const naturalExponent = "exponent"

// exactResult returns the type of arithmetic on weak integers.
func exactResult(name string) dtype {
	switch name {
	case "divide":
		return weakFloat
	case "equal", "not_equal", "less", "less_equal", "greater", "greater_equal":
		return mask
	}
	return weakInt
}

func compared(name string, order int) bool {
	switch name {
	case "equal":
		return order == 0
	case "not_equal":
		return order != 0
	case "less":
		return order < 0
	case "less_equal":
		return order <= 0
	case "greater":
		return order > 0
	}
	return order >= 0
}

// exact computes with weak integers as Python does with its own.
func exact(n *node, args []constant) constant {
	z := new(big.Int)
	if n.name == "where" {
		if args[0].bits != 0 {
			return args[1]
		}
		return args[2]
	}
	x := args[0].big
	var y *big.Int
	if len(args) > 1 {
		y = args[1].big
	}
	switch n.name {
	case "add":
		z.Add(x, y)
	case "subtract":
		z.Sub(x, y)
	case "multiply":
		z.Mul(x, y)
	case "negative":
		z.Neg(x)
	case "absolute":
		z.Abs(x)
	case "sign":
		z.SetInt64(int64(x.Sign()))
	case "invert":
		z.Not(x)
	case "bitwise_and":
		z.And(x, y)
	case "bitwise_or":
		z.Or(x, y)
	case "bitwise_xor":
		z.Xor(x, y)
	case "minimum":
		z = lesser(x, y)
	case "maximum":
		z = greater(x, y)
	case "clip":
		z = lesser(greater(x, y), args[2].big)
	case "divide", "floor_divide", "remainder", "fmod":
		return quotient(n, x, y)
	case "power", "left_shift", "right_shift":
		z = grown(n, x, y)
	default:
		return boolConstant(compared(n.name, x.Cmp(y)))
	}
	if z.BitLen() > maxIntBits {
		panic(n.at.errorf("compute with floats: 2.0**2000", "an integer of more than %d bits", maxIntBits))
	}
	return intConstant(z)
}

func lesser(x, y *big.Int) *big.Int {
	if y.Cmp(x) < 0 {
		return y
	}
	return x
}

func greater(x, y *big.Int) *big.Int {
	if y.Cmp(x) > 0 {
		return y
	}
	return x
}

func quotient(n *node, x, y *big.Int) constant {
	if y.Sign() == 0 {
		panic(n.at.errorf("divide by a float, 0.0, for infinity or NaN of an array", "an integer is divided by 0"))
	}
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	floored := r.Sign() != 0 && r.Sign() != y.Sign()
	switch n.name {
	case "divide":
		f, _ := new(big.Rat).SetFrac(x, y).Float64()
		return floatConstant(f)
	case "floor_divide":
		if floored {
			q.Sub(q, big.NewInt(1))
		}
		return intConstant(q)
	case "remainder":
		if floored {
			r.Add(r, y)
		}
	}
	return intConstant(r)
}

// grown computes powers and shifts, whose results may be too large to try.
func grown(n *node, x, y *big.Int) *big.Int {
	if y.Sign() < 0 {
		panic(n.at.errorf("use floats: 2.0**-1", "an integer to a negative power, or shifted by a negative number"))
	}
	by := uint(maxIntBits + 1)
	if y.IsInt64() {
		by = uint(min(y.Int64(), maxIntBits+1))
	}
	switch {
	case n.name == "right_shift":
		return new(big.Int).Rsh(x, by)
	case n.name == "left_shift":
		return new(big.Int).Lsh(x, by)
	case x.BitLen() <= 1: // 0, 1 or -1: only whether y is 0, odd or even counts
		if y.Sign() > 0 {
			y = new(big.Int).Sub(big.NewInt(2), new(big.Int).And(y, big.NewInt(1)))
		}
	case by > maxIntBits:
		panic(n.at.errorf("compute with floats: 2.0**2000", "an integer of more than %d bits", maxIntBits))
	}
	return new(big.Int).Exp(x, y, nil)
}
