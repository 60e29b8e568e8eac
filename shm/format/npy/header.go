package npy

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/gangsaw/gangsaw/shm/format"
)

// maxAxes is NumPy's limit on the number of axes.
const maxAxes = 64

// header is what the dictionary says.
type header struct {
	descr   descr
	fortran bool
	shape   []int64
}

// scanner reads the one Python literal that a header is.
type scanner struct {
	text   []byte
	pos    int
	start  int64 // of text in the file
	latin1 bool  // its encoding is ISO 8859-1, and not UTF-8
}

func (s *scanner) fail(format string, args ...any) *format.Error {
	return fail(s.start+int64(s.pos), "header: "+fmt.Sprintf(format, args...), "write the file again with numpy.save")
}

func parseHeader(text []byte, start int64, latin1 bool) (header, error) {
	s := &scanner{text: text, start: start, latin1: latin1}
	var h header
	seen := map[string]bool{}
	if err := s.want('{'); err != nil {
		return h, err
	}
	for !s.accept('}') {
		key, err := s.quoted()
		if err != nil {
			return h, err
		}
		if seen[key] {
			return h, s.fail("key %q comes twice", key)
		}
		seen[key] = true
		if err := s.want(':'); err != nil {
			return h, err
		}
		if err := s.value(key, &h); err != nil {
			return h, err
		}
		if !s.accept(',') && s.peek() != '}' {
			return h, s.fail("expected ',' or '}'")
		}
	}
	if s.space(); s.pos != len(text) {
		return h, s.fail("unexpected %q behind the dictionary", text[s.pos])
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return h, s.fail("key %q is missing", key)
		}
	}
	return h, nil
}

// value reads the value of a key.
func (s *scanner) value(key string, h *header) (err error) {
	switch key {
	case "descr":
		h.descr, err = s.descr(0)
	case "fortran_order":
		h.fortran, err = s.boolean()
	case "shape":
		h.shape, err = s.tuple()
	default:
		return s.fail("unknown key %q", key)
	}
	return err
}

func (s *scanner) space() {
	for s.pos < len(s.text) && (s.text[s.pos] == ' ' || s.text[s.pos] == '\n' || s.text[s.pos] == '\t' || s.text[s.pos] == '\r') {
		s.pos++
	}
}

// peek returns the next byte that is no space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.pos == len(s.text) {
		return 0
	}
	return s.text[s.pos]
}

func (s *scanner) accept(c byte) bool {
	if s.peek() != c || c == 0 {
		return false
	}
	s.pos++
	return true
}

func (s *scanner) want(c byte) error {
	if !s.accept(c) {
		return s.fail("expected %q", c)
	}
	return nil
}

// quoted reads a string, as Python shows it.
func (s *scanner) quoted() (string, error) {
	quote := s.peek()
	if quote != '\'' && quote != '"' {
		return "", s.fail("expected a quoted string")
	}
	var text []byte
	for s.pos++; s.pos < len(s.text); {
		switch c := s.text[s.pos]; {
		case c == quote:
			s.pos++
			return string(text), nil
		case c == '\\':
			letter, err := s.escape()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, letter)
		case s.latin1:
			text = utf8.AppendRune(text, rune(c))
			s.pos++
		default:
			text = append(text, c)
			s.pos++
		}
	}
	return "", s.fail("a string does not end")
}

// escapes are what may stand behind a backslash for one letter, and widths what has so
// many hexadecimal digits behind it.
var (
	escapes = map[byte]rune{'\\': '\\', '\'': '\'', '"': '"', 'n': '\n', 'r': '\r', 't': '\t'}
	widths  = map[byte]int{'x': 2, 'u': 4, 'U': 8}
)

// escape reads a backslash and what it makes of what is behind it.
func (s *scanner) escape() (rune, error) {
	if rest := s.text[s.pos+1:]; len(rest) > 0 {
		if letter, ok := escapes[rest[0]]; ok {
			s.pos += 2
			return letter, nil
		}
		if n := widths[rest[0]]; n > 0 && n < len(rest) {
			if code, err := strconv.ParseUint(string(rest[1:1+n]), 16, 32); err == nil {
				s.pos += 2 + n
				return rune(code), nil
			}
		}
	}
	return 0, s.fail("a string has an escape that is not known")
}

func (s *scanner) boolean() (bool, error) {
	s.space()
	for word, value := range map[string]bool{"True": true, "False": false} {
		if end := s.pos + len(word); end <= len(s.text) && string(s.text[s.pos:end]) == word {
			s.pos = end
			return value, nil
		}
	}
	return false, s.fail("expected True or False")
}

// tuple reads a tuple of lengths; (3) without a comma is no tuple.
func (s *scanner) tuple() ([]int64, error) {
	if err := s.want('('); err != nil {
		return nil, err
	}
	shape := []int64{}
	for !s.accept(')') {
		n, err := s.length()
		if err != nil {
			return nil, err
		}
		if shape = append(shape, n); len(shape) > maxAxes {
			return nil, s.fail("the shape has more than %d axes", maxAxes)
		}
		if !s.accept(',') && (s.peek() != ')' || len(shape) == 1) {
			return nil, s.fail("expected ',' in the shape")
		}
	}
	return shape, nil
}

// length reads a decimal number; Python 2 wrote some with a trailing L.
func (s *scanner) length() (int64, error) {
	s.space()
	begin := s.pos
	for s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9' {
		s.pos++
	}
	digits := string(s.text[begin:s.pos])
	if digits == "" {
		return 0, s.fail("expected a length, a number of 0 or more")
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		s.pos = begin
		return 0, s.fail("length %s is larger than any file", digits)
	}
	s.accept('L')
	return n, nil
}
