package format

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Format is a file format that is known by its first bytes.
type Format struct {
	Name  string
	Magic string
	// Parse reads the descriptions of all arrays in a file of that size.
	Parse func(r io.ReaderAt, size int64) ([]Array, error)
}

var formats []Format

// Register makes a format known to [Detect]; packages of formats call it from
// init, so that a program knows the formats it links.
func Register(f Format) { formats = append(formats, f) }

// ErrUnknown is returned by [Detect] for a file of no known format.
var ErrUnknown = errors.New("unknown file format")

// Detect finds the format of a file by its first bytes and reads the
// descriptions of its arrays. It returns the name of the format.
func Detect(r io.ReaderAt, size int64) (string, []Array, error) {
	for _, f := range formats {
		head := make([]byte, len(f.Magic))
		if n, _ := r.ReadAt(head, 0); string(head[:n]) == f.Magic {
			arrays, err := f.Parse(r, size)
			return f.Name, arrays, err
		}
	}
	zip := make([]byte, 4)
	if n, _ := r.ReadAt(zip, 0); string(zip[:n]) == "PK\x03\x04" {
		return "", nil, fmt.Errorf("%w: it is a ZIP archive, as .npz files are: unzip it and name the .npy files inside", ErrUnknown)
	}
	var known []string
	for _, f := range formats {
		known = append(known, f.Name)
	}
	return "", nil, fmt.Errorf("%w: it is none of %s: to read raw numbers, say what they are, such as --dtype f8",
		ErrUnknown, strings.Join(known, ", "))
}
