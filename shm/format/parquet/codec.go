package parquet

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// Codecs by which pages are compressed.
const (
	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecBrotli = 4
	codecZstd   = 6
	codecLZ4    = 7
)

var codecNames = map[int64]string{3: "LZO", 5: "LZ4 with Hadoop's frames"}

// decompressor decompresses pages.
type decompressor struct {
	codec  int64
	zstd   *zstd.Decoder
	gzip   *gzip.Reader
	brotli *brotli.Reader
}

// newDecompressor returns one for a codec whose pages have at most so many bytes.
func newDecompressor(codec, limit int64) (*decompressor, error) {
	d := &decompressor{codec: codec}
	switch codec {
	case codecNone, codecSnappy, codecLZ4:
	case codecGzip:
		d.gzip = new(gzip.Reader)
	case codecBrotli:
		d.brotli = brotli.NewReader(nil)
	case codecZstd:
		var err error
		d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(limit)))
		return d, err
	default:
		what := codecNames[codec]
		if what == "" {
			what = fmt.Sprintf("codec %d", codec)
		}
		return nil, fmt.Errorf("it is compressed by %s, which is not supported", what)
	}
	return d, nil
}

func (d *decompressor) close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
}

var errSize = errors.New("a page has another size, decompressed, than its header says")

// run fills dst, which is as long as the page is to be.
func (d *decompressor) run(dst, src []byte) error {
	n := -1
	switch d.codec {
	case codecNone:
		n = copy(dst, src)
		if len(src) != n {
			n = -1
		}
	case codecSnappy:
		if size, err := snappy.DecodedLen(src); err != nil || size != len(dst) {
			return errors.Join(errSize, err)
		}
		b, err := snappy.Decode(dst, src)
		if err != nil {
			return err
		}
		n = len(b)
	case codecLZ4:
		var err error
		if n, err = lz4.UncompressBlock(src, dst); err != nil {
			return err
		}
	case codecZstd:
		b, err := d.zstd.DecodeAll(src, dst[:0])
		if err != nil {
			return err
		}
		if n = len(b); n > 0 && n == len(dst) && &b[0] != &dst[0] {
			copy(dst, b)
		}
	case codecGzip:
		if err := d.gzip.Reset(bytes.NewReader(src)); err != nil {
			return err
		}
		return fill(dst, d.gzip)
	case codecBrotli:
		if err := d.brotli.Reset(bytes.NewReader(src)); err != nil {
			return err
		}
		return fill(dst, d.brotli)
	}
	if n != len(dst) {
		return errSize
	}
	return nil
}

// fill reads what a stream holds, which is as long as dst.
func fill(dst []byte, r io.Reader) error {
	if _, err := io.ReadFull(r, dst); err != nil {
		return err
	}
	if n, err := io.ReadFull(r, make([]byte, 1)); n > 0 || err != io.EOF {
		return errors.Join(errSize, err)
	}
	return nil
}
