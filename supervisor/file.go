package supervisor

import (
	"errors"
	"fmt"

	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	_ "github.com/gangsaw/gangsaw/shm/format/csv"  // known to format.DetectTable
	_ "github.com/gangsaw/gangsaw/shm/format/fits" // known to format.Detect, and so on
	_ "github.com/gangsaw/gangsaw/shm/format/hdf5"
	_ "github.com/gangsaw/gangsaw/shm/format/netcdf"
	_ "github.com/gangsaw/gangsaw/shm/format/npy"
	_ "github.com/gangsaw/gangsaw/shm/format/npz"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	_ "github.com/gangsaw/gangsaw/shm/format/safetensors"
	_ "github.com/gangsaw/gangsaw/shm/format/wav"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// File is an open data file. It is valid until Close.
type File struct {
	pool    *Pool // nil if no pool has it
	mapping *shm.Mapping
	number  uint32
	format  string
	arrays  []*Array

	decoding *decoding // nil: its arrays lie in it as numbers
	lying    *File     // of arrays that do, beside others that are decoded
	refused  []format.Column

	nullable bool  // the format knows nulls
	nulls    int64 // of an array in pieces

	// Of an array that lies in pieces: these, and the files they lie in. It has a File of
	// its own, in which nothing lies.
	pieces  []piece
	holders []*shm.Mapping
}

// Array is one array of an open file.
type Array struct {
	format.Array
	file   *File
	scaled *scaled // nil: the numbers are those that are stored
}

// FileOption is an option of [Pool.File] and [OpenFile].
type FileOption func(*fileOptions)

type fileOptions struct {
	raw    *raw.Layout
	stored bool
	table  format.TableOptions
}

// Raw reads the file as bare numbers of that layout. A file of a known format
// is refused.
func Raw(l raw.Layout) FileOption { return func(o *fileOptions) { o.raw = &l } }

// OpenFile opens a file to look at what is in it, without a pool.
func OpenFile(path string, opts ...FileOption) (*File, error) {
	var o fileOptions
	for _, opt := range opts {
		opt(&o)
	}
	mapping, err := shm.OpenMapping(path)
	if err != nil {
		return nil, err
	}
	f := &File{mapping: mapping}
	if err := f.describe(o); err != nil {
		mapping.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// describe finds out what is in the file.
func (f *File) describe(o fileOptions) error {
	size := int64(len(f.mapping.Bytes()))
	var arrays []format.Array
	var err error
	// Read through the file, not the mapping, which may be truncated.
	table := format.DetectTable(f.mapping.File(), size, f.mapping.Path())
	if table != nil && (o.raw == nil || table.Magic != "") {
		if o.raw != nil {
			return notRaw(table.Name)
		}
		return f.describeTable(table, o.table)
	}
	f.format, arrays, err = format.Detect(f.mapping.File(), size)
	if o.raw != nil && !errors.Is(err, format.ErrUnknown) {
		return notRaw(f.format)
	}
	if o.raw != nil {
		f.format = "raw"
		arrays, err = raw.Parse(*o.raw, size)
	}
	for _, a := range arrays {
		if o.stored {
			a.Scale = nil
		}
		f.arrays = append(f.arrays, &Array{a, f, newScaled(a)})
	}
	return err
}

func notRaw(name string) error {
	return fmt.Errorf("it is not raw but a file of format %s: leave out dtype, shape, offset and order", name)
}

// describeTable finds out what is in a file whose arrays are decoded.
func (f *File) describeTable(t *format.TableFormat, o format.TableOptions) (err error) {
	f.format = t.Name
	d, err := newDecoding(t, f.mapping, o)
	if err != nil {
		return err
	}
	f.refused = d.refused
	lying := f
	if len(d.columns) > 0 {
		f.decoding, lying = d, &File{mapping: f.mapping, format: t.Name}
	}
	for _, c := range d.usable {
		if c.Pieces == nil {
			f.arrays = append(f.arrays, &Array{Array: c.Array, file: f})
			continue
		}
		lying.nullable = true
		f.arrays = append(f.arrays, lying.lie(c))
	}
	if f.decoding == nil {
		return d.table.Close()
	}
	if lying.nullable {
		f.lying = lying
	}
	return nil
}

// lie returns the array of a column that lies in the file as numbers.
func (f *File) lie(c format.Column) *Array {
	var pieces []piece
	for _, p := range c.Pieces {
		a := c.Array
		a.Offset, a.Shape = p.Offset, []int64{p.Len}
		one := piece{&Array{Array: a, file: f}, nil}
		if p.Valid != 0 {
			one.valid = &wire.Bitmap{Offset: uint64(p.Valid), First: uint64(p.Offset), Bits: uint64(p.Len)}
		}
		pieces = append(pieces, one)
	}
	if len(pieces) == 1 && pieces[0].valid == nil {
		return pieces[0].Array
	}
	joined := c.Array
	joined.Offset, joined.Swapped = 0, false
	x := newPieces(joined, pieces)
	x.file.nullable, x.file.nulls = true, c.Nulls
	return x
}

// File opens a file for the pool's workers. If a run in place was interrupted there,
// or is at work, a [RunInterrupted] event says so.
func (p *Pool) File(path string, opts ...FileOption) (*File, error) {
	f, err := OpenFile(path, append(opts[:len(opts):len(opts)], func(o *fileOptions) { o.table.Memory = p.options.decode })...)
	if err != nil {
		return nil, err
	}
	lying := f
	if f.decoding != nil {
		lying = f.lying
	}
	if lying != nil {
		if err := lying.attach(p); err != nil {
			return nil, errors.Join(err, f.closeFile())
		}
	}
	f.pool = p
	for _, x := range f.arrays {
		x.file.pool = p
	}
	if f.decoding != nil {
		if err := f.attachDecoded(); err != nil {
			if lying != nil {
				p.engine.Detach(lying.number)
			}
			return nil, err
		}
	}
	if note := f.note(); note != "" {
		p.engine.Tell(Event{Kind: FileDecoded, Cause: note})
	}
	return f, nil
}

// attach makes the file known to a pool's workers.
func (f *File) attach(p *Pool) (err error) {
	f.pool = p
	if f.number, err = p.engine.Attach(f.mapping); err != nil {
		return err
	}
	if name, found, err := journal.Find(f.mapping, ""); err == nil && found {
		p.engine.Tell(Event{Kind: RunInterrupted, Cause: (&InterruptedError{f.Path(), name}).Error()})
	}
	return nil
}

// openInput opens a file as bare bytes: what lies in it is known.
func (p *Pool) openInput(path string) (*File, error) {
	mapping, err := shm.OpenMapping(path)
	if err != nil {
		return nil, err
	}
	f := &File{pool: p, mapping: mapping}
	if f.number, err = p.engine.Attach(mapping); err != nil {
		return nil, errors.Join(err, mapping.Close())
	}
	return f, nil
}

// attachDecoded makes the memory that arrays are decoded into known to the workers.
func (f *File) attachDecoded() (err error) {
	d := f.decoding
	if err = d.place(); err != nil {
		return errors.Join(err, d.close())
	}
	f.mapping = d.memory.Mapping()
	if f.number, err = f.pool.engine.Attach(f.mapping); err != nil {
		return errors.Join(err, d.close())
	}
	f.pool.decoded.Store(f.number, f)
	return nil
}

// Path returns the path under which the file was opened.
func (f *File) Path() string { return f.mapping.Path() }

// Format names the file's format, such as "npy".
func (f *File) Format() string { return f.format }

// Arrays returns the file's arrays in the order they are stored.
func (f *File) Arrays() []*Array { return f.arrays }

// Close closes the file, which no call may be using.
func (f *File) Close() error {
	for _, known := range []*File{f, f.lying} {
		if known == nil || known.pool == nil {
			continue
		}
		if err := f.pool.engine.Detach(known.number); err != nil && !errors.Is(err, ErrClosed) {
			return err
		}
	}
	if f.decoding != nil && f.pool != nil {
		f.pool.decoded.Delete(f.number)
	}
	return f.closeFile()
}

// closeFile closes what is open of the file, of which no worker knows.
func (f *File) closeFile() error {
	if f.decoding != nil {
		return f.decoding.close()
	}
	return f.mapping.Close()
}
