package supervisor

import (
	"testing"
)

func TestWorkersAreStartedOnDemand(t *testing.T) { onBothPools(t, workersAreStartedOnDemand) }

func workersAreStartedOnDemand(t *testing.T, start func(...Option) *Pool) {
	pool := start(Workers(3), StartMode(OnDemand))
	for i := range int64(20) {
		result(t, submit(t, pool, square.With(i)), i*i)
	}
	check := func(want int) {
		t.Helper()
		if n := pool.Counters().Workers; n != want {
			t.Errorf("%d workers, want %d", n, want)
		}
	}
	check(1)
	call, release := held(t)
	for _, want := range []int{1, 2, 3, 3, 3} {
		submit(t, pool, call)
		check(want)
	}
	release()
	for i := range int64(20) {
		result(t, submit(t, pool, square.With(i)), i*i)
	}
	check(3)
	if n := start(Workers(3), StartMode(Eager)).Counters().Workers; n != 3 {
		t.Errorf("%d workers of 3", n)
	}
}

func TestPoolsOfAnyStartComputeTheSame(t *testing.T) { onBothPools(t, poolsOfAnyStartComputeTheSame) }

func poolsOfAnyStartComputeTheSame(t *testing.T, start func(...Option) *Pool) {
	for _, opts := range [][]Option{
		{Workers(2), Standby(2)},
		{Workers(3), StartMode(OnDemand), Standby(1)},
		{Workers(1), StartMode(OnDemand), Standby(1), Init(initialise.With(7)), RecycleWorkers(Recycle{Chunks: 3})},
	} {
		pool := start(opts...)
		squares(t, pool, good(100), nil)
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestStartRefusesModesThatThereAreNot(t *testing.T) {
	for _, opt := range []Option{Standby(-1), Standby(MaxWorkers + 1), StartMode(2), StartMode(-1)} {
		if pool, err := Start(t.Context(), opt); err == nil {
			pool.Kill()
			t.Error("started")
		}
	}
}
