package supervisor

import (
	"context"
	"errors"
	"hash/crc64"
	"math/bits"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partial"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
)

// passes has the passes of a computation run: by a pool, over whole arrays, or over a
// shard of them.
type passes struct {
	pool   *Pool // nil: nothing can be run, see replay
	rounds *replay
	cutting
}

// cutting says how arrays are cut into chunks.
type cutting struct {
	chunk   uint64 // bytes, 0: chosen by the array's size
	workers int    // that should find enough of them
}

// passes returns those of a computation without shards.
func (p *Pool) passes() passes {
	return passes{pool: p, cutting: cutting{p.options.chunk, p.options.workers}}
}

// shardWorkers is how many workers a shard is taken to have when arrays are cut, so
// that all cut alike, whatever they have.
const shardWorkers = 8

// replay is a computation whose passes shards share. Each shard goes through
// the computation from its beginning: it is told of the passes that are known what all
// shards found in them, runs its share of the next one, and ends there with
// errUnfinished. Who merges does so, too, with one more pass that is known, and no pool.
type replay struct {
	shard Shard
	known []partial.Record // of the first passes
	asked int              // passes so far
	found *partial.Record  // by the shard, in the pass after those that are known
}

// errUnfinished ends a computation at a pass that not all shards have run.
var errUnfinished = errors.New("supervisor: not all shards have run the pass")

// errAsked tells that a pass that is known is not the one that comes next.
var errAsked = errors.New("the passes that were made are not those that this version of gangsaw makes")

// begin returns what is known of the pass that comes next, or nil and what is to be
// known.
func (r *replay) begin(plan partition.Plan, elements, asked uint64) (known *partial.Record, next partial.Record, err error) {
	next = partial.Record{Asked: asked, Elements: elements, Chunk: plan.ChunkBytes() / uint64(plan.ElementSize()), Chunks: plan.Chunks()}
	next.From, next.To = r.shard.part(next.Chunks)
	if r.asked < len(r.known) {
		known = &r.known[r.asked]
		if known.Asked != asked || known.Elements != elements || known.Chunk != next.Chunk || known.Chunks != next.Chunks || known.From != 0 || known.To != known.Chunks {
			return nil, next, errAsked
		}
		r.asked++
	}
	return known, next, nil
}

// survey runs a survey of what a scan goes through, which may keep so many keys.
func (s passes) survey(ctx context.Context, r scan, spec *kernels.Survey, room uint64) (*survey, [][]uint64, error) {
	found := newSurvey(r, spec)
	if s.rounds == nil {
		kept, err := s.pool.survey(ctx, found, room, engine.Job{})
		return found, kept, err
	}
	asked := crc64.Checksum(spec.Encode(), askedTable)
	if r.view != nil {
		asked = crc64.Update(asked, askedTable, r.view.Program)
	}
	known, next, err := s.rounds.begin(r.plan, r.elements(), asked)
	if err != nil {
		return nil, nil, err
	}
	if known != nil {
		kept, err := found.learn(known)
		return found, kept, err
	}
	if s.pool == nil {
		return nil, nil, errUnfinished
	}
	var kept [][]uint64
	if next.From < next.To {
		if kept, err = s.pool.survey(ctx, found, room, engine.Job{From: next.From, To: next.To}); err != nil {
			return nil, nil, err
		}
	}
	found.record(kept, &next)
	s.rounds.found = &next
	return nil, nil, errUnfinished
}

// askedTable is that of the checksums of what passes are to find.
var askedTable = crc64.MakeTable(crc64.ECMA)

// fold runs the shard's share of a pass of expressions, or has the merger learn what
// is known of the whole pass.
func (s passes) fold(pass *expr.Pass, plan partition.Plan, merger *expr.Merger, run func(accept func(uint64, []byte) error, from, to uint64) error) error {
	known, next, err := s.rounds.begin(plan, pass.RowLength(), crc64.Checksum(pass.Program, askedTable))
	if err != nil {
		return err
	}
	if known != nil {
		for _, n := range known.Nodes {
			if err := merger.AddNode(0, n); err != nil {
				return err
			}
		}
		return nil
	}
	if s.pool == nil {
		return errUnfinished
	}
	subtrees := pass.NewSubtrees()
	if next.From < next.To {
		if err := run(subtrees.Add, next.From, next.To); err != nil {
			return err
		}
	}
	next.Nodes = subtrees.Nodes()
	s.rounds.found = &next
	return errUnfinished
}

// part returns which of so many chunks are the shard's.
func (s Shard) part(chunks uint64) (from, to uint64) {
	at := func(i int) uint64 {
		hi, lo := bits.Mul64(chunks, uint64(i))
		q, _ := bits.Div64(hi, lo, uint64(s.Of))
		return q
	}
	return at(s.Index), at(s.Index + 1)
}
