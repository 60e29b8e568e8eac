package npz

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// Archives are read by Go's own reader, which checks the CRC-32, and by this package's.
func TestWrittenArchivesReadBack(t *testing.T) {
	arrays := []format.Array{
		{Name: "x // 2", Type: kernels.Float64, Shape: []int64{2, 3}, Fortran: true},
		{Name: "é", Type: kernels.Bool, Shape: []int64{5}},
		{Name: "none", Type: kernels.Int16, Shape: []int64{0}},
		{Name: "one", Type: kernels.Uint8, Shape: []int64{}},
	}
	d, err := Draft(arrays)
	if err != nil {
		t.Fatal(err)
	}
	file := make([]byte, d.Size)
	for _, f := range d.Fixed {
		copy(file[f.Offset:], f.Bytes)
	}
	for _, a := range d.Arrays {
		for i := range a.Size() {
			file[a.Offset+i] = byte(i % 2)
		}
		patches, err := format.Sums(bytes.NewReader(file), a)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range patches {
			copy(file[p.Offset:], p.Bytes)
		}
	}
	got := parse(t, file)
	for i := range got {
		if d.Arrays[i].Alignment() != align {
			t.Errorf("%s lies at %d", got[i].Name, d.Arrays[i].Offset)
		}
		// The order of the places is the reader's.
		a := d.Arrays[i]
		if len(got[i].Checksums) != 2 || got[i].Checksums[0] != a.Checksums[1] || got[i].Checksums[1] != a.Checksums[0] {
			t.Errorf("checksums %+v, want %+v", got[i].Checksums, a.Checksums)
		}
		got[i].Checksums = a.Checksums
	}
	if !reflect.DeepEqual(got, d.Arrays) {
		t.Errorf("%+v, want\n%+v", got, d.Arrays)
	}
	z, err := zip.NewReader(bytes.NewReader(file), d.Size)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		names = append(names, f.Name)
	}
	if fmt.Sprint(names) != "[x // 2.npy é.npy none.npy one.npy]" {
		t.Errorf("%q", names)
	}
}

func TestDraftRefusesWhatTheArchiveHasNot(t *testing.T) {
	for name, want := range map[string]string{"../a": "cannot be the name", "/a": "cannot be the name", "a\\b": "cannot be the name", strings.Repeat("a", 1<<16): "too long"} {
		if _, err := Draft([]format.Array{{Name: name, Type: kernels.Int8, Shape: []int64{1}}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.10q: %v", name, err)
		}
	}
	if _, err := Draft([]format.Array{{Name: "a", Type: kernels.BFloat16, Shape: []int64{1}}}); err == nil || !strings.Contains(err.Error(), "bfloat16") {
		t.Errorf("%v", err)
	}
}
