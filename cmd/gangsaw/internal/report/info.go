package report

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// Info is the report of gangsaw info.
type Info struct {
	Arrays []InfoArray
}

// InfoArray is what info says of one array.
type InfoArray struct {
	File      string   `json:"file"`
	Format    string   `json:"format"`
	Name      string   `json:"name"`
	DType     string   `json:"dtype"`
	Shape     []int64  `json:"shape"`
	Order     string   `json:"order"`             // of the axes: C or F
	ByteOrder string   `json:"byte_order"`        // of each element
	Strides   []int64  `json:"strides,omitempty"` // bytes, where the elements lie apart
	Offset    int64    `json:"offset"`            // of the first element, bytes
	Alignment int64    `json:"alignment"`         // of the offset
	Bytes     int64    `json:"bytes"`
	Access    string   `json:"access"` // mapped: used where it lies; decoded; refused
	Values    *Scaling `json:"values,omitempty"`
	Note      string   `json:"note,omitempty"`
	Remedy    string   `json:"remedy,omitempty"`

	shape, values string
}

// Scaling is what stored numbers stand for.
type Scaling struct {
	DType   string `json:"dtype"`
	Factor  any    `json:"factor"` // a number, or the word for one that JSON has not
	Offset  any    `json:"offset"`
	Missing int    `json:"missing"` // how many stored values stand for none
}

// NewInfoArray states an array's description.
func NewInfoArray(file, fileFormat string, a format.Array) InfoArray {
	i := InfoArray{
		File: file, Format: fileFormat, Name: a.Name, DType: a.DType(), Shape: shapeOf(a), shape: a.ShapeString(),
		Order: a.Order(), ByteOrder: "little", Strides: a.Strides, Offset: a.Offset, Alignment: a.Alignment(), Bytes: a.Size(),
		Access: a.Access.String(), Note: a.Note, Remedy: a.Remedy,
	}
	if a.Swapped {
		i.ByteOrder = "big"
	}
	if s := a.Scale; s != nil {
		i.Values = &Scaling{s.Type.String(), jsonFloat(s.Factor), jsonFloat(s.Offset), len(s.Missing)}
		i.values = s.String()
	}
	return i
}

func jsonFloat(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return kernels.FormatFloat(f)
	}
	return f
}

// fields returns the lines of the array in a table.
func (a *InfoArray) fields() []field {
	fields := []field{{"array", Printable(a.Name)}, {"dtype", Printable(a.DType)}, {"shape", a.shape}}
	order := a.Order + ", " + a.ByteOrder + "-endian"
	if a.Strides != nil {
		order += fmt.Sprintf(", strides %v", a.Strides)
	}
	access := a.Access
	if a.Access == format.Mapped.String() {
		access = fmt.Sprintf("%s at offset %d, aligned to %d", a.Access, a.Offset, a.Alignment)
		fields = append(fields, field{"order", order}, field{"bytes", strconv.FormatInt(a.Bytes, 10)})
	}
	fields = append(fields, field{"access", access})
	for _, f := range []field{{"values", a.values}, {"note", a.Note}, {"remedy", a.Remedy}} {
		if f.value != "" {
			fields = append(fields, field{f.name, Printable(f.value)})
		}
	}
	return fields
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
				strconv.FormatInt(a.Offset, 10), strconv.FormatInt(a.Bytes, 10), a.Access, strconv.FormatInt(a.Alignment, 10), a.values, a.Note, a.Remedy}
		}
		return writeCSV(w, []string{"file", "format", "name", "dtype", "shape", "order", "byte_order", "offset", "bytes", "access",
			"alignment", "values", "note", "remedy"}, rows)
	}
	for _, a := range i.Arrays {
		if err := writeFields(w, fmt.Sprintf("%s: %s", a.File, a.Format), a.fields()); err != nil {
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
