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
	Around uint64 // checksum of what is beside the array, up to 1 MiB on each side

	Modified int64 // ns since 1970, of a file that is only read
}

// TargetOf returns the identity of a file of which an array is changed, and with it
// the checksums that the file keeps of it.
func TargetOf(m *shm.Mapping, a format.Array) (Target, error) {
	t, err := identity(m, a, a.Checksums)
	t.Modified = 0
	return t, err
}

// InputOf returns the identity of a file of which an array is only read.
func InputOf(m *shm.Mapping, a format.Array) (Target, error) { return identity(m, a, nil) }

func identity(m *shm.Mapping, a format.Array, but []format.Checksum) (Target, error) {
	info, err := m.File().Stat()
	if err != nil {
		return Target{}, err
	}
	t := Target{Path: m.Where(), Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if t.Inode, t.Born, err = inode(m.File()); err != nil {
		return t, fmt.Errorf("%s: %w", m.Path(), err)
	}
	t.Around, err = around(m, a, but, t.Size)
	return t, err
}

// Beside returns the identity of a file of which another array is changed.
func (t Target) Beside() Target {
	t.Around, t.Modified = 0, 0
	return t
}

// around returns a checksum of what lies beside the array, but for some checksums.
func around(r io.ReaderAt, a format.Array, but []format.Checksum, size int64) (uint64, error) {
	const most = 1 << 20
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	but = slices.SortedFunc(slices.Values(but), func(a, b format.Checksum) int { return cmp.Compare(a.Offset, b.Offset) })
	offset, size64 := a.Extent()
	begin, end := int64(offset), int64(offset+size64)
	for _, side := range []struct{ from, to int64 }{{max(0, begin-most), begin}, {end, min(size, end+most)}} {
		from := side.from
		for _, c := range append(but[:len(but):len(but)], format.Checksum{Offset: side.to}) {
			to := min(c.Offset, side.to)
			if to > from {
				if _, err := io.Copy(sum, io.NewSectionReader(r, from, to-from)); err != nil {
					return 0, err
				}
			}
			from = max(from, c.Offset+int64(c.Size))
		}
	}
	return sum.Sum64(), nil
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
