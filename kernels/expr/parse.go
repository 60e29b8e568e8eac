package expr

import "fmt"

// Limits of what is read.
const (
	maxSource = 1 << 16 // bytes of text
	maxParts  = 1000    // names, numbers, operators and calls
	maxNested = 200     // parts within one another
)

// syntax is a node of the parsed text.
type syntax struct {
	op       string // a function's name, which operators have too, or one of those below
	args     []*syntax
	keywords []keyword // of a call
	items    []sliceItem
	name     string
	quoted   bool
	value    constant
	shown    string // the operator or function as it is written
	given    string // the name that a whole expression is given
	span            // all of it
	at       span   // the operator or the name alone
}

// What syntax may be beside an operation.
const (
	isLiteral = "literal"
	isName    = "name"
	isCall    = "call"
	isAnd     = "and" // of masks, unlike bitwise_and
	isOr      = "or"
	isNot     = "not"
	isIfElse  = "if"
	isSlice   = "slice"
	isTuple   = "tuple" // of axes
	isNone    = "None"
)

// keyword is an argument with its name.
type keyword struct {
	name  string
	at    span
	value *syntax
}

// parser reads by precedence.
type parser struct {
	lexer
	token  token
	parts  int
	nested int
	before int // the end of the token before
}

// parse reads expressions that commas separate.
func parse(text string) ([]*syntax, *Error) {
	p := &parser{lexer: lexer{src: source(text)}}
	if len(text) > maxSource {
		return nil, p.src.errorf(span{maxSource, maxSource}, "compute parts of it first", "the expression is longer than %d bytes", maxSource)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	var all []*syntax
	for {
		given, err := p.given()
		if err != nil {
			return nil, err
		}
		s, err := p.ternary()
		if err != nil {
			return nil, err
		}
		s.given = given
		all = append(all, s)
		switch {
		case p.token.kind == endToken:
			return all, nil
		case !p.is(","):
			return nil, p.unexpected()
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.token.kind == endToken { // a comma at the end
			return all, nil
		}
	}
}

// given reads the name that an expression is given, "" if it has none.
func (p *parser) given() (string, *Error) {
	before := *p
	if before.token.kind != nameToken && before.token.kind != quotedToken {
		return "", nil
	}
	if err := p.advance(); err != nil || !p.is("=") {
		*p = before // an error is found again where it matters
		return "", nil
	}
	return before.token.text, p.advance()
}

func (p *parser) advance() (err *Error) {
	p.before = p.token.end
	p.token, err = p.next()
	return err
}

func (p *parser) is(symbol string) bool { return p.token.kind == symbolToken && p.token.text == symbol }

// expect passes over a symbol.
func (p *parser) expect(symbol string) *Error {
	if !p.is(symbol) {
		return p.src.errorf(p.token.span, p.remedy(), "%s where %q should be", p.shownToken(), symbol)
	}
	return p.advance()
}

func (p *parser) shownToken() string {
	if p.token.kind == endToken {
		return "the end of the expression"
	}
	return fmt.Sprintf("%q", p.token.text)
}

// unexpected is the error of a token that has no place here.
func (p *parser) unexpected() *Error {
	return p.src.errorf(p.token.span, p.remedy(), "%s is unexpected", p.shownToken())
}

// remedy tells what to write instead of the token.
func (p *parser) remedy() string {
	switch {
	case p.is("="):
		return "use == to compare"
	case p.is("None"):
		return "leave the argument out"
	case p.is("not"):
		return "put it in parentheses: (not a)"
	case p.is("."):
		return "write functions without np. and methods as functions: mean(x)"
	case p.token.kind == endToken:
		return "it is not complete"
	}
	return ""
}

// add counts a part.
func (p *parser) add(s *syntax) (*syntax, *Error) {
	p.parts++
	if p.parts > maxParts {
		return nil, p.src.errorf(s.at, "compute parts of it first", "the expression has more than %d parts", maxParts)
	}
	return s, nil
}

// operation makes the node of an operator and its operands.
func (p *parser) operation(op string, by token, args ...*syntax) (*syntax, *Error) {
	all := span{min(by.pos, args[0].pos), max(by.end, args[len(args)-1].end)}
	return p.add(&syntax{op: op, args: args, shown: by.text, span: all, at: by.span})
}

// within reads something that is nested one deeper.
func (p *parser) within(read func() (*syntax, *Error)) (*syntax, *Error) {
	p.nested++
	defer func() { p.nested-- }()
	if p.nested > maxNested {
		return nil, p.src.errorf(p.token.span, "compute parts of it first", "the expression is nested deeper than %d", maxNested)
	}
	return read()
}

// ternary reads: a if c else b, which binds least.
func (p *parser) ternary() (*syntax, *Error) { return p.within(p.ternaryWithin) }

func (p *parser) ternaryWithin() (*syntax, *Error) {
	yes, err := p.binary(0)
	if err != nil || !p.is("if") {
		return yes, err
	}
	by := p.token
	if err := p.advance(); err != nil {
		return nil, err
	}
	condition, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if err := p.expect("else"); err != nil {
		return nil, err
	}
	no, err := p.ternary()
	if err != nil {
		return nil, err
	}
	s, err := p.operation(isIfElse, by, condition, yes, no)
	if err == nil {
		s.span = span{yes.pos, no.end}
	}
	return s, err
}

// levels are the binary operators, by how tightly they bind, and their names.
var levels = []map[string]string{
	{"or": isOr},
	{"and": isAnd},
	{"not": isNot}, // stands before its operand
	comparisons,
	{"|": "bitwise_or"},
	{"^": "bitwise_xor"},
	{"&": "bitwise_and"},
	{"<<": "left_shift", ">>": "right_shift"},
	{"+": "add", "-": "subtract"},
	{"*": "multiply", "/": "divide", "//": "floor_divide", "%": "remainder"},
}

var comparisons = map[string]string{"==": "equal", "!=": "not_equal",
	"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}

const (
	notLevel     = 2
	compareLevel = 3
)

// binary reads operations of a level and of tighter ones.
func (p *parser) binary(level int) (*syntax, *Error) {
	switch {
	case level == len(levels):
		return p.unary()
	case level == notLevel:
		if !p.is("not") {
			return p.binary(level + 1)
		}
		return p.within(func() (*syntax, *Error) { return p.prefix(isNot, func() (*syntax, *Error) { return p.binary(level) }) })
	case level == compareLevel:
		return p.comparison()
	}
	left, err := p.binary(level + 1)
	for err == nil && p.token.kind == symbolToken {
		op, ok := levels[level][p.token.text]
		if !ok {
			break
		}
		by := p.token
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, rerr := p.binary(level + 1)
		if rerr != nil {
			return nil, rerr
		}
		left, err = p.operation(op, by, left, right)
	}
	return left, err
}

// comparison reads a < b < c, which is a < b and b < c.
func (p *parser) comparison() (*syntax, *Error) {
	left, err := p.binary(compareLevel + 1)
	var all *syntax
	for err == nil && p.token.kind == symbolToken && comparisons[p.token.text] != "" {
		by := p.token
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, rerr := p.binary(compareLevel + 1)
		if rerr != nil {
			return nil, rerr
		}
		var one *syntax
		if one, err = p.operation(comparisons[by.text], by, left, right); err != nil {
			return nil, err
		}
		if all == nil {
			all = one
		} else if all, err = p.operation(isAnd, by, all, one); err != nil {
			return nil, err
		}
		left = right
	}
	if all == nil {
		return left, err
	}
	return all, err
}

// prefix reads an operator that stands before its operand.
func (p *parser) prefix(op string, operand func() (*syntax, *Error)) (*syntax, *Error) {
	by := p.token
	if err := p.advance(); err != nil {
		return nil, err
	}
	s, err := operand()
	if err != nil {
		return nil, err
	}
	return p.operation(op, by, s)
}

var signs = map[string]string{"-": "negative", "+": "positive", "~": "invert"}

// unary reads signs, which bind less than powers on their right.
func (p *parser) unary() (*syntax, *Error) {
	if op := signs[p.token.text]; op != "" && p.token.kind == symbolToken {
		return p.within(func() (*syntax, *Error) { return p.prefix(op, p.unary) })
	}
	base, err := p.primary()
	if err != nil || !p.is("**") {
		return base, err
	}
	by := p.token
	if err := p.advance(); err != nil {
		return nil, err
	}
	exponent, err := p.within(p.unary)
	if err != nil {
		return nil, err
	}
	return p.operation("power", by, base, exponent)
}

// primary reads a number, a name, a call or parentheses.
func (p *parser) primary() (s *syntax, err *Error) {
	t := p.token
	switch {
	case t.kind == numberToken:
		s, err = p.add(&syntax{op: isLiteral, value: t.value, shown: t.text, span: t.span, at: t.span})
	case t.kind == nameToken || t.kind == quotedToken:
		s, err = p.add(&syntax{op: isName, name: t.text, quoted: t.kind == quotedToken, shown: t.text, span: t.span, at: t.span})
	case p.is("("):
		return p.parentheses()
	default:
		return nil, p.unexpected()
	}
	if err == nil {
		err = p.advance()
	}
	if err == nil && s.op == isName && !s.quoted && p.is("(") {
		err = p.arguments(s)
	}
	if err != nil {
		return nil, err
	}
	return p.after(s)
}

// after reads the slices of s that follow, and refuses what may follow in Python
// and not here.
func (p *parser) after(s *syntax) (_ *syntax, err *Error) {
	for p.is("[") {
		if s, err = p.slice(s); err != nil {
			return nil, err
		}
	}
	switch {
	case p.is("(") && s.op != isCall:
		return nil, p.src.errorf(p.token.span, "write * between factors", "%q cannot be called", s.shown)
	case p.is("."):
		return nil, p.unexpected()
	}
	return s, nil
}

func (p *parser) parentheses() (*syntax, *Error) {
	from := p.token.pos
	if err := p.advance(); err != nil {
		return nil, err
	}
	s, err := p.ternary()
	if err != nil {
		return nil, err
	}
	if p.is(",") {
		return nil, p.src.errorf(p.token.span, "commas separate expressions outside of parentheses", "there are no tuples")
	}
	to := p.token.end
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	s.span = span{from, to}
	return p.after(s)
}

// arguments reads what is between the parentheses of a call.
func (p *parser) arguments(s *syntax) *Error {
	s.op = isCall
	if err := p.advance(); err != nil {
		return err
	}
	for !p.is(")") {
		value, err := p.ternary()
		if err != nil {
			return err
		}
		switch {
		case p.is("=") && value.op == isName && value.span == value.at && !value.quoted:
			k := keyword{name: value.name, at: value.span}
			if err := p.advance(); err != nil {
				return err
			}
			if k.value, err = p.keyword(k.name); err != nil {
				return err
			}
			s.keywords = append(s.keywords, k)
		case len(s.keywords) > 0:
			return p.src.errorf(value.span, "arguments with a name come last", "an argument without a name after %s=", s.keywords[0].name)
		default:
			s.args = append(s.args, value)
		}
		if !p.is(",") {
			break
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	s.end = p.token.end
	return p.expect(")")
}

// keyword reads the value of an argument with a name: of an axis also None and
// several in parentheses.
func (p *parser) keyword(name string) (*syntax, *Error) {
	switch {
	case name != "axis":
		return p.ternary()
	case p.is("None"):
		s := &syntax{op: isNone, span: p.token.span, at: p.token.span}
		return s, p.advance()
	case !p.is("("):
		return p.ternary()
	}
	s := &syntax{op: isTuple, span: p.token.span, at: p.token.span}
	if err := p.advance(); err != nil {
		return nil, err
	}
	for !p.is(")") {
		item, err := p.ternary()
		if err != nil {
			return nil, err
		}
		s.args = append(s.args, item)
		if !p.is(",") {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	s.end = p.token.end
	return s, p.expect(")")
}
