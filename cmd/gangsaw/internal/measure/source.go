package measure

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/edsrzf/mmap-go"
)

// source is a file of float64 in page cache, its warm mapping, and memory with the
// same numbers and memory to copy to.
type source struct {
	file        *os.File
	mapped      mmap.MMap
	memory, dst []byte
}

func newSource(dir string, size int) (*source, error) {
	file, err := os.CreateTemp(dir, ".gangsaw-bench-*")
	if err != nil {
		return nil, fmt.Errorf("the file that is read: %w: name another directory by --dir", err)
	}
	s := &source{file: file, memory: make([]byte, size), dst: make([]byte, size)}
	for i := 0; i+8 <= size; i += 8 {
		binary.LittleEndian.PutUint64(s.memory[i:], math.Float64bits(1+float64(i%4096)/4096))
	}
	copy(s.dst, s.memory) // has its pages
	if _, err := file.Write(s.memory); err != nil {
		return nil, errors.Join(fmt.Errorf("the file that is read: %w: free some room, or give a smaller --size", err), s.close())
	}
	if s.mapped, err = s.mapFile(); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *source) mapFile() (mmap.MMap, error) {
	m, err := mmap.Map(s.file, mmap.RDONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: mapping: %w", s.file.Name(), err)
	}
	return m, nil
}

// close leaves nothing behind.
func (s *source) close() error {
	var err error
	if s.mapped != nil {
		err = s.mapped.Unmap()
	}
	return errors.Join(err, s.file.Close(), os.Remove(s.file.Name()))
}
