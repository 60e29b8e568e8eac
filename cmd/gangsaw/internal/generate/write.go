package generate

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/shm/format/npy"
)

// Spec says what file to make.
type Spec struct {
	Type      kernels.Type
	Shape     []int64
	Dist      Dist
	Seed      uint64
	NaN       float64 // share of elements that are NaN instead
	NPY       bool    // with a .npy header, else bare numbers
	Overwrite bool
}

// largest is well above what any file system holds and below any overflow.
const largest = 1 << 62

// Write makes the file at path and returns its size. It appears there complete
// or not at all.
func Write(ctx context.Context, path string, s Spec) (int64, error) {
	a := format.Array{Type: s.Type, Shape: s.Shape}
	if err := a.Check("gen", largest); err != nil {
		return 0, fmt.Errorf("%s: %s of shape %s is larger than any file", path, a.Type, a.ShapeString())
	}
	var header []byte
	if s.NPY {
		var err error
		if header, err = npy.Header(a); err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
	}
	target, mode, err := destination(path, s.Overwrite)
	if err != nil {
		return 0, err
	}
	file, err := os.CreateTemp(filepath.Dir(target), ".gangsaw-*")
	if err != nil {
		return 0, atPath(path, err)
	}
	temp := file.Name()
	defer os.Remove(temp)
	size := int64(len(header)) + a.Size()
	err = s.fill(ctx, file, header, size)
	if err == nil {
		err = file.Chmod(mode)
	}
	if cerr := file.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = place(temp, target, s.Overwrite)
	}
	if err != nil {
		return 0, atPath(path, err)
	}
	return size, nil
}

var errExists = errors.New("exists: give --overwrite to replace it")

// destination returns the file that path stands for, behind symbolic links,
// and the mode it has or will have. Only regular files are ever replaced.
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
		return "", 0, fmt.Errorf("%s: %w", path, errExists)
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

// place renames the finished file, over another one only if overwrite is set.
func place(temp, path string, overwrite bool) error {
	if overwrite {
		return os.Rename(temp, path)
	}
	err := moveNew(temp, path)
	if errors.Is(err, fs.ErrExist) {
		return errExists
	}
	return err
}

// fill writes header and numbers, blocks in parallel.
func (s *Spec) fill(ctx context.Context, file *os.File, header []byte, size int64) error {
	if s.Dist == Zeros && s.NaN == 0 {
		if err := file.Truncate(size); err != nil {
			return err
		}
	} else if size > 0 {
		// First, so that a full disk shows before the work is done.
		if err := reserve(file, size); err != nil {
			return fmt.Errorf("reserving %d bytes: %w", size, err)
		}
	}
	if _, err := file.WriteAt(header, 0); err != nil {
		return err
	}
	if s.Dist == Zeros && s.NaN == 0 {
		return nil
	}
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for i := range errs {
		group.Go(func() { errs[i] = s.fillBlocks(ctx, file, int64(len(header)), size, &next) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// fillBlocks writes the blocks that next hands out.
func (s *Spec) fillBlocks(ctx context.Context, file *os.File, start, size int64, next *atomic.Int64) error {
	item := int64(s.Type.Size())
	buf := make([]byte, kernels.BlockLen*item)
	for {
		block := next.Add(1) - 1
		at := start + block*int64(len(buf))
		if at >= size {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		part := buf[:min(int64(len(buf)), size-at)]
		s.block(uint64(block), part)
		if _, err := file.WriteAt(part, at); err != nil {
			return err
		}
	}
}

// block fills buf with the elements of a block.
func (s *Spec) block(block uint64, buf []byte) {
	r := rand.New(rand.NewPCG(s.Seed, block))
	item := s.Type.Size()
	for k := range len(buf) / item {
		i := block*kernels.BlockLen + uint64(k)
		var bits uint64
		if s.Type.IsFloat() {
			f := s.Dist.float(i, r)
			if s.NaN > 0 && r.Float64() < s.NaN {
				f = math.NaN()
			}
			bits = s.Type.FloatBits(f)
		} else {
			bits = s.Dist.integer(i, r)
		}
		if s.Type == kernels.Bool {
			bits &= 1
		}
		switch at := buf[k*item:]; item {
		case 1:
			at[0] = byte(bits)
		case 2:
			binary.LittleEndian.PutUint16(at, uint16(bits))
		case 4:
			binary.LittleEndian.PutUint32(at, uint32(bits))
		default:
			binary.LittleEndian.PutUint64(at, bits)
		}
	}
}
