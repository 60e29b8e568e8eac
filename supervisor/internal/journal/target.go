package journal

import (
	"fmt"
	"hash/crc64"
	"io"

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

// TargetOf returns the identity of a file of which an array is changed.
func TargetOf(m *shm.Mapping, a format.Array) (Target, error) {
	t, err := InputOf(m, a)
	t.Modified = 0
	return t, err
}

// InputOf returns the identity of a file of which an array is only read.
func InputOf(m *shm.Mapping, a format.Array) (Target, error) {
	info, err := m.File().Stat()
	if err != nil {
		return Target{}, err
	}
	t := Target{Path: m.Where(), Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if t.Inode, t.Born, err = inode(m.File()); err != nil {
		return t, fmt.Errorf("%s: %w", m.Path(), err)
	}
	t.Around, err = around(m, a, t.Size)
	return t, err
}

// Beside returns the identity of a file of which another array is changed.
func (t Target) Beside() Target {
	t.Around, t.Modified = 0, 0
	return t
}

// around returns a checksum of what lies beside the array.
func around(r io.ReaderAt, a format.Array, size int64) (uint64, error) {
	const most = 1 << 20
	sum := crc64.New(crc64.MakeTable(crc64.ECMA))
	end := a.Offset + a.Size()
	for _, side := range []struct{ from, to int64 }{{max(0, a.Offset-most), a.Offset}, {end, min(size, end+most)}} {
		if _, err := io.Copy(sum, io.NewSectionReader(r, side.from, side.to-side.from)); err != nil {
			return 0, err
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
