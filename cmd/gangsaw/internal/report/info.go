package report

import (
	"fmt"
	"io"
	"strconv"

	"github.com/gangsaw/gangsaw/shm/format"
)

// Info is the report of gangsaw info.
type Info struct {
	Arrays []InfoArray
}

// InfoArray is what info says of one array.
type InfoArray struct {
	File      string  `json:"file"`
	Format    string  `json:"format"`
	Name      string  `json:"name"`
	DType     string  `json:"dtype"`
	Shape     []int64 `json:"shape"`
	Order     string  `json:"order"`      // of the axes: C or F
	ByteOrder string  `json:"byte_order"` // of each element
	Offset    int64   `json:"offset"`     // of the first element, bytes
	Bytes     int64   `json:"bytes"`
	Access    string  `json:"access"` // mapped: used where it lies

	shape string
}

// NewInfoArray states an array's description.
func NewInfoArray(file, fileFormat string, a format.Array) InfoArray {
	return InfoArray{
		File: file, Format: fileFormat, Name: a.Name, DType: a.Type.String(), Shape: shapeOf(a), shape: a.ShapeString(),
		Order: a.Order(), ByteOrder: "little", Offset: a.Offset, Bytes: a.Size(), Access: "mapped",
	}
}

// alignment returns the largest power of two, at most 64, that divides the
// offset.
func (a InfoArray) alignment() int64 {
	for n := int64(64); n > 1; n /= 2 {
		if a.Offset%n == 0 {
			return n
		}
	}
	return 1
}

// Write prints the report.
func (i *Info) Write(w io.Writer, form Form) error {
	switch form {
	case JSON:
		return writeJSON(w, struct {
			Schema int         `json:"schema"`
			Arrays []InfoArray `json:"arrays"`
		}{schema, i.Arrays})
	case CSV:
		rows := make([][]string, len(i.Arrays))
		for k, a := range i.Arrays {
			rows[k] = []string{a.File, a.Format, a.Name, a.DType, a.shape, a.Order, a.ByteOrder,
				strconv.FormatInt(a.Offset, 10), strconv.FormatInt(a.Bytes, 10), a.Access}
		}
		return writeCSV(w, []string{"file", "format", "name", "dtype", "shape", "order", "byte_order", "offset", "bytes", "access"}, rows)
	}
	for _, a := range i.Arrays {
		err := writeFields(w, fmt.Sprintf("%s: %s", a.File, a.Format), []field{
			{"array", a.Name},
			{"dtype", a.DType},
			{"shape", a.shape},
			{"order", a.Order + ", " + a.ByteOrder + "-endian"},
			{"bytes", strconv.FormatInt(a.Bytes, 10)},
			{"access", fmt.Sprintf("%s at offset %d, aligned to %d", a.Access, a.Offset, a.alignment())},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Version is the report of gangsaw version.
type Version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	ISA      string `json:"isa"`
}

// Write prints the report.
func (v Version) Write(w io.Writer, form Form) error {
	switch form {
	case JSON:
		return writeJSON(w, struct {
			Schema int `json:"schema"`
			Version
		}{schema, v})
	case CSV:
		return writeCSV(w, []string{"version", "revision", "go", "os", "arch", "isa"},
			[][]string{{v.Version, v.Revision, v.Go, v.OS, v.Arch, v.ISA}})
	}
	_, err := fmt.Fprintf(w, "gangsaw %s %s (%s %s/%s, kernels %s)\n", v.Version, v.Revision, v.Go, v.OS, v.Arch, v.ISA)
	return err
}
