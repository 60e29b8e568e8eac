package npz

import (
	"bufio"
	"compress/flate"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// decoder decodes some arrays, each from a member of its own.
type decoder struct{ members []*memberReader }

// Decode see [format.Decoder].
func (d *decoder) Decode(dst [][]byte, n int) error {
	for i, m := range d.members {
		if err := m.decode(dst[i]); err != nil {
			return err
		}
	}
	return nil
}

// Skip see [format.Decoder]. What is skipped is decompressed all the same.
func (d *decoder) Skip(n int64) error {
	for _, m := range d.members {
		if err := m.skip(n * int64(m.typ.Size())); err != nil {
			return err
		}
	}
	return nil
}

// Close does nothing: nothing is held.
func (d *decoder) Close() error { return nil }

const bufferSize = 64 << 10

// memberReader reads the elements of an array in a member, and at the end of them the
// rest, so that all has been summed.
type memberReader struct {
	member  *member
	typ     kernels.Type
	swapped bool
	stream  io.Reader
	sum     hash.Hash32
	before  int64 // bytes before the next element, yet to be read
	left    int64 // bytes of elements
	behind  int64 // bytes behind them
}

func newReader(r io.ReaderAt, h *holder, a *format.Array) *memberReader {
	m := &memberReader{member: h.member, typ: a.Type, swapped: h.swapped && a.Type.Size() > 1, sum: crc32.NewIEEE(), before: h.offset, left: a.Size()}
	m.behind = h.member.size - m.before - m.left
	data := bufio.NewReaderSize(io.NewSectionReader(r, h.member.dataOffset, h.member.packed), bufferSize)
	m.stream = data
	if h.member.method == deflated {
		m.stream = flate.NewReader(data)
	}
	return m
}

// decode fills dst with the next elements.
func (m *memberReader) decode(dst []byte) error {
	if err := m.skip(0); err != nil {
		return err
	}
	if _, err := io.ReadFull(m.stream, dst); err != nil {
		return m.fail(err)
	}
	m.sum.Write(dst)
	m.left -= int64(len(dst))
	if m.swapped {
		kernels.Layout{Type: m.typ, Stride: m.typ.Size(), Swapped: true}.Load(dst, dst, 0)
	}
	return m.end()
}

// skip passes over so many bytes of elements.
func (m *memberReader) skip(bytes int64) error {
	if _, err := io.CopyN(m.sum, m.stream, m.before+bytes); err != nil {
		return m.fail(err)
	}
	m.before, m.left = 0, m.left-bytes
	return m.end()
}

// end reads what is behind the last element, and checks the member's CRC-32.
func (m *memberReader) end() error {
	if m.left > 0 {
		return nil
	}
	if _, err := io.CopyN(m.sum, m.stream, m.behind); err != nil {
		return m.fail(err)
	}
	m.behind = 0
	if n, err := m.stream.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return m.fail(errors.Join(err, fmt.Errorf("it holds more than the %d bytes that the directory says", m.member.size)))
	}
	if sum := m.sum.Sum32(); sum != m.member.sum {
		return fail(m.member.entry+entrySum, fmt.Sprintf("member %q has the CRC-32 %08x, and what it holds %08x", m.member.name, m.member.sum, sum), "the file is damaged: write it again")
	}
	return nil
}

// fail says of which member an error is.
func (m *memberReader) fail(err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fail(m.member.dataOffset, fmt.Sprintf("the compressed data of member %q are damaged: %v", m.member.name, err), remedyAgain)
}
