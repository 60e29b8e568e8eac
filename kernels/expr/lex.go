package expr

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	endToken tokenKind = iota
	numberToken
	nameToken
	quotedToken // a name in backquotes
	symbolToken // an operator, a bracket, or a word that is one
)

// token is a piece of the text.
type token struct {
	kind tokenKind
	text string // of a name without its backquotes
	span
	value constant // of a number
}

// symbols are the operators and brackets, longer ones before their beginnings.
var symbols = []string{"...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=",
	"+", "-", "*", "/", "%", "<", ">", "&", "|", "^", "~", "(", ")", "[", "]", ",", ":", "=", "."}

// words are the names that are operators.
var words = map[string]bool{"and": true, "or": true, "not": true, "if": true, "else": true, "None": true}

// strangers are what others write, and what to write here.
var strangers = []struct{ text, remedy string }{
	{"&&", "use & or and"}, {"||", "use | or or"}, {"<>", "use !="}, {"!", "use ~ or not"},
	{":=", "a name cannot be given to a part: write it out, equal parts are computed once"},
	{"?", "write: a if condition else b"}, {";", "separate expressions by commas"},
	{"@", "write dot(a, b)"}, {"\"", "backquotes enclose a name"}, {"'", "backquotes enclose a name"},
	{"#", "there are no comments"}, {"{", "there are no sets"}, {"\\", "a line may end anywhere"},
}

// foreign are Python's words that are not part of the language.
var foreign = map[string]string{
	"in": "use == and |", "is": "use ==", "lambda": "write the expression itself", "for": "expressions apply to all elements by themselves",
	"await": "", "yield": "", "import": "functions are there without it", "assert": "", "return": "write the expression alone",
}

// lexer cuts the text into tokens.
type lexer struct {
	src source
	at  int
}

// next returns the next token, of kind endToken behind the last.
func (l *lexer) next() (token, *Error) {
	rest := strings.TrimLeft(string(l.src[l.at:]), " \t\r\n")
	l.at = len(l.src) - len(rest)
	from := l.at
	if rest == "" {
		return token{kind: endToken, text: "the end", span: span{from, from}}, nil
	}
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case r >= '0' && r <= '9', r == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
		return l.number(rest)
	case r == '`':
		return l.quoted(rest)
	case r == '_' || unicode.IsLetter(r):
		return l.name(rest)
	}
	for _, s := range strangers {
		if strings.HasPrefix(rest, s.text) && !strings.HasPrefix(rest, "!=") {
			return token{}, l.src.errorf(span{from, from + len(s.text)}, s.remedy, "%q is not part of the language", s.text)
		}
	}
	for _, s := range symbols {
		if strings.HasPrefix(rest, s) {
			l.at += len(s)
			return token{kind: symbolToken, text: s, span: span{from, l.at}}, nil
		}
	}
	return token{}, l.src.errorf(span{from, from + size}, "", "%q is not part of the language", rest[:size])
}

// name reads a name, or a word.
func (l *lexer) name(rest string) (token, *Error) {
	text := rest[:nameLen(rest)]
	at := span{l.at, l.at + len(text)}
	if remedy, ok := foreign[text]; ok {
		return token{}, l.src.errorf(at, remedy, "%q is not part of the language", text)
	}
	l.at = at.end
	kind := nameToken
	if words[text] {
		kind = symbolToken
	}
	return token{kind: kind, text: text, span: at}, nil
}

// nameLen returns how many bytes of text are letters, digits and underscores.
func nameLen(text string) int {
	for i, r := range text {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return i
		}
	}
	return len(text)
}

func (l *lexer) quoted(rest string) (token, *Error) {
	end := strings.IndexByte(rest[1:], '`')
	at := span{l.at, l.at + end + 2}
	if end <= 0 {
		return token{}, l.src.errorf(span{l.at, l.at + 1}, "a name stands between two backquotes", "a quoted name without a name or an end")
	}
	l.at = at.end
	return token{kind: quotedToken, text: rest[1 : end+1], span: at}, nil
}

// maxIntBits is the most bits an integer may have that is no array's.
const maxIntBits = 1024

// number reads a literal as Python reads it.
func (l *lexer) number(rest string) (token, *Error) {
	text := rest[:numberLen(rest)]
	at := span{l.at, l.at + len(text)}
	fail := func(remedy, msg string) (token, *Error) {
		return token{}, l.src.errorf(at, remedy, "%s: %s", msg, text)
	}
	if after := nameLen(rest[len(text):]); after > 0 {
		at.end += after
		text = rest[:len(text)+after]
		if strings.HasSuffix(text, "j") || strings.HasSuffix(text, "J") {
			return fail("numbers are real", "a complex number")
		}
		return fail("numbers are written as Python's: 1_000, 0x1f, .5, 1e-3", "no number")
	}
	l.at = at.end
	made := token{kind: numberToken, text: text, span: at}
	based := len(text) > 1 && text[0] == '0' && strings.ContainsRune("xXoObB", rune(text[1]))
	digits := strings.ReplaceAll(text, "_", "")
	switch {
	case strings.Contains(text, "__") || strings.HasSuffix(text, "_") || !based && badUnderscore(text):
		return fail("an underscore stands between two digits", "no number")
	case !based && strings.ContainsAny(text, ".eE"):
		f, err := strconv.ParseFloat(digits, 64)
		if err != nil && f == 0 || len(digits) > 0 && strings.ContainsAny(digits[len(digits)-1:], "eE+-") {
			return fail("an exponent has digits: 1e-3", "no number")
		}
		made.value = floatConstant(f)
		return made, nil
	case !based && len(digits) > 1 && digits[0] == '0' && strings.Trim(digits, "0") != "":
		return fail("leave out the leading 0, or write 0o for octal", "a number with a leading 0")
	case len(digits) > maxIntBits+2:
		return fail("write it as a float: 1e300", "an integer that is too large")
	}
	base := 10
	if based {
		base = 0
	}
	i, ok := new(big.Int).SetString(digits, base)
	switch {
	case !ok:
		return fail("numbers are written as Python's: 1_000, 0x1f, .5, 1e-3", "no number")
	case i.BitLen() > maxIntBits:
		return fail("write it as a float: 1e300", "an integer that is too large")
	}
	made.value = intConstant(i)
	return made, nil
}

// badUnderscore tells whether an underscore stands beside anything but digits.
func badUnderscore(text string) bool {
	for i := range text {
		if text[i] == '_' && !(isDigit(text, i-1) && isDigit(text, i+1)) {
			return true
		}
	}
	return false
}

func isDigit(text string, i int) bool {
	return i >= 0 && i < len(text) && text[i] >= '0' && text[i] <= '9'
}

// numberLen returns how many bytes of text belong to the number it begins with.
func numberLen(text string) int {
	digits := func(i int, set string) int {
		for i < len(text) && (strings.IndexByte(set, text[i]) >= 0 || text[i] == '_') {
			i++
		}
		return i
	}
	if text[0] == '0' && len(text) > 1 {
		switch text[1] {
		case 'x', 'X':
			return digits(2, "0123456789abcdefABCDEF")
		case 'o', 'O':
			return digits(2, "01234567")
		case 'b', 'B':
			return digits(2, "01")
		}
	}
	const decimal = "0123456789"
	i := digits(0, decimal)
	if i < len(text) && text[i] == '.' {
		i = digits(i+1, decimal)
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		i = digits(i, decimal)
	}
	return i
}
