package hdf5

import (
	"testing"

	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

func FuzzParse(f *testing.F) {
	fuzztest.Parser(f, "hdf5", Parse, "old.h5", "v110.h5", "dense.h5", "many.h5", "other.h5", "user.h5", "wide.h5", "four.nc")
}
