// Package shm holds the memory that processes share: segments, which the
// supervisor makes (on Linux only), and mappings of data files, read-only or, of
// targets that are changed in place, for writing, under a lock.
//
// Nothing read from shared memory is trusted by this package or because of
// it: lengths come from the kernel (fstat), never from the memory itself, and
// every offset goes through [Slice], which checks for overflow. A segment is
// sealed against shrinking, so that it cannot raise SIGBUS. A data file is
// not: whoever may write the file can truncate it, and touching what is gone
// raises SIGBUS. Code that reads a mapping therefore runs in a process, or
// under debug.SetPanicOnFault, that can bear it.
//
// Views ([]byte, and typed ones by [View]) live until Close of the segment or
// mapping they were taken from. The owner closes when no view is in use;
// nothing here counts references.
package shm
