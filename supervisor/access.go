package supervisor

import (
	"fmt"

	"github.com/gangsaw/gangsaw/shm/format"
)

// AccessError reports an array on whose numbers nothing can be computed where
// they lie.
type AccessError struct {
	File, Array string
	What        string
	Remedy      string // empty when there is none
}

func (e *AccessError) Error() string {
	s := fmt.Sprintf("%s: array %q: %s", e.File, e.Array, e.What)
	if e.Remedy != "" {
		s += ": " + e.Remedy
	}
	return s
}

func (x *Array) refuse(what, remedy string) error {
	return &AccessError{x.file.Path(), x.Name, what, remedy}
}

// mapped reports whether the array's elements lie in the file.
func (x *Array) mapped() error {
	if x.Access != format.Mapped {
		return x.refuse(x.Note, x.Remedy)
	}
	return nil
}

// plain reports whether workers can take the array's elements as they lie.
func (x *Array) plain() error {
	if err := x.mapped(); err != nil {
		return err
	}
	switch {
	case x.file.pieces != nil:
		return x.refuse("it lies in several pieces, which no kernel in Go but a reduction takes", "gangsaw eval x FILE... --concat -o OUT.npy writes them one after another")
	case x.scaling() != nil:
		return x.refuse(fmt.Sprintf("its numbers are not those stored (%v), which no kernel in Go but a reduction takes", x.Scale), "gangsaw eval x FILE -o OUT.npy writes them; --stored (supervisor.Stored) takes the stored ones")
	case x.Swapped:
		return x.refuse("its elements are big-endian, which no kernel in Go but a reduction takes", "gangsaw eval x FILE -o OUT.npy writes them in this machine's order")
	case x.Strides != nil:
		return x.refuse("its elements lie apart, which no kernel in Go but a reduction takes", "gangsaw eval x FILE -o OUT.npy writes them one after another")
	}
	return nil
}

// Stored takes the stored numbers of arrays for their values, whatever the file says
// that they stand for, by BSCALE, BZERO and BLANK, or scale_factor, add_offset and
// _FillValue.
func Stored() FileOption { return func(o *fileOptions) { o.stored = true } }
