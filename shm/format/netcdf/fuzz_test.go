package netcdf

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/gangsaw/gangsaw/shm/format"
)

func FuzzParse(f *testing.F) {
	for _, name := range []string{"classic.nc", "offset.nc", "data.nc", "alone.nc"} {
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
			if err := a.Check("netcdf", int64(len(b))); err != nil || !a.Type.Valid() {
				t.Errorf("%+v does not lie in %d bytes: %v", a, len(b), err)
			}
		}
	})
}
