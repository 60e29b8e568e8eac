package npy

// descr is what a header says of the elements: a code such as "<f8", or the
// fields of a record.
type descr struct {
	code   string
	at     int64 // in the file
	fields []field
}

// field is one of a record. One without a name is padding.
type field struct {
	name  string
	descr descr
	shape []int64 // of the elements that each record has
}

// maxDepth is how deep records may be nested.
const maxDepth = 32

// descr reads a quoted code or a list of fields.
func (s *scanner) descr(depth int) (d descr, err error) {
	s.space()
	d.at = s.start + int64(s.pos)
	if !s.accept('[') {
		d.code, err = s.quoted()
		return d, err
	}
	if depth == maxDepth {
		return d, s.fail("records are nested more than %d deep", maxDepth)
	}
	d.fields = []field{}
	for !s.accept(']') {
		f, err := s.field(depth + 1)
		if err != nil {
			return d, err
		}
		d.fields = append(d.fields, f)
		if !s.accept(',') && s.peek() != ']' {
			return d, s.fail("expected ',' or ']'")
		}
	}
	return d, nil
}

// field reads (name, descr) or (name, descr, shape); a name may be (title, name).
func (s *scanner) field(depth int) (f field, err error) {
	if err := s.want('('); err != nil {
		return f, err
	}
	if s.accept('(') {
		if _, err := s.quoted(); err != nil {
			return f, err
		}
		if err := s.want(','); err != nil {
			return f, err
		}
		if f.name, err = s.quoted(); err != nil {
			return f, err
		}
		if err := s.want(')'); err != nil {
			return f, err
		}
	} else if f.name, err = s.quoted(); err != nil {
		return f, err
	}
	if err := s.want(','); err != nil {
		return f, err
	}
	if f.descr, err = s.descr(depth); err != nil {
		return f, err
	}
	if s.accept(',') && s.peek() != ')' {
		if s.peek() != '(' {
			var n int64
			n, err = s.length()
			f.shape = []int64{n}
		} else {
			f.shape, err = s.tuple()
		}
		if err != nil {
			return f, err
		}
	}
	return f, s.want(')')
}
