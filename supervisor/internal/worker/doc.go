// Package worker is the worker's side of the pool: attach, claim, check, run,
// commit. The same loop serves a worker process (Main, on Linux only) and a
// goroutine in the supervisor's own process ([Worker.Run]).
//
// It trusts the control segment for nothing: a descriptor is a copy, its
// program is checked and its region is held against the size of the mapping
// as the kernel gave it. A descriptor that does not fit is reported as a
// failed task, not run. Data that is truncated away while a kernel reads it
// faults; the fault is caught and reported as well.
package worker
