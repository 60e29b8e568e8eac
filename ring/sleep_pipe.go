package ring

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// pipe sleeps where there is no futex: a wake is a byte. It reaches only this
// process, and a byte that nobody was there to read ends a later sleep early.
type pipe struct{ r, w *os.File }

func newPipe() (*pipe, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &pipe{r, w}, nil
}

func (p *pipe) sleep(rings *atomic.Uint32, seen uint32, timeout time.Duration) {
	if rings.Load() != seen {
		return
	}
	// Each read takes one byte, so one wake ends one sleep. The deadline is the
	// latest sleeper's, which makes others sleep longer, or not at all.
	p.r.SetReadDeadline(time.Now().Add(timeout))
	p.r.Read(make([]byte, 1))
}

func (p *pipe) wake(_ *atomic.Uint32, n int) int {
	n = min(n, 1024)
	conn, err := p.w.SyscallConn()
	if err != nil {
		return 0
	}
	// Neither waits nor gives up, however late it runs. A pipe that is full
	// holds wakes for more than can sleep.
	conn.Write(func(fd uintptr) bool {
		syscall.Write(int(fd), make([]byte, n))
		return true
	})
	return n
}
