package fits

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gangsaw/gangsaw/shm/format"
)

func FuzzParse(f *testing.F) {
	for _, name := range []string{"all.fits", "scaled.fits", "packed.fits"} {
		b, err := os.ReadFile(filepath.Join("../testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		arrays, err := Parse(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		for _, a := range arrays {
			if a.Access != format.Mapped {
				continue
			}
			if err := a.Check("fits", int64(len(b))); err != nil || !a.Type.Valid() {
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
