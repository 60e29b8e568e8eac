package partial

import (
	"bytes"
	"encoding/json"
	"time"
)

// Part is what is found of one computation: by a shard in one pass, or by all shards
// in all passes so far.
type Part struct {
	About About
	// Shard is which of the shards found it; nil: it is what all of them did.
	Shard *int `json:",omitempty"`
	// Base is the checksum of what the shard began with, 0 in the first pass.
	Base   uint64
	Run    Run // of the shard in this pass, or of all in all passes
	Passes int // how many records there are

	Records []Record `json:"-"`
}

// About is what a computation is about, the same for all of its shards.
type About struct {
	Gangsaw string // version
	Of      int    // shards
	Chunk   uint64 // bytes of a chunk that were asked for, 0: none
	Arrays  []Array

	Describe *Describe `json:",omitempty"`
	Query    *Query    `json:",omitempty"`
}

// Describe is what is to be found out of the only array.
type Describe struct {
	Quantiles []float64
	Method    string
	Bins      string // empty: no histogram
}

// Query is expressions.
type Query struct {
	Text, Where string
	NullsAreNaN bool
}

// Words returns the expressions, and the condition.
func (q *Query) Words() string {
	if q.Where == "" {
		return q.Text
	}
	return q.Text + " where " + q.Where
}

// Array is an array, and the file that it is in.
type Array struct {
	File    string // as it was named
	Bytes   int64  // of the file
	Sum     uint64 // CRC-64 of some of these, see package supervisor
	Name    string // by which expressions know it
	Type    string
	Shape   []int64
	Fortran bool    `json:",omitempty"`
	Offset  int64   // in the file, or of what it is decoded to
	Strides []int64 `json:",omitempty"`
	Swapped bool    `json:",omitempty"`
	Nulls   *int64  `json:",omitempty"` // nil: the file does not know such

	// Pieces are those of an array that lies in several, one after another along the
	// first axis. What is said of a file is said of theirs alone.
	Pieces []Array `json:",omitempty"`
}

// Run tells how the work went.
type Run struct {
	Workers                                       int
	Chunks, Bytes, Retries, Respawns, Quarantined uint64
	Time                                          time.Duration
	ISA                                           string
}

// Beside adds what another shard did in the same pass.
func (r Run) Beside(other Run) Run {
	return r.with(other, r.Workers+other.Workers, max(r.Time, other.Time))
}

// Then adds what was done in a later pass.
func (r Run) Then(later Run) Run {
	return r.with(later, max(r.Workers, later.Workers), r.Time+later.Time)
}

func (r Run) with(other Run, workers int, took time.Duration) Run {
	isa := r.ISA
	switch {
	case isa == "":
		isa = other.ISA
	case other.ISA != "" && isa != other.ISA:
		isa = "mixed"
	}
	return Run{
		workers, r.Chunks + other.Chunks, r.Bytes + other.Bytes, r.Retries + other.Retries, r.Respawns + other.Respawns,
		r.Quarantined + other.Quarantined, took, isa,
	}
}

// Same reports whether two shards have the same computation to do.
func (a About) Same(b About) bool {
	// As files have it.
	x, xerr := json.Marshal(a)
	y, yerr := json.Marshal(b)
	return xerr == nil && yerr == nil && bytes.Equal(x, y)
}

// Sum returns a checksum of the part, by which those that begin with it know it.
func (p *Part) Sum() (uint64, error) {
	text, records, err := p.encode()
	if err != nil {
		return 0, err
	}
	return checksum(append(text, records...)), nil
}

func (p *Part) encode() (text, records []byte, err error) {
	stated := *p
	stated.Passes = len(p.Records)
	if text, err = json.Marshal(stated); err != nil {
		return nil, nil, err
	}
	for i := range p.Records {
		records = p.Records[i].append(records)
	}
	return text, records, nil
}
