package shm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Output is a file in the making: it has its name only once it is complete.
type Output struct {
	path, target string // as it was named, and behind symbolic links
	overwrite    bool
	mode         fs.FileMode
	file         *os.File
}

// ErrExists is returned for an output whose name is taken.
var ErrExists = errors.New("exists: give --overwrite to replace it")

// CreateOutput begins the file that is to be at path. Only with overwrite it
// replaces another, and only a regular file. Commit or Discard it.
func CreateOutput(path string, overwrite bool) (*Output, error) {
	target, mode, err := destination(path, overwrite)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(filepath.Dir(target), ".gangsaw-*")
	if err != nil {
		return nil, atPath(path, err)
	}
	return &Output{path, target, overwrite, mode, file}, nil
}

// Mapping returns the file, which is not empty, as a mapping to hand to others who
// write to it.
func (o *Output) Mapping() (*Mapping, error) {
	file, err := os.OpenFile(o.file.Name(), os.O_RDWR, 0)
	if err != nil {
		return nil, atPath(o.path, err)
	}
	return AttachWritable(file)
}

// Reserve makes the file size bytes long, on the disk where the file system can do
// that, so that a full disk shows before the work is done.
func (o *Output) Reserve(size int64) error {
	if size == 0 {
		return nil
	}
	if err := allocate(o.file, size); err != nil {
		return atPath(o.path, fmt.Errorf("reserving %d bytes: %w", size, err))
	}
	return nil
}

// Extend makes the file size bytes long, zeros that take no room.
func (o *Output) Extend(size int64) error {
	if err := o.file.Truncate(size); err != nil {
		return atPath(o.path, err)
	}
	return nil
}

// WriteAt writes to the file.
func (o *Output) WriteAt(b []byte, at int64) (int, error) {
	n, err := o.file.WriteAt(b, at)
	if err != nil {
		err = atPath(o.path, err)
	}
	return n, err
}

// ReadAt reads what was written to the file.
func (o *Output) ReadAt(b []byte, at int64) (int, error) { return o.file.ReadAt(b, at) }

// Commit gives the file, which is complete, its name.
func (o *Output) Commit() error {
	err := o.file.Chmod(o.mode)
	if cerr := o.file.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = o.place()
	}
	if err != nil {
		os.Remove(o.file.Name())
		return atPath(o.path, err)
	}
	return nil
}

// Discard removes the file. After Commit it does nothing.
func (o *Output) Discard() {
	if o.file.Close() == nil {
		os.Remove(o.file.Name())
	}
}

func (o *Output) place() error {
	if o.overwrite {
		return os.Rename(o.file.Name(), o.target)
	}
	err := moveNew(o.file.Name(), o.target)
	if errors.Is(err, fs.ErrExist) {
		return ErrExists
	}
	return err
}

// destination returns the file that path stands for, behind symbolic links, and
// the mode it has or will have.
func destination(path string, overwrite bool) (string, fs.FileMode, error) {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(path); err == nil {
			return "", 0, fmt.Errorf("%s: is a symbolic link to nothing: name the file itself", path)
		}
		mask := unix.Umask(0)
		unix.Umask(mask)
		return path, 0o666 &^ fs.FileMode(mask), nil
	}
	if err != nil {
		return "", 0, atPath(path, err)
	}
	info, err := os.Lstat(target)
	switch {
	case err != nil:
		return "", 0, atPath(path, err)
	case info.IsDir():
		return "", 0, fmt.Errorf("%s: is a directory: name a file", path)
	case !info.Mode().IsRegular():
		return "", 0, fmt.Errorf("%s: is not a regular file (%s) and is never replaced: name a file", path, info.Mode().Type())
	case !overwrite:
		return "", 0, fmt.Errorf("%s: %w", path, ErrExists)
	}
	return target, info.Mode().Perm(), nil
}

// atPath says what went wrong with the file the user named rather than with
// the temporary one.
func atPath(path string, err error) error {
	var pathErr *fs.PathError
	var linkErr *os.LinkError
	switch {
	case errors.As(err, &pathErr):
		err = pathErr.Err
	case errors.As(err, &linkErr):
		err = linkErr.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = fmt.Errorf("%w: check that its directory exists", err)
	case errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w: its directory must be writable", err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
