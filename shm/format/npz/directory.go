package npz

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	localMagic    = "PK\x03\x04"
	entryMagic    = "PK\x01\x02"
	endMagic      = "PK\x05\x06"
	locatorMagic  = "PK\x06\x07"
	end64Magic    = "PK\x06\x06"
	descriptor    = "PK\x07\x08"
	endSize       = 22
	locatorSize   = 20
	end64Size     = 56
	entrySize     = 46
	localSize     = 30
	mostDirectory = 64 << 20 // bytes
	remedyAgain   = "it is truncated or no .npz file: write it again with numpy.savez"
)

// member is one file in the archive.
type member struct {
	name       string
	flags      uint16
	method     uint16
	sum        uint32 // CRC-32 of what it holds
	packed     int64  // bytes it takes in the archive
	size       int64  // bytes it holds
	local      int64  // where its local header is
	entry      int64  // where its entry in the directory is
	dataOffset int64
}

const (
	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
)

// directory is where the central directory lies.
type directory struct {
	offset, size int64
	members      uint64
}

// readAt reads n bytes that have to be there.
func readAt(r io.ReaderAt, size, offset int64, n int, what string) ([]byte, error) {
	if offset < 0 || offset > size-int64(n) {
		return nil, fail(max(offset, 0), what+" lies outside the file", remedyAgain)
	}
	b := make([]byte, n)
	if k, err := r.ReadAt(b, offset); k < n {
		return nil, fmt.Errorf("reading %s: %w", what, err)
	}
	return b, nil
}

// findDirectory looks for the end record, which a comment of up to 64 KiB may follow.
func findDirectory(r io.ReaderAt, size int64) (directory, error) {
	n := min(size, endSize+1<<16-1)
	tail, err := readAt(r, size, size-n, int(n), "the end of the archive")
	if err != nil {
		return directory{}, err
	}
	for i := len(tail) - endSize; i >= 0; i-- {
		if string(tail[i:i+4]) != endMagic {
			continue
		}
		b := tail[i:]
		if int(binary.LittleEndian.Uint16(b[20:])) != len(b)-endSize {
			continue
		}
		at := size - n + int64(i)
		d := directory{
			offset:  int64(binary.LittleEndian.Uint32(b[16:])),
			size:    int64(binary.LittleEndian.Uint32(b[12:])),
			members: uint64(binary.LittleEndian.Uint16(b[10:])),
		}
		if disk := binary.LittleEndian.Uint16(b[4:]); disk != 0 && disk != 0xffff {
			return d, fail(at, "the archive is split over several files", "join them: zip -s 0 in.zip --out out.npz")
		}
		if d.offset == 0xffffffff || d.size == 0xffffffff || d.members == 0xffff {
			if d, err = findDirectory64(r, size, at, d); err != nil {
				return d, err
			}
		}
		if d.offset < 0 || d.size < 0 || d.offset > at || d.size > at-d.offset {
			return d, fail(at, fmt.Sprintf("the directory of %d bytes at %d lies outside the file", d.size, d.offset), remedyAgain)
		}
		if d.size > mostDirectory {
			return d, fail(at, fmt.Sprintf("the directory has %d bytes, more than %d", d.size, mostDirectory), "")
		}
		return d, nil
	}
	return directory{}, fail(size, "the archive has no directory at its end", remedyAgain)
}

// findDirectory64 reads the end record of ZIP64, which a locator before the other
// one points to. Without a locator, d stands.
func findDirectory64(r io.ReaderAt, size, end int64, d directory) (directory, error) {
	if end < locatorSize {
		return d, nil
	}
	b, err := readAt(r, size, end-locatorSize, locatorSize, "the ZIP64 locator")
	if err != nil || string(b[:4]) != locatorMagic {
		return d, err
	}
	at := int64(binary.LittleEndian.Uint64(b[8:]))
	if b, err = readAt(r, size, at, end64Size, "the ZIP64 end record"); err != nil {
		return d, err
	}
	if string(b[:4]) != end64Magic {
		return d, fail(at, "the ZIP64 end record is not where the locator says", remedyAgain)
	}
	return directory{
		members: binary.LittleEndian.Uint64(b[32:]),
		size:    int64(binary.LittleEndian.Uint64(b[40:])),
		offset:  int64(binary.LittleEndian.Uint64(b[48:])),
	}, nil
}

// readMembers reads the central directory.
func readMembers(r io.ReaderAt, size int64) ([]member, error) {
	d, err := findDirectory(r, size)
	if err != nil {
		return nil, err
	}
	b, err := readAt(r, size, d.offset, int(d.size), "the directory")
	if err != nil {
		return nil, err
	}
	var members []member
	for at := d.offset; uint64(len(members)) < d.members; {
		if len(b) < entrySize || string(b[:4]) != entryMagic {
			return nil, fail(at, fmt.Sprintf("the directory ends after %d of %d members", len(members), d.members), remedyAgain)
		}
		nameLen, extraLen := int(binary.LittleEndian.Uint16(b[28:])), int(binary.LittleEndian.Uint16(b[30:]))
		length := entrySize + nameLen + extraLen + int(binary.LittleEndian.Uint16(b[32:]))
		if len(b) < length {
			return nil, fail(at, "the directory ends inside a member's entry", remedyAgain)
		}
		m := member{
			name:   string(b[entrySize:][:nameLen]),
			flags:  binary.LittleEndian.Uint16(b[8:]),
			method: binary.LittleEndian.Uint16(b[10:]),
			sum:    binary.LittleEndian.Uint32(b[16:]),
			packed: int64(binary.LittleEndian.Uint32(b[20:])),
			size:   int64(binary.LittleEndian.Uint32(b[24:])),
			local:  int64(binary.LittleEndian.Uint32(b[42:])),
			entry:  at,
		}
		m.widen(b[entrySize+nameLen:][:extraLen])
		if m.packed < 0 || m.size < 0 || m.local < 0 {
			return nil, fail(at, fmt.Sprintf("member %q is larger than any file", m.name), remedyAgain)
		}
		members = append(members, m)
		b, at = b[length:], at+int64(length)
	}
	return members, nil
}

// widen takes the values that did not fit into 32 bits from the ZIP64 field.
func (m *member) widen(extra []byte) {
	for len(extra) >= 4 {
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		if id == 1 {
			field := extra[:n]
			for _, v := range []*int64{&m.size, &m.packed, &m.local} {
				if *v == 0xffffffff && len(field) >= 8 {
					*v = int64(binary.LittleEndian.Uint64(field))
					field = field[8:]
				}
			}
		}
		extra = extra[n:]
	}
}

// locate finds where the members' data begin, no two of which share bytes: a change of
// one would be a change of the other, and a few bytes could be any number of members.
func locate(members []member, r io.ReaderAt, size int64) error {
	placed := make([]*member, len(members))
	for i := range members {
		placed[i] = &members[i]
		if err := members[i].locate(r, size); err != nil {
			return err
		}
	}
	slices.SortStableFunc(placed, func(a, b *member) int { return cmp.Compare(a.local, b.local) })
	for i := 1; i < len(placed); i++ {
		if before, m := placed[i-1], placed[i]; m.local < before.dataOffset+before.packed {
			return fail(m.local, fmt.Sprintf("members %q and %q overlap", before.name, m.name), remedyAgain)
		}
	}
	return nil
}

// locate finds where a member's data begin.
func (m *member) locate(r io.ReaderAt, size int64) error {
	b, err := readAt(r, size, m.local, localSize, fmt.Sprintf("member %q", m.name))
	if err != nil {
		return err
	}
	if string(b[:4]) != localMagic {
		return fail(m.local, fmt.Sprintf("member %q is not where the directory says", m.name), remedyAgain)
	}
	m.dataOffset = m.local + localSize + int64(binary.LittleEndian.Uint16(b[26:])) + int64(binary.LittleEndian.Uint16(b[28:]))
	if m.dataOffset > size || m.packed > size-m.dataOffset {
		return fail(m.dataOffset, fmt.Sprintf("member %q needs %d bytes, the file holds %d", m.name, m.packed, max(0, size-m.dataOffset)), remedyAgain)
	}
	return nil
}

func fail(at int64, what, remedy string) *format.Error {
	return &format.Error{Format: "npz", Offset: at, What: what, Remedy: remedy}
}
