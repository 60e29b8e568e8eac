package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
	"github.com/gangsaw/gangsaw/shm"
)

// Layout of the control segment.
const (
	programSize = 64
	ringOffset  = 4096
	// Programs is how many programs fit.
	Programs = ringOffset / programSize
	maxName  = programSize - 2
)

// ControlSize returns the bytes of a control segment for that many ring slots.
func ControlSize(slots int) int { return ringOffset + ring.Size(slots) }

// RingBytes returns the ring's part of a control segment.
func RingBytes(control []byte) []byte { return control[ringOffset:] }

// Program says what is to be done to chunks: a kernel, by name, for elements
// of a type.
type Program struct {
	Kernel string
	Type   kernels.Type
}

// ProgramOffset returns the offset of program record i.
func ProgramOffset(i int) uint32 { return uint32(i * programSize) }

// PutProgram writes p as record i of the control segment.
func PutProgram(control []byte, i int, p Program) error {
	if len(p.Kernel) > maxName {
		return fmt.Errorf("kernel name %q is longer than %d bytes", p.Kernel, maxName)
	}
	rec := control[i*programSize : (i+1)*programSize]
	rec[0], rec[1] = byte(p.Type), byte(len(p.Kernel))
	copy(rec[2:], p.Kernel)
	return nil
}

// GetProgram reads and checks the program at an offset a descriptor named.
func GetProgram(control []byte, offset uint32) (Program, error) {
	if offset%programSize != 0 || offset >= ringOffset {
		return Program{}, fmt.Errorf("no program at offset %d", offset)
	}
	rec := [programSize]byte(control[offset:])
	p := Program{Type: kernels.Type(rec[0])}
	if !p.Type.Valid() || rec[1] > maxName {
		return Program{}, fmt.Errorf("malformed program at offset %d", offset)
	}
	p.Kernel = string(rec[2 : 2+rec[1]])
	return p, nil
}

// Status tells how a task ended in the worker.
type Status uint32

// The statuses of a result. The zero Status is none of them.
const (
	OK      Status = 1 + iota
	Failed         // the payload is the error's text
	Faulted        // reading the data raised a fault; the payload is the text
)

// Layout of a result.
const (
	resultSize   = 512
	resultHeader = 64
	// MaxPayload is the most bytes a result's payload may have.
	MaxPayload = resultSize - resultHeader
)

// A partial always fits.
var _ [MaxPayload - kernels.MaxPartial]byte

// ResultsSize returns the bytes of a results segment for that many ring slots.
func ResultsSize(slots int) int { return slots * resultSize }

// Result is what a worker reports of one task.
type Result struct {
	Word       ring.Word       // of the claim
	Descriptor ring.Descriptor // as the worker read it
	Status     Status
	Payload    []byte // at most MaxPayload bytes
}

// PutResult writes r as the result of ring slot i. A payload that is too long
// is cut.
func PutResult(results []byte, i int, r Result) {
	rec := results[i*resultSize : (i+1)*resultSize]
	payload := r.Payload[:min(len(r.Payload), MaxPayload)]
	le, d := binary.LittleEndian, r.Descriptor
	le.PutUint64(rec[0:], uint64(r.Word))
	le.PutUint32(rec[8:], d.Program)
	le.PutUint32(rec[12:], d.Mapping)
	le.PutUint64(rec[16:], d.Task)
	le.PutUint64(rec[24:], d.Chunk)
	le.PutUint64(rec[32:], d.Offset)
	le.PutUint64(rec[40:], d.Count)
	le.PutUint32(rec[48:], d.Attempt)
	le.PutUint32(rec[52:], uint32(r.Status))
	le.PutUint32(rec[56:], uint32(len(payload)))
	copy(rec[resultHeader:], payload)
}

// GetResult returns a copy of the result of ring slot i.
func GetResult(results []byte, i int) (Result, error) {
	shared, err := shm.Slice(results, uint64(i)*resultSize, resultSize)
	if err != nil {
		return Result{}, err
	}
	// Copied once: the worker may still scribble on it.
	rec := bytes.Clone(shared)
	le := binary.LittleEndian
	n := le.Uint32(rec[56:])
	if n > MaxPayload {
		return Result{}, fmt.Errorf("result with a payload of %d bytes, more than %d", n, MaxPayload)
	}
	status := Status(le.Uint32(rec[52:]))
	if status < OK || status > Faulted {
		return Result{}, fmt.Errorf("result of unknown status %d", status)
	}
	return Result{
		Word: ring.Word(le.Uint64(rec[0:])),
		Descriptor: ring.Descriptor{
			Program: le.Uint32(rec[8:]),
			Mapping: le.Uint32(rec[12:]),
			Task:    le.Uint64(rec[16:]),
			Chunk:   le.Uint64(rec[24:]),
			Offset:  le.Uint64(rec[32:]),
			Count:   le.Uint64(rec[40:]),
			Attempt: le.Uint32(rec[48:]),
		},
		Status:  status,
		Payload: rec[resultHeader : resultHeader+n],
	}, nil
}
