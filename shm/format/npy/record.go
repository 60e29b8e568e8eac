package npy

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"

	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	mostBytes = 1 << 60 // more than any file has
	mostName  = 4096    // bytes: each field repeats the names of the records around it
)

// size returns how many bytes an element takes.
func (d *descr) size() (int64, error) {
	if d.fields == nil {
		return codeSize(d.code, d.at)
	}
	var total int64
	for i := range d.fields {
		n, err := d.fields[i].size()
		if err != nil {
			return 0, err
		}
		if total += n; total > mostBytes {
			return 0, fail(d.at, "a record is larger than any file", "")
		}
	}
	return total, nil
}

func (f *field) size() (int64, error) {
	n, err := f.descr.size()
	for _, d := range f.shape {
		hi, lo := bits.Mul64(uint64(n), uint64(d))
		if hi != 0 || lo > mostBytes {
			return 0, fail(f.descr.at, "a record is larger than any file", "")
		}
		n = int64(lo)
	}
	return n, err
}

// codeSize returns how many bytes an element takes that need not be a number.
func codeSize(code string, at int64) (int64, error) {
	rest := code
	if len(rest) > 0 && (rest[0] == '<' || rest[0] == '>' || rest[0] == '|' || rest[0] == '=') {
		rest = rest[1:]
	}
	if len(rest) > 0 {
		kind, digits := rest[0], rest[1:]
		switch kind {
		case 'O':
			return 8, nil
		case 'M', 'm':
			return 8, nil
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err == nil && n >= 0 && n <= mostBytes {
			if kind == 'U' { // UCS-4
				n *= 4
			}
			return n, nil
		}
	}
	return 0, fail(at, fmt.Sprintf("dtype %q is not known", code), "use one of "+codes())
}

// records makes one array of each field of a structured dtype. The records lie as
// a says.
type records struct {
	arrays []format.Array
}

// add appends the fields of d, of which one lies at each place that shape and
// strides give from offset on.
func (r *records) add(d *descr, prefix string, offset int64, shape, strides []int64) error {
	names := map[string]bool{}
	for i := range d.fields {
		f := &d.fields[i]
		size, err := f.size()
		if err != nil {
			return err
		}
		at := offset
		if offset += size; offset < 0 {
			return fail(f.descr.at, "a record is larger than any file", "")
		}
		if f.name == "" && f.descr.fields == nil && len(f.descr.code) > 1 && f.descr.code[1] == 'V' {
			continue // padding
		}
		if len(prefix)+len(f.name) > mostName {
			return fail(f.descr.at, fmt.Sprintf("the name of a field has more than %d bytes", mostName), "rename it")
		}
		if names[f.name] {
			return fail(f.descr.at, fmt.Sprintf("field %q comes twice", f.name), "write the file again with numpy.save")
		}
		names[f.name] = true
		if err := r.field(f, prefix+f.name, at, shape, strides); err != nil {
			return err
		}
	}
	return nil
}

func (r *records) field(f *field, name string, at int64, shape, strides []int64) error {
	size, err := f.descr.size()
	if err != nil {
		return err
	}
	inner, ok := format.StridesOf(f.shape, size, false)
	if !ok {
		return fail(f.descr.at, "a record is larger than any file", "")
	}
	shape, strides = slices.Concat(shape, f.shape), slices.Concat(strides, inner)
	if len(shape) > maxAxes {
		return fail(f.descr.at, fmt.Sprintf("field %q has more than %d axes", name, maxAxes), "")
	}
	if f.descr.fields != nil {
		return r.add(&f.descr, name+".", at, shape, strides)
	}
	a := format.Array{Name: name, Shape: shape, Offset: at}
	var what, remedy string
	if a.Type, a.Swapped, what, remedy = elementType(f.descr.code); what != "" {
		a.Stored, a.Access, a.Note, a.Remedy = f.descr.code, format.Refused, what, remedy
	} else {
		a.Lay(strides)
	}
	r.arrays = append(r.arrays, a)
	return nil
}
