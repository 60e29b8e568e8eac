//go:build !linux

package supervisor

// LiveRuns returns nothing: there are no worker processes on this system.
func LiveRuns() ([]LiveRun, error) { return nil, nil }
