// Package fuzztest is what tests ask of every parser, whatever bytes it is given:
// arrays that lie in the file, sums that can be kept up, and little memory.
package fuzztest

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"testing"

	"github.com/gangsaw/gangsaw/shm/format"
)

// most is what may be allocated for an input, in bytes: all of it, though some is
// free again.
const most = 64 << 20

// Frugal fails t if read allocates more than 64 MiB.
func Frugal(t *testing.T, read func()) {
	t.Helper()
	before := allocated()
	read()
	if took := allocated() - before; took > most {
		t.Errorf("%d MiB were allocated", took>>20)
	}
}

// allocated returns how many bytes were allocated since the program began.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// Parser fuzzes the parser of a format, beginning with files of the folder of those
// that other programs wrote.
func Parser(f *testing.F, name string, parse func(io.ReaderAt, int64) ([]format.Array, error), files ...string) {
	for _, file := range files {
		b, err := os.ReadFile(filepath.Join("../testdata", file))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var arrays []format.Array
		var err error
		Frugal(t, func() { arrays, err = parse(bytes.NewReader(b), int64(len(b))) })
		if err != nil {
			return
		}
		for _, a := range arrays {
			if a.Access != format.Mapped {
				continue
			}
			if err := a.Check(name, int64(len(b))); err != nil || !a.Type.Valid() {
				t.Errorf("%+v does not lie in %d bytes: %v", a, len(b), err)
			}
			checkSums(t, b, a)
		}
	})
}

// checkSums stores an array's checksums, and finds them again.
func checkSums(t *testing.T, b []byte, a format.Array) {
	if err := a.CheckSums(int64(len(b))); err != nil {
		t.Fatal(err)
	}
	if len(a.Checksums) == 0 {
		return
	}
	b = slices.Clone(b)
	var before []format.Patch
	for again := range 2 {
		patches, err := format.Sums(bytes.NewReader(b), a)
		if err != nil || len(patches) != len(a.Checksums) {
			t.Fatalf("%d patches, %v", len(patches), err)
		}
		for i, p := range patches {
			if c := a.Checksums[i]; p.Offset != c.Offset || len(p.Bytes) != c.Size || again > 0 && !bytes.Equal(p.Bytes, before[i].Bytes) {
				t.Errorf("%+v for %+v, before %+v", p, c, before)
			}
			copy(b[p.Offset:], p.Bytes)
		}
		before = patches
	}
}
