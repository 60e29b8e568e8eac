package hdf5

import (
	"fmt"
	"io"

	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	mostBlock  = 4 << 20   // bytes of one structure
	mostBytes  = 256 << 20 // of all that is read
	mostReads  = 1 << 20
	mostDepth  = 64
	mostAxes   = 32
	mostPath   = 4096
	remedyDone = "it is truncated or damaged: write it again, or try h5clear -s"
)

// undefined is the address of what there is not.
const undefined = ^uint64(0)

// file reads structures, whose addresses count from base.
type file struct {
	r           io.ReaderAt
	size        int64
	base        int64
	offsetSize  int   // bytes of an address
	lengthSize  int   // bytes of a length
	reads, left int64 // structures that may still be read, and bytes that may be read or kept
}

func fail(at int64, what string, args ...any) *format.Error {
	return &format.Error{Format: "hdf5", Offset: at, What: fmt.Sprintf(what, args...), Remedy: remedyDone}
}

// take counts bytes that are read, or kept of what was: a structure that is met again
// and again makes much of little.
func (f *file) take(n, place int64) error {
	if f.left -= n; f.reads < 0 || f.left < 0 {
		return fail(place, "the file has more structures than it has room for, or than %d", mostReads)
	}
	return nil
}

// at reads n bytes at an address.
func (f *file) at(address uint64, n uint64, what string) (*cursor, error) {
	if address > uint64(f.size) || n > uint64(f.size) || int64(address) > f.size-f.base-int64(n) {
		return nil, fail(f.size, "%s of %d bytes at address %d lies outside the file", what, n, address)
	}
	place := f.base + int64(address)
	if n > mostBlock {
		return nil, fail(place, "%s has %d bytes, more than %d", what, n, mostBlock)
	}
	f.reads--
	if err := f.take(int64(n), place); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if k, err := f.r.ReadAt(b, place); k < len(b) {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	return &cursor{f: f, b: b, place: place, what: what}, nil
}

// cursor goes over the bytes of a structure. The first error stays.
type cursor struct {
	f     *file
	b     []byte
	place int64 // of b in the file
	what  string
	err   error
}

func (c *cursor) fail(what string, args ...any) {
	if c.err == nil {
		c.err = fail(c.place, c.what+": "+what, args...)
		c.b = nil
	}
}

// bytes returns the next n, or none.
func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.fail("it ends early")
		return nil
	}
	b := c.b[:n]
	c.b, c.place = c.b[n:], c.place+int64(n)
	return b
}

// uint reads a number of n bytes, at most 8.
func (c *cursor) uint(n int) (v uint64) {
	for i, b := range c.bytes(uint64(n)) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

func (c *cursor) skip(n uint64) { c.bytes(n) }

// address reads one; that of nothing is undefined.
func (c *cursor) address() uint64 {
	v := c.uint(c.f.offsetSize)
	if c.err != nil || v == undefined>>(64-8*c.f.offsetSize) {
		return undefined
	}
	return v
}

func (c *cursor) length() uint64 { return c.uint(c.f.lengthSize) }

// signature checks the first bytes, where a structure has some.
func (c *cursor) signature(want string) {
	if got := c.bytes(uint64(len(want))); c.err == nil && string(got) != want {
		c.fail("it does not begin with %s", want)
	}
}

// part returns a cursor over the next n bytes.
func (c *cursor) part(n uint64, what string) *cursor {
	place := c.place
	b := c.bytes(n)
	return &cursor{f: c.f, b: b, place: place, what: what, err: c.err}
}

// name reads up to a zero byte, with as much behind it as fills a multiple of pad.
func (c *cursor) name(pad int) string {
	for i, b := range c.b {
		if b != 0 {
			continue
		}
		name := string(c.b[:i])
		c.skip(uint64((i + pad) / pad * pad))
		return name
	}
	c.fail("a name does not end")
	return ""
}
