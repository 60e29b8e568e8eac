package wav

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	pcm        = 1
	float      = 3
	extensible = 0xfffe
	unknown32  = 0xffffffff // a size that is in ds64, or was not known
	mostChunks = 4096
)

const remedyAgain = "it is truncated or damaged: write it again"

func init() {
	format.Register(format.Format{Name: "wav", Match: match, Parse: Parse})
}

func match(r io.ReaderAt, _ int64) bool {
	var head [12]byte
	n, _ := r.ReadAt(head[:], 0)
	if n < len(head) || string(head[8:]) != "WAVE" {
		return false
	}
	switch string(head[:4]) {
	case "RIFF", "RIFX", "RF64", "BW64":
		return true
	}
	return false
}

// reader goes over the chunks of a file.
type reader struct {
	r      io.ReaderAt
	size   int64
	order  binary.ByteOrder
	fmt    *layout
	data64 int64 // size of the data, if it is in ds64; else -1
}

// layout is what the chunk "fmt " says.
type layout struct {
	tag, channels, align, bits, valid uint16
	rate                              uint32
	at                                int64
}

// Parse describes the samples of a WAV file of that size, as the array "x". Errors
// are *format.Error.
func Parse(r io.ReaderAt, size int64) ([]format.Array, error) {
	if !match(r, size) {
		return nil, fail(0, "it does not begin as a WAV file does", "")
	}
	p := &reader{r: r, size: size, order: binary.LittleEndian, data64: -1}
	if format.HasMagic(r, "RIFX") {
		p.order = binary.BigEndian
	}
	at := int64(12)
	for range mostChunks {
		var head [8]byte
		if n, err := r.ReadAt(head[:], at); n < len(head) {
			if err != nil && err != io.EOF {
				return nil, fmt.Errorf("reading a chunk: %w", err)
			}
			return nil, fail(at, "the file has no chunk \"data\"", remedyAgain)
		}
		length, body := int64(p.order.Uint32(head[4:])), at+8
		switch string(head[:4]) {
		case "ds64":
			b, err := p.read(body, length, 24, "ds64")
			if err != nil {
				return nil, err
			}
			p.data64 = int64(p.order.Uint64(b[8:]))
		case "fmt ":
			if err := p.readLayout(body, length); err != nil {
				return nil, err
			}
		case "data":
			if length == unknown32 {
				length = p.data64
			}
			return p.samples(at, length)
		}
		at = body + length + length&1
	}
	return nil, fail(at, fmt.Sprintf("there is no chunk \"data\" among the first %d chunks", mostChunks), "")
}

// read reads the first n bytes of a chunk.
func (p *reader) read(at, length int64, n int, chunk string) ([]byte, error) {
	b := make([]byte, n)
	if length < int64(n) {
		return nil, fail(at, fmt.Sprintf("chunk %q has %d bytes, fewer than %d", chunk, length, n), remedyAgain)
	}
	if k, err := p.r.ReadAt(b, at); k < n {
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("reading chunk %q: %w", chunk, err)
		}
		return nil, fail(at, fmt.Sprintf("the file ends inside chunk %q", chunk), remedyAgain)
	}
	return b, nil
}

func (p *reader) readLayout(at, length int64) error {
	b, err := p.read(at, length, 16, "fmt ")
	if err != nil {
		return err
	}
	f := &layout{
		tag: p.order.Uint16(b), channels: p.order.Uint16(b[2:]), rate: p.order.Uint32(b[4:]),
		align: p.order.Uint16(b[12:]), bits: p.order.Uint16(b[14:]), at: at,
	}
	f.valid = f.bits
	if f.tag == extensible {
		if b, err = p.read(at, length, 40, "fmt "); err != nil {
			return err
		}
		f.valid = p.order.Uint16(b[18:])
		f.tag = p.order.Uint16(b[24:])
		// What follows the tag tells that the GUID is one made of a tag.
		if string(b[28:40]) != "\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71" && p.order == binary.LittleEndian {
			return fail(at+24, "the samples are of a subformat that is not known", "convert it: ffmpeg -i in.wav -c:a pcm_s16le out.wav")
		}
	}
	p.fmt = f
	return nil
}

// samples describes the array in the chunk "data" at that place.
func (p *reader) samples(at, length int64) ([]format.Array, error) {
	f := p.fmt
	if f == nil {
		return nil, fail(at, "no chunk \"fmt \" comes before the samples", remedyAgain)
	}
	if length < 0 {
		return nil, fail(at, "the size of the samples is not known", "the file was written as a stream: convert it: ffmpeg -i in.wav -c copy out.wav")
	}
	t, err := f.elementType()
	if err != nil {
		return nil, err
	}
	if f.channels == 0 || int(f.align) != int(f.channels)*t.Size() {
		return nil, fail(f.at, fmt.Sprintf("frames of %d channels of %d bytes take %d bytes", f.channels, t.Size(), f.align), remedyAgain)
	}
	if length%int64(f.align) != 0 {
		return nil, fail(at, fmt.Sprintf("%d bytes are not a whole number of frames of %d", length, f.align), remedyAgain)
	}
	a := format.Array{
		Name: "x", Type: t, Offset: at + 8, Swapped: p.order == binary.BigEndian && t.Size() > 1,
		Shape: []int64{length / int64(f.align)}, Note: fmt.Sprintf("%d frames a second", f.rate),
	}
	if f.channels > 1 {
		a.Shape = append(a.Shape, int64(f.channels))
	}
	if f.valid < f.bits && f.valid > 0 {
		a.Note += fmt.Sprintf(", the upper %d bits are used", f.valid)
	}
	if err := a.Check("wav", p.size); err != nil {
		return nil, err
	}
	return []format.Array{a}, nil
}

func (f *layout) elementType() (kernels.Type, error) {
	switch {
	case f.tag == pcm && f.bits == 8:
		return kernels.Uint8, nil
	case f.tag == pcm && f.bits == 16:
		return kernels.Int16, nil
	case f.tag == pcm && f.bits == 24:
		return 0, fail(f.at+14, "the samples have 24 bits, for which there is no element type", "convert it: ffmpeg -i in.wav -c:a pcm_s32le out.wav")
	case f.tag == pcm && f.bits == 32:
		return kernels.Int32, nil
	case f.tag == pcm && f.bits == 64:
		return kernels.Int64, nil
	case f.tag == float && f.bits == 32:
		return kernels.Float32, nil
	case f.tag == float && f.bits == 64:
		return kernels.Float64, nil
	}
	names := map[uint16]string{pcm: "PCM", float: "float", 2: "ADPCM", 6: "A-law", 7: "mu-law", 0x11: "IMA ADPCM", 0x55: "MP3"}
	name := names[f.tag]
	if name == "" {
		name = fmt.Sprintf("codec %#x", f.tag)
	}
	return 0, fail(f.at, fmt.Sprintf("the samples are %s of %d bits, which is not supported", name, f.bits), "convert it: ffmpeg -i in.wav -c:a pcm_s16le out.wav")
}

func fail(at int64, what, remedy string) *format.Error {
	return &format.Error{Format: "wav", Offset: at, What: what, Remedy: remedy}
}
