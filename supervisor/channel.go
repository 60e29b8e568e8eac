package supervisor

import (
	"context"
	"iter"
	"reflect"
)

// FromChannel returns what comes from a channel as a sequence, for [Map], [Stage] and
// the like. It ends when the channel is closed, or the context ends.
//
// A stage yields a result when as many more as are in flight have come, or none will:
// whoever sends the next only after the result of the last needs [InFlight](1).
func FromChannel[T any](ctx context.Context, in <-chan T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			select {
			case v, more := <-in:
				if !more || !yield(v) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}

// Result is a result of a stream, or why there is none.
type Result[T any] struct {
	Value T
	Err   error
}

// ToChannel returns the results of a stream, such as [Map] and [Stage], on a channel,
// which is closed after the last. A slice, whose memory a stage uses again, is copied:
// what is received is the receiver's own. One result waits for the receiver, and
// no more is asked of the stream until it is taken.
//
// Whoever stops receiving ends the context, which the stream should have too: then the
// channel is closed, perhaps before the context's cause has come, and once it is,
// nothing of the stream runs any more.
func ToChannel[T any](ctx context.Context, stream iter.Seq2[T, error]) <-chan Result[T] {
	out := make(chan Result[T])
	go func() {
		defer close(out)
		for v, err := range stream {
			select {
			case out <- Result[T]{owned(v), err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// owned returns a value that shares no memory with a stage.
func owned[T any](v T) T {
	from := reflect.ValueOf(v)
	if from.Kind() != reflect.Slice || from.IsNil() {
		return v
	}
	to := reflect.MakeSlice(from.Type(), from.Len(), from.Len())
	reflect.Copy(to, from)
	return to.Interface().(T)
}
