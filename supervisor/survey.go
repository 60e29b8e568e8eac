package supervisor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partial"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// survey is one pass of a [kernels.Survey] over an array, not empty.
type survey struct {
	spec   *kernels.Survey
	scan   scan
	merger *kernels.Tree[kernels.Moments]
	sample []uint64
	counts []uint64
	chunks []keptOf // if anything is kept
}

// keptOf is where the kept keys of a chunk lie.
type keptOf struct {
	at       uint64
	counts   []uint64 // of every interval
	overflow bool
	checksum uint32
}

// surveyChunk bounds the chunks of a survey, so that what is found in one fits into a
// result.
const surveyChunk = kernels.MaxSurveyed

// surveying cuts an array into chunks for surveys.
func (c cutting) surveying(x *Array) scan {
	return cutting{min(c.chunk, surveyChunk), c.workers}.scan(x)
}

// newSurvey returns a survey that is to be run.
func newSurvey(r scan, spec *kernels.Survey) *survey {
	return &survey{spec: spec, scan: r, merger: kernels.NewMomentsTree(), counts: make([]uint64, len(spec.Keep))}
}

// survey runs a survey, which may keep so many keys, over the chunks of a job. It
// returns what is kept.
func (p *Pool) survey(ctx context.Context, s *survey, room uint64, job engine.Job) (kept [][]uint64, err error) {
	code, err := p.newCode(s.spec.Encode())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, code.close()) }()
	program := &wire.Survey{Code: *code.program, Kept: wire.NoMapping}
	var memory []byte
	if s.spec.Keeps() {
		arena, aerr := p.Arena(int(wire.KeptOffset+8*room), Output())
		if aerr != nil {
			return nil, aerr
		}
		defer func() { err = errors.Join(err, arena.Close()) }()
		memory, program.Kept = arena.memory, arena.file.number
		s.chunks = make([]keptOf, s.scan.plan.Chunks())
	}
	job.Program, job.Accept = wire.Program{Type: s.scan.typ, Survey: program}, s.accept
	if err := p.read(ctx, s.scan, job); err != nil {
		return nil, err
	}
	return s.kept(memory), nil
}

// accept takes what was found in a chunk.
func (s *survey) accept(chunk uint64, b []byte) error {
	found, err := s.spec.Decode(s.scan.typ, s.scan.count(chunk), b)
	if err != nil {
		return err
	}
	if s.spec.Moments {
		s.merger.Add(chunk, found.Moments)
	}
	s.sample = append(s.sample, found.Sample...)
	for i, n := range found.Counts {
		s.counts[i] += n
	}
	if s.chunks != nil {
		s.chunks[chunk] = keptOf{found.Kept, found.Counts, found.Overflow, found.Checksum}
	}
	return nil
}

// kept copies the keys that were kept, by interval, out of the memory that all workers
// can write to; what does not have its checksum then counts as not kept, and so does
// all if some found no room.
func (s *survey) kept(memory []byte) [][]uint64 {
	all := make([][]uint64, len(s.spec.Keep))
	for i, keep := range s.spec.Keep {
		if keep && s.chunks != nil {
			all[i] = make([]uint64, 0, min(s.counts[i], uint64(len(memory)/8)))
		}
	}
	for _, c := range s.chunks {
		if c.counts == nil {
			continue // it is another shard's
		}
		sum, at := uint32(0), c.at
		for i, keep := range s.spec.Keep {
			if !keep || c.counts[i] == 0 {
				continue
			}
			b, err := shm.Slice(memory, at, 8*c.counts[i])
			if err != nil || c.overflow {
				return make([][]uint64, len(all))
			}
			from := len(all[i])
			all[i] = kernels.AppendKeys(all[i], b)
			sum = kernels.KeptChecksum(sum, all[i][from:])
			at += 8 * c.counts[i]
		}
		if sum != c.checksum {
			return make([][]uint64, len(all))
		}
	}
	return all
}

// record states what was found, and kept, in a shard.
func (s *survey) record(kept [][]uint64, r *partial.Record) {
	for _, n := range s.merger.Nodes() {
		r.Nodes = append(r.Nodes, kernels.Node[[]byte]{Level: n.Level, Index: n.Index, Value: n.Value.Encode()})
	}
	r.Sample, r.Counts = s.sample, s.counts
	if !s.spec.Keeps() {
		return
	}
	r.Kept = make([][]uint64, len(s.spec.Keep))
	for i, keep := range s.spec.Keep {
		if keep && s.counts[i] > 0 {
			r.Kept[i], r.Lost = kept[i], r.Lost || kept[i] == nil
		}
	}
}

// learn takes what all shards found, and returns what they kept. It refuses what they
// cannot have found.
func (s *survey) learn(r *partial.Record) (kept [][]uint64, err error) {
	bad := func(what string, args ...any) ([][]uint64, error) {
		return nil, fmt.Errorf("%w: %s", partial.ErrCorrupt, fmt.Sprintf(what, args...))
	}
	if s.spec.Moments != (len(r.Nodes) > 0) {
		return bad("%d moments", len(r.Nodes))
	}
	for _, n := range r.Nodes {
		m, err := kernels.DecodeMoments(s.scan.typ, n.Value)
		if err != nil {
			return bad("%v", err)
		}
		first := n.First() * r.Chunk
		if count := min(r.Elements-first, r.Chunk<<n.Level); m.Count() != count {
			return bad("moments of %d elements, not %d", m.Count(), count)
		}
		s.merger.AddNode(kernels.Node[kernels.Moments]{Level: n.Level, Index: n.Index, Value: m})
	}
	if len(r.Counts) != len(s.spec.Keep) || s.spec.Keeps() != (len(r.Kept) > 0) {
		return bad("%d counts, want %d", len(r.Counts), len(s.spec.Keep))
	}
	total := uint64(0)
	for _, n := range r.Counts {
		total += min(n, r.Elements+1)
	}
	if len(r.Counts) > 0 && total != r.Elements {
		return bad("counts of %d of %d elements", total, r.Elements)
	}
	// Both will be brought into another order.
	s.sample, s.counts = slices.Clone(r.Sample), r.Counts
	kept = make([][]uint64, len(s.spec.Keep))
	if r.Lost {
		return kept, nil
	}
	for i, keep := range s.spec.Keep {
		if !keep {
			continue
		}
		if uint64(len(r.Kept[i])) != r.Counts[i] {
			return bad("%d keys of %d elements in interval %d", len(r.Kept[i]), r.Counts[i], i)
		}
		for _, key := range r.Kept[i] {
			if i > 0 && key < s.spec.Cuts[i-1] || i < len(s.spec.Cuts) && key >= s.spec.Cuts[i] {
				return bad("a key outside of interval %d", i)
			}
		}
		kept[i] = append([]uint64{}, r.Kept[i]...)
	}
	return kept, nil
}

// tally returns what the survey counted.
func (s *survey) tally(kept [][]uint64) *kernels.Tally {
	return kernels.NewTally(s.scan.typ, s.spec, s.counts, kept)
}

// sampleOf returns the survey that takes a sample of about n elements.
func (r *scan) sampleOf(n int) *kernels.Survey {
	each := (uint64(n) + r.plan.Chunks() - 1) / r.plan.Chunks()
	return &kernels.Survey{Sample: int(min(each, kernels.MaxSample)), Scale: 1}
}

// Quantiles returns the exact quantiles qs, each from 0 to 1, of an array of one of the
// pool's open files: see [kernels.Quantiles] and [kernels.Method]. It reads the array
// once for most data, after it has taken a sample, again where the sample has misled,
// and keeps no more than a sixteenth of it in memory. Of no numbers, none exists.
func (p *Pool) Quantiles(ctx context.Context, x *Array, m kernels.Method, qs ...float64) ([]kernels.Value, error) {
	if err := p.readable(ctx, x); err != nil {
		return nil, err
	}
	q, err := p.passes().quantiles(ctx, x, qs)
	if err != nil {
		return nil, err
	}
	return q.Values(m), nil
}

// quantiles finds quantiles of an array.
func (p passes) quantiles(ctx context.Context, x *Array, qs []float64) (*kernels.Quantiles, error) {
	return p.quantilesOf(ctx, p.surveying(x), qs)
}

// quantilesOf finds quantiles of what a scan goes through.
func (p passes) quantilesOf(ctx context.Context, r scan, qs []float64) (*kernels.Quantiles, error) {
	q, err := kernels.NewQuantiles(r.typ, r.elements(), qs...)
	if err != nil || r.elements() == 0 || len(qs) == 0 {
		return q, err
	}
	if n := q.SampleSize(); n > 0 {
		s, _, err := p.survey(ctx, r, r.sampleOf(n), 0)
		if err != nil {
			return nil, err
		}
		q.Sampled(s.sample)
	}
	return q, p.search(ctx, r, q, nil, nil)
}

// search runs surveys until quantiles are found. The first also tells what cut asks
// for, which learn is told.
func (p passes) search(ctx context.Context, r scan, q *kernels.Quantiles, cut func(*kernels.Cuts), learn func(*kernels.Tally)) error {
	for first := true; ; first = false {
		cuts := kernels.NewCuts(r.typ)
		if first && cut != nil {
			cut(cuts)
		}
		room := q.Cut(cuts) // with as many as are left
		spec, _ := cuts.Survey(q.Sample())
		s, kept, err := p.survey(ctx, r, spec, room)
		if err != nil {
			return err
		}
		tally := s.tally(kept)
		if first && learn != nil {
			learn(tally)
		}
		if q.Learn(tally) {
			return nil
		}
	}
}
