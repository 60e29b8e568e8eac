package format_test

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/shm/format"
)

var update = flag.Bool("update", false, "write testdata/refusals.txt anew")

// npy makes a .npy file with data.
func npy(descr, shape string, data int) []byte {
	dict := fmt.Sprintf("{'descr': %s, 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dict)))
	return append(append(b, dict...), make([]byte, data)...)
}

// safetensors makes a file with a header and data.
func safetensors(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

// fits makes one unit of cards, with data.
func fits(data int, cards ...string) []byte {
	var b bytes.Buffer
	for _, c := range append(cards, "END") {
		fmt.Fprintf(&b, "%-80s", c)
	}
	for b.Len()%2880 != 0 {
		b.WriteByte(' ')
	}
	b.Write(make([]byte, data))
	return b.Bytes()
}

// image is the cards of a primary array.
func image(bitpix int, more ...string) []string {
	cards := []string{"SIMPLE  =                    T", fmt.Sprintf("BITPIX  = %20d", bitpix), "NAXIS   =                    1", "NAXIS1  =                   10"}
	return append(cards, more...)
}

// wav makes a RIFF file of chunks.
func wav(chunks ...[]byte) []byte {
	body := append([]byte("WAVE"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func chunk(name string, b []byte) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(b))), b...)
}

// pcm is the chunk "fmt " of sound with two channels.
func pcm(tag, bits uint16) []byte {
	b := binary.LittleEndian.AppendUint16(nil, tag)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint16(b, 2*bits/8)
	return chunk("fmt ", binary.LittleEndian.AppendUint16(b, bits))
}

// changed is a file of testdata with other bytes at a place.
func changed(t *testing.T, name string, at int, b ...byte) []byte {
	t.Helper()
	whole, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if at < 0 {
		at += len(whole)
	}
	return append(append(bytes.Clone(whole[:at]), b...), whole[at+len(b):]...)
}

// cut is the beginning of a file of testdata.
func cut(t *testing.T, name string, n int) []byte {
	t.Helper()
	b := changed(t, name, 0)
	if n < 0 {
		n += len(b)
	}
	return b[:n]
}

// find returns where text is in a file of testdata.
func find(t *testing.T, name, text string) int {
	t.Helper()
	at := bytes.LastIndex(changed(t, name, 0), []byte(text))
	if at < 0 {
		t.Fatalf("%s has no %q", name, text)
	}
	return at
}

// refusal is a file that is refused, or with arrays that are.
type refusal struct {
	name string
	b    []byte
}

func refusals(t *testing.T) []refusal {
	f8 := `"shape":[2],"data_offsets":[0,16]`
	return []refusal{
		{"empty", nil},
		{"text.csv", []byte("a,b\n1,2\n")},
		{"x.arrow", []byte("ARROW1\x00\x00")},
		{"x.parquet", []byte("PAR1....")},
		{"x.npy.gz", []byte("\x1f\x8b\x08\x00")},

		{"short.npy", npy("'<f8'", "(100,)", 64)},
		{"version.npy", append([]byte("\x93NUMPY\x09\x00"), make([]byte, 100)...)},
		{"complex.npy", npy("'<c16'", "(1,)", 16)},
		{"datetime.npy", npy("'<M8[ns]'", "(1,)", 8)},
		{"timedelta.npy", npy("'<m8[s]'", "(1,)", 8)},
		{"object.npy", npy("'|O'", "(1,)", 8)},
		{"unicode.npy", npy("'<U5'", "(1,)", 20)},
		{"bytes.npy", npy("'|S5'", "(1,)", 5)},
		{"void.npy", npy("'|V5'", "(1,)", 5)},
		{"longdouble.npy", npy("'<f16'", "(1,)", 16)},
		{"negative.npy", npy("'<f8'", "(-1,)", 8)},
		{"huge.npy", npy("'<f8'", "(4294967296, 4294967296)", 8)},
		{"fields.npy", npy("[('t', '<M8[s]'), ('x', '<f8'), ('z', '<c8'), ('s', '|S4')]", "(2,)", 56)},

		{"cut.npz", cut(t, "stored.npz", -30)},
		{"compressed.npz", changed(t, "compressed.npz", 0)},
		{"encrypted.npz", changed(t, "stored.npz", find(t, "stored.npz", "PK\x01\x02")+8, 1)},
		{"lzma.npz", changed(t, "stored.npz", find(t, "stored.npz", "PK\x01\x02")+10, 14)},
		{"moved.npz", changed(t, "stored.npz", find(t, "stored.npz", "PK\x01\x02")+42, 1)},
		{"damaged.npz", changed(t, "stored.npz", find(t, "stored.npz", "\x93NUMPY")+1, 'X')},

		{"float8.safetensors", safetensors(`{"w":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}`, 2)},
		{"complex.safetensors", safetensors(`{"w":{"dtype":"C64","shape":[2],"data_offsets":[0,16]}}`, 16)},
		{"unknown.safetensors", safetensors(`{"w":{"dtype":"Q7","shape":[2],"data_offsets":[0,16]}}`, 16)},
		{"hole.safetensors", safetensors(`{"w":{"dtype":"F64","shape":[2],"data_offsets":[8,24]}}`, 24)},
		{"overlap.safetensors", safetensors(`{"v":{"dtype":"F64",`+f8+`},"w":{"dtype":"F64","shape":[2],"data_offsets":[8,24]}}`, 24)},
		{"behind.safetensors", safetensors(`{"w":{"dtype":"F64",`+f8+`}}`, 24)},
		{"cut.safetensors", safetensors(`{"w":{"dtype":"F64",`+f8+`}}`, 15)},
		{"size.safetensors", safetensors(`{"w":{"dtype":"F32",`+f8+`}}`, 16)},
		{"twice.safetensors", safetensors(`{"w":{"dtype":"F64",`+f8+`},"w":{"dtype":"F64",`+f8+`}}`, 16)},
		{"header.safetensors", safetensors(`{"w":{"dtype":"F64"}}`, 16)},
		{"json.safetensors", safetensors(`{"w":`, 16)},

		{"cut.fits", fits(79, image(-64)...)},
		{"header.fits", fits(0, image(-64)...)[:320]},
		{"bitpix.fits", fits(2880, image(24)...)},
		{"twice.fits", fits(2880, image(8, "NAXIS1  =                   11")...)},
		{"bscale.fits", fits(2880, image(8, "BSCALE  = many")...)},
		{"only.fits", fits(0, "SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    0")},
		{"tables.fits", changed(t, "all.fits", 0)},
		{"packed.fits", changed(t, "packed.fits", 0)},
		{"groups.fits", fits(2880, "SIMPLE  =                    T", "BITPIX  =                    8", "NAXIS   =                    2", "NAXIS1  =                    0",
			"NAXIS2  =                   10", "GROUPS  =                    T", "PCOUNT  =                    1", "GCOUNT  =                    2")},

		{"24bit.wav", wav(pcm(1, 24), chunk("data", make([]byte, 12)))},
		{"alaw.wav", wav(pcm(6, 8), chunk("data", make([]byte, 12)))},
		{"cut.wav", wav(pcm(1, 16), chunk("data", make([]byte, 12)))[:50]},
		{"frames.wav", wav(pcm(1, 16), chunk("data", make([]byte, 10)))[:54]},
		{"stream.wav", append(wav(pcm(1, 16)), "data\xff\xff\xff\xff........"...)},
		{"data.wav", wav(pcm(1, 16))},
		{"fmt.wav", wav(chunk("data", make([]byte, 12)))},

		{"text.nc", []byte("CDF\x01\x00\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x00\x00\x01x\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00" +
			"\x00\x00\x00\x0b\x00\x00\x00\x01\x00\x00\x00\x01v\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00\x00\x50abc")},
		{"cut.nc", cut(t, "classic.nc", -8)},
		{"header.nc", cut(t, "classic.nc", 100)},
		{"type.nc", changed(t, "alone.nc", find(t, "alone.nc", "\x00\x00\x00\x01\x00\x00\x00\x04")+3, 9)},

		{"other.h5", changed(t, "other.h5", 0)},
		{"cut.h5", cut(t, "old.h5", -1000)},
		{"superblock.h5", changed(t, "old.h5", 8, 9)},
		{"heap.h5", changed(t, "old.h5", find(t, "old.h5", "HEAP"), 'X')},
		{"address.h5", changed(t, "v110.h5", 36, 0, 0, 0, 1)},
	}
}

// lines returns what a user sees of a file that is refused, or of its arrays.
func (r refusal) lines() (all []string) {
	_, arrays, err := format.Detect(bytes.NewReader(r.b), int64(len(r.b)))
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", r.name, err)}
	}
	for _, a := range arrays {
		if a.Access != format.Mapped {
			line := fmt.Sprintf("%s: array %q: %s: %s", r.name, a.Name, a.Access, a.Note)
			if a.Remedy != "" {
				line += ": " + a.Remedy
			}
			all = append(all, line)
		}
	}
	return all
}

func TestRefusalsAreAsListed(t *testing.T) {
	var got strings.Builder
	for _, r := range refusals(t) {
		lines := r.lines()
		if len(lines) == 0 {
			t.Errorf("%s is not refused", r.name)
		}
		for _, line := range lines {
			fmt.Fprintln(&got, line)
		}
	}
	const page = "testdata/refusals.txt"
	if *update {
		if err := os.WriteFile(page, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	wantLines, gotLines := strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")
	for i := range max(len(wantLines), len(gotLines)) {
		var w, g string
		if i < len(wantLines) {
			w = wantLines[i]
		}
		if i < len(gotLines) {
			g = gotLines[i]
		}
		if g != w {
			t.Errorf("line %d of %s:\n%s\nis\n%s", i+1, page, w, g)
		}
	}
}
