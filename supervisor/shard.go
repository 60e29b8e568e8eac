package supervisor

import (
	"context"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/partial"
)

// Shard is one of several parts of the work on arrays, which as many processes do, on
// machines of their own perhaps: part Index, from 0 on, of Of.
type Shard struct{ Index, Of int }

// MaxShards is the most shards of a computation.
const MaxShards = partial.MaxShards

// ParseShard reads a shard such as 0/4.
func ParseShard(s string) (Shard, error) {
	index, of, found := strings.Cut(s, "/")
	i, err := strconv.Atoi(index)
	n, oferr := strconv.Atoi(of)
	if !found || err != nil || oferr != nil {
		return Shard{}, fmt.Errorf("%q is no shard: write 0/4 for the first of 4, 3/4 for the last", s)
	}
	return Shard{i, n}, Shard{i, n}.check()
}

// String returns what [ParseShard] reads.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index, s.Of) }

func (s Shard) check() error {
	switch {
	case s.Of < 1 || s.Of > MaxShards:
		return fmt.Errorf("shard %v: there are 1 to %d shards", s, MaxShards)
	case s.Index < 0 || s.Index >= s.Of:
		return fmt.Errorf("shard %v: shards count from 0, so that those of %d are 0/%d to %d/%d", s, s.Of, s.Of, s.Of-1, s.Of)
	}
	return nil
}

// Partial is what one shard has found, of a description or an evaluation, or what all
// of them have. It holds no more of the array than a sample, the numbers near the
// quantiles that are asked for, a sixteenth of all at the most, and partials of some
// dozens of subtrees.
type Partial struct {
	part *partial.Part
	file string // that it was read from, "" if from none
}

// Shard returns which shard it is of; whole reports that it is what all have found.
func (p *Partial) Shard() (s Shard, whole bool) {
	if p.part.Shard == nil {
		return Shard{0, p.part.About.Of}, true
	}
	return Shard{*p.part.Shard, p.part.About.Of}, false
}

// Later reports whether it is of a later round than the first.
func (p *Partial) Later() bool { return p.part.Base != 0 }

// ShardError reports what cannot be shared among shards.
type ShardError struct{ What, Remedy string }

func (e *ShardError) Error() string { return e.What + ": " + e.Remedy }

// DescribeShard does a shard's part of what [Pool.Describe] does. What it finds is to
// be merged, see [MergePartials], which may ask for another round: of that, next is
// what it returned, of the first it is nil.
func (p *Pool) DescribeShard(ctx context.Context, x *Array, q Inquiry, s Shard, next *Partial) (*Partial, error) {
	if err := p.readable(ctx, x); err != nil {
		return nil, err
	}
	if err := x.shareable(); err != nil {
		return nil, err
	}
	about := partial.About{Describe: &partial.Describe{Quantiles: q.Quantiles, Method: q.Method.String()}}
	if q.Histogram {
		about.Describe.Bins = q.Bins.String()
	}
	return p.shard(about, []*Array{x}, s, next, func(ps passes) error {
		_, err := ps.describe(ctx, x, q)
		return err
	})
}

// EvaluateShard does a shard's part of what [Pool.Evaluate] does, of expressions
// whose values are scalars: see [Pool.DescribeShard]. Reductions along axes are
// refused with a [*ShardError], and so are expressions that are arrays.
func (p *Pool) EvaluateShard(ctx context.Context, q Query, s Shard, next *Partial) (*Partial, error) {
	about := partial.About{Query: &partial.Query{Text: q.Text, Where: q.Where, NullsAreNaN: q.NullsAreNaN}}
	return p.shard(about, q.Arrays, s, next, func(ps passes) error {
		_, err := ps.evaluate(ctx, q, 0)
		return err
	})
}

// shard has a computation run until its next pass is done.
func (p *Pool) shard(about partial.About, arrays []*Array, s Shard, next *Partial, compute func(passes) error) (*Partial, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	about.Gangsaw, about.Of, about.Chunk = version(), s.Of, p.options.chunk
	known := fingerprints{}
	for _, x := range arrays {
		a, err := known.identity(x)
		if err != nil {
			return nil, err
		}
		about.Arrays = append(about.Arrays, a)
	}
	found := &Partial{part: &partial.Part{About: about, Shard: &s.Index}}
	r := &replay{shard: s}
	if next != nil {
		if err := next.begins(about); err != nil {
			return nil, err
		}
		sum, err := next.part.Sum()
		if err != nil {
			return nil, err
		}
		r.known, found.part.Base = next.part.Records, sum
	}
	start, before := time.Now(), p.Counters()
	err := compute(passes{p, r, cutting{p.options.chunk, shardWorkers * s.Of}})
	switch {
	case errors.Is(err, errAsked) || errors.Is(err, partial.ErrCorrupt):
		return nil, next.refuse(PartialForeign, err.Error(), "begin with the first round again, by one version of gangsaw")
	case err != nil && !errors.Is(err, errUnfinished):
		return nil, err
	}
	if r.found != nil {
		found.part.Records = []partial.Record{*r.found}
	}
	after := p.Counters()
	found.part.Run = partial.Run{
		Workers: p.options.workers, Chunks: after.Chunks - before.Chunks, Bytes: after.Bytes - before.Bytes,
		Retries: after.Retries - before.Retries, Respawns: after.Respawns - before.Respawns,
		Quarantined: after.Quarantined - before.Quarantined, Time: time.Since(start), ISA: p.ISA(),
	}
	return found, nil
}

// begins refuses what another round of a computation cannot begin with.
func (p *Partial) begins(about partial.About) error {
	switch {
	case p.part.Shard != nil:
		return p.refuse(PartialForeign, "it is of one shard, and not what all have found", "give the one that the merge wrote")
	case !p.part.About.Same(about):
		return p.refuse(PartialForeign, "it is about another computation: "+differ(p.part.About, about), "give every shard the same files, expressions and options in every round")
	}
	return nil
}

// shareable refuses what shards cannot do.
func (e *evaluation) shareable() error {
	for _, r := range e.plan.Results() {
		if r.Array {
			return &ShardError{r.Expr + " is an array, and shards reduce arrays to scalars", "reduce it, by mean(...) say, or write it by one run (-o)"}
		}
	}
	if e.plan.Rows() {
		return errRowsOfShards
	}
	return nil
}

// shareable refuses an array, of which everything is known, whose numbers are not those
// stored: who merges shards knows arrays as they lie in files.
func (x *Array) shareable() error {
	for _, p := range x.pieces() {
		if p.scaling() != nil {
			return &ShardError{fmt.Sprintf("%s: array %q, whose numbers are not those stored (%v), is not shared among shards", p.file.Path(), p.Name, p.Scale),
				"compute it in one run, or take the stored numbers as they are by --stored"}
		}
	}
	return nil
}

var errRowsOfShards = &ShardError{"a reduction along axes is not shared among shards", "leave out axis=..., or compute it in one run"}

// fingerprints are those of files, each taken once.
type fingerprints map[*shm.Mapping]fingerprint

// fingerprint is a file's size, and a checksum of the bytes at its ends.
type fingerprint struct {
	bytes int64
	sum   uint64
}

// identity returns what an array is known by, which is the same on every machine that
// has copies of its files.
func (known fingerprints) identity(x *Array) (partial.Array, error) {
	a := partial.Array{
		File: strings.ToValidUTF8(x.file.Path(), "\ufffd"), Name: x.Name, Type: x.Type.String(), Shape: x.Shape,
		Fortran: x.Fortran, Offset: x.Offset, Strides: x.Strides, Swapped: x.Swapped,
	}
	if nulls, known := x.Nulls(); known && x.scaled == nil {
		a.Nulls = &nulls
	}
	for _, p := range x.file.pieces {
		piece, err := known.identity(p.Array)
		if err != nil {
			return a, err
		}
		a.Pieces = append(a.Pieces, piece)
	}
	if len(a.Pieces) > 0 {
		return a, nil
	}
	source := x.file.mapping
	if d := x.file.decoding; d != nil {
		source = d.source
	}
	f, err := known.of(source)
	a.Bytes, a.Sum = f.bytes, f.sum
	return a, err
}

// of returns the fingerprint of a file.
func (known fingerprints) of(m *shm.Mapping) (fingerprint, error) {
	const end = 1 << 16
	if f, ok := known[m]; ok {
		return f, nil
	}
	info, err := m.File().Stat()
	if err != nil {
		return fingerprint{}, err
	}
	h := crc64.New(crc64.MakeTable(crc64.ECMA))
	for _, from := range []int64{0, max(end, info.Size()-end)} {
		if _, err := io.Copy(h, io.NewSectionReader(m.File(), from, end)); err != nil {
			return fingerprint{}, fmt.Errorf("%s: %w", m.Path(), err)
		}
	}
	known[m] = fingerprint{info.Size(), h.Sum64()}
	return known[m], nil
}

// arrayOf returns an array of no pool's that has an identity.
func arrayOf(a partial.Array) (*Array, error) {
	t, err := kernels.ParseType(a.Type)
	if err != nil {
		return nil, err
	}
	x := &Array{Array: format.Array{
		Name: a.Name, Type: t, Shape: a.Shape, Fortran: a.Fortran, Offset: a.Offset, Strides: a.Strides, Swapped: a.Swapped,
	}, file: &File{mapping: shm.HeapMapping(a.File, 0, false)}}
	size := a.Bytes
	if a.Nulls != nil || len(a.Pieces) > 0 {
		size = math.MaxInt64 // of what it is decoded to, or of no file
	}
	if err := x.Check("partial", size); err != nil || len(a.Pieces) == 0 {
		return x, err
	}
	var pieces []piece
	places := int64(0)
	for _, p := range a.Pieces {
		of, err := arrayOf(p)
		if err != nil {
			return nil, err
		}
		if len(p.Pieces) > 0 || of.Type != t || len(a.Shape) == 0 || len(p.Shape) != len(a.Shape) || !slices.Equal(p.Shape[1:], a.Shape[1:]) || p.Shape[0] > a.Shape[0]-places {
			return nil, fmt.Errorf("a piece of shape %v in an array of shape %v", p.Shape, a.Shape)
		}
		places += p.Shape[0]
		pieces = append(pieces, piece{of, nil})
	}
	if places != a.Shape[0] {
		return nil, fmt.Errorf("pieces of %d places of %d", places, a.Shape[0])
	}
	joined := newPieces(x.Array, pieces)
	joined.file.mapping = x.file.mapping // of that name
	return joined, nil
}

// differ says in what two computations do.
func differ(a, b partial.About) string {
	switch {
	case a.Gangsaw != b.Gangsaw:
		return fmt.Sprintf("by version %s of gangsaw, not %s", b.Gangsaw, a.Gangsaw)
	case a.Of != b.Of:
		return fmt.Sprintf("of %d shards, not %d", b.Of, a.Of)
	case a.Chunk != b.Chunk:
		return fmt.Sprintf("in chunks of %d bytes, not %d (--chunk)", b.Chunk, a.Chunk)
	case (a.Query == nil) != (b.Query == nil):
		return "a description, and expressions"
	case a.Query != nil && *a.Query != *b.Query:
		return fmt.Sprintf("of %q, not %q", b.Query.Words(), a.Query.Words())
	case len(a.Arrays) != len(b.Arrays):
		return fmt.Sprintf("of %d arrays, not %d", len(b.Arrays), len(a.Arrays))
	}
	for i, x := range a.Arrays {
		y := b.Arrays[i]
		switch {
		case x.File != y.File:
			return fmt.Sprintf("of %s, not %s", y.File, x.File)
		case x.Bytes != y.Bytes || x.Sum != y.Sum || len(x.Pieces) != len(y.Pieces):
			return fmt.Sprintf("of a file %s of other content", y.File)
		case x.Name != y.Name:
			return fmt.Sprintf("of array %q of %s, not %q", y.Name, y.File, x.Name)
		}
	}
	return "with other options"
}
