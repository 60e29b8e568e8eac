package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTopShowsARunAndItsWorkers(t *testing.T) {
	path := sparse(t)
	cmd := lasting(t, "stat", "-j", "2", path)
	begin(t, cmd)
	pids := atWork(t, cmd, path)
	for _, pid := range append(pids, cmd.Process.Pid) {
		stop(t, pid) // so that it lasts, and nobody takes a stopped worker for dead
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
		for _, pid := range pids {
			syscall.Kill(pid, syscall.SIGCONT) // or they never see that nobody is left
		}
	}()
	out := gangsaw(t, "top", "--once", "--json", "--interval", "50ms")
	var got struct {
		Schema int
		Runs   []struct {
			PID     int
			Command string
			Files   []string
			Workers []struct {
				PID   int
				State string
			}
		}
	}
	if err := json.Unmarshal([]byte(out.stdout), &got); err != nil || got.Schema != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	found := false
	for _, r := range got.Runs {
		if r.PID != cmd.Process.Pid {
			continue
		}
		found = true
		if !strings.Contains(r.Command, "stat -j 2 "+path) || len(r.Files) != 1 || r.Files[0] != path || len(r.Workers) != 2 {
			t.Errorf("%+v", r)
		}
		for _, w := range r.Workers {
			if (w.PID != pids[0] && w.PID != pids[1]) || w.State != "stopped" {
				t.Errorf("%+v, workers are %v", w, pids)
			}
		}
	}
	if !found {
		t.Errorf("%d is not among %+v", cmd.Process.Pid, got.Runs)
	}
	if out := gangsaw(t, "top", "--once"); out.status != 0 || !strings.Contains(out.stdout, path) {
		t.Errorf("%+v", out)
	}
}

func TestTopQuitsOnAKey(t *testing.T) {
	for _, keys := range []string{"q", "xxQ", "\x03", ""} {
		done := make(chan struct{})
		go func() { awaitQuit(strings.NewReader(keys)); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%q does not quit", keys)
		}
	}
	var b bytes.Buffer
	if n, err := io.WriteString(&rawLines{&b}, "a\nb\n"); n != 4 || err != nil || b.String() != "a\r\nb\r\n" {
		t.Errorf("%d, %v, %q", n, err, b.String())
	}
}
