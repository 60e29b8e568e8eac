package proc

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Exit tells how a process ended.
type Exit struct {
	Signal syscall.Signal // that killed it, 0 if none did
	Code   int            // exit status, when no signal killed it
}

func (e Exit) String() string {
	if e.Signal != 0 {
		return fmt.Sprintf("killed by %s (%s)", unix.SignalName(e.Signal), e.Signal)
	}
	return fmt.Sprintf("exited with status %d", e.Code)
}

// Starter starts processes, all from one thread that lives until Close: their
// parent-death signal is bound to it.
type Starter struct {
	requests chan func()
}

// NewStarter returns a Starter.
func NewStarter() *Starter {
	s := &Starter{requests: make(chan func())}
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		for f := range s.requests {
			f()
		}
	}()
	return s
}

// Close ends the starter's thread, which kills what processes are left.
func (s *Starter) Close() { close(s.requests) }

// Process is a worker process.
type Process struct {
	Conn  *Conn // the supervisor's end of the control socket
	pid   int
	pidfd *os.File
}

// Spec says what a worker process gets: its environment beside the
// supervisor's, and its files from descriptor 4 on (3 is the control socket).
// Its standard input is empty, its standard output is the supervisor's
// standard error, so that the supervisor's output stays data alone.
type Spec struct {
	Env   []string
	Files []*os.File
}

// Start executes this program again as a worker.
func (s *Starter) Start(spec Spec) (*Process, error) {
	conn, socket, err := pair()
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		conn.Close()
		return nil, err
	}
	defer null.Close()
	files := []uintptr{null.Fd(), 2, 2, socket.Fd()}
	for _, f := range spec.Files {
		files = append(files, f.Fd())
	}
	var pid, pidfd int
	done := make(chan struct{})
	s.requests <- func() {
		defer close(done)
		pid, err = syscall.ForkExec("/proc/self/exe", []string{os.Args[0]}, &syscall.ProcAttr{
			Env:   append(os.Environ(), spec.Env...),
			Files: files,
			Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, PidFD: &pidfd},
		})
	}
	<-done
	runtime.KeepAlive(spec.Files)
	if err != nil {
		conn.Close()
		return nil, startError(err)
	}
	if pidfd < 0 {
		// Only this process can reap it, so the pid is still its own.
		syscall.Kill(pid, syscall.SIGKILL)
		syscall.Wait4(pid, nil, 0, nil)
		conn.Close()
		return nil, errors.New("the kernel gave no pidfd: Linux 5.10 or newer is needed")
	}
	// Non-blocking, so that waiting needs no thread.
	unix.SetNonblock(pidfd, true)
	return &Process{Conn: conn, pid: pid, pidfd: os.NewFile(uintptr(pidfd), "pidfd")}, nil
}

// startError says what can be done about a process that did not start.
func startError(err error) error {
	remedy := ""
	switch {
	case errors.Is(err, unix.EAGAIN):
		remedy = ": too many processes: raise the limit (ulimit -u, or the cgroup's pids.max) or use fewer workers"
	case errors.Is(err, unix.ENOMEM):
		remedy = ": too little memory: use fewer workers"
	case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
		remedy = ": too many open files: raise the limit (ulimit -n) or use fewer workers"
	case errors.Is(err, unix.ENOENT):
		remedy = ": /proc must be mounted"
	}
	return fmt.Errorf("executing /proc/self/exe: %w%s", err, remedy)
}

// PID returns the process number, for messages.
func (p *Process) PID() int { return p.pid }

// Wait returns once the process has ended and is reaped: nothing of it runs
// any more, so none of its stores can follow. It is called once.
func (p *Process) Wait() (Exit, error) {
	raw, err := p.pidfd.SyscallConn()
	if err != nil {
		return Exit{}, fmt.Errorf("pidfd: %w", err)
	}
	var status syscall.WaitStatus
	var waited error
	err = raw.Read(func(uintptr) bool {
		var n int
		for {
			n, waited = syscall.Wait4(p.pid, &status, syscall.WNOHANG, nil)
			if waited != syscall.EINTR {
				break
			}
		}
		return n != 0
	})
	if err == nil {
		err = waited
	}
	if err != nil {
		return Exit{}, fmt.Errorf("waiting for process %d: %w", p.pid, err)
	}
	if status.Signaled() {
		return Exit{Signal: status.Signal()}, nil
	}
	return Exit{Code: status.ExitStatus()}, nil
}

// Kill sends SIGKILL; a process that has ended is left alone.
func (p *Process) Kill() {
	raw, err := p.pidfd.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		unix.PidfdSendSignal(int(fd), unix.SIGKILL, nil, 0)
	})
}

// Close frees what the supervisor holds of a process that was waited for.
func (p *Process) Close() {
	p.Conn.Close()
	p.pidfd.Close()
}
