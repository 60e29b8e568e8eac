package supervisor

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"
)

// send sends values, and closes the channel.
func send[T any](values ...T) <-chan T {
	ch := make(chan T)
	go func() {
		defer close(ch)
		for _, v := range values {
			ch <- v
		}
	}()
	return ch
}

func TestStreamsGoFromChannelToChannel(t *testing.T) { onBothPools(t, streamsGoFromChannelToChannel) }

func streamsGoFromChannelToChannel(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(2))
	ctx := t.Context()
	n := int64(0)
	for r := range ToChannel(ctx, Map(ctx, pool, square, FromChannel(ctx, send[int64](0, 1, 2, 3, 4)))) {
		if r.Err != nil || r.Value != n*n {
			t.Errorf("%d: %+v", n, r)
		}
		n++
	}
	if n != 5 {
		t.Errorf("%d results of 5", n)
	}
	// The receiver keeps them all, while their buffer is used again.
	var all []Result[[]int32]
	for r := range ToChannel(ctx, Stage(ctx, pool, round, 100, FromChannel(ctx, send([]float64{1.2, 2}, nil, []float64{1000}, []float64{3}, []float64{4, 5})), InFlight(1))) {
		all = append(all, r)
	}
	var failed *TaskError
	for i, want := range [][]int32{{1, 2}, nil, nil, {3}, {4, 5}} {
		if len(all) != 5 || !slices.Equal(all[i].Value, want) || (i == 2) != errors.As(all[i].Err, &failed) {
			t.Fatalf("result %d of %v, want %v", i, all, want)
		}
	}
}

func TestStreamWhoseInputEndedWithTheContextSaysSo(t *testing.T) {
	pool := start(t, Workers(1))
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(enough) })
	var all []error
	for _, err := range Map(ctx, pool, square, FromChannel(ctx, make(chan int64))) {
		all = append(all, err)
	}
	for _, err := range Stage(ctx, pool, scale, 2, FromChannel(ctx, make(chan []float64))) {
		all = append(all, err)
	}
	if len(all) != 2 || all[0] != enough || all[1] != enough {
		t.Errorf("%v", all)
	}
}

// Nothing is left of a stream whose receiver is gone, wherever it waits, once its
// context has ended.
func TestChannelsLeaveNothingBehind(t *testing.T) { onBothPools(t, channelsLeaveNothingBehind) }

func channelsLeaveNothingBehind(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(1))
	squares(t, pool, good(3), nil)
	before := runtime.NumGoroutine()
	never := make(chan int64)
	enough := errors.New("enough")
	for range 10 {
		for name, in := range map[string]<-chan int64{"its sender": never, "its receiver": nil} {
			ctx, cancel := context.WithCancelCause(t.Context())
			seq := FromChannel(ctx, in)
			if in == nil {
				seq = slices.Values([]int64{1, 2, 3, 4, 5, 6, 7, 8})
			}
			out := ToChannel(ctx, Map(ctx, pool, square, seq, InFlight(2)))
			if in == nil {
				if r := <-out; r != (Result[int64]{1, nil}) {
					t.Errorf("%+v", r)
				}
			}
			cancel(enough)
			for r := range out {
				if r.Err != enough && r.Err != nil {
					t.Errorf("a stream that waits for %s: %+v", name, r)
				}
			}
		}
	}
	for begin := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
	// Nobody receives at all.
	ctx, cancel := context.WithCancel(t.Context())
	ToChannel(ctx, Map(ctx, pool, square, slices.Values([]int64{1, 2, 3, 4, 5, 6, 7, 8}), InFlight(2)))
	cancel()
	for begin := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
