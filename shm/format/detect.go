package format

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Format is a file format.
type Format struct {
	Name  string
	Magic string // first bytes of each file; empty: Match knows them
	// Match reports whether a file of that size is likely to be of the format.
	Match func(r io.ReaderAt, size int64) bool
	// Parse reads the descriptions of all arrays in a file of that size.
	Parse func(r io.ReaderAt, size int64) ([]Array, error)
	// Sums is [Sums] for arrays of the format; nil if it keeps no checksums.
	Sums func(r io.ReaderAt, a Array) ([]Patch, error)
}

func (f *Format) matches(r io.ReaderAt, size int64) bool {
	if f.Magic != "" {
		return HasMagic(r, f.Magic)
	}
	return f.Match(r, size)
}

// HasMagic reports whether a file begins with one of the strings.
func HasMagic(r io.ReaderAt, magics ...string) bool {
	var head [16]byte
	n, _ := r.ReadAt(head[:], 0)
	for _, m := range magics {
		if strings.HasPrefix(string(head[:n]), m) {
			return true
		}
	}
	return false
}

// formats are those with a magic before those without, which know their files
// by less.
var formats []Format

// Register makes a format known to [Detect]; packages of formats call it from
// init, so that a program knows the formats it links.
func Register(f Format) {
	at := len(formats)
	for f.Magic != "" && at > 0 && formats[at-1].Magic == "" {
		at--
	}
	formats = append(formats[:at], append([]Format{f}, formats[at:]...)...)
}

// ErrUnknown is returned by [Detect] for a file of no known format.
var ErrUnknown = errors.New("unknown file format")

// others are formats that a program may not link, by their first bytes, with
// what to do about them.
var others = []struct{ magic, what string }{
	{"ARROW1", "it is an Arrow file, which this program does not read: write the columns with numpy.save"},
	{"PAR1", "it is a Parquet file, which this program does not read: write the columns with numpy.save"},
	{"\x1f\x8b", "it is compressed by gzip: gunzip it"},
	{"\x28\xb5\x2f\xfd", "it is compressed by zstd: unzstd it"},
	{"BZh", "it is compressed by bzip2: bunzip2 it"},
	{"\xfd7zXZ", "it is compressed by xz: unxz it"},
	{"PK\x03\x04", "it is a ZIP archive: unzip it"},
}

// Detect finds the format of a file by its first bytes and reads the
// descriptions of its arrays. It returns the name of the format.
func Detect(r io.ReaderAt, size int64) (string, []Array, error) {
	for _, f := range formats {
		if f.matches(r, size) {
			arrays, err := f.Parse(r, size)
			return f.Name, arrays, err
		}
	}
	for _, o := range others {
		if HasMagic(r, o.magic) {
			return "", nil, fmt.Errorf("%w: %s", ErrUnknown, o.what)
		}
	}
	var known []string
	for _, f := range formats {
		known = append(known, f.Name)
	}
	return "", nil, fmt.Errorf("%w: it is none of %s: to read raw numbers, say what they are, such as --dtype f8",
		ErrUnknown, strings.Join(known, ", "))
}
