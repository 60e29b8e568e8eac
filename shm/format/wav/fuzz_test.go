package wav

import (
	"testing"

	"github.com/gangsaw/gangsaw/shm/format/internal/fuzztest"
)

func FuzzParse(f *testing.F) {
	fuzztest.Parser(f, "wav", Parse, "i2_2.wav", "extensible.wav", "rf64.wav", "big.wav")
}
