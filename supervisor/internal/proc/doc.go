// Package proc starts, watches, kills and talks to worker processes.
//
// Go has no fork: its runtime has many threads, and a forked child keeps only
// one. A worker is therefore the same binary, executed again through
// /proc/self/exe (the running file itself, also when its path was replaced or
// deleted meanwhile), with nothing but the files it is given. It is in a
// process group of its own, so that Ctrl-C at a terminal reaches the
// supervisor alone.
//
// A process is named by its pidfd, never by its pid alone: waiting and killing
// cannot hit another process that got the same number.
//
// A child that somebody stops (SIGSTOP) in the millisecond between fork and
// exec holds up the thread that starts processes, and, since the Go runtime
// cannot interrupt a thread in vfork, the next garbage collection. Kill ends
// such a child as well; without it, only SIGCONT does.
//
// A worker does not outlive its supervisor: the kernel sends it SIGKILL when
// the thread that started it ends (which is why one goroutine, locked to its
// thread, starts them all), and its control socket reads end of file.
package proc
