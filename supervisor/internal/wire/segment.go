package wire

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

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

// PutRecord writes record i of the control segment.
func PutRecord(control []byte, i int, rec Record) { copy(control[i*programSize:], rec[:]) }

// Record is a program as it lies in the control segment.
type Record [programSize]byte

// GetRecord returns a copy of the program record at an offset a descriptor
// named.
func GetRecord(control []byte, offset uint32) (Record, error) {
	if offset%programSize != 0 || offset >= ringOffset {
		return Record{}, fmt.Errorf("no program at offset %d", offset)
	}
	// Copied once: others may still scribble on it.
	return Record(control[offset:]), nil
}

// Record returns p as it lies in the control segment. The name must fit.
func (p Program) Record() (Record, error) {
	var rec Record
	if len(p.Kernel) > maxName {
		return rec, fmt.Errorf("kernel name %q is longer than %d bytes", p.Kernel, maxName)
	}
	rec[0], rec[1] = byte(p.Type), byte(len(p.Kernel))
	copy(rec[2:], p.Kernel)
	return rec, nil
}

// Program reads and checks a record.
func (rec Record) Program() (Program, error) {
	p := Program{Type: kernels.Type(rec[0])}
	if !p.Type.Valid() || rec[1] > maxName {
		return Program{}, fmt.Errorf("malformed program % x", rec[:8])
	}
	p.Kernel = string(rec[2 : 2+rec[1]])
	return p, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Checksum returns the checksum of a record, by which a worker says what it
// ran.
func (rec Record) Checksum() uint32 { return crc32.Checksum(rec[:], castagnoli) }

// Status tells how a task ended in the worker.
type Status uint16

// The statuses of a result. The zero Status is none of them.
const (
	OK      Status = 1 + iota
	Failed         // the payload is the error's text
	Faulted        // reading the data raised a fault; the payload is the text
)

// Layout of a result.
const (
	liveSize     = 64
	resultSize   = 512
	resultHeader = 64
	// MaxPayload is the most bytes a result's payload may have.
	MaxPayload = resultSize - resultHeader
)

// A partial always fits.
var _ [MaxPayload - kernels.MaxPartial]byte

// ResultsSize returns the bytes of a results segment for that many ring slots.
func ResultsSize(slots int) int { return liveSize + slots*resultSize }

// Result is what a worker reports of one task.
type Result struct {
	Word       ring.Word       // of the claim
	Descriptor ring.Descriptor // as the worker read it
	Status     Status
	Program    uint32 // checksum of the record that was run
	Payload    []byte // at most MaxPayload bytes
}

// PutResult writes r as the result of ring slot i. A payload that is too long
// is cut.
func PutResult(results []byte, i int, r Result) {
	at := liveSize + i*resultSize
	rec := results[at : at+resultSize]
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
	le.PutUint32(rec[52:], d.Bell)
	le.PutUint16(rec[56:], uint16(r.Status))
	le.PutUint16(rec[58:], uint16(len(payload)))
	le.PutUint32(rec[60:], r.Program)
	copy(rec[resultHeader:], payload)
}

// Scratch holds the copy of a result.
type Scratch [resultSize]byte

// GetResult copies the result of ring slot i into buf and returns it; it is
// valid while buf is.
func GetResult(results []byte, i int, buf *Scratch) (Result, error) {
	rec, err := shm.Slice(results, liveSize+uint64(i)*resultSize, resultSize)
	if err != nil {
		return Result{}, err
	}
	// Copied once: the worker may still scribble on it.
	copy(buf[:resultHeader], rec)
	le := binary.LittleEndian
	n := le.Uint16(buf[58:])
	if n > MaxPayload {
		return Result{}, fmt.Errorf("result with a payload of %d bytes, more than %d", n, MaxPayload)
	}
	status := Status(le.Uint16(buf[56:]))
	if status < OK || status > Faulted {
		return Result{}, fmt.Errorf("result of unknown status %d", status)
	}
	return Result{
		Word: ring.Word(le.Uint64(buf[0:])),
		Descriptor: ring.Descriptor{
			Program: le.Uint32(buf[8:]),
			Mapping: le.Uint32(buf[12:]),
			Task:    le.Uint64(buf[16:]),
			Chunk:   le.Uint64(buf[24:]),
			Offset:  le.Uint64(buf[32:]),
			Count:   le.Uint64(buf[40:]),
			Attempt: le.Uint32(buf[48:]),
			Bell:    le.Uint32(buf[52:]),
		},
		Status:  status,
		Program: le.Uint32(buf[60:]),
		Payload: buf[resultHeader : resultHeader+copy(buf[resultHeader:], rec[resultHeader:resultHeader+int(n)])],
	}, nil
}
