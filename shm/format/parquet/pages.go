package parquet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
)

// Kinds of pages.
const (
	pageData       = 0
	pageDictionary = 2
	pageData2      = 3
)

// maxHeader is the most bytes of a page's header, which may hold a least and a largest
// value.
const maxHeader = 64 << 10

// pages reads a column's part of a row group, page by page.
type pages struct {
	r          *bufio.Reader
	left       int64 // bytes
	limit      int64 // bytes of a page
	leaf       leaf
	codec      *decompressor
	dictionary *plain
	packed     []byte // a page as it is in the file
	whole      []byte // and decompressed
	page       page
}

// page is what is left of a data page.
type page struct {
	rows   int64
	levels *hybrid // nil: no value is null
	values values
}

// header is that of a page.
type header struct {
	kind, size, packed int64
	sum                uint32
	summed             bool
	values             int64 // null or not
	encoding           int64
	levelEncoding      int64
	levels, repeats    int64 // bytes of levels, in a page of the second version
	plain              bool  // it is not compressed
}

// newPages returns those of a chunk in a file of that size.
func newPages(r io.ReaderAt, size int64, c *chunk, l leaf, limit int64) (*pages, error) {
	switch {
	case c.elsewhere:
		return nil, errors.New("its pages are in another file")
	case c.encrypted:
		return nil, errors.New("its pages are encrypted")
	case c.physical != l.physical:
		return nil, fmt.Errorf("a row group has type %d of it, and the schema type %d", c.physical, l.physical)
	}
	from := c.data
	if c.dictionary > 0 && c.dictionary < from {
		from = c.dictionary
	}
	if from < 0 || c.size < 0 || from > size || c.size > size-from {
		return nil, fmt.Errorf("its %d bytes from byte %d on lie outside the file", c.size, from)
	}
	codec, err := newDecompressor(c.codec, limit)
	if err != nil {
		return nil, err
	}
	return &pages{r: bufio.NewReaderSize(io.NewSectionReader(r, from, c.size), maxHeader), left: c.size, limit: limit, leaf: l, codec: codec}, nil
}

func (p *pages) close() { p.codec.close() }

// next reads up to the next data page.
func (p *pages) next() error {
	for {
		if p.left == 0 {
			return errors.New("its pages hold fewer rows than its row group")
		}
		h, err := p.header()
		if err != nil {
			return err
		}
		if h.kind != pageData && h.kind != pageData2 && h.kind != pageDictionary {
			if err := p.discard(h.packed); err != nil {
				return err
			}
			continue
		}
		if err := p.read(h); err != nil {
			return err
		}
		if h.kind != pageDictionary {
			return nil
		}
	}
}

// header reads a page's header.
func (p *pages) header() (*header, error) {
	b, err := p.r.Peek(maxHeader)
	if err != nil && err != io.EOF {
		return nil, err
	}
	h, t := &header{kind: -1}, &thrift{b: b}
	t.structure(func(id int64, kind byte) bool {
		switch {
		case id >= 5 && id <= 8 && kind == thriftStruct:
			return h.details(id, t)
		case kind != thriftI32:
			return false
		case id == 1:
			h.kind = t.integer()
		case id == 2:
			h.size = t.integer()
		case id == 3:
			h.packed = t.integer()
		case id == 4:
			h.sum, h.summed = uint32(t.integer()), true
		default:
			return false
		}
		return true
	})
	if t.err != nil {
		return nil, fmt.Errorf("the header of a page: %w", t.err)
	}
	if err := p.discard(int64(len(b) - len(t.b))); err != nil {
		return nil, err
	}
	if h.size < 0 || h.packed < 0 || h.packed > p.left || h.values < 0 {
		return nil, fmt.Errorf("a page of %d values in %d bytes, %d of the file, of which %d are left", h.values, h.size, h.packed, p.left)
	}
	if h.size > p.limit || h.packed > p.limit {
		return nil, fmt.Errorf("a page has %d bytes, more than the %d that it may have (--decode-memory)", max(h.size, h.packed), p.limit)
	}
	return h, nil
}

// details reads the part of a header that only pages of one kind have.
func (h *header) details(of int64, t *thrift) bool {
	t.structure(func(id int64, kind byte) bool {
		switch {
		case of == 8 && id == 7 && (kind == thriftTrue || kind == thriftFalse):
			h.plain = kind == thriftFalse
		case kind != thriftI32 || of == 6:
			return false
		case id == 1:
			h.values = t.integer()
		case of == 8 && id == 4, of != 8 && id == 2:
			h.encoding = t.integer()
		case of == 5 && id == 3:
			h.levelEncoding = t.integer()
		case of == 8 && id == 5:
			h.levels = t.integer()
		case of == 8 && id == 6:
			h.repeats = t.integer()
		default:
			return false
		}
		return true
	})
	return true
}

func (p *pages) discard(n int64) error {
	p.left -= n
	_, err := p.r.Discard(int(n))
	return err
}

// read reads what follows a header, and makes it the present page, or the dictionary.
func (p *pages) read(h *header) error {
	p.packed = grown(p.packed, h.packed)
	p.left -= h.packed
	if _, err := io.ReadFull(p.r, p.packed); err != nil {
		return err
	}
	if h.summed && crc32.ChecksumIEEE(p.packed) != h.sum {
		return errors.New("a page does not have its CRC-32")
	}
	// Levels of the second version are not compressed.
	levels, most := int64(0), min(h.packed, h.size)
	if h.kind == pageData2 {
		if h.levels < 0 || h.levels > most || h.repeats < 0 || h.repeats > most-h.levels {
			return fmt.Errorf("a page of %d bytes has %d and %d bytes of levels", h.size, h.repeats, h.levels)
		}
		levels = h.levels + h.repeats
	}
	b := p.packed
	if p.codec.codec != codecNone && !(h.kind == pageData2 && (h.plain || h.size == levels)) {
		if h.kind == pageDictionary {
			b = make([]byte, h.size) // it stays
		} else {
			p.whole = grown(p.whole, h.size)
			b = p.whole
		}
		copy(b[:levels], p.packed)
		if err := p.codec.run(b[levels:], p.packed[levels:]); err != nil {
			return fmt.Errorf("decompressing a page: %w", err)
		}
	} else if h.packed != h.size {
		return errSize
	} else if h.kind == pageDictionary {
		p.packed = nil // it stays
	}
	if h.kind == pageDictionary {
		return p.keep(h, b)
	}
	return p.open(h, b, levels)
}

// keep makes bytes the dictionary.
func (p *pages) keep(h *header, b []byte) error {
	size := int64(sizes[p.leaf.physical])
	if size == 0 || h.encoding != encodingPlain && h.encoding != encodingPlainDictionary || h.values > int64(len(b))/size {
		return fmt.Errorf("a dictionary of %d values in %d bytes, by encoding %d", h.values, len(b), h.encoding)
	}
	p.dictionary = &plain{b[:h.values*size], int(size)}
	return nil
}

// open makes bytes, of which so many are levels if they are known, the present page.
func (p *pages) open(h *header, b []byte, levels int64) (err error) {
	p.page = page{rows: h.values}
	if p.leaf.maxDef > 0 {
		at := b[:levels]
		if h.kind == pageData2 {
			at = at[h.repeats:]
		} else {
			if h.levelEncoding != encodingRLE {
				return fmt.Errorf("a page's levels have the encoding %d, which is not supported", h.levelEncoding)
			}
			if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
				return errValues
			}
			levels = 4 + int64(binary.LittleEndian.Uint32(b))
			at = b[4:levels]
		}
		p.page.levels = &hybrid{b: at, width: uint64(bits.Len32(p.leaf.maxDef))}
	}
	p.page.values, err = newValues(b[levels:], p.leaf.physical, h.encoding, p.dictionary)
	return err
}

// grown returns a slice of n bytes, the same if it has room.
func grown(b []byte, n int64) []byte {
	if int64(cap(b)) < n {
		return make([]byte, n)
	}
	return b[:n]
}
