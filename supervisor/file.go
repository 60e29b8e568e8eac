package supervisor

import (
	"errors"
	"fmt"

	"github.com/gangsaw/gangsaw/shm"
	"github.com/gangsaw/gangsaw/shm/format"
	_ "github.com/gangsaw/gangsaw/shm/format/npy" // known to format.Detect
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor/internal/journal"
)

// File is an open data file. It is valid until Close.
type File struct {
	pool    *Pool // nil if no pool has it
	mapping *shm.Mapping
	number  uint32
	format  string
	arrays  []*Array
}

// Array is one array of an open file.
type Array struct {
	format.Array
	file *File
}

// FileOption is an option of [Pool.File] and [OpenFile].
type FileOption func(*fileOptions)

type fileOptions struct{ raw *raw.Layout }

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
	f.format, arrays, err = format.Detect(f.mapping.File(), size)
	if o.raw != nil && !errors.Is(err, format.ErrUnknown) {
		return fmt.Errorf("it is not raw but a file of format %s: leave out dtype, shape, offset and order", f.format)
	}
	if o.raw != nil {
		f.format = "raw"
		arrays, err = raw.Parse(*o.raw, size)
	}
	for _, a := range arrays {
		f.arrays = append(f.arrays, &Array{a, f})
	}
	return err
}

// File opens a file for the pool's workers. If a run in place was interrupted there,
// or is at work, a [RunInterrupted] event says so.
func (p *Pool) File(path string, opts ...FileOption) (*File, error) {
	f, err := OpenFile(path, opts...)
	if err != nil {
		return nil, err
	}
	f.pool = p
	if f.number, err = p.engine.Attach(f.mapping); err != nil {
		f.mapping.Close()
		return nil, err
	}
	if name, found, err := journal.Find(f.mapping, ""); err == nil && found {
		p.engine.Tell(Event{Kind: RunInterrupted, Cause: (&InterruptedError{path, name}).Error()})
	}
	return f, nil
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

// Path returns the path under which the file was opened.
func (f *File) Path() string { return f.mapping.Path() }

// Format names the file's format, such as "npy".
func (f *File) Format() string { return f.format }

// Arrays returns the file's arrays in the order they are stored.
func (f *File) Arrays() []*Array { return f.arrays }

// Close closes the file, which no call may be using.
func (f *File) Close() error {
	if f.pool != nil {
		if err := f.pool.engine.Detach(f.number); err != nil && !errors.Is(err, ErrClosed) {
			return err
		}
	}
	return f.mapping.Close()
}
