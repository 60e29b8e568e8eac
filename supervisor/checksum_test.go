package supervisor

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/npy"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// container is a kind of file that holds int32 and other bytes beside them.
type container struct {
	name   string
	make   func(t *testing.T, xs []int32) []byte
	verify func(t *testing.T, b []byte) []byte // the checksums, and returns what else is to be compared
}

// archive writes a member behind another one of some bytes, and before a third. Its
// CRC-32 lies before it or, in a descriptor, behind it.
func archive(before int, describe bool) func(t *testing.T, xs []int32) []byte {
	return func(t *testing.T, xs []int32) []byte {
		header, err := npy.Header(format.Array{Type: kernels.Int32, Shape: []int64{int64(len(xs))}})
		if err != nil {
			t.Fatal(err)
		}
		data, err := binary.Append(header, binary.LittleEndian, xs)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, m := range []struct {
			name string
			data []byte
		}{{"readme.txt", make([]byte, before)}, {"x.npy", data}, {"end.txt", []byte("end")}} {
			h := &zip.FileHeader{Name: m.name, Method: zip.Store}
			create := w.CreateHeader
			if !describe {
				h.CRC32 = crc32.ChecksumIEEE(m.data)
				h.CompressedSize64, h.UncompressedSize64 = uint64(len(m.data)), uint64(len(m.data))
				create = w.CreateRaw
			}
			f, err := create(h)
			if err != nil {
				t.Fatal(err)
			}
			f.Write(m.data)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

// unzipped reads all members, by which archive/zip checks every CRC-32.
func unzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	return b
}

// image writes a FITS file of an empty unit and one with DATASUM and CHECKSUM, of
// which the latter is all zeros.
func image(t *testing.T, xs []int32) []byte {
	data, err := binary.Append(nil, binary.BigEndian, xs)
	if err != nil {
		t.Fatal(err)
	}
	data = append(data, make([]byte, (2880-len(data)%2880)%2880)...)
	unit := func(cards ...string) (b []byte) {
		for _, c := range append(cards, "END") {
			b = fmt.Appendf(b, "%-80s", c)
		}
		return append(b, bytes.Repeat([]byte{' '}, 2880-len(b)%2880)...)
	}
	b := unit("SIMPLE  = T", "BITPIX  = 8", "NAXIS   = 0")
	b = append(b, unit("XTENSION= 'IMAGE   '", "BITPIX  = 32", "NAXIS   = 1", fmt.Sprintf("NAXIS1  = %d", len(xs)), "PCOUNT  = 0", "GCOUNT  = 1",
		"CHECKSUM= '0000000000000000'   / of the unit", fmt.Sprintf("DATASUM = '%-10d'         / of the data", sumOfWords(data)))...)
	return append(b, data...)
}

// sumOfWords sums big-endian words in ones' complement, and carries at the end.
func sumOfWords(b []byte) uint64 {
	var total uint64
	for ; len(b) > 0; b = b[4:] {
		total += uint64(binary.BigEndian.Uint32(b))
	}
	for total > 0xffffffff {
		total = total>>32 + total&0xffffffff
	}
	return total
}

// checkedImage reports a unit that does not sum to all ones, and blanks its CHECKSUM.
func checkedImage(t *testing.T, b []byte) []byte {
	t.Helper()
	if got := sumOfWords(b[2880:]); got != 0xffffffff {
		t.Errorf("the unit sums to %#x", got)
	}
	b = bytes.Clone(b)
	copy(b[bytes.Index(b, []byte("CHECKSUM= '"))+11:], strings.Repeat("0", 16))
	return b
}

// column writes a .npy file in Fortran order, and tensor a safetensors file.
func column(t *testing.T, xs []int32) []byte {
	header, err := npy.Header(format.Array{Type: kernels.Int32, Shape: []int64{int64(len(xs) / 8), 8}, Fortran: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := binary.Append(header, binary.LittleEndian, xs)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func tensor(t *testing.T, xs []int32) []byte {
	n := 4 * len(xs)
	text := fmt.Sprintf(`{"x":{"dtype":"I32","shape":[%d],"data_offsets":[0,%d]},"y":{"dtype":"U8","shape":[3],"data_offsets":[%d,%d]}}`, len(xs), n, n, n+3)
	b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	b, err := binary.Append(b, binary.LittleEndian, xs)
	if err != nil {
		t.Fatal(err)
	}
	return append(b, 1, 2, 3)
}

func asItIs(_ *testing.T, b []byte) []byte { return b }

var containers = []container{
	{"zip", archive(0, false), unzipped},
	{"misaligned zip", archive(3, false), unzipped},
	{"zip with descriptors", archive(1, true), unzipped},
	{"FITS", image, checkedImage},
	{"Fortran order", column, asItIs},
	{"safetensors", tensor, asItIs},
}

const (
	tripled = "3*x + 7"
	some    = 40000 // elements: several units and chunks
)

// sequence returns n numbers to each of which 3*x + 7 was applied so many times.
func sequence(n, times int) []int32 {
	xs := make([]int32, n)
	for i := range xs {
		xs[i] = int32(i * 1000003)
		for range times {
			xs[i] = 3*xs[i] + 7
		}
	}
	return xs
}

func (c container) file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, c.make(t, sequence(some, 0)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// check compares all of a file with one that is made of other numbers.
func (c container) check(t *testing.T, path string, times int, when string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := c.make(t, sequence(some, times)); !bytes.Equal(c.verify(t, b), want) {
		t.Errorf("%s, %s: the file is another one", c.name, when)
	}
	if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
		t.Errorf("%s, %s: left behind: %v, %v", c.name, when, left, err)
	}
}

// Nothing but the elements and the checksums of them changes.
func TestInPlaceKeepsContainersWhole(t *testing.T) { onBothPools(t, inPlaceKeepsContainersWhole) }

func inPlaceKeepsContainersWhole(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2), ChunkBytes(1))
	for _, c := range containers {
		path := c.file(t)
		x := open(t, pool, path).Named("x")
		for times := range 2 {
			if _, err := pool.EvalInPlace(t.Context(), Query{Text: tripled, Arrays: []*Array{x}}, x); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			c.check(t, path, times+1, "changed")
		}
	}
}

// appliedTo leaves a file as a run does that is killed when all units are changed and
// no checksum is, and returns what it was about to store.
func appliedTo(t *testing.T, pool *Pool, path string) []format.Patch {
	t.Helper()
	f, err := pool.File(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := f.Arrays()[0].Named("x")
	e, err := pool.compile(t.Context(), Query{Text: tripled, Arrays: []*Array{x}}, expr.Options{Apart: true, As: x.Type, Order: expr.COrder})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	pass, err := e.reduce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &change{pool: pool, job: engine.Job{Program: wire.Program{Type: x.Type}, Plan: cutOf(x.Array, nil, 1, 1)}}
	if err := r.read(e, pass, tripled, x); err != nil {
		t.Fatal(err)
	}
	if err := r.inFile(t.Context(), x, taskOptions{}); err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.attach(); err != nil {
		t.Fatal(err)
	}
	if err := pool.engine.Run(t.Context(), r.job); err != nil {
		t.Fatal(err)
	}
	patches, err := format.Sums(r.target, x.Array)
	if err != nil {
		t.Fatal(err)
	}
	return patches
}

// A run that dies before, between, in the middle of and after the stores of the
// checksums is finished, or given up, with all of them right.
func TestKilledWhileStoringChecksumsIsMended(t *testing.T) {
	pool := start(t, Workers(2))
	for _, c := range containers[2:4] {
		for stores := range 3 {
			for _, half := range []bool{false, true} {
				for name, finish := range map[string]func(path string) error{
					"resumed":   func(path string) error { return pool.Resume(t.Context(), path) },
					"abandoned": func(path string) error { _, _, err := Abandon(path); return err },
				} {
					path := c.file(t)
					patches := appliedTo(t, pool, path)
					if len(patches) != 2 {
						t.Fatalf("%s: %d checksums", c.name, len(patches))
					}
					for _, p := range patches[:stores] {
						writeAt(t, path, p.Offset, p.Bytes)
					}
					if half && stores < len(patches) {
						p := patches[stores]
						writeAt(t, path, p.Offset, p.Bytes[:len(p.Bytes)/2])
					}
					if err := finish(path); err != nil {
						t.Errorf("%s: %v", c.name, err)
					}
					c.check(t, path, 1, fmt.Sprintf("%s after %d stores", name, stores))
				}
			}
		}
	}
}

// negative negates numbers, and refuses one.
var negative = kernels.NewMap("test.negative", func(dst, src []int32, refused int32) error {
	for i, v := range src {
		if dst[i] = -v; v == refused {
			return fmt.Errorf("%d is refused", v)
		}
	}
	return nil
})

// halfNegative returns an archive of which a run has changed a part.
func halfNegative(t *testing.T, pool *Pool) string {
	t.Helper()
	c := containers[1]
	path := c.file(t)
	var early *InPlaceError
	if err := pool.InPlace(t.Context(), negative.With(sequence(some, 0)[some/2]), open(t, pool, path)); !errors.As(err, &early) || len(early.Applied) == 0 || len(early.Rest) == 0 {
		t.Fatalf("%v", err)
	}
	return path
}

func TestAbandonedArchiveHasTheChecksumOfItsBytes(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	again := func(path string) error { _, _, err := Abandon(path); return err }
	path := halfNegative(t, pool)
	if err := again(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unzipped(t, b)
	// The machine was started anew: the bytes may be any.
	path = halfNegative(t, pool)
	boot, err := journal.Boot()
	if err != nil {
		t.Fatal(err)
	}
	editJournal(t, path+".gangsaw", boot, strings.Repeat("0", len(boot)))
	if err := again(path); err != nil {
		t.Fatal(err)
	}
	if b, err = os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	unzipped(t, b)
	// A copy that was put in its place is right as it is.
	path = halfNegative(t, pool)
	b = containers[1].make(t, sequence(some, 3))
	if err := errors.Join(os.WriteFile(path+"-copy", b, 0o600), os.Rename(path+"-copy", path), again(path)); err != nil {
		t.Error(err)
	}
	containers[1].check(t, path, 3, "a copy")
}

func TestAbandonTellsOfChecksumsThatMayBeWrong(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	for name, spoil := range map[string]func(path string) error{
		"damaged journal": func(path string) error { return os.WriteFile(path+".gangsaw", make([]byte, 9000), 0o600) },
		"bytes beside": func(path string) error {
			b, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, bytes.Replace(b, []byte("readme"), []byte("README"), 1), 0o600))
		},
	} {
		path := halfNegative(t, pool)
		if err := spoil(path); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var wrong *ChecksumError
		if _, _, err := Abandon(path); !errors.As(err, &wrong) || wrong.Kind != "CRC-32" || wrong.Array != "x" || !strings.Contains(err.Error(), rewriteIt) {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) || exists(path+".gangsaw") {
			t.Errorf("%s: the file has changed, or the journal is left: %v", name, err)
		}
	}
}

// A run that is cancelled while it sums up can be resumed.
func TestCancelledWhileSummingIsResumed(t *testing.T) {
	pool := start(t, Workers(1))
	c := containers[0]
	path := c.file(t)
	appliedTo(t, pool, path)
	r, err := reopen(t.Context(), path, taskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var wrong *ChecksumError
	if err := r.storeSums(ctx, ""); !errors.As(err, &wrong) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if err := pool.Resume(t.Context(), path); err != nil {
		t.Error(err)
	}
	c.check(t, path, 1, "resumed")
}
