package format_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/shm/format"
)

// fields returns the descr of a structured dtype with so many fields.
func fields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "('%x','u1'),", i)
	}
	return "[" + b.String() + "]"
}

// npy2 is npy with a header of more than 64 KiB.
func npy2(descr string) []byte {
	dict := fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': (0,), }\n", descr)
	b := binary.LittleEndian.AppendUint32([]byte("\x93NUMPY\x02\x00"), uint32(len(dict)))
	return append(b, dict...)
}

// archive makes an archive of members of one content.
func archive(t *testing.T, method uint16, members int, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := range members {
		f, err := w.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("%06d.npy", i), Method: method})
		if err != nil {
			t.Fatal(err)
		}
		f.Write(content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// repeated makes an archive's directory name its only member so many times.
func repeated(b []byte, times int) []byte {
	at, end := bytes.LastIndex(b, []byte("PK\x01\x02")), bytes.LastIndex(b, []byte("PK\x05\x06"))
	entries := bytes.Repeat(b[at:end], times)
	tail := bytes.Clone(b[end:])
	binary.LittleEndian.PutUint16(tail[10:], uint16(times))
	binary.LittleEndian.PutUint32(tail[12:], uint32(len(entries)))
	return append(append(bytes.Clone(b[:at]), entries...), tail...)
}

// hdf5File is a file under construction: superblock, and what is appended.
type hdf5File struct{ b []byte }

func (f *hdf5File) add(parts ...any) uint64 {
	at := uint64(len(f.b))
	for _, p := range parts {
		if s, ok := p.(string); ok {
			p = []byte(s)
		}
		f.b, _ = binary.Append(f.b, binary.LittleEndian, p)
	}
	return at
}

// object appends an object header of messages: type, flags and body.
func (f *hdf5File) object(messages ...any) uint64 {
	var body hdf5File
	for i := 0; i < len(messages); i += 3 {
		m := messages[i+2].([]byte)
		body.add(uint16(messages[i].(int)), uint16(len(m)), byte(messages[i+1].(int)), [3]byte{}, m)
	}
	return f.add(byte(1), byte(0), uint16(len(messages)/3), uint32(1), uint32(len(body.b)), uint32(0), body.b)
}

func bytesOf(parts ...any) []byte {
	var f hdf5File
	f.add(parts...)
	return f.b
}

// group makes a file whose root group has the objects, all by one name. What build
// returns are their addresses; those of the root are 0.
func group(name string, build func(f *hdf5File) []uint64) []byte {
	const undefined = ^uint64(0)
	f := &hdf5File{}
	f.add("\x89HDF\r\n\x1a\n", [5]byte{}, byte(8), byte(8), byte(0), uint16(4), uint16(16), uint32(0))
	f.add(uint64(0), undefined, undefined, undefined, uint64(0))
	rootAt := f.add(uint64(0), [24]byte{})
	objects := build(f)
	names := f.add(name, byte(0))
	heap := f.add("HEAP", uint32(0), uint64(len(name)+1), undefined, names)
	node := f.add("SNOD", byte(1), byte(0), uint16(len(objects)))
	root := uint64(len(f.b) + 40*len(objects) + 24 + 16)
	for _, o := range objects {
		if o == 0 {
			o = root
		}
		f.add(uint64(0), o, [24]byte{})
	}
	tree := f.add("TREE", byte(0), byte(0), uint16(1), undefined, undefined, uint64(0), node)
	f.object(0x11, 0, bytesOf(tree, heap))
	binary.LittleEndian.PutUint64(f.b[rootAt:], root)
	return f.b
}

// sharing makes datasets of one record type with many fields.
func sharing(datasets int) func(f *hdf5File) []uint64 {
	return func(f *hdf5File) (all []uint64) {
		const members = 4000
		member := bytesOf("a\x00", uint16(0), byte(0x10), [3]byte{}, uint32(1), uint16(0), uint16(8))
		typ := f.object(0x03, 0, bytesOf(byte(0x36), uint16(members), byte(0), uint32(members), bytes.Repeat(member, members)))
		data := f.add(make([]byte, members))
		for range datasets {
			all = append(all, f.object(
				0x01, 0, bytesOf(byte(1), byte(0), byte(0), [5]byte{}),
				0x03, 2, bytesOf(byte(1), byte(0), [6]byte{}, typ),
				0x08, 0, bytesOf(byte(3), byte(1), data, uint64(members), [6]byte{}),
			))
		}
		return all
	}
}

// A small file does not make much of little: it is refused before its description
// takes many times the room that the file does.
func TestSmallFilesHaveSmallDescriptions(t *testing.T) {
	for name, b := range map[string][]byte{
		"long names of nested records": npy2("[('" + strings.Repeat("n", 100_000) + "', " + fields(5000) + ")]"),
		"one member many times":        repeated(archive(t, zip.Store, 1, npy2(fields(1000))), 3000),
		"many arrays":                  archive(t, zip.Deflate, 2, npy2(fields(70_000))),
		"one long name many times":     group(strings.Repeat("n", 1<<20), func(*hdf5File) []uint64 { return make([]uint64, 600) }),
		"one type many times":          group(strings.Repeat("n", 3900), sharing(60)),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, arrays, err := format.Detect(bytes.NewReader(b), int64(len(b)))
		runtime.ReadMemStats(&after)
		var bad *format.Error
		if !errors.As(err, &bad) {
			t.Errorf("%s: %d arrays, %v", name, len(arrays), err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 400<<20 {
			t.Errorf("%s: %d MiB for a file of %d", name, took>>20, len(b)>>20)
		}
	}
}

// The files above are such by their numbers, and not by how they are made.
func TestFilesMadeByHandAreRead(t *testing.T) {
	for name, b := range map[string][]byte{
		"npy":  npy2("[('n', " + fields(2) + ")]"),
		"npz":  archive(t, zip.Deflate, 2, npy2(fields(1))),
		"hdf5": group("name", sharing(1)),
	} {
		if _, arrays, err := format.Detect(bytes.NewReader(b), int64(len(b))); err != nil || len(arrays) < 2 {
			t.Errorf("%s: %d arrays, %v", name, len(arrays), err)
		}
	}
}
