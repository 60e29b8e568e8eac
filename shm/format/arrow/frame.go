package arrow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// The library's decoder of Zstandard takes as much memory as a frame says that it needs.
// So frames are looked at first: no encoder needs more for a buffer than its length, or
// than what every decoder must grant (RFC 8878, 3.1.1.1.2).
const (
	leastWindow    = 8 << 20
	mostHeader     = zstd.HeaderMaxSize
	zstdMagic      = 0xfd2fb528
	skippableMagic = 0x184d2a50 // of the last digit any
	repeatedByte   = 1          // type of a block
)

var errFrame = errors.New("a compressed buffer is damaged")

// checkFrames looks at the compressed buffers of a record batch.
func checkFrames(r io.ReaderAt, size int64, at block) error {
	b, err := readBatch(r, size, at)
	if err != nil || !b.compressed {
		return err
	}
	for _, buffer := range b.buffers {
		if _, ok := buffer.end(b.size); !ok {
			return errFrame
		}
		if err := checkFrame(io.NewSectionReader(r, b.body+buffer.offset, buffer.length)); err != nil {
			return err
		}
	}
	return nil
}

// checkFrame looks at a buffer: its length, and one frame. Frames of other formats are
// left to the library.
func checkFrame(r *io.SectionReader) error {
	begin := make([]byte, 8+mostHeader)
	n, err := r.ReadAt(begin, 0)
	if err != nil && err != io.EOF {
		return err
	}
	if n < 8+4 {
		return nil // nothing, or too little for a frame
	}
	length := int64(binary.LittleEndian.Uint64(begin))
	magic := binary.LittleEndian.Uint32(begin[8:])
	switch {
	case length == -1: // not compressed
		return nil
	case magic&^0xf == skippableMagic:
		return errFrame
	case magic != zstdMagic:
		return nil
	}
	var h zstd.Header
	if err := h.Decode(begin[8:n]); err != nil {
		return errFrame
	}
	need := h.WindowSize
	if h.SingleSegment {
		need = h.FrameContentSize
	}
	if most := uint64(max(leastWindow, length)); length < 0 || need > most {
		return fmt.Errorf("a compressed buffer of %d bytes asks for a window of %d", length, need)
	}
	return checkBlocks(r, 8+int64(h.HeaderSize), h.HasCheckSum)
}

// checkBlocks checks that nothing follows the blocks of a frame.
func checkBlocks(r *io.SectionReader, at int64, checksum bool) error {
	for last := false; !last; {
		var b [4]byte
		if _, err := r.ReadAt(b[:3], at); err != nil {
			return errFrame
		}
		header := binary.LittleEndian.Uint32(b[:])
		last = header&1 == 1
		size := int64(header >> 3)
		if header>>1&3 == repeatedByte {
			size = 1
		}
		at += 3 + size
	}
	if checksum {
		at += 4
	}
	if at != r.Size() {
		return errFrame
	}
	return nil
}
