package npz

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	entrySum = 16 // bytes into an entry of the directory
	localSum = 14 // into a local header
	sumSize  = 4
)

// checksums returns where the CRC-32 of a stored member is kept.
func (m *member) checksums(r io.ReaderAt) ([]format.Checksum, error) {
	places := []int64{m.entry + entrySum}
	if m.flags&flagDescriptor == 0 {
		places = append(places, m.local+localSum)
	} else if at, ok := m.descriptorSum(r); ok {
		places = append(places, at)
	}
	var all []format.Checksum
	for _, at := range places {
		if at+sumSize > m.dataOffset && at < m.dataOffset+m.size {
			return nil, fail(at, fmt.Sprintf("the CRC-32 of member %q lies among its data", m.name), remedyAgain)
		}
		all = append(all, format.Checksum{Format: "npz", Kind: "CRC-32", Offset: at, Size: sumSize, First: m.dataOffset, Length: m.size})
	}
	return all, nil
}

// descriptorSum returns where in the descriptor behind the data the CRC-32 is, before
// which a signature may be or not. Some writers announce a descriptor and leave it
// out: what is not the CRC-32 of the directory is something else.
func (m *member) descriptorSum(r io.ReaderAt) (int64, bool) {
	var b [8]byte
	at := m.dataOffset + m.packed
	n, _ := r.ReadAt(b[:], at)
	switch {
	case n == 8 && string(b[:4]) == descriptor && binary.LittleEndian.Uint32(b[4:]) == m.sum:
		return at + 4, true
	case n >= 4 && binary.LittleEndian.Uint32(b[:]) == m.sum:
		return at, true
	}
	return 0, false
}

// sums returns the CRC-32 of an array's member for all places that keep it.
func sums(r io.ReaderAt, a format.Array) ([]format.Patch, error) {
	c := a.Checksums[0] // all cover the same
	sum := crc32.NewIEEE()
	n, err := io.CopyBuffer(sum, io.NewSectionReader(r, c.First, c.Length), make([]byte, 1<<18))
	if err == nil && n < c.Length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("npz: reading a member for its CRC-32: %w", err)
	}
	var patches []format.Patch
	for _, c := range a.Checksums {
		patches = append(patches, format.Patch{Offset: c.Offset, Bytes: binary.LittleEndian.AppendUint32(nil, sum.Sum32())})
	}
	return patches, nil
}
