package supervisor

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
)

// affine is a map that must not be applied twice, or half.
var affine = kernels.NewMap("test.affine", func(dst, src []float64, k [2]float64) error {
	for i, v := range src {
		dst[i] = float64(k[0]*v) + k[1]
	}
	return nil
})

// mix is one of integers.
var mix = kernels.NewMap("test.mix", func(dst, src []uint32, k uint32) error {
	for i, v := range src {
		dst[i] = 2654435769*v + k
	}
	return nil
})

// picky refuses, or panics at, what is above a limit.
var picky = kernels.NewMap("test.picky", func(dst, src []float64, limit float64) error {
	for i, v := range src {
		dst[i] = -v
		if v > limit && limit < 0 {
			panic("too large")
		} else if v > limit {
			return fmt.Errorf("%v is above %v", v, limit)
		}
	}
	return nil
})

// float64File writes numbers behind some bytes and before others.
func float64File(t *testing.T, before int, xs []float64, after int) string {
	t.Helper()
	b, err := binary.Append(bytes.Repeat([]byte{0x5a}, before), binary.LittleEndian, xs)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(path, append(b, bytes.Repeat([]byte{0xa5}, after)...), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// holdsFile compares a file with numbers behind some bytes and before others.
func holdsFile(t *testing.T, path string, before int, want func(i int) float64, n, after int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || len(b) != before+8*n+after {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	for i, c := range b {
		if i < before && c != 0x5a || i >= before+8*n && c != 0xa5 {
			t.Fatalf("byte %d beside the array is %#x", i, c)
		}
	}
	for i := range n {
		if got := binary.LittleEndian.Uint64(b[before+8*i:]); got != math.Float64bits(want(i)) {
			t.Fatalf("element %d is %v, want %v", i, math.Float64frombits(got), want(i))
		}
	}
}

func ramp(n int) []float64 {
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = float64(i)
	}
	return xs
}

func openRaw(t *testing.T, pool *Pool, path string, offset, n int) *Array {
	t.Helper()
	return open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64, Offset: int64(offset), Shape: []int64{int64(n)}}))
}

func TestInPlaceChangesEachElementOnce(t *testing.T) { onBothPools(t, inPlaceChangesEachElementOnce) }

func inPlaceChangesEachElementOnce(t *testing.T, start func(...Option) *Pool) {
	for _, chunk := range []uint64{1, 1 << 17, 0} {
		pool := start(Workers(2), ChunkBytes(chunk))
		for _, n := range []int{1, 2047, 4096, 100003} {
			// Aligned, to elements, and to nothing.
			for _, before := range []int{0, 4096, 8, 3} {
				path := float64File(t, before, ramp(n), 5)
				x := openRaw(t, pool, path, before, n)
				for range 2 {
					if err := pool.InPlace(t.Context(), affine.With([2]float64{3, 1}), x); err != nil {
						t.Fatal(err)
					}
				}
				holdsFile(t, path, before, func(i int) float64 { return 9*float64(i) + 4 }, n, 5)
				if _, err := pool.Stat(t.Context(), x); err != nil {
					t.Errorf("reading what was changed: %v", err)
				}
				if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
					t.Errorf("left behind: %v, %v", left, err)
				}
			}
		}
	}
}

func TestInPlaceInAnArena(t *testing.T) { onBothPools(t, inPlaceInAnArena) }

func inPlaceInAnArena(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2), ChunkBytes(1))
	arena := newArena(t, pool, 1<<20, Output())
	xs, err := Alloc[uint32](arena, 50001)
	if err != nil {
		t.Fatal(err)
	}
	for i := range xs {
		xs[i] = uint32(i)
	}
	x, err := ArrayOf(arena, "x", xs[1:50000])
	if err != nil {
		t.Fatal(err)
	}
	if err := pool.InPlace(t.Context(), mix.With(7), x); err != nil {
		t.Fatal(err)
	}
	for i, v := range xs {
		want := 2654435769*uint32(i) + 7
		if i == 0 || i == 50000 {
			want = uint32(i)
		}
		if v != want {
			t.Fatalf("element %d: %d, want %d", i, v, want)
		}
	}
	still := newArena(t, pool, 64)
	y, err := still.Array("y", kernels.Uint32, still.Allocate(8))
	if err != nil {
		t.Fatal(err)
	}
	if err := pool.InPlace(t.Context(), mix.With(7), y); err == nil || !strings.Contains(err.Error(), "is not for writing") {
		t.Errorf("%v", err)
	}
}

// A kernel that fails leaves its unit as it was, the journal says how far the run
// has come, and the run can be taken up again or given up.
func TestFailedInPlaceIsResumedOrAbandoned(t *testing.T) {
	onBothPools(t, failedInPlaceIsResumedOrAbandoned)
}

func failedInPlaceIsResumedOrAbandoned(t *testing.T, start func(...Option) *Pool) {
	const n = 64 << 10
	var warned atomic.Pointer[Event]
	pool := start(Workers(1), ChunkBytes(1<<16), Observe(EventFunc(func(e Event) {
		if e.Kind == RunInterrupted {
			warned.Store(&e)
		}
	})))
	path := float64File(t, 3, ramp(n), 0)
	x := openRaw(t, pool, path, 3, n)
	err := pool.InPlace(t.Context(), picky.With(20000), x)
	var early *InPlaceError
	var refused *TaskError
	if !errors.As(err, &early) || !errors.As(err, &refused) || !strings.Contains(refused.What, "is above 20000") {
		t.Fatalf("%v", err)
	}
	// 20001 lies in unit 9, which is in chunk 2.
	changed := func() (n int) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < (len(b)-3)/8; i++ {
			switch got := math.Float64frombits(binary.LittleEndian.Uint64(b[3+8*i:])); got {
			case -float64(i):
				n++
			case float64(i):
			default:
				t.Fatalf("element %d is %v", i, got)
			}
		}
		return n + 1 // element 0
	}
	if got := changed(); got < 9*2048 || 8*got != int(length(early.Applied)) || length(early.Applied)+length(early.Rest) != 8*n || early.Applied[0].First != 3 {
		t.Errorf("%d are changed, of which it says %+v", got, early)
	}
	if early.Journal != path+".gangsaw" || early.Applied[0].Last != 3+9*16<<10-1 {
		t.Errorf("%+v", early)
	}
	// Nobody else may begin, and whoever reads is told.
	var interrupted *InterruptedError
	if err := pool.InPlace(t.Context(), picky.With(1e9), x); !errors.As(err, &interrupted) || interrupted.Journal != early.Journal {
		t.Errorf("%v", err)
	}
	if warned.Load() != nil {
		t.Errorf("warned too early: %v", warned.Load())
	}
	open(t, pool, path, Raw(raw.Layout{Type: kernels.Int8}))
	for begin := time.Now(); warned.Load() == nil && time.Since(begin) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	if warned.Load() == nil || warned.Load().String() != interrupted.Error() {
		t.Errorf("%v", warned.Load())
	}
	// It fails again at the same place.
	before := changed()
	if err := pool.Resume(t.Context(), path); !errors.As(err, &early) || !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
	if after := changed(); after < before {
		t.Errorf("%d were changed, and now %d", before, after)
	}
	applied, rest, err := Abandon(path)
	if err != nil || length(applied) != 8*uint64(changed()) || length(applied)+length(rest) != 8*n {
		t.Errorf("%v, %v, %v", applied, rest, err)
	}
	if err := pool.Resume(t.Context(), path); !errors.Is(err, ErrNotInterrupted) {
		t.Errorf("%v", err)
	}
	if _, _, err := Abandon(path); !errors.Is(err, ErrNotInterrupted) {
		t.Errorf("%v", err)
	}
	// A kernel that fails before anything is changed leaves no journal, and a panic
	// is no worse than an error.
	y := openRaw(t, pool, float64File(t, 0, ramp(n)[1:], 0), 0, n-1)
	var panicked *PanicError
	if err := pool.InPlace(t.Context(), picky.With(-1), y); !errors.As(err, &early) || !errors.As(err, &panicked) || early.Journal != "" || len(early.Applied) != 0 {
		t.Errorf("%v", err)
	}
	holdsFile(t, y.file.Path(), 0, func(i int) float64 { return float64(i + 1) }, n-1, 0)
	if err := pool.InPlace(t.Context(), picky.With(1e9), y); err != nil {
		t.Error(err)
	}
}

func TestInPlaceRefusesWhatMustNotChange(t *testing.T) {
	pool := start(t, Workers(1))
	const n = 5000
	path := float64File(t, 0, ramp(n), 0)
	x := openRaw(t, pool, path, 0, n)
	if err := pool.InPlace(t.Context(), round.With(1), x); err == nil || !strings.Contains(err.Error(), "cannot work in place") {
		t.Errorf("%v", err)
	}
	if err := pool.InPlace(t.Context(), mix.With(1), x); err == nil || !strings.Contains(err.Error(), "kernel \"test.mix\" takes uint32") {
		t.Errorf("%v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := pool.InPlace(ended, affine.With([2]float64{}), x); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	// Several names.
	if err := os.Link(path, path+".other"); err != nil {
		t.Fatal(err)
	}
	var linked *shm.LinkedError
	if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), x); !errors.As(err, &linked) {
		t.Errorf("%v", err)
	}
	if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), x, HardLinked()); err != nil {
		t.Errorf("%v", err)
	}
	holdsFile(t, path, 0, func(i int) float64 { return 2 * float64(i) }, n, 0)
	os.Remove(path + ".other")
	// No place for the journal.
	if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), x, JournalDir(path)); err == nil || !strings.Contains(err.Error(), "put it into another directory") {
		t.Errorf("%v", err)
	}
	// Another file of that name.
	if err := errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, make([]byte, 8*n), 0o600)); err != nil {
		t.Fatal(err)
	}
	var changed *shm.ChangedError
	if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), x); !errors.As(err, &changed) {
		t.Errorf("%v", err)
	}
	// One that was written to since it was opened.
	y := openRaw(t, pool, path, 0, n)
	if err := os.WriteFile(path, make([]byte, 8*n), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), y); !errors.As(err, &changed) {
		t.Errorf("%v", err)
	}
	// Somebody else's.
	target, err := shm.OpenTarget(t.Context(), path, shm.TargetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	z := openRaw(t, pool, path, 0, n)
	var locked *shm.LockedError
	if err := pool.InPlace(t.Context(), affine.With([2]float64{2, 0}), z); !errors.As(err, &locked) {
		t.Errorf("%v", err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.gangsaw*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// interrupted returns a file whose run failed half-way, and its journal.
func interrupted(t *testing.T, pool *Pool, opts ...TaskOption) (path, log string) {
	t.Helper()
	const n = 32 << 10
	path = float64File(t, 16, ramp(n), 8)
	var early *InPlaceError
	if err := pool.InPlace(t.Context(), picky.With(n/2), openRaw(t, pool, path, 16, n), opts...); !errors.As(err, &early) {
		t.Fatal(err)
	}
	return path, early.Journal
}

func TestResumeRefusesAJournalThatDoesNotBelong(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	for name, c := range map[string]struct {
		do   func(t *testing.T, path, log string)
		want string
	}{
		"another boot": {func(t *testing.T, _, log string) {
			boot, err := journal.Boot()
			if err != nil {
				t.Fatal(err)
			}
			editJournal(t, log, boot, strings.Repeat("0", len(boot)))
		}, "the machine was started anew"},
		"another kernel": {func(t *testing.T, _, log string) { editJournal(t, log, `"test.picky"`, `"test.pickx"`) }, `this program has no kernel "test.pickx"`},
		"kernel of ints": {func(t *testing.T, _, log string) { editJournal(t, log, `"test.picky"`, `"test.mix"  `) }, "does not make float64"},
		"another build":  {func(t *testing.T, _, log string) { editJournal(t, log, `"Build": "`, `"Build":"0`) }, "another build of the program"},
		"damaged":        {func(t *testing.T, _, log string) { os.WriteFile(log, make([]byte, 9000), 0o600) }, "it is no journal of this version"},
		"truncated":      {func(t *testing.T, _, log string) { os.Truncate(log, 4096) }, "its marks alone need"},
		"too short":      {func(t *testing.T, _, log string) { os.Truncate(log, 10) }, "it is no journal of this version"},
		"another file": {func(t *testing.T, path, _ string) {
			b, _ := os.ReadFile(path)
			os.Remove(path)
			os.WriteFile(path, b, 0o600)
		}, "is another file"},
		"another size":     {func(t *testing.T, path, _ string) { os.Truncate(path, 16+8*(32<<10)) }, "bytes, and had"},
		"bytes beside":     {func(t *testing.T, path, _ string) { writeAt(t, path, 3, []byte{1}) }, "has other bytes beside the array"},
		"bytes behind":     {func(t *testing.T, path, _ string) { writeAt(t, path, 16+8*(32<<10)+1, []byte{1}) }, "has other bytes beside the array"},
		"another geometry": {func(t *testing.T, _, log string) { editJournal(t, log, `"Chunk": 32768`, `"Chunk": 49152`) }, "no array is cut into chunks"},
		"chunk of nothing": {func(t *testing.T, _, log string) { editJournal(t, log, `"Chunk": 32768`, `"Chunk": 32769`) }, "does not make sense"},
	} {
		t.Run(name, func(t *testing.T) {
			path, log := interrupted(t, pool)
			c.do(t, path, log)
			var refused *JournalError
			if err := pool.Resume(t.Context(), path); !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), log) {
				t.Errorf("%v", err)
			}
			if !exists(log) {
				t.Error("the journal is gone")
			}
		})
	}
	path, log := interrupted(t, pool)
	editJournal(t, log, `"Build": "`, `"Build":"0`)
	var refused *TaskError
	if err := pool.Resume(t.Context(), path, AnyBuild()); !errors.As(err, &refused) {
		t.Errorf("with any build: %v", err)
	}
}

// editJournal changes the header of a journal and keeps it valid.
func editJournal(t *testing.T, log, from, to string) {
	t.Helper()
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(from)) || len(from) != len(to) {
		t.Fatalf("no %q in the journal", from)
	}
	b = bytes.Replace(b, []byte(from), []byte(to), 1)
	size := binary.LittleEndian.Uint32(b[18:])
	binary.LittleEndian.PutUint32(b[22:], crc32.Checksum(b[64:64+size], crc32.MakeTable(crc32.Castagnoli)))
	if err := os.WriteFile(log, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func writeAt(t *testing.T, path string, at int64, b []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// More workers than the journal has areas for make it grow.
func TestLargerPoolResumes(t *testing.T) {
	small := start(t, Workers(1), ChunkBytes(1))
	dir := t.TempDir()
	path, log := interrupted(t, small, JournalDir(dir))
	if filepath.Dir(log) != dir {
		t.Errorf("the journal is %s", log)
	}
	// Found without being told where it is, if the file system has attributes.
	var refused *TaskError
	if err := small.Resume(t.Context(), path); !errors.Is(err, ErrNotInterrupted) && !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
	large := start(t, Workers(30), ChunkBytes(1<<20))
	if err := large.Resume(t.Context(), path, JournalDir(dir)); !errors.As(err, &refused) {
		t.Errorf("%v", err)
	}
	target, err := shm.OpenMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	j, err := journal.Open(log, target)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if got := j.Layout().Count; got < 30 {
		t.Errorf("%d areas", got)
	}
}

// Whoever died between the two ends of a store left a unit half changed: it is
// whole before anything else happens to the file.
func TestResumeMakesWholeWhatWasHalfStored(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1))
	path, log := interrupted(t, pool)
	j := openJournal(t, path)
	// The first unit of the last chunk, of which nothing is changed yet.
	const chunk, unit = 7, 16 << 10
	before := make([]byte, unit)
	at := int64(16 + chunk*2*unit)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.ReadAt(before, at); err != nil {
		t.Fatal(err)
	}
	after := bytes.Clone(before)
	for i := range len(after) / 8 {
		after[8*i+7] ^= 0x80 // the sign
	}
	layout := j.Layout()
	area := int64(layout.Areas) + 4*(4096+unit)
	writeAt(t, log, area, binary.LittleEndian.AppendUint64(nil, chunk<<24+1))
	writeAt(t, log, area+4096, after)
	writeAt(t, path, at, after[:5000])
	if _, _, err := Abandon(path); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, unit)
	if _, err := f.ReadAt(got, at); err != nil || !bytes.Equal(got, after) {
		t.Errorf("the unit is not whole: %v", err)
	}
}

// openJournal opens the journal of a file that lies beside it.
func openJournal(t *testing.T, path string) *journal.Journal {
	t.Helper()
	target, err := shm.OpenMapping(path)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	name, _, err := journal.Find(target, "")
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(name, target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func rawOf(t kernels.Type) FileOption { return Raw(raw.Layout{Type: t}) }

// planOf cuts an array into the smallest chunks.
func planOf(x *Array) partition.Plan { return partition.New(x.Array, 1, 1) }
