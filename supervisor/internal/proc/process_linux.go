package proc

import (
	"bytes"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Process is a worker process, or one that is being started.
type Process struct {
	Conn    *Conn // the supervisor's end of the control socket
	starter *Starter
	started chan struct{} // closed when pid, pidfd and err are set
	killed  atomic.Bool
	pid     int
	pidfd   *os.File
	err     error
}

// PID returns the process number, for messages; 0 while there is none.
func (p *Process) PID() int {
	select {
	case <-p.started:
		return p.pid
	default:
		return 0
	}
}

// Wait returns once the process has ended and is reaped: nothing of it runs
// any more, so none of its stores can follow. It is called once.
func (p *Process) Wait() (Exit, error) {
	<-p.started
	if p.err != nil {
		return Exit{Err: p.err}, nil
	}
	raw, err := p.pidfd.SyscallConn()
	if err != nil {
		return Exit{}, fmt.Errorf("pidfd: %w", err)
	}
	err = raw.Read(func(fd uintptr) bool {
		// A pidfd is readable once its process has ended.
		n, _ := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0
	})
	if err != nil {
		return Exit{}, fmt.Errorf("pidfd: %w", err)
	}
	status, err := p.starter.collect(p.pid)
	if err != nil {
		return Exit{}, fmt.Errorf("waiting for process %d: %w", p.pid, err)
	}
	if status.Signaled() {
		memory := status.Signal() == syscall.SIGKILL && !p.killed.Load() && p.starter.blameMemory()
		return Exit{Signal: status.Signal(), OutOfMemory: memory}, nil
	}
	return Exit{Code: status.ExitStatus()}, nil
}

// reap is wait4 that is not interrupted by signals.
func reap(pid int, status *syscall.WaitStatus) (int, error) {
	for {
		n, err := syscall.Wait4(pid, status, 0, nil)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// Stopped reports whether the process is stopped by a signal. One that a
// debugger has stopped is not: somebody looks after it.
func (p *Process) Stopped() bool {
	pid := p.PID()
	if pid == 0 {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	// The state follows the name, which may hold anything.
	i := bytes.LastIndexByte(stat, ')')
	return i >= 0 && i+2 < len(stat) && stat[i+2] == 'T'
}

// Memory returns the bytes of memory that are the process's own, of files and
// segments that it maps none.
func (p *Process) Memory() uint64 {
	pid := p.PID()
	if pid == 0 {
		return 0
	}
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, resident, shared uint64
	if _, err := fmt.Sscan(string(statm), &size, &resident, &shared); err != nil || shared > resident {
		return 0
	}
	return (resident - shared) * uint64(os.Getpagesize())
}

// Kill sends SIGKILL, also to a process that is still being started. One that
// has ended is left alone.
func (p *Process) Kill() {
	p.killed.Store(true)
	select {
	case <-p.started:
		p.signal()
	default:
		go p.starter.abort(p)
	}
}

// signal sends SIGKILL through the pidfd.
func (p *Process) signal() {
	if p.err != nil {
		return
	}
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
	if p.pidfd != nil {
		p.pidfd.Close()
	}
}
