package netcdf

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	tagDimension = 10
	tagVariable  = 11
	tagAttribute = 12

	mostHeader = 64 << 20 // bytes
	mostAxes   = 1024
	mostName   = 1 << 16
)

const remedyAgain = "it is truncated or damaged: write it again"

// external are the types by their numbers; text has none here.
var external = map[uint32]kernels.Type{
	1: kernels.Int8, 3: kernels.Int16, 4: kernels.Int32, 5: kernels.Float32, 6: kernels.Float64,
	7: kernels.Uint8, 8: kernels.Uint16, 9: kernels.Uint32, 10: kernels.Int64, 11: kernels.Uint64,
}

const typeText = 2

// sizeOf returns the bytes of an element, 0 of a type that there is not.
func sizeOf(typ uint32) int64 {
	if typ == typeText {
		return 1
	}
	return int64(external[typ].Size())
}

// dimension is an axis. The record dimension has length 0.
type dimension struct{ length int64 }

// variable is what the header says of one.
type variable struct {
	name       string
	dimensions []int64 // by number
	attributes map[string]attribute
	typ        uint32
	begin      int64
	at         int64 // of the entry in the file
}

// attribute is one whose values are kept, if they are few.
type attribute struct {
	typ    uint32
	values []byte
}

// header is all of it.
type header struct {
	version    byte
	records    int64 // -1: as many as the file has room for
	dimensions []dimension
	record     int64 // the number of the record dimension; -1: none
	variables  []variable
}

// scanner reads the header through a buffer, so that what it claims allocates
// nothing.
type scanner struct {
	r       io.ReaderAt
	pos     int64
	buf     []byte
	version byte
}

func (s *scanner) fail(what string, args ...any) *format.Error {
	return fail(s.pos, "header: "+fmt.Sprintf(what, args...), remedyAgain)
}

// bytes returns the next n, at most mostName. They are good until the next call.
func (s *scanner) bytes(n int) ([]byte, error) {
	if s.pos+int64(n) > mostHeader {
		return nil, s.fail("it has more than %d bytes", mostHeader)
	}
	if len(s.buf) < n {
		next := make([]byte, max(n, 8192))
		k, err := s.r.ReadAt(next, s.pos)
		if s.buf = next[:k]; k < n {
			if err != nil && err != io.EOF {
				return nil, fmt.Errorf("reading the header: %w", err)
			}
			return nil, s.fail("the file ends inside it")
		}
	}
	b := s.buf[:n]
	s.buf, s.pos = s.buf[n:], s.pos+int64(n)
	return b, nil
}

// skip passes over n bytes.
func (s *scanner) skip(n int64) error {
	if n > mostHeader-s.pos {
		return s.fail("it has more than %d bytes", mostHeader)
	}
	if n < int64(len(s.buf)) {
		s.buf = s.buf[n:]
	} else {
		s.buf = nil
	}
	s.pos += n
	return nil
}

func (s *scanner) word() (uint32, error) {
	b, err := s.bytes(4)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(b), nil
}

// long reads 8 bytes, or 4 where that is all there is.
func (s *scanner) long(wide bool) (int64, error) {
	if !wide {
		n, err := s.word()
		return int64(n), err
	}
	b, err := s.bytes(8)
	if err != nil {
		return 0, err
	}
	n := binary.BigEndian.Uint64(b)
	if n > math.MaxInt64 {
		return 0, s.fail("%d is larger than any file", n)
	}
	return int64(n), nil
}

// count reads a number of things.
func (s *scanner) count() (int64, error) { return s.long(s.version == 5) }

func (s *scanner) name() (string, error) {
	n, err := s.count()
	if err != nil {
		return "", err
	}
	if n > mostName {
		return "", s.fail("a name has %d bytes, more than %d", n, mostName)
	}
	b, err := s.bytes(int(n+3) &^ 3)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

// list reads the tag and the length of a list, and has each entry read.
func (s *scanner) list(tag uint32, entry func() error) error {
	found, err := s.word()
	if err != nil {
		return err
	}
	n, err := s.count()
	if err != nil {
		return err
	}
	if found != tag && (found != 0 || n != 0) {
		return s.fail("a list has tag %d, and not %d", found, tag)
	}
	for range n { // each entry takes bytes, and the header is limited
		if err := entry(); err != nil {
			return err
		}
	}
	return nil
}

func readHeader(r io.ReaderAt) (*header, error) {
	s := &scanner{r: r}
	b, err := s.bytes(4)
	if err != nil {
		return nil, err
	}
	h := &header{version: b[3], record: -1}
	s.version = b[3]
	if h.records, err = s.count(); err != nil {
		// All ones say that the file was written as a stream.
		return nil, err
	}
	if s.version != 5 && h.records == math.MaxUint32 {
		h.records = -1
	}
	if err := s.list(tagDimension, func() error { return h.dimension(s) }); err != nil {
		return nil, err
	}
	if _, err := s.attributes(); err != nil {
		return nil, err
	}
	return h, s.list(tagVariable, func() error { return h.variable(s) })
}

func (h *header) dimension(s *scanner) error {
	if _, err := s.name(); err != nil {
		return err
	}
	n, err := s.count()
	if err != nil {
		return err
	}
	if n == 0 {
		if h.record >= 0 {
			return s.fail("two dimensions are the record dimension")
		}
		h.record = int64(len(h.dimensions))
	}
	h.dimensions = append(h.dimensions, dimension{n})
	return nil
}

// kept are the attributes that matter here.
var kept = map[string]bool{"scale_factor": true, "add_offset": true, "_FillValue": true, "missing_value": true, "_Unsigned": true}

// attributes reads a list of them.
func (s *scanner) attributes() (map[string]attribute, error) {
	all := map[string]attribute{}
	err := s.list(tagAttribute, func() error {
		name, err := s.name()
		if err != nil {
			return err
		}
		typ, err := s.word()
		if err != nil {
			return err
		}
		n, err := s.count()
		if err != nil {
			return err
		}
		size := sizeOf(typ)
		if size == 0 {
			return s.fail("attribute %q has type %d, which there is not", name, typ)
		}
		if n > mostHeader {
			return s.fail("attribute %q has %d values", name, n)
		}
		length := n * size
		if kept[name] && length <= 4096 {
			b, err := s.bytes(int(length))
			if err != nil {
				return err
			}
			all[name] = attribute{typ, append([]byte{}, b...)}
			return s.skip(-length & 3)
		}
		return s.skip((length + 3) &^ 3)
	})
	return all, err
}

func (h *header) variable(s *scanner) error {
	v := variable{at: s.pos}
	var err error
	if v.name, err = s.name(); err != nil {
		return err
	}
	n, err := s.count()
	if err != nil {
		return err
	}
	if n > mostAxes {
		return s.fail("variable %q has %d dimensions, more than %d", v.name, n, mostAxes)
	}
	for i := range n {
		d, err := s.count()
		if err != nil {
			return err
		}
		if d >= int64(len(h.dimensions)) {
			return s.fail("variable %q has dimension %d of %d", v.name, d, len(h.dimensions))
		}
		if d == h.record && i > 0 {
			return s.fail("variable %q has the record dimension at place %d, and not first", v.name, i+1)
		}
		v.dimensions = append(v.dimensions, d)
	}
	if v.attributes, err = s.attributes(); err != nil {
		return err
	}
	if v.typ, err = s.word(); err != nil {
		return err
	}
	if sizeOf(v.typ) == 0 {
		return s.fail("variable %q has type %d, which there is not", v.name, v.typ)
	}
	// The stated size cannot hold that of large variables, and is made of the
	// shape instead.
	if _, err = s.count(); err != nil {
		return err
	}
	if v.begin, err = s.long(s.version != 1); err != nil {
		return err
	}
	h.variables = append(h.variables, v)
	return nil
}

func fail(at int64, what, remedy string) *format.Error {
	return &format.Error{Format: "netcdf", Offset: at, What: what, Remedy: remedy}
}
