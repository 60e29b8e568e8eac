package expr

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
)

// build returns the node of a piece of text.
func (b *builder) build(s *syntax) *node {
	if n := b.built[s]; n != nil {
		return n
	}
	n := b.buildNew(s)
	b.built[s] = n
	return n
}

func (b *builder) buildNew(s *syntax) *node {
	switch s.op {
	case isLiteral:
		b.at = s.span
		return b.constant(s.value)
	case isName:
		b.at = s.span
		return b.name(s)
	case isCall:
		return b.call(s)
	case isSlice:
		return b.slice(s)
	}
	return b.apply(functions()[s.op], s, b.operands(s))
}

func (b *builder) operands(s *syntax) []*node {
	args := make([]*node, len(s.args))
	for i, a := range s.args {
		args[i] = b.build(a)
	}
	return args
}

// constants are the names of numbers.
var constants = map[string]constant{
	"pi": floatConstant(math.Pi), "e": floatConstant(math.E), "inf": floatConstant(math.Inf(1)), "nan": floatConstant(math.NaN()),
	"True": boolConstant(true), "False": boolConstant(false),
}

func (b *builder) name(s *syntax) *node {
	c, isConstant := constants[s.name]
	at := slices.IndexFunc(b.inputs, func(in Input) bool { return in.Name == s.name })
	switch {
	case at >= 0 && isConstant && !s.quoted:
		b.fail(s.span, "write `"+s.name+"` for the array; give the array another name for the number", "%q is an array and a number", s.name)
	case at >= 0:
		return b.input(s, at)
	case isConstant && !s.quoted:
		return b.constant(c)
	}
	var names []string
	for _, in := range b.inputs {
		names = append(names, in.Name)
	}
	remedy := "there are no arrays"
	near := nearest(s.name, slices.AppendSeq(slices.Clone(names), maps.Keys(constants)))
	switch {
	case !s.quoted && isFunction(s.name):
		b.fail(s.span, "write its argument: "+s.name+"(x)", "%q is a function", s.name)
	case near != "":
		remedy = "did you mean " + near + "?"
	case len(names) > 8:
		remedy = fmt.Sprintf("there are %s and %d others", strings.Join(names[:8], ", "), len(names)-8)
	case len(names) > 0:
		remedy = "there are " + strings.Join(names, ", ")
	}
	b.fail(s.span, remedy, "no array has the name %q", s.name)
	return nil
}

// input returns the node of an array.
func (b *builder) input(s *syntax, at int) *node {
	in := b.inputs[at]
	if _, ok := elements(in.Shape); !ok || len(in.Shape) > maxAxes {
		b.fail(s.span, "", "%s has the shape %v, which is too large", s.name, in.Shape)
	}
	return b.node(node{op: opInput, dtype: strong(in.Type), array: true, shape: in.Shape, input: at})
}

// call builds a function's call.
func (b *builder) call(s *syntax) *node {
	name := canonical(s.name)
	if r, ok := reductions()[name]; ok && (len(s.args) == 1 || r.elementwise == "") {
		return b.reduction(r, s)
	} else if ok {
		name = r.elementwise
	}
	if o, ok := orders()[name]; ok {
		return b.quantile(o, s)
	}
	if name == "astype" {
		return b.astype(s)
	}
	if t, err := kernels.ParseType(name); err == nil {
		b.want(s, 1, 1, nil)
		n := b.build(s.args[0])
		b.at = s.span
		return b.explicit(n, t)
	}
	f, ok := functions()[name]
	if remedy := refused[name]; !ok && remedy != "" {
		b.fail(s.at, remedy, "%q is not available", s.name)
	}
	if !ok || f.build == nil || f.operator {
		remedy := ""
		if near := nearest(s.name, functionNames()); near != "" {
			remedy = "did you mean " + near + "?"
		}
		b.fail(s.at, remedy, "no function has the name %q", s.name)
	}
	b.want(s, f.least, f.most, nil)
	return b.apply(f, s, b.operands(s))
}

// astype builds astype(x, f4), as of NumPy 2.1.
func (b *builder) astype(s *syntax) *node {
	b.want(s, 2, 2, nil)
	n := b.build(s.args[0])
	t, err := kernels.ParseType(s.args[1].name)
	if err != nil {
		b.fail(s.args[1].span, "use one of "+kernels.TypeNames(), "astype needs the name of a type")
	}
	b.at = s.span
	return b.explicit(n, t)
}

// want refuses a wrong number of arguments, and names of arguments but those
// listed.
func (b *builder) want(s *syntax, least, most int, names []string) {
	for _, k := range s.keywords {
		switch {
		case slices.Contains(names, k.name):
		default:
			b.fail(k.at, "", "%s has no argument %s", s.name, k.name)
		}
	}
	if n := len(s.args); n < least || n > most {
		remedy := ""
		if n > most {
			remedy = "arguments beyond are given by name"
		}
		if len(names) == 0 {
			remedy = ""
		}
		b.fail(s.span, remedy, "%s takes %s, not %d", s.name, plural(least, most), n)
	}
}

func plural(least, most int) string {
	numbers := []string{"no", "1", "2", "3"}
	switch {
	case least == most && most == 1:
		return "1 argument"
	case least == most:
		return numbers[most] + " arguments"
	}
	return numbers[least] + " to " + numbers[most] + " arguments"
}

// apply builds the node of an operator or function.
func (b *builder) apply(f function, s *syntax, args []*node) *node {
	b.at = s.span
	n := f.build(b, s, args)
	if n == nil {
		b.unsuited(s, args)
	}
	return n
}

// unsuited refuses operands of types that a function does not take.
func (b *builder) unsuited(s *syntax, args []*node) {
	remedy := ""
	d := common(args)
	switch {
	case s.op == "bitwise_xor" && d.isFloat():
		remedy = "a power is written **"
	case s.op == isAnd || s.op == isOr || s.op == isNot || s.op == isIfElse:
		remedy = "compare: x != 0"
	case d.isFloat():
		remedy = "it takes integers and masks; int64(x) cuts off"
	case d.isBool():
		remedy = "for 0 and 1 write where(m, 1, 0); for masks there are & | ^ ~"
	}
	types := args[0].String()
	for _, a := range args[1:] {
		types += " and " + a.String()
	}
	b.fail(s.span, remedy, "%q does not apply to %s", s.shown, types)
}
