package format_test

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/shm/format"
)

var seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of random damage")

// whole checks what is said of a file that may be damaged.
func whole(t *testing.T, name string, b []byte) {
	t.Helper()
	_, arrays, err := format.Detect(bytes.NewReader(b), int64(len(b)))
	var bad *format.Error
	if err != nil {
		if !errors.As(err, &bad) && !errors.Is(err, format.ErrUnknown) {
			t.Errorf("%s: %v has no type", name, err)
		}
		return
	}
	if len(arrays) == 0 {
		t.Errorf("%s: neither arrays nor an error", name)
	}
	for _, a := range arrays {
		if a.Access != format.Mapped {
			if a.Note == "" {
				t.Errorf("%s: %+v is not said why", name, a)
			}
			continue
		}
		if err := a.Check("test", int64(len(b))); err != nil || !a.Type.Valid() {
			t.Errorf("%s: %+v does not lie in %d bytes: %v", name, a, len(b), err)
		}
	}
}

func TestDamagedFilesAreErrorsOrDescribeWhatIsThere(t *testing.T) {
	t.Logf("-seed %d", *seed)
	r := rand.New(rand.NewPCG(*seed, 0))
	for file := range references(t) {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(b); n += 1 + len(b)/200 {
			whole(t, file, b[:n])
		}
		for range 300 {
			damaged := bytes.Clone(b)
			for range 1 + r.IntN(3) {
				at := r.IntN(len(b))
				if r.IntN(2) == 0 {
					at = r.IntN(min(len(b), 600)) // headers
				}
				damaged[at] = []byte{0, 1, 0x7f, 0x80, 0xff, byte(r.IntN(256))}[r.IntN(6)]
			}
			whole(t, file, damaged)
		}
	}
}
