package wire

import (
	"sync/atomic"
	"unsafe"
)

// Beat is a worker's sign of life in its results segment, see the package doc.
type Beat struct{ word *atomic.Uint64 }

// ProgressStep is what one step of progress stands for, in bytes of a chunk.
const ProgressStep = 16 << 10

// BeatOf returns the beat of a results segment, which is aligned to 8 bytes.
func BeatOf(results []byte) Beat {
	return Beat{(*atomic.Uint64)(unsafe.Pointer(&results[:liveSize][0]))}
}

// Turn is to be called by the worker before it looks for a claim.
func (b Beat) Turn() {
	// Only the worker writes it.
	b.word.Store((b.word.Load()>>32 + 1) << 32)
}

// Progress is to be called by the worker with the bytes of its chunk that are
// done.
func (b Beat) Progress(done int) {
	b.word.Store(b.word.Load()>>32<<32 | uint64(uint32(done/ProgressStep)))
}

// Load returns the turns so far and the progress in the present chunk.
func (b Beat) Load() (turns, progress uint32) {
	w := b.word.Load()
	return uint32(w >> 32), uint32(w)
}

// Tally is what a worker has done in its life, in its results segment, for whoever
// watches: nothing depends on it.
type Tally struct{ chunks, bytes *atomic.Uint64 }

// TallySize is how many bytes from the start of a results segment a tally needs.
const TallySize = liveSize

// TallyOf returns the tally of a results segment, or of its first TallySize bytes,
// which are aligned to 8.
func TallyOf(results []byte) Tally {
	live := results[:liveSize]
	return Tally{(*atomic.Uint64)(unsafe.Pointer(&live[chunksOffset])), (*atomic.Uint64)(unsafe.Pointer(&live[bytesOffset]))}
}

// Add is to be called by the worker after a chunk of that many bytes.
func (t Tally) Add(bytes uint64) {
	// Only the worker writes them.
	t.chunks.Store(t.chunks.Load() + 1)
	t.bytes.Store(t.bytes.Load() + bytes)
}

// Load returns the chunks and bytes so far.
func (t Tally) Load() (chunks, bytes uint64) { return t.chunks.Load(), t.bytes.Load() }
