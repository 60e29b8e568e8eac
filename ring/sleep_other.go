//go:build !linux

package ring

func newSleeper() (sleeper, error) { return newPipe() }
