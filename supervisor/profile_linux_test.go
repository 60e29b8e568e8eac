package supervisor

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestProfileOfADeadWorkerIsAnErrorAndThoseOfOthersAreNot(t *testing.T) {
	pool := start(t, Workers(2))
	pids := workers(t, os.Getpid(), 2)
	until(t, "both are ready", func() bool { m, _ := pool.engine.Members(); return len(m) == 2 })
	time.AfterFunc(100*time.Millisecond, func() { syscall.Kill(pids[1], syscall.SIGKILL) })
	all := album{}
	err := pool.Profile(t.Context(), 2*time.Second, all.create)
	var missing *ProfileError
	if !errors.As(err, &missing) || missing.PID != pids[1] || !strings.Contains(err.Error(), "ended before its profile was done") || len(all) != 1 {
		t.Errorf("%v, %d profiles", err, len(all))
	}
}

func TestProfileThatIsNotToBeHadSaysWhy(t *testing.T) {
	pool := start(t, Workers(1))
	result(t, submit(t, pool, profileItself.With(struct{}{})), 0)
	all := album{}
	err := pool.Profile(t.Context(), time.Second, all.create)
	var missing *ProfileError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "cpu profiling already in use") || len(all) != 0 {
		t.Errorf("%v, %d profiles", err, len(all))
	}
	result(t, submit(t, pool, square.With(3)), 9)
}
