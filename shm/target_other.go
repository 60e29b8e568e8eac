//go:build !linux

package shm

func mayChange(int) error { return nil }

// Reserve does nothing here: a disk that is full is a fault of its chunk.
func (m *Mapping) Reserve(offset, length int64) error { return nil }

// Populate does nothing here.
func Populate(mem []byte, offset, length uint64) error { return nil }
