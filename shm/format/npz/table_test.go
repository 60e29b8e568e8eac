package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

// npyFile returns a .npy file of big-endian int32 from 0 on.
func npyFile(descr, shape, fortran string, n int) string {
	dict := fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", descr, fortran, shape)
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(dict)))
	b = append(b, dict...)
	for i := range n {
		b = binary.BigEndian.AppendUint32(b, uint32(i))
	}
	return string(b)
}

// archive returns a .npz file, whose members have that method unless their name says
// that they are stored.
func archive(t testing.TB, members ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(members); i += 2 {
		method := uint16(zip.Deflate)
		if strings.HasPrefix(members[i], "stored") {
			method = zip.Store
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: members[i], Method: method})
		if err == nil {
			_, err = f.Write([]byte(members[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func openTable(b []byte) (format.Table, error) {
	if !compressed(bytes.NewReader(b), int64(len(b))) {
		return nil, errors.New("nothing is compressed")
	}
	return Open(bytes.NewReader(b), int64(len(b)), "x.npz", format.TableOptions{})
}

// decodeAll decodes columns of n elements after some that are skipped, a step at a time.
func decodeAll(table format.Table, columns []int, n, skip, step int) error {
	d, err := table.Decode(columns)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Skip(int64(skip)); err != nil {
		return err
	}
	for at := skip; at < n; at += step {
		k := min(step, n-at)
		dst := make([][]byte, len(columns))
		for i := range dst {
			dst[i] = make([]byte, 4*k)
		}
		if err := d.Decode(dst, k); err != nil {
			return err
		}
		for i := range dst {
			for e := range k {
				if got := binary.NativeEndian.Uint32(dst[i][4*e:]); got != uint32(at+e) {
					return fmt.Errorf("element %d of array %d is %d", at+e, columns[i], got)
				}
			}
		}
	}
	return nil
}

func TestCompressedMembersAreDecoded(t *testing.T) {
	const n = 3000
	b := archive(t, "a.npy", npyFile("'>i4'", "(3000,)", "False", n), "readme.txt", "text", "storedb.npy", npyFile("'>i4'", "(30, 100)", "True", n),
		"bad.npy", "no array", "fields.npy", npyFile("[('x', '>i4'), ('y', '>i4')]", "(3,)", "False", 6))
	table, err := openTable(b)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, c := range table.Columns() {
		what := ""
		if c.Err != nil {
			what = c.Err.(*format.Error).What
		}
		told = append(told, fmt.Sprintf("%s %s %s %s", c.Name, c.ShapeString(), c.Order(), what))
	}
	want := []string{"a (3000,) C ", "storedb (30, 100) F ", "bad () C it does not begin as a .npy file does",
		"fields.x (3,) C it is a field of records, which are not decoded", "fields.y (3,) C it is a field of records, which are not decoded"}
	if !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
	for _, c := range []struct{ skip, step int }{{0, n}, {0, 777}, {1234, 500}, {n, 1}} {
		for _, columns := range [][]int{{0}, {1}, {1, 0}} {
			if err := decodeAll(table, columns, n, c.skip, c.step); err != nil {
				t.Errorf("%+v of %v: %v", c, columns, err)
			}
		}
	}
}

// A member that does not hold what the directory says is an error when it has been
// gone through.
func TestCompressedMemberThatIsDamagedIsAnError(t *testing.T) {
	const n = 3000
	whole := archive(t, "a.npy", npyFile("'>i4'", "(3000,)", "False", n))
	entry := bytes.Index(whole, []byte(entryMagic))
	for name, change := range map[string]struct {
		at   int
		want string
	}{
		"CRC-32": {entry + entrySum, `member "a.npy" has the CRC-32`},
		"size":   {entry + 24, "damaged"},
		"data":   {2000, "damaged"},
	} {
		b := bytes.Clone(whole)
		b[change.at]++
		table, err := openTable(b)
		if err == nil {
			err = decodeAll(table, []int{0}, n, n, n)
		}
		var bad *format.Error
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), change.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add(archive(f, "a.npy", npyFile("'>i4'", "(30,)", "False", 30), "storedb.npy", npyFile("'>i4'", "(3, 10)", "True", 30)))
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzztest.Frugal(t, func() {
			table, err := openTable(b)
			if err != nil {
				return
			}
			for i, c := range table.Columns() {
				if c.Err == nil && c.Check("npz", 1<<40) == nil && c.Len() < 1<<16 {
					if d, err := table.Decode([]int{i}); err == nil {
						d.Decode([][]byte{make([]byte, c.Size())}, int(c.Len()))
					}
				}
			}
		})
	})
}
