package format

import (
	"fmt"
	"io"
)

// Checksum is one that a file keeps of bytes among which those of an array are. Who
// changes the array stores what [Sums] returns.
type Checksum struct {
	Format string // that knows how to compute it
	Kind   string // such as "CRC-32"
	Offset int64  // where it is stored
	Size   int    // bytes it takes there
	First  int64  // byte that it covers
	Length int64  // how many it covers
}

// Patch is what a file is to hold at a place.
type Patch struct {
	Offset int64
	Bytes  []byte
}

// Sums returns what a file is to hold where it keeps checksums of an array, by the
// bytes that it has now. Nothing depends on what the checksums were: who is cut short
// while storing the patches, some of them or half of one, begins again.
func Sums(r io.ReaderAt, a Array) ([]Patch, error) {
	if len(a.Checksums) == 0 {
		return nil, nil
	}
	name := a.Checksums[0].Format
	for _, f := range formats {
		if f.Name == name && f.Sums != nil {
			return f.Sums(r, a)
		}
	}
	return nil, fmt.Errorf("%w: this program does not know the checksums of format %q", ErrUnknown, name)
}

// CheckSums reports whether the places of the array's checksums lie inside a file of
// that size and hold none of its elements.
func (a *Array) CheckSums(fileSize int64) error {
	first, size := a.Extent()
	for _, c := range a.Checksums {
		end := c.Offset + int64(c.Size)
		switch {
		case c.Size <= 0 || c.Offset < 0 || end > fileSize || end < c.Offset:
			return &Error{Format: c.Format, Offset: max(c.Offset, 0), What: fmt.Sprintf("the %s of array %q lies outside the file", c.Kind, a.Name)}
		case c.First < 0 || c.Length < 0 || c.Length > largest || c.First > largest:
			return &Error{Format: c.Format, Offset: c.Offset, What: fmt.Sprintf("the %s of array %q covers more than any file", c.Kind, a.Name)}
		case uint64(end) > first && uint64(c.Offset) < first+size:
			return &Error{Format: c.Format, Offset: c.Offset, What: fmt.Sprintf("the %s of array %q lies among its elements", c.Kind, a.Name)}
		}
	}
	return nil
}
