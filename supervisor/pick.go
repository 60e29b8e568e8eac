package supervisor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gangsaw/gangsaw/kernels/expr"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// chunkLen returns how many elements the chunks have in which the results of e, which have
// one shape, are computed, if chunks have so many bytes.
func (e *evaluation) chunkLen(chunk uint64) uint64 {
	x := e.arrays[e.plan.Inputs()[0]]
	n := uint64(1)
	for _, k := range e.plan.Results()[0].Shape {
		n *= uint64(k)
	}
	plan := partition.Scattered(x.Array, n, chunk, e.workers)
	return plan.ChunkBytes() / uint64(x.Type.Size())
}

// picking returns the job of a pass over chunks of so many elements.
func (e *evaluation) picking(pass *expr.Pass, chunk uint64) engine.Job {
	first := e.primary(pass)
	return e.jobOf(pass, partition.Scattered(first.Array, pass.RowLength(), chunk*uint64(first.Type.Size()), e.workers))
}

// places returns how many elements of, which computes the query with [expr.PickElements],
// picks before each of its chunks, which have so many elements, and how many in all. One
// pass counts them, so that each chunk has its place in whatever order the next takes them.
func (p *Pool) places(ctx context.Context, q Query, of *evaluation, chunk uint64) (_ []uint64, err error) {
	e, err := p.compile(ctx, q, expr.Options{Pick: expr.PickMask, Order: of.options.Order})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.close()) }()
	pass, err := e.reduce(ctx)
	if err != nil {
		return nil, err
	}
	if pass.RowLength() == 0 {
		return []uint64{0}, nil
	}
	job := e.picking(pass, chunk)
	places := make([]uint64, job.Plan.Chunks()+1)
	job.Accept = func(chunk uint64, result []byte) (err error) {
		places[chunk+1], err = countOf(result, job.Plan.Chunk(chunk).Count)
		return err
	}
	b, err := e.bind(pass, job.Plan, nil)
	if err != nil {
		return nil, err
	}
	b.Pick.Kind = wire.PickCount
	if err := e.do(ctx, job, b); err != nil {
		return nil, err
	}
	for i := 1; i < len(places); i++ {
		places[i] += places[i-1]
	}
	return places, nil
}

// countOf reads how many elements a worker has picked, which are not more than most.
func countOf(result []byte, most uint64) (uint64, error) {
	if len(result) != 8 {
		return 0, fmt.Errorf("%d bytes for a number of elements", len(result))
	}
	n := binary.LittleEndian.Uint64(result)
	if n > most {
		return 0, fmt.Errorf("%d elements are picked of %d", n, most)
	}
	return n, nil
}

// sharePlaces has workers know the places of chunks.
func (p *Pool) sharePlaces(places []uint64) (*shared, error) {
	table := make([]byte, 0, 8*len(places))
	for _, n := range places {
		table = binary.LittleEndian.AppendUint64(table, n)
	}
	return p.share(table)
}

// writePicked runs the passes of e, of which the last writes what is picked.
func (e *evaluation) writePicked(ctx context.Context, places []uint64, outputs []wire.Source) (err error) {
	if places[len(places)-1] == 0 {
		return nil
	}
	pass, err := e.reduce(ctx)
	if err != nil {
		return err
	}
	s, err := e.pool.sharePlaces(places)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	job := e.picking(pass, e.chunkLen(e.chunk))
	job.Accept = func(chunk uint64, result []byte) error {
		n, err := countOf(result, job.Plan.Chunk(chunk).Count)
		if want := places[chunk+1] - places[chunk]; err == nil && n != want {
			err = fmt.Errorf("%d elements of chunk %d are said to be written, and %d were counted", n, chunk, want)
		}
		return err
	}
	b, err := e.bind(pass, job.Plan, outputs)
	if err != nil {
		return err
	}
	b.Pick = wire.Pick{Kind: wire.PickWrite, Places: s.number}
	return e.do(ctx, job, b)
}
