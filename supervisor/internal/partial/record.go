package partial

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/gangsaw/gangsaw/kernels"
)

// Record is what one pass finds in chunks From up to To of Chunks.
type Record struct {
	Asked            uint64 // checksum of what the pass was to find
	Elements         uint64 // of the array, as the pass goes over it
	Chunk            uint64 // elements of every chunk but the last
	Chunks, From, To uint64

	// Nodes are partials of subtrees of chunks, in their order; none if the pass
	// makes none.
	Nodes []kernels.Node[[]byte]
	// Of a survey: keys of a sample, how many elements are in each interval, and the
	// keys that were kept of those of which they were to be.
	Sample, Counts []uint64
	Kept           [][]uint64
	Lost           bool // some of those that were to be kept are not there
}

// Check reports what cannot be in a record.
func (r *Record) Check() error {
	switch {
	case r.Chunk == 0 || r.Chunks != (r.Elements+r.Chunk-1)/r.Chunk || r.Elements > math.MaxInt64 || r.Chunk > math.MaxInt64:
		return fmt.Errorf("%d elements in %d chunks of %d", r.Elements, r.Chunks, r.Chunk)
	case r.From > r.To || r.To > r.Chunks:
		return fmt.Errorf("chunks %d to %d of %d", r.From, r.To, r.Chunks)
	case len(r.Kept) != 0 && len(r.Kept) != len(r.Counts):
		return fmt.Errorf("kept keys of %d intervals, and counts of %d", len(r.Kept), len(r.Counts))
	}
	if len(r.Nodes) == 0 {
		return nil
	}
	at := r.From
	for _, n := range r.Nodes {
		if n.Level < 0 || n.Level > 62 || n.Index > math.MaxInt64>>n.Level || n.First() != at || 1<<n.Level > r.To-at {
			return fmt.Errorf("a subtree %d of level %d where chunk %d of %d should be", n.Index, n.Level, at, r.To)
		}
		at += 1 << n.Level
	}
	if at != r.To {
		return fmt.Errorf("subtrees up to chunk %d of %d", at, r.To)
	}
	return nil
}

// Join returns the record of the whole pass. Those of all shards are there, in their
// order.
func Join(all []Record) (Record, error) {
	whole := Record{Asked: all[0].Asked, Elements: all[0].Elements, Chunk: all[0].Chunk, Chunks: all[0].Chunks}
	for i := range all {
		r := &all[i]
		switch {
		case r.Asked != whole.Asked || r.Elements != whole.Elements || r.Chunk != whole.Chunk || r.Chunks != whole.Chunks:
			return whole, fmt.Errorf("shards 0 and %d did not do the same pass", i)
		case r.From != whole.To:
			return whole, fmt.Errorf("shard %d begins with chunk %d, not %d", i, r.From, whole.To)
		case len(r.Counts) != len(all[0].Counts) || len(r.Kept) != len(all[0].Kept):
			return whole, fmt.Errorf("shards 0 and %d did not count the same", i)
		}
		whole.To = r.To
		whole.Nodes = append(whole.Nodes, r.Nodes...)
		whole.Sample = append(whole.Sample, r.Sample...)
		whole.Lost = whole.Lost || r.Lost
	}
	if whole.To != whole.Chunks {
		return whole, fmt.Errorf("the shards end with chunk %d of %d", whole.To, whole.Chunks)
	}
	whole.Counts = make([]uint64, len(all[0].Counts))
	whole.Kept = make([][]uint64, len(all[0].Kept))
	for _, r := range all {
		for i, n := range r.Counts {
			whole.Counts[i] += n
		}
		for i, keys := range r.Kept {
			whole.Kept[i] = append(whole.Kept[i], keys...)
		}
	}
	return whole, nil
}

// append appends the record's bytes.
func (r *Record) append(b []byte) []byte {
	put := func(all ...uint64) {
		for _, v := range all {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	lost := uint64(0)
	if r.Lost {
		lost = 1
	}
	put(r.Asked, r.Elements, r.Chunk, r.Chunks, r.From, r.To, lost, uint64(len(r.Nodes)))
	for _, n := range r.Nodes {
		put(uint64(n.Level), n.Index, uint64(len(n.Value)))
		b = append(b, n.Value...)
	}
	list := func(keys []uint64) {
		put(uint64(len(keys)))
		put(keys...)
	}
	list(r.Sample)
	list(r.Counts)
	put(uint64(len(r.Kept)))
	for _, keys := range r.Kept {
		list(keys)
	}
	return b
}

// reader reads the bytes of records; what is missing reads as 0, and is told by err.
type reader struct {
	rest []byte
	err  error
}

var errShort = errors.New("records that are cut off")

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.rest, r.err = nil, errShort
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) number() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// count reads how many things follow, of at least so many bytes each.
func (r *reader) count(least int) int {
	n := r.number()
	if n > uint64(len(r.rest)/least) {
		r.rest, r.err = nil, errShort
		return 0
	}
	return int(n)
}

func (r *reader) list() []uint64 {
	all := make([]uint64, r.count(8))
	for i := range all {
		all[i] = r.number()
	}
	return all
}

func (r *reader) record() Record {
	found := Record{Asked: r.number(), Elements: r.number(), Chunk: r.number(), Chunks: r.number(), From: r.number(), To: r.number()}
	found.Lost = r.number() != 0
	for range r.count(24) {
		n := kernels.Node[[]byte]{Level: int(min(r.number(), 64)), Index: r.number()}
		n.Value = r.bytes(r.number())
		found.Nodes = append(found.Nodes, n)
	}
	found.Sample, found.Counts = r.list(), r.list()
	for range r.count(8) {
		found.Kept = append(found.Kept, r.list())
	}
	return found
}
