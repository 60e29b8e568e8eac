//go:build !linux

package shm

import "os"

// allocate makes the file size bytes long. The disk's own are taken only when
// they are written: one that is too small shows late.
func allocate(file *os.File, size int64) error { return file.Truncate(size) }

// moveNew gives a file a new name, which must not exist: unlike a rename, a
// link never replaces. The old name is the caller's to remove.
func moveNew(from, to string) error { return os.Link(from, to) }
