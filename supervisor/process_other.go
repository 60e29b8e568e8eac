//go:build !linux

package supervisor

import (
	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm"
)

// Main returns at once: there are no worker processes on this system. Call it
// first in main, and in TestMain, for the systems that have them.
func Main() { kernels.Seal() }

// mayStart returns nil: no process is a worker.
func mayStart() error { return nil }

// newLauncher returns goroutines, asked for or not.
func newLauncher(slots int, spin bool, o options) (launcher, error) {
	return newGoroutines(slots, spin, o)
}

// newArenaMemory returns heapArena, asked for or not.
func newArenaMemory(size int, writable, _ bool) (*shm.Mapping, []byte, func() error, error) {
	return heapArena(size, writable)
}
