package supervisor

import (
	"context"
	"fmt"
	"slices"

	"github.com/gangsaw/gangsaw/shm/format"
)

// ConcatError reports arrays that cannot be one.
type ConcatError struct {
	File, Array string
	What        string // about it
	Remedy      string
}

func (e *ConcatError) Error() string {
	return fmt.Sprintf("%s: array %q %s: %s", e.File, e.Array, e.What, e.Remedy)
}

// concatFormat is the format of a file that is several.
const concatFormat = "concatenation"

// largestConcat is more elements than any array has.
const largestConcat = 1 << 56

// Concat describes arrays of open files of one pool, one after another along their first
// axis, as one array, which has the name of the first. Nothing is copied, and all that is
// computed of it has the bits of one file with all of it. It is in C order, or in Fortran
// order if all arrays are; how each lies, and in which byte order, does not matter. The
// files stay open while it is used. One over several files is not changed in place, and no
// function in Go but a reduction takes it. Where a file says that some numbers stand for none, Concat reads the
// array to count those.
//
// The error is a [*ConcatError] where element types or the other axes differ, and a
// [*DecodedError] for an array that is decoded.
func Concat(arrays ...*Array) (*Array, error) {
	if len(arrays) == 0 {
		return nil, fmt.Errorf("a concatenation of no arrays: name one at least")
	}
	first := arrays[0]
	joined := format.Array{Name: first.Name, Fortran: len(first.Shape) > 1}
	var pieces []piece
	places := int64(0)
	for _, x := range arrays {
		if err := x.follows(first); err != nil {
			return nil, err
		}
		if places += x.Shape[0]; places > largestConcat {
			return nil, &ConcatError{x.file.Path(), x.Name, "is too long behind the others", "take fewer"}
		}
		joined.Fortran = joined.Fortran && x.Fortran && x.Strides == nil
		pieces = append(pieces, x.pieces()...)
	}
	joined.Type = first.ValueType() // known by now
	joined.Shape = append([]int64{places}, first.Shape[1:]...)
	one := newPieces(joined, pieces)
	for _, x := range arrays {
		nulls, known := x.Nulls()
		one.file.nulls, one.file.nullable = one.file.nulls+nulls, one.file.nullable || known
	}
	return one, nil
}

// follows reports whether the array can be one with another.
func (x *Array) follows(first *Array) error {
	if x.file.pool != first.file.pool {
		return fmt.Errorf("%s and %s were opened by different pools", first.file.Path(), x.file.Path())
	}
	if x.file.decoding != nil {
		return &DecodedError{x.file.Path(), x.Name, "and only what lies in files as numbers is concatenated: write it to a file of its own first, by EvalTo (gangsaw eval ... -o x.npy)"}
	}
	if err := x.file.pool.readable(context.Background(), x); err != nil {
		return err
	}
	cannot := func(what, remedy string) error {
		return &ConcatError{x.file.Path(), x.Name, what, remedy}
	}
	switch {
	case len(x.Shape) == 0:
		return cannot("is a single number, without an axis along which it could be concatenated", "leave it out")
	case x.ValueType() != first.ValueType():
		return cannot(fmt.Sprintf("is of type %v, and array %q of %s of type %v", x.ValueType(), first.Name, first.file.Path(), first.ValueType()),
			fmt.Sprintf("one array has one type: gangsaw eval 'astype(x, %v)' FILE -o OUT.npy converts it", first.ValueType()))
	case !slices.Equal(x.Shape[1:], first.Shape[1:]):
		return cannot(fmt.Sprintf("has the shape %s, and array %q of %s the shape %s", x.ShapeString(), first.Name, first.file.Path(), first.ShapeString()),
			"all axes but the first have to be of the same lengths")
	}
	return nil
}
