// Package worker is the worker's side of the pool: attach, claim, check, run,
// commit. The same loop serves a worker process (Main, on Linux only) and a
// goroutine in the supervisor's own process ([Worker.Run]).
//
// It trusts the control segment for nothing: a descriptor is a copy, its
// program is checked and its region is held against the size of the mapping
// as the kernel gave it. A descriptor that does not fit is reported as a
// failed task, not run. Data that is truncated away while a kernel reads it
// faults; the fault is caught and reported as well.
//
// Elements that do not lie as kernels take them, one after another in this machine's
// byte order, are copied into scratch block by block, by logical index: for expressions,
// and for reductions and surveys whose program has a view. So are blocks that lie in
// several pieces, and no others of an array in pieces that lie as kernels take them. So
// what comes out has the bits of an equal array that needs no copy. For elements that are
// null by a bitmap NaN is taken; in place they keep their bytes.
package worker
