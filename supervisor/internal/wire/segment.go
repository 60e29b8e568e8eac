package wire

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/ring"
)

// Layout of the control segment.
const (
	programSize  = 64
	programName  = 8
	paramsOffset = Programs * programSize
	paramsSize   = 320
	targetSize   = 32
	viewOffset   = 16 // in a target
	ringOffset   = paramsOffset + Programs*paramsSize
	maxName      = programSize - programName
	// Programs is how many programs fit.
	Programs = 256
)

// ControlSize returns the bytes of a control segment for that many ring slots.
func ControlSize(slots int) int { return ringOffset + ring.Size(slots) }

// RingBytes returns the ring's part of a control segment.
func RingBytes(control []byte) []byte { return control[ringOffset:] }

// Program says what is to be done to chunks: a kernel, by name, for elements
// of a type, with parameters.
type Program struct {
	Kernel string
	Type   kernels.Type
	Params string // bytes
	// Target is where a map writes, nil of other kernels.
	Target *Target
	// InPlace says how a map changes the elements themselves, instead.
	InPlace *InPlace
	// Code is where a program of expressions lies, which has no kernel.
	Code *Code
	// Survey is where a survey lies, which has no kernel either.
	Survey *Survey
	// View is where a [Binding] lies whose only input, with no program and no output,
	// is what a reduction or a survey takes: row by row, if it has rows. A survey also
	// takes what a program makes, or what its mask picks of that. Without a view the
	// elements are those that descriptors name.
	View *Code
}

// Survey is where an encoded [kernels.Survey] lies, and where the keys go that it
// keeps: to a mapping whose first word counts the bytes that are taken behind it, or
// to [NoMapping].
type Survey struct {
	Code
	Kept uint32
}

// KeptOffset is where the room for kept keys begins.
const KeptOffset = 8

// Code is bytes of a mapping, from its start: a [Binding].
type Code struct{ Mapping, Length, Checksum uint32 }

// put writes c to 12 bytes.
func (c *Code) put(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], c.Mapping)
	le.PutUint32(b[4:], c.Length)
	le.PutUint32(b[8:], c.Checksum)
}

func codeOf(b []byte) Code {
	le := binary.LittleEndian
	return Code{le.Uint32(b[0:]), le.Uint32(b[4:]), le.Uint32(b[8:])}
}

// Target is where a map writes: the elements at Source of its mapping go to
// Destination of the target's.
type Target struct {
	Mapping             uint32
	Source, Destination uint64 // bytes
}

// InPlace is where the journal of a change in place lies, and how it is laid out:
// see package journal.
type InPlace struct {
	Mapping            uint32 // the journal
	Count              uint32 // of areas
	Marks, Areas, Unit uint64 // bytes
}

// put writes p to 32 bytes.
func (p *InPlace) put(b []byte) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], p.Mapping)
	le.PutUint32(b[4:], p.Count)
	le.PutUint64(b[8:], p.Marks)
	le.PutUint64(b[16:], p.Areas)
	le.PutUint64(b[24:], p.Unit)
}

func inPlaceOf(b []byte) InPlace {
	le := binary.LittleEndian
	return InPlace{le.Uint32(b[0:]), le.Uint32(b[4:]), le.Uint64(b[8:]), le.Uint64(b[16:]), le.Uint64(b[24:])}
}

// The kinds of targets of a record.
const (
	noTarget = iota
	target
	inPlace
	code
	survey
)

// NoMapping is the number of no mapping: of a descriptor without elements.
const NoMapping = math.MaxUint32

// ProgramOffset returns the offset of program record i.
func ProgramOffset(i int) uint32 { return uint32(i * programSize) }

// PutRecord writes record i of the control segment.
func PutRecord(control []byte, i int, rec Record) {
	copy(control[i*programSize:], rec.head[:])
	at := paramsOffset + i*paramsSize
	copy(control[at:], rec.target[:])
	copy(control[at+targetSize:], rec.params)
}

// Record is a program as it lies in the control segment.
type Record struct {
	head   [programSize]byte
	target [targetSize]byte // zero, if there is none
	params string
}

// GetRecord returns a copy of the program record at an offset a descriptor
// named.
func GetRecord(control []byte, offset uint32) (Record, error) {
	if offset%programSize != 0 || offset >= paramsOffset {
		return Record{}, fmt.Errorf("no program at offset %d", offset)
	}
	// Copied once: others may still scribble on it.
	rec := Record{head: [programSize]byte(control[offset:])}
	at := paramsOffset + int(offset)/programSize*paramsSize
	if rec.head[4] != noTarget || rec.head[5] != 0 {
		copy(rec.target[:], control[at:])
	}
	if n := int(binary.LittleEndian.Uint16(rec.head[2:])); n > 0 {
		rec.params = string(control[at+targetSize : at+targetSize+min(n, kernels.MaxPartial)])
	}
	return rec, nil
}

// Record returns p as it lies in the control segment. The name must fit.
func (p Program) Record() (Record, error) {
	var rec Record
	if len(p.Kernel) > maxName {
		return rec, fmt.Errorf("kernel name %q is longer than %d bytes", p.Kernel, maxName)
	}
	if len(p.Params) > kernels.MaxPartial {
		return rec, fmt.Errorf("kernel %q has parameters of %d bytes, more than %d", p.Kernel, len(p.Params), kernels.MaxPartial)
	}
	rec.head[0], rec.head[1] = byte(p.Type), byte(len(p.Kernel))
	binary.LittleEndian.PutUint16(rec.head[2:], uint16(len(p.Params)))
	copy(rec.head[programName:], p.Kernel)
	rec.params = p.Params
	le := binary.LittleEndian
	if t := p.Target; t != nil {
		rec.head[4] = target
		le.PutUint32(rec.target[0:], t.Mapping)
		le.PutUint64(rec.target[8:], t.Source)
		le.PutUint64(rec.target[16:], t.Destination)
	}
	if t := p.InPlace; t != nil {
		rec.head[4] = inPlace
		t.put(rec.target[:])
	}
	if c := p.Code; c != nil {
		rec.head[4] = code
		c.put(rec.target[:])
	}
	if s := p.Survey; s != nil {
		rec.head[4] = survey
		s.Code.put(rec.target[:])
		le.PutUint32(rec.target[12:], s.Kept)
	}
	if v := p.View; v != nil {
		rec.head[5] = 1
		v.put(rec.target[viewOffset:])
	}
	return rec, nil
}

// Program reads and checks a record.
func (rec Record) Program() (Program, error) {
	p := Program{Type: kernels.Type(rec.head[0]), Params: rec.params}
	if !p.Type.Valid() || rec.head[1] > maxName || int(binary.LittleEndian.Uint16(rec.head[2:])) != len(rec.params) {
		return Program{}, fmt.Errorf("malformed program % x", rec.head[:8])
	}
	p.Kernel = string(rec.head[programName : programName+rec.head[1]])
	le := binary.LittleEndian
	switch rec.head[4] {
	case noTarget:
	case target:
		p.Target = &Target{le.Uint32(rec.target[0:]), le.Uint64(rec.target[8:]), le.Uint64(rec.target[16:])}
	case inPlace:
		t := inPlaceOf(rec.target[:])
		p.InPlace = &t
	case code:
		c := codeOf(rec.target[:])
		p.Code = &c
	case survey:
		p.Survey = &Survey{codeOf(rec.target[:]), le.Uint32(rec.target[12:])}
	default:
		return Program{}, fmt.Errorf("malformed program % x", rec.head[:8])
	}
	switch {
	case rec.head[5] == 0:
	case rec.head[5] == 1 && (rec.head[4] == noTarget || rec.head[4] == survey):
		c := codeOf(rec.target[viewOffset:])
		p.View = &c
	default:
		return Program{}, fmt.Errorf("malformed program % x", rec.head[:8])
	}
	return p, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Sum returns the checksum of code.
func Sum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// Checksum returns the checksum of a record, by which a worker says what it
// ran.
func (rec Record) Checksum() uint32 {
	sum := crc32.Checksum(rec.head[:], castagnoli)
	sum = crc32.Update(sum, castagnoli, rec.target[:])
	return crc32.Update(sum, castagnoli, []byte(rec.params))
}

// InitWord is the word of a result, of slot 0, that is no task's but tells why
// the initialiser failed.
const InitWord ring.Word = math.MaxUint64

// Status tells how a task ended in the worker.
type Status uint16

// The statuses of a result. The zero Status is none of them.
const (
	OK       Status = 1 + iota
	Failed          // the payload is the error's text
	Faulted         // reading the data raised a fault; the payload is the text
	Panicked        // the payload is what with, a zero byte, and the stack
)

// Layout of a result.
const (
	liveSize     = 64
	timedOffset  = 8
	chunksOffset = 16
	bytesOffset  = 24
	resultSize   = 512
	resultHeader = 72
	// MaxPayload is the most bytes of a payload that lies beside its header. Longer
	// ones, of up to MaxLong, lie apart, and so does the text of a task that failed,
	// of up to MaxText.
	MaxPayload = resultSize - resultHeader
	MaxText    = 4096
	MaxLong    = 16 << 10
)

// A partial always fits.
var _ [MaxPayload - kernels.MaxPartial]byte

// ResultsSize returns the bytes of a results segment for that many ring slots.
func ResultsSize(slots int) int { return liveSize + slots*(resultSize+MaxLong) }

// ResultsReserved returns how many of them are needed in any case: what lies apart
// takes memory when it is written.
func ResultsReserved(slots int) int { return liveSize + slots*resultSize }

// slotsOf returns how many ring slots a results segment is for.
func slotsOf(results []byte) int { return (len(results) - liveSize) / (resultSize + MaxLong) }

// payloadOf returns the memory of the payload, of n bytes, of ring slot i.
func payloadOf(results []byte, i, n int, s Status) []byte {
	if s == OK && n <= MaxPayload {
		at := liveSize + i*resultSize + resultHeader
		return results[at : at+MaxPayload]
	}
	at := liveSize + slotsOf(results)*resultSize + i*MaxLong
	if s != OK {
		return results[at : at+MaxText]
	}
	return results[at : at+MaxLong]
}

// SetTimed has the worker measure how long its kernels take. It is called before the
// worker is started.
func SetTimed(results []byte) { results[timedOffset] = 1 }

// Timed reports whether the worker is to measure.
func Timed(results []byte) bool { return results[timedOffset] != 0 }

// Result is what a worker reports of one task.
type Result struct {
	Word       ring.Word       // of the claim
	Descriptor ring.Descriptor // as the worker read it
	Status     Status
	Program    uint32        // checksum of the record that was run
	Duration   time.Duration // of the kernel, if somebody wants to know
	Payload    []byte        // at most MaxLong bytes, or MaxText
}

// PutResult writes r as the result of ring slot i. A payload that is too long
// is cut.
func PutResult(results []byte, i int, r Result) {
	at := liveSize + i*resultSize
	rec := results[at : at+resultHeader]
	n := copy(payloadOf(results, i, len(r.Payload), r.Status), r.Payload)
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
	le.PutUint16(rec[58:], uint16(n))
	le.PutUint32(rec[60:], r.Program)
	le.PutUint64(rec[64:], uint64(r.Duration))
}

// Scratch holds the copy of a result.
type Scratch [resultHeader + MaxLong]byte

// GetResult copies the result of ring slot i into buf and returns it; it is
// valid while buf is.
func GetResult(results []byte, i int, buf *Scratch) (Result, error) {
	if i >= slotsOf(results) {
		return Result{}, fmt.Errorf("result of slot %d of %d", i, slotsOf(results))
	}
	rec := results[liveSize+i*resultSize:]
	// Copied once: the worker may still scribble on it.
	copy(buf[:resultHeader], rec)
	le := binary.LittleEndian
	status := Status(le.Uint16(buf[56:]))
	if status < OK || status > Panicked {
		return Result{}, fmt.Errorf("result of unknown status %d", status)
	}
	n := int(le.Uint16(buf[58:]))
	payload := payloadOf(results, i, n, status)
	if n > len(payload) {
		return Result{}, fmt.Errorf("result with a payload of %d bytes, more than %d", n, len(payload))
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
		Status:   status,
		Duration: time.Duration(max(0, int64(le.Uint64(buf[64:])))),
		Program:  le.Uint32(buf[60:]),
		Payload:  buf[resultHeader : resultHeader+copy(buf[resultHeader:], payload[:n])],
	}, nil
}
