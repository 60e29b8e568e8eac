package partial

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc64"
)

// kind is what every version of the file begins with, magic this one.
const (
	kind  = "gangsaw partial "
	magic = kind + "1\n"
)

var (
	// ErrOther is returned for bytes that are no such file.
	ErrOther = errors.New("it is no partial of gangsaw's")
	// ErrVersion is returned for the file of another version.
	ErrVersion = errors.New("it is a partial of another version of gangsaw's")
	// ErrCorrupt is wrapped by the errors about a file that is not as it was written.
	ErrCorrupt = errors.New("it is cut off, or was changed")
)

func checksum(b []byte) uint64 { return crc64.Checksum(b, crc64.MakeTable(crc64.ECMA)) }

// Is reports whether bytes, at least as many as len(kind), begin such a file.
func Is(b []byte) bool { return bytes.HasPrefix(b, []byte(kind)) }

// Encode returns the bytes of a file with these parts.
func Encode(parts []*Part) ([]byte, error) {
	b := []byte(magic)
	for _, p := range parts {
		text, records, err := p.encode()
		if err != nil {
			return nil, err
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(len(text)))
		b = binary.LittleEndian.AppendUint64(b, uint64(len(records)))
		b = append(append(b, text...), records...)
	}
	return binary.LittleEndian.AppendUint64(b, checksum(b)), nil
}

// Decode reads the bytes of a file. The error is or wraps ErrOther, ErrVersion or
// ErrCorrupt.
func Decode(b []byte) ([]*Part, error) {
	switch {
	case !Is(b):
		return nil, ErrOther
	case len(b) < len(magic)+8:
		return nil, ErrCorrupt
	case !bytes.HasPrefix(b, []byte(magic)):
		return nil, ErrVersion
	}
	body, sum := b[:len(b)-8], b[len(b)-8:]
	if checksum(body) != binary.LittleEndian.Uint64(sum) {
		return nil, ErrCorrupt
	}
	var parts []*Part
	for r := (&reader{rest: body[len(magic):]}); len(r.rest) > 0; {
		text, records := r.number(), r.number()
		p, err := decodePart(r.bytes(text), r.bytes(records))
		if err = errors.Join(r.err, err); err != nil {
			return nil, fmt.Errorf("%w: part %d: %w", ErrCorrupt, len(parts), err)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func decodePart(text, records []byte) (*Part, error) {
	p := &Part{}
	if err := json.Unmarshal(text, p); err != nil {
		return nil, err
	}
	r := &reader{rest: records}
	for i := 0; i < p.Passes && r.err == nil; i++ {
		record := r.record()
		if r.err == nil {
			r.err = record.Check()
		}
		p.Records = append(p.Records, record)
	}
	switch of := p.About.Of; {
	case r.err != nil:
		return nil, r.err
	case len(r.rest) > 0 || p.Passes < 0:
		return nil, fmt.Errorf("%d bytes behind %d records", len(r.rest), p.Passes)
	case of < 1 || of > MaxShards || p.Shard != nil && (*p.Shard < 0 || *p.Shard >= of):
		return nil, fmt.Errorf("a shard of %d", of)
	case (p.About.Describe == nil) == (p.About.Query == nil) || p.About.Describe != nil && len(p.About.Arrays) != 1:
		return nil, errors.New("no computation")
	case p.Shard != nil && len(p.Records) > 1:
		return nil, errors.New("several passes of one shard")
	}
	return p, nil
}

// MaxShards is the most shards of a computation.
const MaxShards = 1 << 16
