//go:build !linux

package shm

import "os"

// CheckLocal knows nothing of file systems here.
func CheckLocal(*os.File) error { return nil }

// Reserve does nothing here: a disk that is full is a fault of its chunk.
func (m *Mapping) Reserve(offset, length int64) error { return nil }

// Populate does nothing here.
func Populate(mem []byte, offset, length uint64) error { return nil }

// AttachWritable maps a file for reading and writing, which the mapping then owns.
func AttachWritable(file *os.File) (*Mapping, error) { return attachTarget(file) }
