package hdf5

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/gangsaw/gangsaw/shm/format"
)

func FuzzParse(f *testing.F) {
	for _, name := range []string{"old.h5", "v110.h5", "dense.h5", "many.h5", "other.h5", "user.h5", "wide.h5", "four.nc"} {
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
			if err := a.Check("hdf5", int64(len(b))); err != nil || !a.Type.Valid() {
				t.Errorf("%+v does not lie in %d bytes: %v", a, len(b), err)
			}
		}
	})
}
