package supervisor

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
	"github.com/gangsaw/gangsaw/supervisor/internal/worker"
)

// inWorker is set once Main has found this process to be a worker.
var inWorker atomic.Bool

// Main turns a process that was started as a worker into one and does not
// return there; the process ends with its supervisor. In every other process
// it returns at once, and so it does on systems other than Linux, which have
// no worker processes. Call it first in main, and in TestMain.
func Main() {
	kernels.Seal()
	value, ok := os.LookupEnv(wire.EnvWorker)
	if !ok {
		return
	}
	inWorker.Store(true)
	// What this process starts, in a kernel of the user's say, is no worker.
	os.Unsetenv(wire.EnvWorker)
	id, err := wire.ParseIdentity(value)
	if err == nil {
		// A kernel that calls runtime.Goexit ends this goroutine, and must not
		// leave a process that does nothing.
		defer func() {
			if p := recover(); p != nil {
				fmt.Fprintf(os.Stderr, "gangsaw worker: panic: %v\n\n%s", p, debug.Stack())
			}
			os.Exit(1)
		}()
		if err = worker.Main(id); err == nil {
			os.Exit(0)
		}
	}
	// The supervisor knows of a claim that it took away.
	if !errors.Is(err, worker.ErrRevoked) {
		fmt.Fprintf(os.Stderr, "gangsaw worker: %v\n", err)
	}
	os.Exit(1)
}

// mayStart returns why this process may not start a pool, nil if it may.
func mayStart() error {
	if inWorker.Load() {
		return ErrInWorker
	}
	if _, ok := os.LookupEnv(wire.EnvWorker); ok {
		return ErrNoMain
	}
	return nil
}
