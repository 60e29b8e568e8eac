package expr

import (
	"math"
	"math/big"

	"github.com/gangsaw/gangsaw/kernels"
)

// elementwise computes an operation by NumPy's rules for its types.
func elementwise(op string, args []*column) (*column, error) {
	d := meet(args...)
	single := true
	for _, a := range args {
		single = single && a.single
	}
	isBool := d.t == kernels.Bool
	if t, err := kernels.ParseType(op); err == nil {
		c := *args[0]
		if c.typ.weak && c.typ.t == kernels.Float64 || t == kernels.Bool {
			c.typ.weak = false
		}
		return c.to(otype{t, false})
	}
	comparison := false
	if op == "-" && len(args) == 1 {
		op = "negative"
	}
	switch op {
	case "==", "!=", "<", "<=", ">", ">=":
		comparison = true
		if isInteger(args[0].typ) && isInteger(args[1].typ) { // by value
			return compute2(args, otype{kernels.Bool, false}, single, func(x, y number) number { return number{i: truthOf(ordered(op, x.i.Cmp(y.i)))} })
		}
	case "and", "or", "not":
		for _, a := range args {
			if a.typ.t != kernels.Bool {
				return nil, errRefused
			}
		}
	case "&", "|", "^", "~":
		if d.t.IsFloat() || isBool && op == "~" && args[0].known { // Python's ~True is -2
			return nil, errRefused
		}
	case "<<", ">>":
		if d.t.IsFloat() || isBool && single {
			return nil, errRefused
		}
		if isBool {
			d.t = kernels.Int8
		}
	case "+", "*":
		if isBool && single {
			return nil, errRefused
		}
	case "-", "sign", "negative":
		if isBool {
			return nil, errRefused
		}
	case "/":
		if d.weak && args[0].known && args[1].known && args[1].n[0].f == 0 && (args[1].n[0].i == nil || args[1].n[0].i.Sign() == 0) {
			return nil, errRefused // Python's error
		}
		if !d.t.IsFloat() && !d.weak {
			d.t = kernels.Float64
		}
	case "clip":
		if isBool {
			return nil, errRefused
		}
	case "//", "%", "fmod":
		if isBool && single {
			return nil, errRefused
		}
		if isBool {
			d.t = kernels.Int8
		}
	case "sqrt":
		d = floatsFor(d)
	case "where":
		d = meet(args[1:]...)
		c := *args[0]
		c.typ.weak = false
		condition, err := c.to(otype{kernels.Bool, false})
		if err != nil {
			return nil, err
		}
		if !condition.single {
			d.weak = false
		}
		args = []*column{condition, args[1], args[2]}
	case "isnan":
		comparison = true
	}
	converted := make([]*column, len(args))
	length := 1
	for i, a := range args {
		want := d
		if op == "where" && i == 0 {
			want = a.typ
		}
		c, err := a.to(want)
		if err != nil {
			return nil, err
		}
		converted[i] = c
		length = max(length, len(c.n))
	}
	out := &column{typ: d, single: single}
	if comparison {
		out.typ = otype{kernels.Bool, false}
	}
	if op == "/" && d.weak {
		out.typ.t = kernels.Float64
	}
	for i := range length {
		var x [3]number
		for j, c := range converted {
			x[j] = c.n[i%len(c.n)]
		}
		n, err := one(op, d, out.typ, x, single)
		if err != nil {
			return nil, err
		}
		out.n = append(out.n, n)
	}
	return out, nil
}

func isInteger(t otype) bool { return !t.t.IsFloat() }

func compute2(args []*column, typ otype, single bool, f func(x, y number) number) (*column, error) {
	out := &column{typ: typ, single: single}
	for i := range max(len(args[0].n), len(args[1].n)) {
		out.n = append(out.n, f(args[0].n[i%len(args[0].n)], args[1].n[i%len(args[1].n)]))
	}
	return out, nil
}

func ordered(op string, order int) bool {
	switch op {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// one computes one element of operands of type d.
func one(op string, d, out otype, x [3]number, single bool) (number, error) {
	switch {
	case op == "where" && x[0].i.Sign() != 0:
		return x[1], nil
	case op == "where":
		return x[2], nil
	case d.t.IsFloat():
		return ofFloats(op, d.t, x)
	case d.t == kernels.Bool:
		return ofTruths(op, x)
	}
	n, err := ofIntegers(op, d, x)
	if err == nil && n.i != nil && n.i.BitLen() > 1024 {
		return number{}, errRefused
	}
	if err == nil && n.i != nil && !d.weak && out.t == d.t {
		n.i = wrap(d.t, n.i)
	}
	return n, err
}

func ofFloats(op string, t kernels.Type, n [3]number) (number, error) {
	x, y := n[0].f, n[1].f
	wide := t // the type in which an operation of many steps is done
	if t != kernels.Float64 {
		wide = kernels.Float32
	}
	is := func(b bool) (number, error) { return number{i: truthOf(b)}, nil }
	var f float64
	switch op {
	case "+":
		f = x + y
	case "-":
		f = x - y
	case "*":
		f = x * y
	case "/":
		f = x / y
	case "//":
		f = quotientDown(wide, x, y)
	case "%":
		f = math.Mod(x, y)
		switch {
		case f == 0:
			f = math.Copysign(0, y)
		case math.Signbit(f) != math.Signbit(y):
			f = rounded(wide, f+y)
		}
	case "fmod":
		f = math.Mod(x, y)
	case "negative":
		f = -x
	case "sqrt":
		f = math.Sqrt(x)
	case "absolute":
		f = math.Abs(x)
	case "sign":
		f = x
		if x != 0 && x == x {
			f = math.Copysign(1, x)
		}
	case "floor":
		f = math.Floor(x)
	case "minimum":
		f = min(x, y)
	case "maximum":
		f = max(x, y)
	case "clip":
		f = min(max(x, y), n[2].f)
	case "isnan":
		return is(x != x)
	case "==":
		return is(x == y)
	case "!=":
		return is(x != y)
	case "<":
		return is(x < y)
	case "<=":
		return is(x <= y)
	case ">":
		return is(x > y)
	case ">=":
		return is(x >= y)
	default:
		return number{}, errRefused
	}
	return number{f: rounded(t, f)}, nil
}

// quotientDown is NumPy's npy_floor_divide.
func quotientDown(t kernels.Type, x, y float64) float64 {
	if y == 0 {
		return x / y
	}
	rest := math.Mod(x, y)
	q := rounded(t, rounded(t, x-rest)/y)
	if rest != 0 && math.Signbit(rest) != math.Signbit(y) {
		q = rounded(t, q-1)
	}
	if q == 0 {
		return math.Copysign(0, x/y)
	}
	floor := math.Floor(q)
	if q-floor > 0.5 {
		floor++
	}
	return floor
}

func ofTruths(op string, n [3]number) (number, error) {
	x, y := n[0].i.Sign() != 0, false
	if n[1].i != nil {
		y = n[1].i.Sign() != 0
	}
	switch op {
	case "+", "|", "or", "maximum":
		return number{i: truthOf(x || y)}, nil
	case "*", "&", "and", "minimum":
		return number{i: truthOf(x && y)}, nil
	case "^", "!=":
		return number{i: truthOf(x != y)}, nil
	case "~", "not":
		return number{i: truthOf(!x)}, nil
	case "absolute", "floor":
		return n[0], nil
	case "isnan":
		return number{i: truthOf(false)}, nil
	}
	return number{}, errRefused
}

func ofIntegers(op string, d otype, n [3]number) (number, error) {
	x, y, z := n[0].i, n[1].i, new(big.Int)
	switch op {
	case "+":
		z.Add(x, y)
	case "-":
		z.Sub(x, y)
	case "*":
		z.Mul(x, y)
	case "/", "//", "%", "fmod":
		if y.Sign() == 0 && d.weak {
			return number{}, errRefused
		}
		if op == "/" {
			f, _ := new(big.Rat).SetFrac(x, y).Float64()
			return number{f: f}, nil
		}
		if y.Sign() == 0 {
			break // 0
		}
		floor, rest := new(big.Int).DivMod(x, y, new(big.Int)) // rest >= 0
		if y.Sign() < 0 && rest.Sign() != 0 {
			floor.Sub(floor, big.NewInt(1))
			rest.Add(rest, y)
		}
		switch op {
		case "//":
			z = floor
		case "%":
			z = rest
		default:
			z.Rem(x, y)
		}
	case "<<", ">>":
		width := int64(8 * d.t.Size())
		if d.weak {
			width = 4096
		}
		over := y.Sign() < 0 || y.Cmp(big.NewInt(width)) >= 0
		switch {
		case d.weak && (y.Sign() < 0 || over && op == "<<" && x.Sign() != 0):
			return number{}, errRefused
		case over && op == "<<":
		case over:
			z.Rsh(x, 5000)
		case op == "<<":
			z.Lsh(x, uint(y.Int64()))
		default:
			z.Rsh(x, uint(y.Int64()))
		}
	case "&":
		z.And(x, y)
	case "|":
		z.Or(x, y)
	case "^":
		z.Xor(x, y)
	case "negative":
		z.Neg(x)
	case "~":
		z.Not(x)
	case "absolute":
		z.Abs(x)
	case "sign":
		z.SetInt64(int64(x.Sign()))
	case "floor":
		z = x
	case "minimum":
		z = x
		if y.Cmp(x) < 0 {
			z = y
		}
	case "maximum":
		z = x
		if y.Cmp(x) > 0 {
			z = y
		}
	case "clip":
		z = x
		if z.Cmp(y) < 0 {
			z = y
		}
		if z.Cmp(n[2].i) > 0 {
			z = n[2].i
		}
	case "isnan":
		return number{i: truthOf(false)}, nil
	default:
		return number{}, errRefused
	}
	return number{i: z}, nil
}
