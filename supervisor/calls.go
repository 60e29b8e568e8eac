package supervisor

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/partition"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// chunks sends many parameters as one task.
type chunks[T kernels.Element, P, R any] struct {
	pool    *Pool
	f       *kernels.Func[T, P, R]
	options taskOptions
	calls   []kernels.Call[R] // of the next parcel
	free    []*callBuffer
	all     []*callBuffer
}

func (s *chunks[T, P, R]) send(v P) (parcel[R], error) {
	s.calls = append(s.calls, s.f.With(v))
	if len(s.calls) < s.options.chunk {
		return nil, nil
	}
	return s.rest()
}

func (s *chunks[T, P, R]) rest() (parcel[R], error) {
	if len(s.calls) == 0 {
		return nil, nil
	}
	if len(s.free) == 0 {
		s.free = append(s.free, &callBuffer{pool: s.pool})
		s.all = append(s.all, s.free[0])
	}
	b := s.free[len(s.free)-1]
	c := &calls[R]{
		buffer: b, calls: s.calls, options: s.options, result: int(reflect.TypeFor[R]().Size()),
		stop: make(chan struct{}), done: make(chan struct{}),
		taken: func() { s.free = append(s.free, b) },
	}
	release, err := s.pool.engine.Hold()
	if err != nil {
		return nil, err
	}
	if err := c.start(); err != nil {
		release()
		return nil, err
	}
	s.free, s.calls = s.free[:len(s.free)-1], nil
	go func() {
		defer release()
		c.finish()
	}()
	return c, nil
}

func (s *chunks[T, P, R]) close() {
	for _, b := range s.all {
		b.close()
	}
}

// calls are many calls of one function, as one task, or as some one after another
// if something goes wrong.
type calls[R any] struct {
	buffer  *callBuffer
	calls   []kernels.Call[R]
	options taskOptions
	result  int // bytes

	started *engine.Started // the present task, from the first call without an answer on
	wrote   wire.Answers    // to that
	answers []answer[R]     // so far
	stop    chan struct{}   // closed by cancel
	done    chan struct{}   // closed when all answers are there
	taken   func()          // is told that the buffer is free
}

// answer is what became of one call.
type answer[R any] struct {
	result R
	err    error
}

func (c *calls[R]) Done() <-chan struct{} { return c.done }
func (c *calls[R]) cancel()               { close(c.stop) }

func (c *calls[R]) take(ctx context.Context, yield func(R, error) bool) bool {
	defer c.taken()
	for _, a := range c.answers {
		if ctx.Err() != nil {
			var none R
			yield(none, context.Cause(ctx))
			return false
		}
		if !yield(a.result, a.err) {
			return false
		}
	}
	return true
}

// start hands out the calls that have no answer.
func (c *calls[R]) start() (err error) {
	rest := c.calls[len(c.answers):]
	job, err := c.buffer.pool.job(rest[0].Routine(), nil, nil, c.options)
	if err != nil {
		return err
	}
	params := make([][]byte, len(rest))
	for i, call := range rest {
		params[i] = call.Params()
	}
	if c.wrote, err = c.buffer.put(params, c.result); err != nil {
		return err
	}
	size := wire.CallsSize(len(rest), len(params[0]))
	job.Plan = partition.Whole(format.Array{Type: kernels.Uint8, Shape: []int64{int64(size)}})
	job.Number = c.buffer.in.file.number
	job.Program.Target = &wire.Target{Mapping: c.buffer.out.file.number}
	job.Steps, job.Held = true, true
	job.Accept = func(_ uint64, result []byte) error {
		if len(result) > 0 {
			return fmt.Errorf("%d bytes from many calls", len(result))
		}
		return nil
	}
	c.started, err = c.buffer.pool.engine.Start(job)
	return err
}

// finish waits for all calls. A call at which workers die, or that takes too long,
// fails alone: those that come after it are handed out again.
func (c *calls[R]) finish() {
	defer close(c.done)
	for {
		cancelled := false
		select {
		case <-c.started.Done():
		case <-c.stop:
			c.started.Cancel(ErrCancelled)
			<-c.started.Done()
			cancelled = true
		}
		err := c.started.Err()
		before := len(c.answers)
		c.collect()
		var given *engine.QuarantineError
		switch {
		case len(c.answers) == len(c.calls):
			return
		case cancelled || err != nil && !errors.As(err, &given):
			c.fail(err)
			return
		case given != nil:
			// Whoever was given up may still write to it.
			c.buffer.close()
			if blamed(given.Chunks[0].Step, len(c.answers)-before) {
				c.answers = append(c.answers, answer[R]{err: err})
			}
		case len(c.answers) == before:
			c.fail(&TaskError{Place: c.place(), What: "the worker answered none of the calls"})
			return
		}
		if len(c.answers) == len(c.calls) {
			return
		}
		if err := c.start(); err != nil {
			c.fail(err)
			return
		}
	}
}

// blamed reports whether the call after those that a task has answered is why the
// task was given up, when its worker told that it was at a step. One that died
// after an answer, and before it told of the next step, was in no call; but a task
// that has answered nothing must not be handed out again as it is.
func blamed(step uint32, answered int) bool { return answered == 0 || int(step) >= answered }

// collect takes in the answers that the worker wrote.
func (c *calls[R]) collect() {
	for i := range c.wrote.Done() {
		status, payload, err := c.wrote.Get(i)
		var a answer[R]
		switch {
		case err != nil:
			a.err = &TaskError{Place: c.place(), What: err.Error()}
		case status != wire.OK:
			a.err = engine.ErrorAt(c.place(), status, payload)
		default:
			if a.result, err = c.calls[0].Decode(payload); err != nil {
				a.err = &TaskError{Place: c.place(), What: err.Error()}
			}
		}
		c.answers = append(c.answers, a)
	}
}

// fail answers what has no answer.
func (c *calls[R]) fail(err error) {
	for len(c.answers) < len(c.calls) {
		c.answers = append(c.answers, answer[R]{err: err})
	}
}

func (c *calls[R]) place() engine.Place { return engine.Place{Kernel: c.calls[0].Routine().Name()} }

// callBuffer is memory for many calls and their answers.
type callBuffer struct {
	pool    *Pool
	in, out *Arena // or nil
}

// put writes calls, and returns where their answers will be.
func (b *callBuffer) put(params [][]byte, result int) (wire.Answers, error) {
	n, size := len(params), len(params[0])
	if b.in == nil || wire.CallsSize(n, size) > len(b.in.memory) || wire.AnswersSize(n, result) > len(b.out.memory) {
		if err := b.make(wire.CallsSize(n, size), wire.AnswersSize(n, result)); err != nil {
			return wire.Answers{}, err
		}
	}
	wire.PutCalls(b.in.memory, params, size, result)
	calls, err := wire.GetCalls(b.in.memory)
	if err != nil {
		return wire.Answers{}, err
	}
	answers, err := wire.AnswersTo(calls, b.out.memory)
	if err == nil {
		answers.Clear()
	}
	return answers, err
}

func (b *callBuffer) make(in, out int) (err error) {
	if err := b.close(); err != nil {
		return err
	}
	if b.in, err = b.pool.Arena(in); err != nil {
		return err
	}
	b.out, err = b.pool.Arena(out, Output())
	return err
}

// close frees the memory.
func (b *callBuffer) close() (err error) {
	for _, a := range []**Arena{&b.in, &b.out} {
		if *a != nil {
			err = errors.Join(err, (*a).Close())
			*a = nil
		}
	}
	return err
}
