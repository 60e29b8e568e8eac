package proc

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is one end of a control socket: datagrams, in order, that can carry an
// open file each.
type Conn struct{ file *os.File }

// sendTimeout bounds the wait for a peer that does not read: its socket buffer
// holds hundreds of messages.
const sendTimeout = 5 * time.Second

// pair returns the supervisor's end and the file to hand to the worker.
func pair() (*Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	worker := os.NewFile(uintptr(fds[1]), "worker socket")
	c, err := NewConn(fds[0])
	if err != nil {
		worker.Close()
		return nil, nil, err
	}
	return c, worker, nil
}

// NewConn returns the connection over the socket fd, which it then owns.
func NewConn(fd int) (*Conn, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return &Conn{os.NewFile(uintptr(fd), "control socket")}, nil
}

// Send sends one message and, if file is not nil, that open file with it.
func (c *Conn) Send(message []byte, file *os.File) error {
	var rights []byte
	if file != nil {
		rights = unix.UnixRights(int(file.Fd()))
	}
	raw, err := c.file.SyscallConn()
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	c.file.SetWriteDeadline(time.Now().Add(sendTimeout))
	var sent error
	err = raw.Write(func(fd uintptr) bool {
		sent = unix.Sendmsg(int(fd), message, rights, nil, unix.MSG_NOSIGNAL)
		return sent != unix.EAGAIN && sent != unix.EINTR
	})
	if err == nil {
		err = sent
	}
	if err != nil {
		return fmt.Errorf("control socket: sending: %w", err)
	}
	return nil
}

// Receive reads one message into buf and returns its length and the file that
// came with it, nil if none did. The file gets the given name. At the end of
// the stream the error is io.EOF.
func (c *Conn) Receive(buf []byte, name string) (int, *os.File, error) {
	raw, err := c.file.SyscallConn()
	if err != nil {
		return 0, nil, fmt.Errorf("control socket: %w", err)
	}
	oob := make([]byte, unix.CmsgSpace(4))
	var n, oobn int
	var got error
	err = raw.Read(func(fd uintptr) bool {
		n, oobn, _, _, got = unix.Recvmsg(int(fd), buf, oob, unix.MSG_CMSG_CLOEXEC)
		return got != unix.EAGAIN && got != unix.EINTR
	})
	if err == nil {
		err = got
	}
	if err == unix.ECONNRESET || err == nil && n == 0 {
		return 0, nil, io.EOF
	}
	if err != nil {
		return 0, nil, fmt.Errorf("control socket: receiving: %w", err)
	}
	file, err := received(oob[:oobn], name)
	return n, file, err
}

// received returns the file in a control message, if there is one.
func received(oob []byte, name string) (*os.File, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("control socket: malformed control message")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		for _, fd := range fds {
			unix.Close(fd)
		}
		return nil, fmt.Errorf("control socket: malformed control message")
	}
	return os.NewFile(uintptr(fds[0]), name), nil
}

// Close closes the connection; a Receive that waits returns an error.
func (c *Conn) Close() error { return c.file.Close() }
