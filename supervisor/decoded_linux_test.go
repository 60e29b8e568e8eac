package supervisor

import (
	"errors"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/shm"
)

// roomTaken returns how many bytes the memory takes.
func roomTaken(t *testing.T, s *shm.Sparse) int64 {
	var info unix.Stat_t
	if err := unix.Fstat(int(s.Mapping().File().Fd()), &info); err != nil {
		t.Fatal(err)
	}
	return info.Blocks * 512
}

func TestKilledWorkersChangeNothingOfWhatIsDecoded(t *testing.T) {
	pool := start(t, Workers(2), ChunkBytes(1), DecodeMemory(400<<10))
	a, _, sameA, _ := openFake(t, pool, 100*4096)
	want, err := pool.Stat(t.Context(), sameA)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	since := uint64(0)
	hook := func(first int64) {
		if first%(10*4096) == 0 && first > 0 {
			since = progress(pool, since)
			killOne(t, r)
		}
	}
	decodeHook.Store(&hook)
	defer decodeHook.Store(nil)
	got, err := pool.Stat(t.Context(), a)
	if err != nil || got.Sum().String() != want.Sum().String() || got.Std(0).String() != want.Std(0).String() {
		t.Errorf("%v: %v, want %v", err, got.Sum(), want.Sum())
	}
	if pool.Counters().Respawns == 0 {
		t.Error("nobody was killed")
	}
}

// A chunk that is given up holds up nothing of what is decoded behind it.
func TestPoisonedChunkOfDecodedElementsIsNamed(t *testing.T) {
	pool := start(t, Workers(1), ChunkBytes(1), DecodeMemory(2*4096*8))
	a, _, _, _ := openFake(t, pool, 20*4096)
	_, err := Reduce(t.Context(), pool, dieAt.With(fakeA(5*4096+7)), a)
	var quarantined *QuarantineError
	if !errors.As(err, &quarantined) || len(quarantined.Chunks) != 1 || quarantined.Chunks[0].Chunk != 5 {
		t.Errorf("%v", err)
	}
}
