package supervisor

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
)

// DefaultDecodeMemory is how many bytes decoded elements take at once when
// [DecodeMemory] says nothing.
const DefaultDecodeMemory = 1 << 30

// Delimiter sets what stands between the cells of a text file; otherwise the end of
// its name tells: a tab in .tsv, a comma in others.
func Delimiter(c rune) FileOption { return func(o *fileOptions) { o.table.Delimiter = c } }

// DecodedError reports what cannot be done with an array that is not in its file as
// numbers, but decoded.
type DecodedError struct {
	File, Array string
	What        string // cannot be done, and what can
}

func (e *DecodedError) Error() string {
	return fmt.Sprintf("%s: array %q is decoded, %s", e.File, e.Array, e.What)
}

// NullsError reports nulls where nothing can stand for them.
type NullsError struct {
	File, Array string
	Nulls       int64
}

func (e *NullsError) Error() string {
	return fmt.Sprintf("%s: array %q has %d nulls, which expressions do not know: take them for NaN (--nulls nan), which nanmean and its like leave out", e.File, e.Array, e.Nulls)
}

// decoding is what a file whose arrays are decoded has beside others. Its arrays lie
// in sparse memory, each in a place of its own, but for a moment only: see feed.
type decoding struct {
	format  *format.TableFormat
	source  *shm.Mapping // of the file
	table   format.Table
	columns []format.Column // that have to be decoded, in the order of the file's arrays
	indices []int           // of those, in the table
	usable  []format.Column // those, and the ones that lie in the file as numbers
	refused []format.Column
	size    int64         // of all arrays, with gaps
	memory  *shm.Sparse   // nil without a pool
	turn    chan struct{} // holds a token while a pass decodes
	wanted  []int         // columns to be decoded together, see [Pool.Together]
	kept    []int         // those of them that are in memory
}

// columnAlign is what the places of arrays are multiples of: whole pages anywhere.
const columnAlign = 64 << 10

// maxDecoded is the most bytes that all arrays of a file may have: addresses are
// taken for them, no memory.
const maxDecoded = 1 << 46

// newDecoding opens the table of a file.
func newDecoding(f *format.TableFormat, source *shm.Mapping, o format.TableOptions) (*decoding, error) {
	if o.Memory == 0 {
		o.Memory = DefaultDecodeMemory
	}
	d := &decoding{format: f, source: source, turn: make(chan struct{}, 1)}
	err := format.Guard(f.Name, func() (err error) {
		d.table, err = f.Open(source.File(), int64(len(source.Bytes())), source.Path(), o)
		return err
	})
	if err != nil {
		// Whatever was met in a file that changed comes from the change.
		return nil, errors.Join(source.Changed(), err)
	}
	for i, c := range d.table.Columns() {
		if c.Err == nil {
			c.Err = c.Check(f.Name, math.MaxInt64)
		}
		if c.Err == nil && (c.Size() > maxDecoded || d.size+c.Size() > maxDecoded) {
			c.Err = &format.Error{Format: f.Name, What: fmt.Sprintf("%d bytes of decoded numbers are more than the %d that there are addresses for", c.Size(), int64(maxDecoded)), Remedy: "split the file"}
		}
		if c.Err != nil {
			d.refused = append(d.refused, c)
			continue
		}
		if c.Pieces != nil {
			d.usable = append(d.usable, c)
			continue
		}
		c.Offset = d.size
		d.size += (max(c.Size(), 1) + columnAlign - 1) / columnAlign * columnAlign
		d.columns, d.indices, d.usable = append(d.columns, c), append(d.indices, i), append(d.usable, c)
	}
	if len(d.usable) == 0 {
		err := error(&format.Error{Format: f.Name, What: "it has no column of numbers"})
		if len(d.refused) > 0 {
			err = fmt.Errorf("%w: column %q: %w", err, d.refused[0].Name, d.refused[0].Err)
		}
		return nil, errors.Join(err, d.table.Close())
	}
	return d, nil
}

// note says what of the file is decoded, and what is left out.
func (f *File) note() string {
	path, d := f.Path(), f.decoding
	var said []string
	switch {
	case d == nil:
	case f.lying != nil:
		said = append(said, fmt.Sprintf("columns of %s are decoded in every pass: %s", path, listed(path, d.columns, d.why)))
	default:
		remedy := fmt.Sprintf("to have a column mapped, write it to a file of its own: gangsaw eval ... %s -o x.npy", path)
		if d.format.Remedy != "" {
			remedy = "to have it mapped, " + d.format.Remedy
		}
		said = append(said, fmt.Sprintf("%s is decoded in every pass: %s; %s", path, d.why(d.columns[0]), remedy))
	}
	if len(f.refused) > 0 {
		said = append(said, "left out: "+listed(path, f.refused, func(c format.Column) string { return c.Err.Error() }))
	}
	if d == nil && len(said) > 0 {
		said[0] = "columns of " + path + " are " + said[0]
	}
	return strings.Join(said, "; ")
}

// listed lists columns with what is said of each.
func listed(path string, columns []format.Column, say func(format.Column) string) string {
	var all []string
	for _, c := range columns {
		if len(all) == 3 {
			all = append(all, fmt.Sprintf("and %d more: gangsaw info %s lists them", len(columns)-3, path))
			break
		}
		all = append(all, fmt.Sprintf("%q (%v)", c.Name, say(c)))
	}
	return strings.Join(all, ", ")
}

// why returns why a column is decoded.
func (d *decoding) why(c format.Column) string {
	if c.Why != "" {
		return c.Why
	}
	return d.format.Why
}

// place makes the memory that arrays are decoded into.
func (d *decoding) place() (err error) {
	d.memory, err = shm.NewSparse(d.source.Path(), int(max(d.size, columnAlign)))
	return err
}

func (d *decoding) close() error {
	err := d.table.Close()
	if d.memory != nil {
		err = errors.Join(err, d.memory.Close())
	}
	return errors.Join(err, d.source.Close())
}

// at returns which column has a byte of the memory, and which of its elements that
// is, if one begins there.
func (d *decoding) at(offset int64) (column int, element int64, ok bool) {
	for i, c := range d.columns {
		size := int64(c.Type.Size())
		if in := offset - c.Offset; in >= 0 && in < max(c.Size(), 1) {
			return i, in / size, in%size == 0
		}
	}
	return 0, 0, false
}

// Decoded reports whether arrays of the file do not lie in it as numbers, but are
// decoded, anew for each pass, and why.
func (f *File) Decoded() (why string, decoded bool) {
	if f.decoding == nil {
		return "", false
	}
	return f.decoding.why(f.decoding.columns[0]), true
}

// Listed describes an array as it is to be listed: one that is decoded lies nowhere, and
// one in pieces where the first of them does.
func (f *File) Listed(x *Array) format.Array {
	a := x.Array
	switch d := x.file.decoding; {
	case d != nil:
		column, _, _ := d.at(x.Offset)
		a.Offset, a.Access, a.Note = 0, format.Decoded, d.why(d.columns[column])
		a.Remedy = cmp.Or(d.format.Remedy, "write it to a file of its own: gangsaw eval ... -o x.npy")
	case x.file.pieces != nil:
		first := x.file.pieces[0]
		a.Offset, a.Swapped = first.Offset, first.Swapped
		a.Note = fmt.Sprintf("it lies in %d pieces, of which this is the first", len(x.file.pieces))
		if x.file.nulls > 0 {
			a.Note += fmt.Sprintf("; %d elements are null", x.file.nulls)
		}
	}
	return a
}

// Refused returns the columns of a file that can be neither mapped nor decoded, with the
// reasons.
func (f *File) Refused() []format.Column { return f.refused }

// Nulls returns how many elements of the array are null, if its file knows nulls. NaN
// is in their place. Of an array that lies in its file as numbers, of which some stand
// for none, they are known once something was computed.
func (x *Array) Nulls() (nulls int64, known bool) {
	if s := x.scaled; s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.nulls, s.known && len(s.by.Missing) > 0
	}
	if x.file.decoding == nil {
		return x.file.nulls, x.file.nullable
	}
	column, _, ok := x.file.decoding.at(x.Offset)
	if !ok {
		return 0, false
	}
	return x.file.decoding.columns[column].Nulls, !x.file.decoding.format.NoNulls
}

// whole refuses an array that is decoded: whoever asks needs all of it at once.
func (x *Array) whole() error {
	if x.file.decoding == nil {
		return nil
	}
	return &DecodedError{x.file.Path(), x.Name, "a part at a time, and this needs all of it in memory: write it to a file first, by EvalTo (gangsaw eval ... -o x.npy)"}
}

// inPlaceable refuses an array that cannot take part in a change in place.
func (x *Array) inPlaceable() error {
	if len(x.file.holders) > 1 {
		return x.refuse("it lies in several files, and takes no part in changes in place", "change each file by a run of its own")
	}
	if _, ok := x.several(); !ok {
		return x.refuse("its pieces do not lie alike, with nothing between the elements of each, and it takes no part in changes in place", "change each array by a run of its own")
	}
	if x.file.decoding == nil {
		return nil
	}
	return &DecodedError{x.file.Path(), x.Name, "and takes no part in changes in place: write the result to a new file (-o), or decode it to one first, by EvalTo (gangsaw eval ... -o x.npy)"}
}
