package fits

import (
	"testing"

	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

func FuzzParse(f *testing.F) {
	fuzztest.Parser(f, "fits", Parse, "all.fits", "scaled.fits", "packed.fits")
}
