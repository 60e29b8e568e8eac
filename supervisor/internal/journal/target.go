package journal

import (
	"cmp"
	"fmt"
	"hash/crc64"
	"io"
	"slices"

	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
)

// Target tells which file is changed.
type Target struct {
	Path   string // under which it was opened
	Size   int64
	Inode  uint64
	Born   int64  // ns since 1970, 0 where the file system does not tell
	Around uint64 // checksum of what is beside the array, up to 1 MiB on each side, and between its pieces

	Modified int64 // ns since 1970, of a file that is only read
}

// TargetOf returns the identity of a file of which an array, which lies in pieces if there
// are any, is changed, and with it the checksums that the file keeps of it.
func TargetOf(m *shm.Mapping, a format.Array, p Pieces) (Target, error) {
	t, err := identity(m, a, p, a.Checksums)
	t.Modified = 0
	return t, err
}

// InputOf returns the identity of a file of which an array is only read.
func InputOf(m *shm.Mapping, a format.Array, p Pieces) (Target, error) {
	return identity(m, a, p, nil)
}

func identity(m *shm.Mapping, a format.Array, p Pieces, but []format.Checksum) (Target, error) {
	info, err := m.File().Stat()
	if err != nil {
		return Target{}, err
	}
	t := Target{Path: m.Where(), Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if t.Inode, t.Born, err = inode(m.File()); err != nil {
		return t, fmt.Errorf("%s: %w", m.Path(), err)
	}
	t.Around, err = around(m, p.extents(a), but, t.Size)
	return t, err
}

// Beside returns the identity of a file of which another array is changed.
func (t Target) Beside() Target {
	t.Around, t.Modified = 0, 0
	return t
}

// How many bytes on each side of an array tell its file from others, and between pieces of
// it, where a file says how the next one lies.
const (
	aroundMost  = 1 << 20
	betweenMost = 4 << 10
)

// around returns a checksum of what lies beside the elements, which lie in such extents, in
// the order of the file, but for some checksums.
func around(r io.ReaderAt, elements []extent, but []format.Checksum, size int64) (uint64, error) {
	sum, buffer := crc64.New(crc64.MakeTable(crc64.ECMA)), make([]byte, 32<<10)
	but = slices.SortedFunc(slices.Values(but), func(a, b format.Checksum) int { return cmp.Compare(a.Offset, b.Offset) })
	for _, side := range beside(elements, size) {
		from := side.from
		for _, c := range append(but[:len(but):len(but)], format.Checksum{Offset: side.to}) {
			to := min(c.Offset, side.to)
			if to > from {
				if _, err := io.CopyBuffer(sum, io.NewSectionReader(r, from, to-from), buffer); err != nil {
					return 0, err
				}
			}
			from = max(from, c.Offset+int64(c.Size))
		}
	}
	return sum.Sum64(), nil
}

// beside returns which bytes beside such extents of a file tell it from others: before all,
// behind all, and at both ends of what is between two.
func beside(elements []extent, size int64) (sides []extent) {
	first, end := elements[0].from, elements[0].to
	sides = append(sides, extent{from: max(0, first-aroundMost), to: first})
	for _, e := range elements[1:] {
		if head := min(e.from, end+betweenMost); head > end {
			sides = append(sides, extent{from: end, to: head}, extent{from: max(head, e.from-betweenMost), to: e.from})
		}
		end = max(end, e.to)
	}
	head := min(size, end+aroundMost)
	sides = append(sides, extent{from: end, to: head})
	if len(elements) > 1 {
		// At its end a file of pieces says where they are.
		sides = append(sides, extent{from: max(head, size-aroundMost), to: size})
	}
	return sides
}

// Differs returns why t is not the file that a journal is about, "" if it is.
func (t Target) Differs(journal Target) string {
	switch {
	case t.Inode != journal.Inode, t.Born != journal.Born:
		return "is another file than the one that the run began with"
	case t.Size != journal.Size:
		return fmt.Sprintf("has %d bytes, and had %d when the run began", t.Size, journal.Size)
	case t.Modified != journal.Modified:
		return "was written to since the run began"
	case t.Around != journal.Around:
		return "has other bytes beside the array than when the run began"
	}
	return ""
}
