package arrow

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// A buffer that asks for more memory than it can need is refused before the library
// grants that.
func TestFramesAreHeldAgainstTheirBuffers(t *testing.T) {
	frame := func(content []byte, opts ...zstd.EOption) []byte {
		var b bytes.Buffer
		e, err := zstd.NewWriter(&b, opts...)
		if err != nil {
			t.Fatal(err)
		}
		for part := range slices.Chunk(content, 1<<17) { // so that its length is not known beforehand
			e.Write(part)
			e.Flush()
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	whole := frame(content)
	wide := slices.Clone(whole)
	wide[5] = 20 << 3 // a window of 2^(10+20) bytes
	skippable := append(binary.LittleEndian.AppendUint32([]byte{0x5a, 0x2a, 0x4d, 0x18}, 4), 1, 2, 3, 4)
	single := (func() []byte {
		e, err := zstd.NewWriter(nil, zstd.WithSingleSegment(true))
		if err != nil {
			t.Fatal(err)
		}
		return e.EncodeAll(content, nil)
	})()
	long := slices.Clone(single)
	binary.LittleEndian.PutUint32(long[5:], 1<<30)
	for name, c := range map[string]struct {
		length int64
		frame  []byte
		ok     bool
	}{
		"whole":         {1_000_000, whole, true},
		"with checksum": {1_000_000, frame(content, zstd.WithEncoderCRC(true)), true},
		"best":          {1_000_000, frame(content, zstd.WithEncoderLevel(zstd.SpeedBestCompression)), true},
		"single":        {1_000_000, single, true},
		"wide, long":    {1 << 30, wide, true},
		"nothing":       {0, nil, true},
		"stored":        {-1, wide, true},
		"wide":          {1_000_000, wide, false},
		"long single":   {1_000_000, long, false},
		"another frame": {1_000_000, append(slices.Clone(whole), wide...), false},
		"skippable":     {1_000_000, append(skippable, wide...), false},
		"cut short":     {1_000_000, whole[:len(whole)-5], false},
	} {
		b := append(binary.LittleEndian.AppendUint64(nil, uint64(c.length)), c.frame...)
		err := checkFrame(io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))))
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
