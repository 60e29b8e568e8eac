package netcdf

import (
	"testing"

	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

func FuzzParse(f *testing.F) {
	fuzztest.Parser(f, "netcdf", Parse, "classic.nc", "offset.nc", "data.nc", "alone.nc")
}
