package parquet

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

// leaf is how a column is stored.
type leaf struct {
	physical int64
	stored   kernels.Type // what its values are
	maxDef   uint32       // level of what is not null
	repeated bool
}

var errSchema = errors.New("its schema is no tree of groups and columns")

// walker goes through the elements of a schema, each group before what is in it.
type walker struct {
	left    []element
	columns []format.Column
	leaves  []leaf
}

// describe says what the columns of a file are, which of them are numbers, and how they
// are stored.
func describe(f *footer) ([]format.Column, []leaf, error) {
	if len(f.schema) == 0 {
		return nil, nil, errSchema
	}
	w := &walker{left: f.schema[1:]}
	for range f.schema[0].children {
		if err := w.walk(nil, leaf{}); err != nil {
			return nil, nil, err
		}
	}
	if len(w.left) > 0 {
		return nil, nil, errSchema
	}
	return w.columns, w.leaves, nil
}

// walk goes through the next element, which lies in groups of such a path and levels.
func (w *walker) walk(path []string, l leaf) error {
	if len(w.left) == 0 || len(path) > maxNested {
		return errSchema
	}
	e := w.left[0]
	w.left = w.left[1:]
	path = append(path[:len(path):len(path)], e.name)
	if e.repetition != required {
		l.maxDef++
	}
	l.repeated = l.repeated || e.repetition == repeated
	if e.physical >= 0 {
		l.physical = e.physical
		w.add(strings.Join(path, "."), &e, l)
		return nil
	}
	for range e.children {
		if err := w.walk(path, l); err != nil {
			return err
		}
	}
	return nil
}

// add adds a column.
func (w *walker) add(path string, e *element, l leaf) {
	if known := e.converted; e.logical.kind == 0 && known >= 0 {
		e.logical.kind = unknownLogical
		if known < int64(len(convertedTypes)) {
			e.logical = convertedTypes[known]
		}
	}
	l.stored = storedType(e)
	c := format.Column{Array: format.Array{Name: path, Type: l.stored}}
	switch {
	case l.repeated:
		c.Err = &format.Error{Format: name, What: "it holds lists", Remedy: "unnest them"}
	case l.stored == 0:
		what := "a type that is not known"
		if known := logicalNames[e.logical.kind]; known != "" {
			what = known
		} else if e.physical < int64(len(physicalNames)) {
			what = physicalNames[e.physical]
		}
		c.Err = &format.Error{Format: name, What: fmt.Sprintf("it holds %s, no plain numbers", what), Remedy: "cast it to numbers where the file is written"}
	}
	if c.Err != nil {
		c.Type = kernels.Float64
	}
	w.columns, w.leaves = append(w.columns, c), append(w.leaves, l)
}

// storedType returns the type of a column's values, 0 if they are no numbers.
func storedType(e *element) kernels.Type {
	plain := e.logical.kind == 0
	switch e.physical {
	case typeBoolean:
		return kernels.Bool
	case typeFloat:
		return kernels.Float32
	case typeDouble:
		return kernels.Float64
	case typeFixed:
		if e.logical.kind == logicalFloat16 && e.length == 2 {
			return kernels.Float16
		}
	case typeInt32:
		if plain {
			return kernels.Int32
		}
		return integerType(e.logical, 8, 16, 32)
	case typeInt64:
		if plain {
			return kernels.Int64
		}
		return integerType(e.logical, 64)
	}
	return 0
}

// integerType returns the type that an annotation says, if it has one of those widths.
func integerType(l logical, widths ...int64) kernels.Type {
	for _, width := range widths {
		if l.kind == logicalInteger && l.width == width {
			return map[bool]map[int64]kernels.Type{
				true:  {8: kernels.Int8, 16: kernels.Int16, 32: kernels.Int32, 64: kernels.Int64},
				false: {8: kernels.Uint8, 16: kernels.Uint16, 32: kernels.Uint32, 64: kernels.Uint64},
			}[l.signed][width]
		}
	}
	return 0
}

// check refuses a footer whose row groups do not fit one another and the schema.
func (f *footer) check(leaves []leaf) error {
	rows := int64(0)
	for i, g := range f.groups {
		if g.rows < 0 || g.rows > math.MaxInt64/64-rows {
			return fmt.Errorf("row group %d has %d rows", i, g.rows)
		}
		if len(g.chunks) != len(leaves) {
			return fmt.Errorf("row group %d has %d columns, the schema %d", i, len(g.chunks), len(leaves))
		}
		rows += g.rows
	}
	if rows != f.rows {
		return fmt.Errorf("row groups have %d rows, the file %d", rows, f.rows)
	}
	return nil
}
