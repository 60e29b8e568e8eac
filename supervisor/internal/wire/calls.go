package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"
)

// Layout of calls and answers.
const (
	callsHeader   = 16
	answersHeader = 64
	answerHeader  = 8
	// TextRoom is how many bytes of texts fit into answers.
	TextRoom = 4 * MaxText
)

// CallsSize returns the bytes of n calls with parameters of a size.
func CallsSize(n, params int) int { return callsHeader + n*params }

// AnswersSize returns the bytes of the answers to n calls with results of a size.
func AnswersSize(n, result int) int { return textsAt(n, result) + TextRoom }

// textsAt returns where the texts of answers begin.
func textsAt(n, result int) int { return answersHeader + n*answerSize(result) }

func answerSize(result int) int { return answerHeader + (result+7)/8*8 }

// Calls are the parameters of many calls of one function.
type Calls struct {
	b                 []byte
	n, params, result int // calls, and bytes
}

// PutCalls writes calls whose parameters, and results, have these sizes.
func PutCalls(b []byte, params [][]byte, size, result int) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], uint32(len(params)))
	le.PutUint32(b[4:], uint32(size))
	le.PutUint32(b[8:], uint32(result))
	for i, p := range params {
		copy(b[callsHeader+i*size:][:size], p)
	}
}

// GetCalls reads calls, which stay where they are.
func GetCalls(b []byte) (Calls, error) {
	if len(b) < callsHeader {
		return Calls{}, fmt.Errorf("calls of %d bytes", len(b))
	}
	le := binary.LittleEndian
	n, params, result := le.Uint32(b[0:]), le.Uint32(b[4:]), le.Uint32(b[8:])
	if max(params, result) > MaxPayload || uint64(n)*uint64(params) > uint64(len(b)-callsHeader) || n > math.MaxInt32/AnswerMost {
		return Calls{}, fmt.Errorf("%d calls with parameters of %d bytes and results of %d in %d bytes", n, params, result, len(b))
	}
	return Calls{b, int(n), int(params), int(result)}, nil
}

// AnswerMost is the most bytes of an answer, without a text.
const AnswerMost = answerHeader + MaxPayload

// Len returns the number of calls.
func (c Calls) Len() int { return c.n }

// Params returns the parameters of call i.
func (c Calls) Params(i int) []byte { return c.b[callsHeader+i*c.params:][:c.params] }

// Answers are what became of calls, in their order.
type Answers struct {
	done              *atomic.Uint32
	b                 []byte
	n, result, answer int // calls, and bytes
}

// AnswersTo returns the answers in memory that is aligned to 8 bytes.
func AnswersTo(c Calls, b []byte) (Answers, error) {
	if len(b) < AnswersSize(c.n, c.result) {
		return Answers{}, fmt.Errorf("answers to %d calls in %d bytes", c.n, len(b))
	}
	done, err := doneOf(b)
	return Answers{done, b, c.n, c.result, answerSize(c.result)}, err
}

// Clear takes all answers out.
func (a Answers) Clear() {
	clear(a.b[:answersHeader])
	a.done.Store(0) // before the calls are published, which is what publishes it
}

// Done returns how many calls are answered.
func (a Answers) Done() int {
	return min(a.n, int(a.done.Load())) // the answers before it are written
}

// Room reports whether any answer fits.
func (a Answers) Room() bool { return a.texts() <= TextRoom-MaxText }

// texts returns how many bytes of texts there are.
func (a Answers) texts() int { return int(min(TextRoom, binary.LittleEndian.Uint32(a.b[4:]))) }

// Put answers call i, the first without an answer. There is room for it.
func (a Answers) Put(i int, s Status, payload []byte) {
	le := binary.LittleEndian
	head := a.b[answersHeader+i*a.answer:][:a.answer]
	to, at := head[answerHeader:answerHeader+a.result], 0
	if s != OK {
		at = a.texts()
		to = a.b[textsAt(a.n, a.result)+at:][:MaxText]
	}
	n := copy(to, payload)
	if s != OK {
		le.PutUint32(a.b[4:], uint32(at+n))
	}
	le.PutUint16(head[0:], uint16(s))
	le.PutUint16(head[2:], uint16(n))
	le.PutUint32(head[4:], uint32(at))
	a.done.Store(uint32(i + 1)) // publishes the answer; from now on nobody writes to it
}

// Get returns a copy of the answer to call i, of those that are done.
func (a Answers) Get(i int) (Status, []byte, error) {
	le := binary.LittleEndian
	at := answersHeader + i*a.answer
	// Copied once: a worker may still scribble on it.
	head := [answerHeader]byte(a.b[at:])
	from := a.b[at+answerHeader:][:a.result]
	s, n, text := Status(le.Uint16(head[0:])), int(le.Uint16(head[2:])), int(le.Uint32(head[4:]))
	if s != OK {
		from = a.b[textsAt(a.n, a.result):][:TextRoom]
		from = from[min(text, TextRoom):]
	}
	if s < OK || s > Panicked || n > len(from) {
		return 0, nil, fmt.Errorf("answer of status %d with %d bytes", s, n)
	}
	return s, append([]byte(nil), from[:n]...), nil
}
