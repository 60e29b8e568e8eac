package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/gangsaw/gangsaw/kernels"
)

// Version is the version of everything in this package.
const Version = 7

// A worker process is told what it is by the environment variable
// EnvWorker; its value is
// "version:incarnation:seat:slots:spin:chunks:init:isa". Its files are fixed.
const (
	EnvWorker = "GANGSAW_WORKER"
	SocketFD  = 3 // the control socket
	ControlFD = 4 // the control segment
	ResultsFD = 5 // the worker's results segment
)

// Identity is what a worker process is told by its environment.
type Identity struct {
	Incarnation uint32
	Seat        uint32 // which of the living workers it is
	Slots       int
	Spin        bool         // before it sleeps: there are CPUs to spare
	Chunks      uint64       // it does, then exits with status 0; 0: no end
	Init        bool         // program 0 is to be run before anything else
	Tier        kernels.Tier // that its kernels run on
}

// String returns the value of EnvWorker.
func (id Identity) String() string {
	return fmt.Sprintf("%d:%d:%d:%d:%t:%d:%t:%v", Version, id.Incarnation, id.Seat, id.Slots, id.Spin, id.Chunks, id.Init, id.Tier)
}

// ParseIdentity reads the value of EnvWorker.
func ParseIdentity(s string) (Identity, error) {
	var version int
	var id Identity
	var tier string
	n, err := fmt.Sscanf(s, "%d:%d:%d:%d:%t:%d:%t:%s", &version, &id.Incarnation, &id.Seat, &id.Slots, &id.Spin, &id.Chunks, &id.Init, &tier)
	if err == nil {
		id.Tier, err = kernels.ParseTier(tier)
	}
	if n != 8 || err != nil || id.String() != s {
		return Identity{}, fmt.Errorf("%s=%q is not what a supervisor sets: unset it", EnvWorker, s)
	}
	return id, nil
}

// Kind is the kind of a message.
type Kind uint8

// The kinds of messages. The zero Kind is none of them.
const (
	Hello Kind = 1 + iota
	Attach
	Detach
	Begin
	Retire
	Profile
)

// MessageSize is the length of every message in bytes.
const MessageSize = 8

// Message is a message over the control socket.
type Message struct {
	Kind    Kind
	Mapping uint32 // of Attach and Detach
	// Writable, of Attach: the mapping may be written to.
	Writable bool
	Millis   uint32 // of Profile
}

// Encode returns the message's bytes.
func (m Message) Encode() []byte {
	b := make([]byte, MessageSize)
	b[0], b[1] = byte(m.Kind), Version
	if m.Writable {
		b[2] = 1
	}
	binary.LittleEndian.PutUint32(b[4:], m.Mapping)
	if m.Kind == Profile {
		binary.LittleEndian.PutUint32(b[4:], m.Millis)
	}
	return b
}

// DecodeMessage reads a message.
func DecodeMessage(b []byte) (Message, error) {
	if len(b) != MessageSize || b[1] != Version || Kind(b[0]) < Hello || Kind(b[0]) > Profile || b[2] > 1 {
		return Message{}, fmt.Errorf("malformed message % x", b)
	}
	m := Message{Kind: Kind(b[0]), Writable: b[2] == 1}
	if word := binary.LittleEndian.Uint32(b[4:]); m.Kind == Profile {
		m.Millis = word
	} else {
		m.Mapping = word
	}
	return m, nil
}
