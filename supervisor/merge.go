package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/partial"
)

// PartialFault is what is wrong with partials.
type PartialFault int

// The faults.
const (
	PartialCorrupt PartialFault = iota + 1 // not as it was written, or no partial at all
	PartialVersion                         // of another version of gangsaw
	PartialForeign                         // of another computation than the others
	PartialMissing                         // a shard has none
	PartialDoubled                         // a shard has several
)

// PartialError reports partials that cannot be read or merged.
type PartialError struct {
	Fault  PartialFault
	Files  []string // those it is about, as far as they were read from files
	Shards []Shard  // of a fault that is about shards
	What   string
	Remedy string
}

func (e *PartialError) Error() string {
	s := e.What
	if len(e.Files) > 0 {
		s = strings.Join(e.Files, ", ") + ": " + s
	}
	return s + ": " + e.Remedy
}

func (p *Partial) refuse(fault PartialFault, what, remedy string) error {
	return refuse(fault, what, remedy, p)
}

func refuse(fault PartialFault, what, remedy string, about ...*Partial) error {
	e := &PartialError{Fault: fault, What: what, Remedy: remedy}
	for _, p := range about {
		if p.file != "" {
			e.Files = append(e.Files, p.file)
		}
		if s, whole := p.Shard(); !whole {
			e.Shards = append(e.Shards, s)
		}
	}
	return e
}

// Merged is what all shards have found.
type Merged struct {
	// Done tells that there is a result. Otherwise another round is needed:
	// DescribeShard, or EvaluateShard, is called with Next for every shard, and what
	// these find merged with it.
	Done bool
	Next *Partial // what is known by now
	// One of these is the result: of DescribeShard, of EvaluateShard.
	Description *Description
	Answer      *Answer

	Inquiry Inquiry // of a description
	Arrays  []MergedArray
	Run     MergedRun
}

// MergedArray is an array that shards looked at.
type MergedArray struct {
	File string // as it was named
	format.Array
	Nulls      int64
	NullsKnown bool // whether the file knows nulls
}

// MergedRun is how the work of all shards went, in all rounds.
type MergedRun struct {
	Counters               // Workers is those of all shards together
	Time     time.Duration // of the slowest shard in each round
	ISA      string        // "mixed" if the shards' differ
}

// Add adds how the work on another array went, by the same shards.
func (r *MergedRun) Add(other MergedRun) {
	r.Chunks, r.Bytes, r.Retries = r.Chunks+other.Chunks, r.Bytes+other.Bytes, r.Retries+other.Retries
	r.Respawns, r.Quarantined, r.Time = r.Respawns+other.Respawns, r.Quarantined+other.Quarantined, r.Time+other.Time
}

// MergePartials merges what all shards have found in one round, in any order: the
// result has the bits that one run over all of the arrays gives. Of a first round next
// is nil, of a later one it is what the merge of the round before returned. What does
// not fit together is refused with a [*PartialError], and a mistake in expressions is
// the error that it is in one run.
func MergePartials(next *Partial, parts ...*Partial) (*Merged, error) {
	ordered, err := byShard(parts)
	if err != nil {
		return nil, err
	}
	if err := following(next, ordered); err != nil {
		return nil, err
	}
	about := ordered[0].part.About
	m, r := &Merged{}, &replay{shard: Shard{0, about.Of}}
	whole := &partial.Part{About: about}
	if next != nil {
		r.known = append(r.known, next.part.Records...)
		whole.Run = next.part.Run
	}
	var run partial.Run
	var records []partial.Record
	for _, p := range ordered {
		run = run.Beside(p.part.Run)
		records = append(records, p.part.Records...)
	}
	whole.Run = whole.Run.Then(run)
	if len(records) > 0 {
		joined, err := partial.Join(records)
		if err != nil {
			return nil, refuse(PartialForeign, err.Error(), "run all shards again, with one version of gangsaw", ordered...)
		}
		r.known = append(r.known, joined)
	}
	whole.Records = r.known
	m.Next = &Partial{part: whole}
	m.Run = MergedRun{
		Counters{Workers: whole.Run.Workers, Chunks: whole.Run.Chunks, Bytes: whole.Run.Bytes, Retries: whole.Run.Retries, Respawns: whole.Run.Respawns, Quarantined: whole.Run.Quarantined},
		whole.Run.Time, whole.Run.ISA,
	}
	err = m.compute(passes{rounds: r, cutting: cutting{about.Chunk, shardWorkers * about.Of}}, about)
	switch {
	case errors.Is(err, errUnfinished) && len(records) == 0 || errors.Is(err, errAsked) || errors.Is(err, partial.ErrCorrupt):
		return nil, refuse(PartialForeign, err.Error(), "run all shards again, with this version of gangsaw", ordered...)
	case errors.Is(err, errUnfinished):
		return m, nil
	case err != nil:
		return nil, err
	}
	m.Done = true
	return m, nil
}

// compute goes through the computation with what is known of its passes.
func (m *Merged) compute(ps passes, about partial.About) (err error) {
	var arrays []*Array
	for _, a := range about.Arrays {
		x, err := arrayOf(a)
		if err != nil {
			return fmt.Errorf("%w: %w", partial.ErrCorrupt, err)
		}
		arrays = append(arrays, x)
		merged := MergedArray{File: a.File, Array: x.Array}
		if a.Nulls != nil {
			merged.Nulls, merged.NullsKnown = *a.Nulls, true
		}
		m.Arrays = append(m.Arrays, merged)
	}
	ctx := context.Background() // nothing waits
	if q := about.Query; q != nil {
		m.Answer, err = ps.evaluate(ctx, Query{Text: q.Text, Where: q.Where, Arrays: arrays, NullsAreNaN: q.NullsAreNaN}, 0)
		return err
	}
	if m.Inquiry, err = inquiryOf(about.Describe); err != nil {
		return fmt.Errorf("%w: %w", partial.ErrCorrupt, err)
	}
	m.Description, err = ps.describe(ctx, arrays[0], m.Inquiry)
	return err
}

func inquiryOf(d *partial.Describe) (q Inquiry, err error) {
	q.Quantiles = d.Quantiles
	if q.Method, err = kernels.ParseMethod(d.Method); err != nil {
		return q, err
	}
	if q.Histogram = d.Bins != ""; q.Histogram {
		q.Bins, err = kernels.ParseBins(d.Bins)
	}
	return q, err
}

// byShard returns partials by their shards, of which none is missing or there twice.
func byShard(parts []*Partial) ([]*Partial, error) {
	if len(parts) == 0 {
		return nil, errors.New("there are no partials to merge")
	}
	first := parts[0]
	ordered := make([]*Partial, first.part.About.Of)
	for _, p := range parts {
		if p.part.Shard == nil {
			return nil, p.refuse(PartialForeign, "it is what all shards have found, and not one of them", "name it by --next")
		}
		if !first.part.About.Same(p.part.About) {
			return nil, refuse(PartialForeign, "they are about different computations, the second "+differ(first.part.About, p.part.About), "merge partials of one computation", first, p)
		}
		at := &ordered[*p.part.Shard]
		if *at != nil {
			s, _ := p.Shard()
			return nil, refuse(PartialDoubled, fmt.Sprintf("both are of shard %v", s), "leave one of them out", *at, p)
		}
		*at = p
	}
	missing := &PartialError{Fault: PartialMissing, Remedy: "run those shards, and merge all"}
	var texts []string
	for i, p := range ordered {
		if p == nil {
			s := Shard{i, len(ordered)}
			missing.Shards = append(missing.Shards, s)
			texts = append(texts, s.String()+first.share(s))
		}
	}
	if len(texts) > 0 {
		missing.What = "there is no partial of shard " + strings.Join(texts, ", ")
		return nil, missing
	}
	return ordered, nil
}

// share says which elements are a shard's, if the partial, which is another's, knows.
func (p *Partial) share(s Shard) string {
	if len(p.part.Records) == 0 {
		return ""
	}
	r := &p.part.Records[0]
	from, to := s.part(r.Chunks)
	if from == to {
		return " (no elements)"
	}
	return fmt.Sprintf(" (elements %d-%d)", from*r.Chunk, min(to*r.Chunk, r.Elements)-1)
}

// following refuses partials of another round than the one after next.
func following(next *Partial, ordered []*Partial) error {
	base := uint64(0)
	if next != nil {
		if err := next.begins(ordered[0].part.About); err != nil {
			return err
		}
		var err error
		if base, err = next.part.Sum(); err != nil {
			return err
		}
	}
	for _, p := range ordered {
		switch {
		case p.part.Base == base:
		case next == nil:
			return p.refuse(PartialForeign, "it is of a later round", "merge it with what the merge of the round before wrote (--next)")
		case p.part.Base == 0:
			return refuse(PartialForeign, "it is of the first round, and not of the one after "+next.name(), "run the shard again with that (--next)", p)
		default:
			return refuse(PartialForeign, "it is not of the round after "+next.name(), "run the shard again with that (--next)", p)
		}
	}
	for _, p := range ordered {
		if len(p.part.Records) != len(ordered[0].part.Records) {
			return refuse(PartialForeign, "they are not of the same round", "run all shards again", ordered[0], p)
		}
	}
	return nil
}

func (p *Partial) name() string {
	if p.file == "" {
		return "what was merged before"
	}
	return p.file
}

// ReadPartials reads the partials in a file, at least one.
func ReadPartials(path string) ([]*Partial, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	parts, err := partial.Decode(b)
	if err == nil && len(parts) == 0 {
		err = partial.ErrCorrupt
	}
	if err != nil {
		e := &PartialError{Fault: PartialCorrupt, Files: []string{path}, What: err.Error(), Remedy: "run the shard again"}
		switch {
		case errors.Is(err, partial.ErrVersion):
			e.Fault, e.Remedy = PartialVersion, "use one version everywhere"
		case errors.Is(err, partial.ErrOther):
			e.Remedy = "name files that --partial wrote"
		}
		return nil, e
	}
	all := make([]*Partial, len(parts))
	for i, p := range parts {
		if v := version(); p.About.Gangsaw != v {
			return nil, &PartialError{
				Fault: PartialVersion, Files: []string{path}, What: fmt.Sprintf("it was made by version %q of gangsaw, and this is %q", p.About.Gangsaw, v), Remedy: "use one version everywhere",
			}
		}
		all[i] = &Partial{p, path}
	}
	return all, nil
}

// WritePartials writes partials to a file, which has its name once it is complete. It
// replaces another file of partials, so that a shard may be run again, but no other.
func WritePartials(path string, all ...*Partial) error {
	parts := make([]*partial.Part, len(all))
	for i, p := range all {
		parts[i] = p.part
	}
	b, err := partial.Encode(parts)
	if err != nil {
		return err
	}
	old, err := isPartial(path)
	if err != nil {
		return err
	}
	out, err := shm.CreateOutput(path, old)
	if err != nil {
		return err
	}
	defer out.Discard()
	if _, err := out.WriteAt(b, 0); err != nil {
		return err
	}
	return out.Commit()
}

// isPartial reports whether a file of partials is there. One that is none, and whose
// place is not to be taken, is an error.
func isPartial(path string) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	begin := make([]byte, 64)
	n, err := io.ReadFull(f, begin)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return false, err
	}
	if !partial.Is(begin[:n]) {
		return false, &PartialError{Fault: PartialCorrupt, Files: []string{path}, What: "it is there, and no partial that may be replaced", Remedy: "name another file, or delete it"}
	}
	return true, nil
}
