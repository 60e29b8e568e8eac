package npz

import (
	"testing"

	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

func FuzzParse(f *testing.F) {
	fuzztest.Parser(f, "npz", Parse, "stored.npz", "compressed.npz", "descriptor.npz")
}
