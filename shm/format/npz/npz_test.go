package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/npy"
)

func parse(t *testing.T, b []byte) []format.Array {
	t.Helper()
	arrays, err := Parse(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return arrays
}

func TestChecksumsAreWhereTheArchiveKeepsThem(t *testing.T) {
	for file, want := range map[string]int{"stored.npz": 2, "descriptor.npz": 2} {
		b, err := os.ReadFile("../testdata/" + file)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range parse(t, b) {
			if len(a.Checksums) != want {
				t.Fatalf("%s: %+v", file, a.Checksums)
			}
			for _, c := range a.Checksums {
				sum := crc32.ChecksumIEEE(b[c.First : c.First+c.Length])
				if got := binary.LittleEndian.Uint32(b[c.Offset:]); got != sum || c.Size != 4 {
					t.Errorf("%s: %s: %#x at %d, want %#x", file, a.Name, got, c.Offset, sum)
				}
			}
		}
	}
}

// Go's own reader finds the same members at the same places.
func TestMembersLieWhereArchiveZipFindsThem(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	header, err := npy.Header(format.Array{Type: kernels.Int16, Shape: []int64{3}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.npy", "readme.txt", "deep/er.npy"} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Extra: []byte("\x99\x99\x03\x00abc")})
		if err != nil {
			t.Fatal(err)
		}
		f.Write(append(header, 1, 0, 2, 0, 3, 0))
	}
	if err := w.SetComment("PK\x05\x06 is no end here"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	arrays := parse(t, b.Bytes())
	if len(arrays) != 2 {
		t.Fatalf("%+v", arrays)
	}
	for i, at := range []int{0, 2} {
		offset, err := z.File[at].DataOffset()
		if err != nil {
			t.Fatal(err)
		}
		if want := offset + int64(len(header)); arrays[i].Offset != want || arrays[i].Name+".npy" != z.File[at].Name {
			t.Errorf("%+v, want it at %d", arrays[i], want)
		}
	}
}

// The sizes of an archive in ZIP64 stand in other places, whatever they are.
func TestZIP64SizesAreRead(t *testing.T) {
	header, err := npy.Header(format.Array{Type: kernels.Int16, Shape: []int64{3}})
	if err != nil {
		t.Fatal(err)
	}
	data := append(header, 1, 0, 2, 0, 3, 0)
	le := binary.LittleEndian
	var b []byte
	local := func(magic string, middle int) {
		b = append(b, magic...)
		b = append(b, make([]byte, middle)...)
	}
	b = append(b, "before it"...) // as in an archive that unpacks itself, with offsets that know
	start := len(b)
	local("PK\x03\x04", 14)
	b = le.AppendUint32(le.AppendUint32(b, 0xffffffff), 0xffffffff)
	b = le.AppendUint16(le.AppendUint16(b, 5), 0)
	b = append(append(b, "x.npy"...), data...)
	directory := len(b)
	local("PK\x01\x02", 16)
	b = le.AppendUint32(le.AppendUint32(b, 0xffffffff), 0xffffffff)
	b = le.AppendUint16(le.AppendUint16(b, 5), 28)
	b = append(b, make([]byte, 10)...)
	b = le.AppendUint32(b, 0xffffffff)
	b = append(b, "x.npy"...)
	b = le.AppendUint16(le.AppendUint16(b, 1), 24)
	b = le.AppendUint64(le.AppendUint64(le.AppendUint64(b, uint64(len(data))), uint64(len(data))), uint64(start))
	size := len(b) - directory
	end := len(b)
	local("PK\x06\x06", 28)
	for _, n := range []int{1, size, directory} {
		b = le.AppendUint64(b, uint64(n))
	}
	local("PK\x06\x07", 4)
	b = le.AppendUint32(le.AppendUint64(b, uint64(end)), 1)
	local("PK\x05\x06", 4)
	b = le.AppendUint16(le.AppendUint16(b, 0xffff), 0xffff)
	b = le.AppendUint32(le.AppendUint32(b, 0xffffffff), 0xffffffff)
	b = le.AppendUint16(b, 0)
	arrays := parse(t, b)
	if len(arrays) != 1 || arrays[0].Offset != int64(directory-6) || arrays[0].Name != "x" {
		t.Errorf("%+v, want it at %d", arrays, directory-6)
	}
}

// What a descriptor that is announced would hold is looked at before it is believed.
func TestDescriptorThatIsNoneIsLeftAlone(t *testing.T) {
	b, err := os.ReadFile("../testdata/descriptor.npz")
	if err != nil {
		t.Fatal(err)
	}
	a := parse(t, b)[0]
	at := a.Checksums[1].Offset
	if string(b[at-4:at]) != descriptor {
		t.Fatalf("%q stands before the descriptor's CRC-32", b[at-4:at])
	}
	bare := bytes.Clone(b)
	copy(bare[at-4:], bare[at:at+4])
	if got := parse(t, bare)[0].Checksums; len(got) != 2 || got[1].Offset != at-4 {
		t.Errorf("without a signature: %+v", got)
	}
	other := bytes.Clone(b)
	other[at]++
	if got := parse(t, other)[0].Checksums; len(got) != 1 {
		t.Errorf("of another number: %+v", got)
	}
}
