package hdf5

import (
	"io"
	"slices"
	"strings"

	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	mostObjects = 1 << 17 // groups and datasets that are visited
	arrayBytes  = 128     // that the description of an array takes, beside its name, and more
)

// walk goes over all objects.
type walk struct {
	f      *file
	seen   map[uint64]bool
	netCDF bool // where nothing was written are netCDF's fill values
	arrays []format.Array
}

// Parse describes the datasets of an HDF5 file of that size, which are named by their
// paths, as group/x; a field of a compound one as group/x.field. Errors are
// *format.Error.
func Parse(r io.ReaderAt, size int64) ([]format.Array, error) {
	f, root, err := open(r, size)
	if err != nil {
		return nil, err
	}
	top, err := f.object(root)
	if err != nil {
		return nil, err
	}
	of, err := f.attributes(top)
	w := &walk{f: f, seen: map[uint64]bool{}, netCDF: err == nil && of.netCDF}
	if err := w.object(root, "", mostDepth); err != nil {
		return nil, err
	}
	if len(w.arrays) == 0 {
		return nil, &format.Error{Format: "hdf5", What: "the file has no datasets"}
	}
	return w.arrays, nil
}

// object visits a group or a dataset.
func (w *walk) object(address uint64, path string, depth int) error {
	if w.seen[address] {
		return nil
	}
	w.seen[address] = true
	switch {
	case depth == 0:
		return fail(w.f.base, "groups are more than %d deep", mostDepth)
	case len(w.seen) > mostObjects:
		return fail(w.f.base, "the file has more than %d objects", mostObjects)
	case len(path) > mostPath:
		return fail(w.f.base, "a path has more than %d bytes", mostPath)
	}
	o, err := w.f.object(address)
	if err != nil {
		return err
	}
	links, group, err := w.f.links(o)
	if err != nil {
		return err
	}
	if !group {
		return w.dataset(o, path)
	}
	if path != "" {
		path += "/"
	}
	// Of the names that an object has, the first counts.
	slices.SortFunc(links, func(a, b link) int { return strings.Compare(a.name, b.name) })
	for _, l := range links {
		if err := w.object(l.address, path+l.name, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// dataset describes an object that is one.
func (w *walk) dataset(o *object, path string) error {
	d, err := w.f.dataset(o, path)
	if d == nil || err != nil {
		return err
	}
	attributes, err := w.f.attributes(o)
	if err != nil {
		return err
	}
	if attributes.dimensionOnly {
		return nil
	}
	arrays, err := w.f.arrays(d)
	if err != nil {
		return err
	}
	for i := range arrays {
		a := &arrays[i]
		if err := w.f.take(arrayBytes+int64(len(a.Name)), w.f.base); err != nil {
			return err
		}
		if !a.Type.Valid() {
			continue
		}
		if wrong := a.Convene(attributes.numbers, attributes.unsigned, w.netCDF); wrong != "" {
			a.Access, a.Note, a.Remedy = format.Refused, "its attribute "+wrong, "set it anew"
		}
		if a.Access == format.Mapped {
			if err := a.Check("hdf5", w.f.size); err != nil {
				return err
			}
		}
	}
	w.arrays = append(w.arrays, arrays...)
	return nil
}
