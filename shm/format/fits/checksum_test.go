package fits

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/shm/format"
)

// memory is a file.
type memory []byte

func (m memory) ReadAt(b []byte, offset int64) (int, error) {
	if n := copy(b, m[offset:]); n < len(b) {
		return n, io.EOF
	}
	return len(b), nil
}

func (m memory) WriteAt(b []byte, offset int64) (int, error) { return copy(m[offset:], b), nil }

// all returns the file that Astropy wrote with checksums.
func all(t *testing.T) (memory, []format.Array) {
	t.Helper()
	b, err := os.ReadFile("../testdata/all.fits")
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return b, arrays
}

// update stores the checksums of an array.
func update(t *testing.T, m memory, a format.Array) {
	t.Helper()
	patches, err := format.Sums(m, a)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range patches {
		m.WriteAt(p.Bytes, p.Offset)
	}
}

func TestSumsAreTheChecksumsOfAstropy(t *testing.T) {
	b, arrays := all(t)
	m := slices.Clone(b)
	for _, a := range arrays {
		if len(a.Checksums) != 2 {
			t.Fatalf("%s: %+v", a.Name, a.Checksums)
		}
		for _, c := range a.Checksums { // forget them
			begin := c.Offset + 11
			width := bytes.IndexByte(m[begin:], '\'')
			copy(m[begin:], bytes.Repeat([]byte("9"), width))
		}
		update(t, m, a)
	}
	for i := 0; i < len(b); i += card {
		if !bytes.Equal(m[i:i+card], b[i:i+card]) {
			t.Errorf("bytes at %d: %q, want %q", i, m[i:i+card], b[i:i+card])
		}
	}
}

// The sum of a unit with CHECKSUM is all ones, counted word by word here.
func TestChangedImagesHaveRightChecksums(t *testing.T) {
	m, arrays := all(t)
	for _, a := range arrays {
		m[a.Offset]++
		m[a.Offset+3] ^= 0xa5
		update(t, m, a)
		sum := a.Checksums[1]
		if total := naive(m[sum.First : sum.First+sum.Length]); total != 0xffffffff {
			t.Errorf("%s: the unit sums to %#x", a.Name, total)
		}
	}
}

func TestEncodedChecksumsAreLettersAndDigits(t *testing.T) {
	for _, sum := range []uint32{0, 1, 0xffffffff, 0x80000000, 0x12345678, 0x3a3b3c3d, 0x5b606162, 868229149} {
		text := Encode(sum)
		for _, c := range text {
			if !alphanumeric(c) {
				t.Errorf("%#x: %q", sum, text)
			}
		}
	}
	// The standard's own example.
	if got := Encode(868229149); string(got[:]) != "hcHjjc9ghcEghc9g" {
		t.Errorf("%q", got)
	}
}

// However the cards were written, the sum is right and the cards are whole.
func TestCardsOfAnyShapeGetTheirChecksums(t *testing.T) {
	b, arrays := all(t)
	a := arrays[1]
	for _, c := range []struct{ datasum, checksum string }{
		{"'1'", "''"},
		{"''  / a comment that is so long that its end has to go, since there is no room", "'short' / of the unit"},
		{"                                                                   '1'", "  'begins late     '/ too late"},
		{"12 / no string", "'" + strings.Repeat("x", 60) + "'"},
		{"'does not end", "'does not end"},
		{"/", "\xff\xfe\xfd / \xff"},
		{"'a''b' / quoted", "'" + strings.Repeat("''", 20) + "' /" + strings.Repeat("\xc3\xa4", 10)},
	} {
		m := slices.Clone(b)
		for i, text := range []string{c.datasum, c.checksum} {
			at := a.Checksums[i].Offset + 10
			copy(m[at:at+card-10], text+strings.Repeat(" ", card))
		}
		update(t, m, a)
		once := slices.Clone(m)
		if update(t, m, a); !bytes.Equal(m, once) {
			t.Errorf("%q: another time, other checksums", c)
		}
		sum := a.Checksums[1]
		if total := naive(m[sum.First : sum.First+sum.Length]); total != 0xffffffff {
			t.Errorf("%q: the unit sums to %#x", c, total)
		}
		h, err := readHeader(m, sum.First, int64(len(m)))
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprint(naive(m[a.Offset : a.Checksums[0].First+a.Checksums[0].Length])); h.values["DATASUM"].text != want {
			t.Errorf("%q: DATASUM is %q, want %q", c, h.values["DATASUM"].text, want)
		}
	}
}

// naive sums big-endian words, and carries at the end.
func naive(b []byte) uint64 {
	var total uint64
	for ; len(b) > 0; b = b[4:] {
		total += uint64(binary.BigEndian.Uint32(b))
	}
	for total > 0xffffffff {
		total = total>>32 + total&0xffffffff
	}
	return total
}

// The end of the last block may be missing, and none of the array.
func TestPaddingThatIsMissingIsZero(t *testing.T) {
	b, arrays := all(t)
	a := arrays[0] // followed by others
	c := a.Checksums[0]
	whole, err := sumOf(b, c.First, c.Length, a.Offset+a.Size())
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := sumOf(b[:a.Offset+a.Size()], c.First, c.Length, a.Offset+a.Size()); err != nil || sum != whole {
		t.Errorf("%#x, %v, want %#x", sum, err, whole)
	}
	if _, err := format.Sums(b[:a.Offset+a.Size()-1], a); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("an array cut short: %v", err)
	}
}
