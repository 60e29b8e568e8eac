package npz

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/npy"
)

const (
	suffix = ".npy"
	// align is what members begin at a multiple of, so that their elements do, too.
	align = 64
	// zip64 is the extra field that holds what may not fit into 32 bits; padding is the
	// one by which zipalign fills up to a multiple.
	zip64, padding = 0x0001, 0xd935
	version        = 45 // of who reads ZIP64
	utf8Name       = 1 << 11
	dosDate        = 1<<5 | 1 // 1 January 1980
	unknown32      = 0xffffffff
	unknown16      = 0xffff
)

// Draft returns an archive with arrays of those names, types, shapes and orders as
// members, which are stored. Their [format.Array.Checksums] are still to be set, when
// the elements are there: see [format.Sums].
func Draft(arrays []format.Array) (*format.Draft, error) {
	d := &format.Draft{}
	var directory []byte
	var entries []int // in the directory
	for _, a := range arrays {
		if strings.ContainsAny(a.Name, "\\\x00") || strings.HasPrefix(a.Name, "/") || slices.Contains(strings.Split(a.Name, "/"), "..") {
			return nil, fmt.Errorf("%q cannot be the name of a member: write it as name = expression", a.Name)
		}
		if len(a.Name) > unknown16-len(suffix) {
			return nil, fmt.Errorf("the name %.20q... is too long: write it as name = expression", a.Name)
		}
		header, err := npy.Header(a)
		if err != nil {
			return nil, err
		}
		if err := a.Check("npz", 1<<62); err != nil {
			return nil, err
		}
		size := int64(len(header)) + a.Size()
		local := localHeader(a.Name+suffix, size, d.Size)
		first := d.Size + int64(len(local))
		d.Fixed = append(d.Fixed, format.Patch{Offset: d.Size, Bytes: append(local, header...)})
		entries = append(entries, len(directory))
		directory = append(directory, entryOf(a.Name+suffix, size, d.Size)...)
		a.Checksums = []format.Checksum{{Format: "npz", Kind: "CRC-32", Offset: d.Size + localSum, Size: sumSize, First: first, Length: size}}
		a.Offset, a.Strides, a.Swapped = first+int64(len(header)), nil, false
		d.Arrays = append(d.Arrays, a)
		d.Size = first + size
	}
	for i := range d.Arrays {
		c := d.Arrays[i].Checksums[0]
		c.Offset = d.Size + int64(entries[i]) + entrySum
		d.Arrays[i].Checksums = append(d.Arrays[i].Checksums, c)
	}
	end := append(directory, endOf(len(arrays), int64(len(directory)), d.Size)...)
	d.Fixed = append(d.Fixed, format.Patch{Offset: d.Size, Bytes: end})
	d.Size += int64(len(end))
	return d, nil
}

// common appends what local headers and entries of the directory have both, from the
// version on up to the lengths of name and extra field. The CRC-32 is set later.
func common(b []byte, name string, extra int) []byte {
	le := binary.LittleEndian
	flags := uint16(0)
	for _, c := range []byte(name) {
		if c >= 0x80 {
			flags = utf8Name
		}
	}
	for _, v := range []uint16{version, flags, stored, 0, dosDate, 0, 0} {
		b = le.AppendUint16(b, v)
	}
	b = le.AppendUint32(le.AppendUint32(b, unknown32), unknown32)
	return le.AppendUint16(le.AppendUint16(b, uint16(len(name))), uint16(extra))
}

// sizes appends the field with values of 64 bits.
func sizes(b []byte, values ...int64) []byte {
	le := binary.LittleEndian
	b = le.AppendUint16(le.AppendUint16(b, zip64), uint16(8*len(values)))
	for _, v := range values {
		b = le.AppendUint64(b, uint64(v))
	}
	return b
}

// localHeader returns what stands at a place, before a member of that size.
func localHeader(name string, size, at int64) []byte {
	le := binary.LittleEndian
	const sized, least = 4 + 2*8, 4 + 2
	end := at + localSize + int64(len(name)) + sized + least
	pad := int((align - end%align) % align)
	b := common([]byte(localMagic), name, sized+least+pad)
	b = sizes(append(b, name...), size, size)
	b = le.AppendUint16(le.AppendUint16(le.AppendUint16(b, padding), uint16(2+pad)), align)
	return append(b, make([]byte, pad)...)
}

// entryOf returns a member's entry in the directory.
func entryOf(name string, size, local int64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint16([]byte(entryMagic), version)
	b = common(b, name, 4+3*8)
	b = append(b, make([]byte, 2+2+2+4)...) // comment, disk, attributes
	b = append(le.AppendUint32(b, unknown32), name...)
	return sizes(b, size, size, local)
}

// endOf returns what stands behind the directory.
func endOf(members int, size, at int64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint64([]byte(end64Magic), end64Size-12)
	b = le.AppendUint16(le.AppendUint16(b, version), version)
	b = append(b, make([]byte, 4+4)...) // disks
	for _, v := range []int64{int64(members), int64(members), size, at} {
		b = le.AppendUint64(b, uint64(v))
	}
	b = append(append(b, locatorMagic...), make([]byte, 4)...)
	b = le.AppendUint32(le.AppendUint64(b, uint64(at+size)), 1)
	b = append(append(b, endMagic...), make([]byte, 4)...)
	b = le.AppendUint16(le.AppendUint16(b, unknown16), unknown16)
	b = le.AppendUint32(le.AppendUint32(b, unknown32), unknown32)
	return le.AppendUint16(b, 0)
}
