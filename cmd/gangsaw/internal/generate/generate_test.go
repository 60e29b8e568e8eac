package generate

import (
	"bytes"
	"context"
	"errors"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/npy"
)

func generate(t *testing.T, name string, s Spec) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	n, err := Write(t.Context(), path, s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil || int64(len(b)) != n {
		t.Fatalf("%d bytes, %v, want %d", len(b), err, n)
	}
	return b
}

func TestSameSpecMakesSameBytes(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		hash uint64
	}{
		{Spec{Type: kernels.Float64, Shape: []int64{10000}, Dist: Uniform, Seed: 1}, 0xbbec9be436b101ae},
		{Spec{Type: kernels.Float32, Shape: []int64{100, 100}, Dist: Uniform, Seed: 1, NaN: 0.1}, 0x9254582ac0c55424},
		{Spec{Type: kernels.Int16, Shape: []int64{10000}, Dist: Uniform, Seed: 2}, 0x5427a5656bf32c0d},
		{Spec{Type: kernels.Uint8, Shape: []int64{1000}, Dist: Sequence}, 0x9ebd4ca7a79e5ddd},
	} {
		h := fnv.New64a()
		h.Write(generate(t, "x", c.spec))
		if h.Sum64() != c.hash {
			t.Errorf("%+v: hash %#x, want %#x", c.spec, h.Sum64(), c.hash)
		}
	}
}

func TestFilesAreWhatWasAskedFor(t *testing.T) {
	for _, typ := range kernels.Types() {
		for d := Normal; d <= Zeros; d++ {
			if _, err := ParseDist(dists[d].name, typ); err != nil {
				continue
			}
			for _, shape := range [][]int64{{}, {0}, {1}, {4097}, {3, 5000}} {
				if typ == kernels.BFloat16 {
					continue // npy has none
				}
				b := generate(t, "x.npy", Spec{Type: typ, Shape: shape, Dist: d, NPY: true})
				arrays, err := npy.Parse(bytes.NewReader(b), int64(len(b)))
				if err != nil || arrays[0].Type != typ || arrays[0].Offset+arrays[0].Size() != int64(len(b)) {
					t.Errorf("%v %v %s: %+v, %v", typ, shape, dists[d].name, arrays, err)
				}
			}
		}
	}
}

func TestNumbersAreTheSameWhereverTheyLie(t *testing.T) {
	spec := Spec{Type: kernels.Float32, Shape: []int64{5 << 20}, Dist: Uniform}
	bare := generate(t, "x", spec)
	spec.NPY = true
	if b := generate(t, "x.npy", spec); !bytes.Equal(b[len(b)-len(bare):], bare) {
		t.Error("numbers behind a header are not those without one")
	}
}

func TestSequenceCounts(t *testing.T) {
	b := generate(t, "x", Spec{Type: kernels.Uint16, Shape: []int64{70000}, Dist: Sequence})
	for i := range 70000 {
		if got := uint16(b[2*i]) | uint16(b[2*i+1])<<8; got != uint16(i) {
			t.Fatalf("element %d is %d", i, got)
		}
	}
}

func TestZerosAreSparse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	n, err := Write(t.Context(), path, Spec{Type: kernels.Float64, Shape: []int64{1 << 34}, Dist: Zeros, NPY: true})
	if err != nil || n != 1<<37+128 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestNothingIsLeftOfAFileThatFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.npy")
	spec := Spec{Type: kernels.Float64, Shape: []int64{1 << 20}}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Write(stopped, path, spec); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	spec.Shape = []int64{math.MaxInt64 / 16}
	if _, err := Write(t.Context(), path, spec); err == nil {
		t.Error("a file larger than any disk was written")
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestOnlyRegularFilesAreReplaced(t *testing.T) {
	dir := t.TempDir()
	spec := Spec{Type: kernels.Uint8, Shape: []int64{3}, Dist: Sequence, Overwrite: true}
	fifo, dangling := filepath.Join(dir, "fifo"), filepath.Join(dir, "dangling")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("nothing", dangling); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, dangling, dir} {
		before, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Write(t.Context(), path, spec); err == nil || !strings.HasPrefix(err.Error(), path+": is ") {
			t.Errorf("%s: %v", path, err)
		}
		if after, err := os.Lstat(path); err != nil || after.Mode() != before.Mode() {
			t.Errorf("%s is now %v, %v", path, after.Mode(), err)
		}
	}
	// Behind a link the file itself is replaced and keeps its mode.
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), link, spec); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(target)
	info, err := os.Lstat(link)
	if err != nil || info.Mode().Type() != os.ModeSymlink || string(b) != "\x00\x01\x02" {
		t.Errorf("link %v, %v, target %q", info.Mode(), err, b)
	}
	if info, err := os.Stat(target); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestOverwriteIsNeverImplied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	spec := Spec{Type: kernels.Uint8, Shape: []int64{3}, Dist: Sequence}
	if err := os.WriteFile(path, []byte("keep"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), path, spec); err == nil {
		t.Error("an existing file was replaced")
	}
	if b, _ := os.ReadFile(path); string(b) != "keep" {
		t.Errorf("it holds %q", b)
	}
	spec.Overwrite = true
	if _, err := Write(t.Context(), path, spec); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "\x00\x01\x02" {
		t.Errorf("it holds %q", b)
	}
}
