//go:build !linux

package proc

import "runtime"

// CPUs returns how many CPUs this process may use.
func CPUs() int { return runtime.GOMAXPROCS(0) }
