package shm

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cold returns a file of zeros that is not in memory, mapped.
func cold(t *testing.T, size int) *Mapping {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Sync(); err != nil {
		t.Fatal(err)
	}
	m, err := OpenMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
		switch n := pagesIn(m, 0, uint64(size)); {
		case n == 0:
			return m
		case time.Since(begin) > 5*time.Second:
			var fs unix.Statfs_t
			if err := unix.Statfs(path, &fs); err == nil && fs.Type == unix.TMPFS_MAGIC {
				t.Skip("a tmpfs keeps files in memory")
			}
			t.Fatalf("%d pages stay in memory", n)
		}
	}
}

// pagesIn returns how many pages of a region are in memory.
func pagesIn(m *Mapping, from, to uint64) (n int) {
	page := uint64(os.Getpagesize())
	for at := from; at < to; at += page {
		if resident(m.Bytes(), at) {
			n++
		}
	}
	return n
}

func TestWhatIsNeededIsBroughtIn(t *testing.T) {
	const size = 8 << 20
	m := cold(t, size)
	mem := m.Bytes()
	const from, to = 1 << 20, 5 << 20
	willNeed(mem, from+5, to-from-5)
	want := (to - from) / os.Getpagesize()
	for begin := time.Now(); pagesIn(m, from, to) < want && time.Since(begin) < 20*time.Second; {
		time.Sleep(time.Millisecond)
	}
	if got := pagesIn(m, from, to); got != want {
		t.Errorf("%d pages of %d were read", got, want)
	}
	if n := pagesIn(m, to+1<<20, size); n > 0 {
		t.Errorf("%d pages behind the region were read", n)
	}
	// What lies beyond the file is no region.
	willNeed(mem, size-1, 1<<40)
	willNeed(mem, size, 1)
	willNeed(mem, 1<<63, 1<<63)
}

func TestFaultsReadMuchOfAColdFile(t *testing.T) {
	if !largeReads() {
		t.Skip("this system does not take the advice")
	}
	m := cold(t, 8<<20)
	// Nothing else reads ahead then, as much as the device may ask for.
	if err := unix.Madvise(m.Bytes(), unix.MADV_RANDOM); err != nil {
		t.Fatal(err)
	}
	if m.Bytes()[5<<20] != 0 {
		t.Error("not zero")
	}
	if n := pagesIn(m, 4<<20, 6<<20) * os.Getpagesize(); n != 2<<20 {
		t.Errorf("a fault read %d bytes around it", n)
	}
}
