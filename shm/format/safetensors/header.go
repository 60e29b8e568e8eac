package safetensors

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
)

// metadataKey is not a tensor's name.
const metadataKey = "__metadata__"

// scanner goes over the tokens of the header, so that a key that comes twice does
// not escape it, and nothing is built of what does not belong there.
type scanner struct{ d *json.Decoder }

func (s *scanner) at() int64 { return prefix + s.d.InputOffset() }

func (s *scanner) fail(what string, args ...any) error {
	return fail(s.at(), "header: "+fmt.Sprintf(what, args...), remedyAgain)
}

func (s *scanner) token() (json.Token, error) {
	t, err := s.d.Token()
	if err == io.EOF {
		return nil, s.fail("it ends early")
	}
	if err != nil {
		return nil, s.fail("it is no JSON: %v", err)
	}
	return t, nil
}

func (s *scanner) want(d json.Delim) error {
	t, err := s.token()
	if err == nil && t != d {
		return s.fail("expected %v", d)
	}
	return err
}

func (s *scanner) text() (string, error) {
	t, err := s.token()
	text, ok := t.(string)
	if err == nil && !ok {
		return "", s.fail("expected a string")
	}
	return text, err
}

// number reads a whole number of 0 or more.
func (s *scanner) number() (int64, error) {
	t, err := s.token()
	if err != nil {
		return 0, err
	}
	n, ok := t.(json.Number)
	if !ok {
		return 0, s.fail("expected a number")
	}
	v, err := strconv.ParseUint(n.String(), 10, 64)
	if err != nil || v > math.MaxInt64 {
		return 0, s.fail("%s is no size", n)
	}
	return int64(v), nil
}

func (s *scanner) numbers(most int) (all []int64, err error) {
	if err := s.want('['); err != nil {
		return nil, err
	}
	all = []int64{}
	for s.d.More() {
		n, err := s.number()
		if err != nil {
			return nil, err
		}
		if all = append(all, n); len(all) > most {
			return nil, s.fail("more than %d numbers", most)
		}
	}
	return all, s.want(']')
}

// parseHeader reads the entries of the header.
func parseHeader(r io.Reader) ([]tensor, error) {
	s := &scanner{json.NewDecoder(r)}
	s.d.UseNumber()
	if err := s.want('{'); err != nil {
		return nil, err
	}
	var all []tensor
	seen := map[string]bool{}
	for s.d.More() {
		name, err := s.text()
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, s.fail("tensor %q comes twice", name)
		}
		seen[name] = true
		if name == metadataKey {
			if err := s.metadata(); err != nil {
				return nil, err
			}
			continue
		}
		t, err := s.tensor(name)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	if err := s.want('}'); err != nil {
		return nil, err
	}
	if t, err := s.d.Token(); err != io.EOF {
		return nil, s.fail("unexpected %v behind the object", t)
	}
	return all, nil
}

func (s *scanner) metadata() error {
	if err := s.want('{'); err != nil {
		return err
	}
	for s.d.More() {
		if _, err := s.text(); err != nil {
			return err
		}
		if _, err := s.text(); err != nil {
			return err
		}
	}
	return s.want('}')
}

func (s *scanner) tensor(name string) (tensor, error) {
	t := tensor{name: name, at: s.at()}
	if err := s.want('{'); err != nil {
		return t, err
	}
	seen := map[string]bool{}
	for s.d.More() {
		key, err := s.text()
		if err != nil {
			return t, err
		}
		if seen[key] {
			return t, s.fail("tensor %q: key %q comes twice", name, key)
		}
		seen[key] = true
		switch key {
		case "dtype":
			t.dtype, err = s.text()
		case "shape":
			t.shape, err = s.numbers(mostAxes)
		case "data_offsets":
			var ends []int64
			if ends, err = s.numbers(2); err == nil && (len(ends) != 2 || ends[0] > ends[1]) {
				err = s.fail("tensor %q: data_offsets are not [begin, end]", name)
			} else if err == nil {
				t.begin, t.end = ends[0], ends[1]
			}
		default:
			err = s.fail("tensor %q: unknown key %q", name, key)
		}
		if err != nil {
			return t, err
		}
	}
	for _, key := range []string{"dtype", "shape", "data_offsets"} {
		if !seen[key] {
			return t, s.fail("tensor %q: key %q is missing", name, key)
		}
	}
	return t, s.want('}')
}
