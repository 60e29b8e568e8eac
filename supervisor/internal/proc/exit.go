package proc

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exit tells how a process ended.
type Exit struct {
	Signal syscall.Signal // that killed it, 0 if none did
	Code   int            // exit status, when no signal killed it
	Err    error          // why there never was a process
	// OutOfMemory is set when the kernel killed it to free memory.
	OutOfMemory bool
}

func (e Exit) String() string {
	switch {
	case e.Err != nil:
		return fmt.Sprintf("could not be started: %v", e.Err)
	case e.OutOfMemory:
		return "killed by the kernel because memory ran out (SIGKILL): raise the memory limit or use fewer workers"
	case e.Signal != 0:
		return fmt.Sprintf("killed by %s (%s)", unix.SignalName(e.Signal), e.Signal)
	}
	return fmt.Sprintf("exited with status %d", e.Code)
}
