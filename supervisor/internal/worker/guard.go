package worker

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// faultError is a fault while reading a mapping.
type faultError struct{ offset uint64 }

func (e *faultError) Error() string {
	return fmt.Sprintf("the file could not be read %d bytes into the chunk", e.offset)
}

// panicError is a panic of a kernel.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// kernelError is an error that a kernel returned, of which only the text travels.
type kernelError struct{ text string }

func (e *kernelError) Error() string { return e.text }

// text returns what a result says of it.
func (e *panicError) text() []byte {
	what := strings.ReplaceAll(e.Error(), "\x00", "")
	return fmt.Append(nil, what[:min(len(what), wire.MaxText/2)], "\x00", e.stack)
}

// guard runs a kernel over data. It turns an error into a *kernelError, a fault
// inside data into a *faultError, and any other panic into a *panicError.
func guard(run kernels.Run, dst, data []byte, progress func(done int)) (result []byte, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p, data)
		}
	}()
	result, err = run(dst, data, progress)
	return result, textOf(err)
}

// guardAll does so for what reads several regions.
func guardAll(run func() ([]byte, error), regions ...[]byte) (result []byte, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = recovered(p, regions...)
		}
	}()
	result, err = run()
	return result, textOf(err)
}

// textOf returns an error of the kernel's as its text: here, for its methods are
// the kernel's too, and may panic.
func textOf(err error) error {
	if err == nil {
		return nil
	}
	return &kernelError{err.Error()}
}

// recovered returns the error of a panic.
func recovered(p any, regions ...[]byte) error {
	for _, data := range regions {
		if offset, inside := faultOffset(p, data); inside {
			return &faultError{offset}
		}
	}
	return &panicError{p, kernelStack(string(debug.Stack()))}
}

// kernelStack returns the part of a stack trace from the panic down to this
// package's frames.
func kernelStack(trace string) string {
	if _, after, ok := strings.Cut(trace, "\npanic("); ok {
		// Without the line that says where in the runtime.
		_, after, _ = strings.Cut(after, "\n")
		_, trace, _ = strings.Cut(after, "\n")
	}
	if before, _, ok := strings.Cut(trace, "\ngithub.com/gangsaw/gangsaw/supervisor/internal/worker."); ok {
		trace = before
	}
	return trace
}
