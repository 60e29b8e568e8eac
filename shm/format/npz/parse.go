package npz

import (
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/npy"
)

func init() {
	format.Register(format.Format{Name: "npz", Match: match, Parse: Parse, Sums: sums})
}

// match reports whether a file is a ZIP archive with .npy files in it.
func match(r io.ReaderAt, size int64) bool {
	// An archive without members is its end alone.
	if !format.HasMagic(r, localMagic, endMagic) {
		return false
	}
	members, err := readMembers(r, size)
	if err != nil || len(members) == 0 {
		return true // [Parse] says what is wrong
	}
	for _, m := range members {
		if strings.HasSuffix(m.name, ".npy") {
			return true
		}
	}
	return false
}

const (
	stored   = 0
	deflated = 8

	mostArrays = 1 << 17 // fields of compressed records are little in the file
)

// Parse describes the arrays of an .npz file of that size, which are named as the
// members are, without ".npy". A member that is damaged, or holds no numbers, is
// listed as refused. Errors are *format.Error.
func Parse(r io.ReaderAt, size int64) ([]format.Array, error) {
	return describe(r, size, (*member).parse)
}

// describe describes the arrays of all members, each of which parse describes.
func describe(r io.ReaderAt, size int64, parse func(*member, io.ReaderAt) ([]format.Array, error)) ([]format.Array, error) {
	members, err := readMembers(r, size)
	if err != nil {
		return nil, err
	}
	members = slices.DeleteFunc(members, func(m member) bool { return !strings.HasSuffix(m.name, ".npy") })
	if err := locate(members, r, size); err != nil {
		return nil, err
	}
	var arrays []format.Array
	for i := range members {
		m := &members[i]
		found, err := parse(m, r)
		var bad *format.Error
		if errors.As(err, &bad) {
			found = []format.Array{{
				Name: "x", Offset: m.dataOffset, Stored: "?", Access: format.Refused, Note: bad.What, Remedy: bad.Remedy,
			}}
		} else if err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(m.name, ".npy")
		for _, a := range found {
			if len(found) == 1 && a.Name == "x" {
				a.Name = name
			} else {
				a.Name = name + "." + a.Name
			}
			arrays = append(arrays, a)
		}
		if len(arrays) > mostArrays {
			return nil, fail(m.entry, fmt.Sprintf("the archive holds more than %d arrays", mostArrays), "split it")
		}
	}
	if len(arrays) == 0 {
		return nil, fail(0, "the archive holds no .npy files", "write arrays into it with numpy.savez")
	}
	return arrays, nil
}

// contents describes the arrays of a member, at their places in what it holds.
func (m *member) contents(r io.ReaderAt) ([]format.Array, error) {
	data := io.NewSectionReader(r, m.dataOffset, m.packed)
	switch {
	case m.flags&flagEncrypted != 0:
		return nil, fail(m.local, "the member is encrypted", "write the file again with numpy.savez, or unzip it")
	case m.method == deflated:
		return npy.Parse(&inflater{stream: flate.NewReader(data)}, m.size)
	case m.method != stored:
		return nil, fail(m.local, fmt.Sprintf("the member is compressed by method %d", m.method), "write the file again with numpy.savez, or unzip it")
	case m.size != m.packed:
		return nil, fail(m.entry, fmt.Sprintf("a stored member of %d bytes claims to hold %d", m.packed, m.size), remedyAgain)
	}
	return npy.Parse(data, m.size)
}

// parse describes the arrays of a member in the file.
func (m *member) parse(r io.ReaderAt) ([]format.Array, error) {
	arrays, err := m.contents(r)
	if m.method == deflated {
		for i := range arrays {
			arrays[i].Offset = m.dataOffset
			if arrays[i].Access == format.Mapped {
				arrays[i].Access, arrays[i].Note, arrays[i].Remedy = format.Decoded, why, remedyStored
			}
		}
		return arrays, err
	}
	if err != nil {
		return nil, err
	}
	kept, bad := m.checksums(r)
	if bad != nil {
		return nil, bad
	}
	for i := range arrays {
		arrays[i].Offset += m.dataOffset
		arrays[i].Checksums = kept
	}
	return arrays, nil
}

// inflater reads the beginning of a compressed member, as far as it is asked for.
type inflater struct {
	stream io.Reader
	prefix []byte
}

// mostPrefix is more than a header takes.
const mostPrefix = 2 << 20

// ReadAt implements io.ReaderAt for what lies near the beginning.
func (f *inflater) ReadAt(b []byte, offset int64) (int, error) {
	need := offset + int64(len(b))
	if need > mostPrefix {
		return 0, io.ErrUnexpectedEOF
	}
	if more := need - int64(len(f.prefix)); more > 0 {
		next, err := io.ReadAll(io.LimitReader(f.stream, more))
		f.prefix = append(f.prefix, next...)
		if err != nil {
			return 0, fail(0, "the compressed data are damaged", remedyAgain)
		}
	}
	if offset >= int64(len(f.prefix)) {
		return 0, io.EOF
	}
	n := copy(b, f.prefix[offset:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
