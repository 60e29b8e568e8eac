//go:build !linux

package journal

import (
	"errors"
	"math"
	"os"
)

// Here files are copied whole, and room shows when it lacks.
func clone(dst, src *os.File) error { return errors.ErrUnsupported }

func eachExtent(src *os.File, size int64, f func(at, end int64) error) error { return f(0, size) }

func allocate(f *os.File, at, length int64) error { return nil }

func zero(f *os.File, at, length int64) error { return writeZeros(f, at, length) }

func copyRange(dst, src *os.File, at, length int64) (int64, error) {
	return readAndWrite(dst, src, at, min(length, 1<<20))
}

func freeBytes(*os.File) (uint64, error) { return math.MaxUint64, nil }
