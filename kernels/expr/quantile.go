package expr

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
)

// Quantile is an exact quantile of all elements of an array, or of those that a
// condition holds for. No pass computes it, as it takes surveys of its own: see
// [Plan.Quantiles].
type Quantile struct {
	// Of is the array if it lies in memory, a slice of it perhaps, and is not restricted.
	// Its From, Axes and Steps are those of a pass over the shape of the slice, in C's
	// order. It is nil of what is computed.
	Of     *Operand
	Text   string  // the expression whose value the array is
	Where  bool    // it is restricted by [Options.Where]
	Shape  []int   // of the array
	Q      float64 // from 0 to 1, in decimal
	Method kernels.Method

	of  *node
	src source // that the text is part of
	pos int    // from here on
}

// QuantileValue is what a quantile is found to be among the elements that are no NaN.
type QuantileValue struct {
	Value kernels.Value // absent if there are no such elements
	NaN   uint64        // how many others there are
}

// order is a function whose value is a quantile.
type order struct {
	median bool
	scale  float64 // what its argument is divided by
}

func makeOrders() map[string]order {
	orders := map[string]order{}
	for _, prefix := range []string{"", "nan"} {
		orders[prefix+"median"] = order{median: true}
		orders[prefix+"quantile"] = order{scale: 1}
		orders[prefix+"percentile"] = order{scale: 100}
	}
	return orders
}

// quantile builds the call of a function whose value is a quantile.
func (b *builder) quantile(o order, s *syntax) *node {
	most, names := 2, []string{"q", "method", "axis", "keepdims"}
	if o.median {
		most, names = 1, names[2:]
	}
	b.want(s, 1, most, names)
	x := b.quantileOf(s)
	q := 0.5
	if !o.median {
		q = b.probability(o, s)
	}
	m := b.method(s)
	ignore := strings.HasPrefix(s.name, "nan")
	r := &reduction{name: fmt.Sprint("quantile ", q, " ", m), typ: weakFloat, variant: "nan" + s.name}
	if ignore {
		r.name, r.variant = "nan"+r.name, ""
	}
	if !x.isFloat() && m != kernels.Linear && m != kernels.Midpoint {
		r.typ = weakInt // an element
	}
	b.at = s.span
	at := s.args[0].span
	r.quantile = &Quantile{Text: string(b.src[at.pos:at.end]), Where: b.where != nil, Shape: x.shape, Q: q, Method: m, src: b.src, pos: at.pos}
	switch {
	case b.where != nil:
		r.name += " where"
	case x.op == opInput, x.op == opView && x.args[0].op == opInput:
		of := operandOf(x, upTo(len(x.shape)))
		r.quantile.Of = &of
	}
	n := b.node(node{op: opValue, dtype: r.typ, name: r.name, reduce: r, args: []*node{x}})
	n.level = 0 // it is known before any pass
	n.reduce.quantile.of = n
	return n
}

// quantileOf builds the operand, and refuses what is no array of numbers.
func (b *builder) quantileOf(s *syntax) *node {
	x := b.build(s.args[0])
	for _, k := range s.keywords {
		if k.name == "keepdims" || k.name == "axis" && k.value.op != isNone {
			b.fail(k.at, "take one row or column after another: "+s.name+" of x[0], of x[:, 0]", "%s is of all elements, not along axes", s.name)
		}
	}
	switch {
	case !x.array:
		b.fail(s.args[0].span, "it is one number already", "%s of what is no array", s.name)
	case x.isBool():
		b.fail(s.args[0].span, "mean(m) is the share of True", "%s of a mask", s.name)
	case b.where != nil:
		b.filtering(s, x) // it has to go with the shape
	}
	return x
}

// probability returns which quantile is asked for.
func (b *builder) probability(o order, s *syntax) float64 {
	given := b.given(s, 1, "q")
	if given == nil {
		b.fail(s.span, fmt.Sprintf("write %s(x, %v)", s.name, 0.99*o.scale), "%s of which q", s.name)
	}
	p := b.number(s, 1, "q", 0)
	if !(p >= 0 && p <= o.scale) {
		b.fail(given.span, fmt.Sprintf("give a number from 0 to %v", o.scale), "there is no %s %s", strings.TrimPrefix(s.name, "nan"), kernels.FormatFloat(p))
	}
	// In decimal, as it is written: 99.9 percent are 0.999.
	q, _ := new(big.Rat).SetString(strconv.FormatFloat(p, 'g', -1, 64))
	f, _ := q.Quo(q, new(big.Rat).SetFloat64(o.scale)).Float64()
	return f
}

// method reads the argument of that name: a word, as text in quotes is none.
func (b *builder) method(s *syntax) kernels.Method {
	k := b.given(s, len(s.args), "method")
	if k == nil {
		return kernels.Linear
	}
	m, err := kernels.ParseMethod(k.name)
	if err != nil || k.op != isName {
		b.fail(k.span, "write method=linear, lower, higher, nearest or midpoint", "there is no such method")
	}
	return m
}

// Within returns an error about the Text as one about the text that it is a part of.
func (q *Quantile) Within(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Src != q.Text {
		return err
	}
	moved := *e
	moved.Src, moved.Col = string(q.src), e.Col+q.pos
	return &moved
}

// value returns what a quantile is in the language, where it is found to be v.
func (q *Quantile) value(v QuantileValue) result {
	switch of := q.of; {
	case v.NaN > 0 && of.reduce.variant != "":
		return nanOf(v.NaN)
	case of.isFloat() && !v.Value.Exists():
		return float(math.NaN())
	case of.isFloat():
		return float(v.Value.Float64())
	case !v.Value.Exists():
		return none("a quantile of no elements", "")
	}
	return whole(v.Value.Big())
}

// Quantiles returns the quantiles that the plan needs before its first pass. They are
// told by [Run.Know]. The array of one without Of is the result of a plan of its Text,
// with the same options, or, where it is restricted, what [PickElements] takes of it.
func (p *Plan) Quantiles() []*Quantile { return p.quantiles }

// Know tells a run what the quantiles of its plan are, in their order, before anything
// else is asked of it. It returns an *[Error] where one has no value.
func (r *Run) Know(values []QuantileValue) error {
	for i, q := range r.plan.quantiles {
		res := q.value(values[i])
		if res.msg != "" {
			return q.of.at.errorf(res.remedy, "%s", res.msg)
		}
		r.values[q.of] = res.value
		r.note(q.of, res.nan)
	}
	return nil
}
