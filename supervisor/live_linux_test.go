package supervisor

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

// ours returns this process's run that has a file open.
func ours(t *testing.T, path string) (LiveRun, bool) {
	t.Helper()
	runs, err := LiveRuns()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		if r.PID == os.Getpid() && slices.Contains(r.Files, path) {
			return r, true
		}
	}
	return LiveRun{}, false
}

func TestLiveRunsTellWhatWorkersHaveDone(t *testing.T) {
	const size, chunk = 1 << 20, 64 << 10
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, make([]byte, size), 0o666); err != nil {
		t.Fatal(err)
	}
	pool, err := Start(t.Context(), Workers(2), ChunkBytes(chunk))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	f, err := pool.File(path, Raw(raw.Layout{Type: kernels.Float64}))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := pool.Stat(t.Context(), f.Arrays()[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Eval(t.Context(), "max(x)", f.Arrays()[0]); err != nil {
		t.Fatal(err)
	}
	// A worker counts a chunk after it has handed it in.
	var chunks, bytes uint64
	var got LiveRun
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(time.Millisecond) {
		chunks, bytes = 0, 0
		got, _ = ours(t, path)
		for _, w := range got.Workers {
			chunks, bytes = chunks+w.Chunks, bytes+w.Bytes
		}
		if bytes == 2*size && len(got.Workers) == 2 {
			break
		}
	}
	if chunks != 2*size/chunk || bytes != 2*size || len(got.Workers) != 2 || got.Restarts != 0 || got.Ready != 0 || got.Command == "" {
		t.Errorf("%d chunks, %d bytes: %+v", chunks, bytes, got)
	}
	for _, w := range got.Workers {
		if w.State != "idle" || w.Attempt != 0 || w.Faults == 0 {
			t.Errorf("%+v", w)
		}
	}
	f.Close()
	pool.Close()
	if r, found := ours(t, path); found {
		t.Errorf("a closed pool lives: %+v", r)
	}
}

func TestStatLinesOfAnyName(t *testing.T) {
	for line, want := range map[string]struct {
		faults  uint64
		stopped bool
	}{
		"17 (gangsaw) S 1 2 3 4 5 6 100 7 20 8":  {120, false},
		"17 (a) T (b)) T 1 2 3 4 5 6 100 7 20 8": {120, true},
		"17 (gangsaw) R":                         {0, false},
		"":                                       {0, false},
		")":                                      {0, false},
		"17 (x) t 1 2 3 4 5 6 x 7 -1":            {0, true},
	} {
		if faults, stopped := parseStat(line); faults != want.faults || stopped != want.stopped {
			t.Errorf("%q: %d, %v", line, faults, stopped)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("17 (a) T (b)) T 1 2 3 4 5 6 100 7 20 8")
	f.Add(") T 1 2 3 4 5 6 99999999999999999999 7 -1")
	f.Fuzz(func(t *testing.T, line string) { parseStat(line) })
}
