package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Starter starts processes, all from one thread that lives until Close: their
// parent-death signal is bound to it.
type Starter struct {
	requests chan func()
	thread   int // of the goroutine that starts

	mu      sync.Mutex
	current *Process     // whose start is under way
	known   map[int]bool // processes that were started and not reaped yet
	oomFile string       // see oomCounter
	oomSeen uint64       // kills that are accounted for
}

// NewStarter returns a Starter.
func NewStarter() *Starter {
	s := &Starter{requests: make(chan func()), known: map[int]bool{}, oomFile: oomCounter()}
	s.oomSeen, _ = oomKills(s.oomFile)
	locked := make(chan int)
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		locked <- unix.Gettid()
		for f := range s.requests {
			f()
		}
	}()
	s.thread = <-locked
	return s
}

// Close ends the starter's thread, which kills what processes are left.
func (s *Starter) Close() { close(s.requests) }

// Spec says what a worker process gets: its environment beside the
// supervisor's, and its files from descriptor 4 on (3 is the control socket),
// which must stay open until Wait returns. Its standard input is empty, its
// standard output is the supervisor's standard error, so that the supervisor's
// output stays data alone.
type Spec struct {
	Env   []string
	Files []*os.File
	CPU   *int // that it is bound to; nil: those of the supervisor
}

// Start executes this program again as a worker. It returns before the process
// runs: whoever is stopped half-way into its exec must not stop the supervisor
// as well. What is sent meanwhile waits in the socket, and Wait tells if the
// start failed.
func (s *Starter) Start(spec Spec) (*Process, error) {
	conn, socket, err := pair()
	if err != nil {
		return nil, explain(err)
	}
	p := &Process{Conn: conn, starter: s, started: make(chan struct{})}
	go func() {
		s.requests <- func() {
			defer close(p.started)
			defer socket.Close()
			s.begin(p)
			if start := func() error { return s.execute(p, spec, socket) }; spec.CPU != nil {
				p.err = bound(*spec.CPU, start)
			} else {
				p.err = start()
			}
			s.begin(nil)
		}
	}()
	return p, nil
}

// execute starts the process of p, on the starter's thread.
func (s *Starter) execute(p *Process, spec Spec, socket *os.File) error {
	if p.killed.Load() {
		return errors.New("killed before it was started")
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return explain(err)
	}
	defer null.Close()
	files := []uintptr{null.Fd(), 2, 2, socket.Fd()}
	for _, f := range spec.Files {
		files = append(files, f.Fd())
	}
	var pidfd int
	pid, err := syscall.ForkExec("/proc/self/exe", []string{os.Args[0]}, &syscall.ProcAttr{
		Env:   append(os.Environ(), spec.Env...),
		Files: files,
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: &pidfd},
	})
	if err != nil {
		return fmt.Errorf("executing /proc/self/exe: %w", explain(err))
	}
	if pidfd < 0 {
		// Only this process can reap it, so the pid is still its own.
		syscall.Kill(pid, syscall.SIGKILL)
		reap(pid, nil)
		return errors.New("the kernel gave no pidfd: Linux 5.10 or newer is needed")
	}
	// Non-blocking, so that waiting needs no thread.
	unix.SetNonblock(pidfd, true)
	p.pid, p.pidfd = pid, os.NewFile(uintptr(pidfd), "pidfd")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[pid] = true
	return nil
}

// begin notes whose start is under way.
func (s *Starter) begin(p *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = p
}

// collect reaps a known process that has ended. Under the lock, so that abort
// never sees a number that may be another process's by now.
func (s *Starter) collect(pid int) (status syscall.WaitStatus, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err = reap(pid, &status)
	delete(s.known, pid)
	return status, err
}

// abort kills p, whose start is under way or yet to come. Fork and exec return
// no pid before both are done, so it looks for a child of the thread that is
// not known: that one is not reaped, so its number is its own.
func (s *Starter) abort(p *Process) {
	for {
		s.mu.Lock()
		if s.current == p {
			for _, pid := range s.children() {
				if !s.known[pid] {
					syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
		s.mu.Unlock()
		select {
		case <-p.started:
			p.signal()
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// children lists the processes that the starter's thread started, reaped ones
// left out.
func (s *Starter) children() []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", s.thread))
	if err != nil {
		return nil
	}
	var pids []int
	for _, word := range strings.Fields(string(text)) {
		if pid, err := strconv.Atoi(word); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// explain adds what can be done about a process that did not start.
func explain(err error) error {
	for _, e := range []struct {
		errno  syscall.Errno
		remedy string
	}{
		{unix.EAGAIN, "too many processes: raise the limit (ulimit -u, or the cgroup's pids.max) or use fewer workers"},
		{unix.ENOMEM, "too little memory: use fewer workers"},
		{unix.EMFILE, "raise the limit on open files (ulimit -n) or use fewer workers"},
		{unix.ENFILE, "raise the system's limit on open files (fs.file-max) or use fewer workers"},
	} {
		if errors.Is(err, e.errno) {
			return fmt.Errorf("%w: %s", err, e.remedy)
		}
	}
	return err
}
