package npy

import (
	"fmt"
	"strconv"

	"github.com/gangsaw/gangsaw/shm/format"
)

// maxAxes is NumPy's limit on the number of axes.
const maxAxes = 64

// header is what the dictionary says.
type header struct {
	descr   string
	descrAt int64 // place of descr's value in the header text
	fortran bool
	shape   []int64
}

// scanner reads the one Python literal that a header is.
type scanner struct {
	text  []byte
	pos   int
	start int64 // of text in the file
}

func (s *scanner) fail(format string, args ...any) *format.Error {
	return fail(s.start+int64(s.pos), "header: "+fmt.Sprintf(format, args...), "write the file again with numpy.save")
}

func parseHeader(text []byte, start int64) (header, error) {
	s := &scanner{text: text, start: start}
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
		s.space()
		h.descrAt = int64(s.pos)
		if s.peek() == '[' {
			return fail(s.start+h.descrAt, "the dtype is structured (a record of fields), which is not supported",
				"save each field on its own: numpy.save(f, x['field'])")
		}
		h.descr, err = s.quoted()
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

// quoted reads a string without escapes.
func (s *scanner) quoted() (string, error) {
	quote := s.peek()
	if quote != '\'' && quote != '"' {
		return "", s.fail("expected a quoted string")
	}
	begin := s.pos + 1
	for i := begin; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			s.pos = i
			return "", s.fail("a string has an escape")
		case quote:
			s.pos = i + 1
			return string(s.text[begin:i]), nil
		}
	}
	return "", s.fail("a string does not end")
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
