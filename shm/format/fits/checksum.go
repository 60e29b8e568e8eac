package fits

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"

	"github.com/gangsaw/gangsaw/shm/format"
)

// Sum adds big-endian words of 32 bits to a sum in ones' complement, as the standard
// defines DATASUM. The length is a multiple of 4.
func Sum(sum uint32, b []byte) uint32 {
	for ; len(b) >= 4; b = b[4:] {
		total, carry := bits.Add32(sum, binary.BigEndian.Uint32(b), 0)
		sum = total + carry
	}
	return sum
}

// Encode returns the 16 characters of CHECKSUM that make the sum of a unit all ones
// whose sum is sum with CHECKSUM's value all '0'.
func Encode(sum uint32) [16]byte {
	value := ^sum
	var out [16]byte
	for i := range 4 { // each byte is the sum of four characters
		b := byte(value >> (24 - 8*i))
		var c [4]byte
		for j := range c {
			c[j] = b/4 + '0'
		}
		c[0] += b % 4
		balance(&c)
		for j := range c {
			out[(4*j+i+1)%16] = c[j] // the value begins one byte behind a whole word
		}
	}
	return out
}

// balance moves characters in pairs until all are digits and letters, and keeps
// their sum.
func balance(c *[4]byte) {
	for again := true; again; {
		again = false
		for j := 0; j < 4; j += 2 {
			if !alphanumeric(c[j]) || !alphanumeric(c[j+1]) {
				c[j]++
				c[j+1]--
				again = true
			}
		}
	}
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// sums returns the cards of DATASUM and CHECKSUM that an array's unit is to have. It
// reads the data once.
func sums(r io.ReaderAt, a format.Array) ([]format.Patch, error) {
	var datasum, checksum *format.Checksum
	length := int64(0)
	for i := range a.Checksums {
		c := &a.Checksums[i]
		switch c.Kind {
		case "DATASUM":
			datasum = c
		case "CHECKSUM":
			checksum = c
		default:
			return nil, fail(c.Offset, fmt.Sprintf("checksums of kind %q are not known", c.Kind), "")
		}
		length = c.First + c.Length - a.Offset
	}
	data, err := sumOf(r, a.Offset, length, a.Offset+a.Size())
	if err != nil {
		return nil, err
	}
	var patches []format.Patch
	if datasum != nil {
		c := make([]byte, card)
		if n, err := r.ReadAt(c, datasum.Offset); n < card {
			return nil, fmt.Errorf("fits: reading DATASUM: %w", err)
		}
		patches = append(patches, format.Patch{Offset: datasum.Offset, Bytes: withValue(c, strconv.FormatUint(uint64(data), 10))})
	}
	if checksum == nil {
		return patches, nil
	}
	header, err := headerWith(r, checksum.First, a.Offset, patches)
	if err != nil {
		return nil, err
	}
	at := checksum.Offset - checksum.First
	if at < 0 || at > int64(len(header))-card {
		return nil, fail(checksum.Offset, "CHECKSUM is not in the header of its unit", "")
	}
	zeros := withValue(header[at:at+card], strings.Repeat("0", 16))
	copy(header[at:], zeros)
	text := Encode(Sum(Sum(0, header), binary.BigEndian.AppendUint32(nil, data)))
	return append(patches, format.Patch{Offset: checksum.Offset, Bytes: withValue(zeros, string(text[:]))}), nil
}

// headerWith returns the header from one offset to another, patched.
func headerWith(r io.ReaderAt, first, end int64, patches []format.Patch) ([]byte, error) {
	if end < first || end-first > mostCards*card+block {
		return nil, fail(first, fmt.Sprintf("no header has %d bytes", end-first), "")
	}
	header := make([]byte, end-first)
	if n, err := r.ReadAt(header, first); n < len(header) {
		return nil, fmt.Errorf("fits: reading a header for its CHECKSUM: %w", err)
	}
	for _, p := range patches {
		if at := p.Offset - first; at >= 0 && at <= int64(len(header)-len(p.Bytes)) {
			copy(header[at:], p.Bytes)
		}
	}
	return header, nil
}

// sumOf sums bytes of a file. From an offset on they are padding, which counts as
// zeros where the file ends before it does.
func sumOf(r io.ReaderAt, offset, length, padding int64) (sum uint32, err error) {
	buf := make([]byte, 64*block)
	for length > 0 {
		part := buf[:min(int64(len(buf)), length)]
		n, err := r.ReadAt(part, offset)
		if err == io.EOF && offset+int64(n) < padding {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && err != io.EOF {
			return 0, fmt.Errorf("fits: reading for a checksum: %w", err)
		}
		clear(part[n:])
		sum = Sum(sum, part)
		if err == io.EOF {
			break // however much the header says is behind it
		}
		offset, length = offset+int64(len(part)), length-int64(len(part))
	}
	return sum, nil
}

// withValue returns a card with another string and the same comment, the end of which
// is lost where there is no room for it. The string begins where it has to, for
// CHECKSUM to sum up.
func withValue(c []byte, text string) []byte {
	const begin = 10 // of every string that keeps to the standard's fixed format
	old, rest := "", ""
	if at := strings.TrimLeft(string(c[begin:]), " "); strings.HasPrefix(at, "'") {
		if end := closing(at); end > 0 {
			old, rest = at[1:end], at[end+1:]
		}
	} else if i := strings.IndexByte(at, '/'); i >= 0 {
		rest = " " + at[i:]
	}
	if width := len(old); width > len(text) && c[begin] == '\'' {
		text = fmt.Sprintf("%-*s", width, text)
	}
	made := fmt.Appendf(nil, "%s'%s'%s", c[:begin], text, rest)
	return append(made, bytes.Repeat([]byte{' '}, card)...)[:card]
}
