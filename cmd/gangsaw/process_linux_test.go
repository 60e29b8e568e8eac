package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
)

// workersOf returns the processes that a running command started.
func workersOf(t *testing.T, pid int) []int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, task := range tasks {
		text, _ := os.ReadFile(task)
		for _, word := range strings.Fields(string(text)) {
			var child int
			fmt.Sscan(word, &child)
			all = append(all, child)
		}
	}
	return all
}

// atWork returns the command's two workers once both have mapped the file.
// Before its exec a child shows the mappings of its parent.
func atWork(t *testing.T, cmd *exec.Cmd, path string) []int {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(time.Millisecond) {
		var ready []int
		for _, pid := range workersOf(t, cmd.Process.Pid) {
			if maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid)); err == nil && strings.Contains(string(maps), path) && strings.Contains(string(maps), "gangsaw-results") {
				ready = append(ready, pid)
			}
		}
		if len(ready) == 2 {
			return ready
		}
	}
	t.Fatal("no two workers came to work")
	return nil
}

// stop stops a process and waits until each of its threads stands still: the
// signal is delivered to one of them, which may be waiting for a CPU while the
// others run on.
func stop(t *testing.T, pid int) {
	t.Helper()
	syscall.Kill(pid, syscall.SIGSTOP)
	for begin := time.Now(); ; time.Sleep(100 * time.Microsecond) {
		moving := false
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		for _, thread := range threads {
			stat, err := os.ReadFile(thread)
			_, state, _ := strings.Cut(string(stat), ") ")
			moving = moving || err == nil && !strings.HasPrefix(state, "T")
		}
		if !moving && len(threads) > 0 {
			return
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("process %d does not stop", pid)
		}
	}
}

func TestKilledWorkerIsReportedAndChangesNothing(t *testing.T) {
	path := sparse(t)
	want := arrays(t, path)
	// Kills at random may hit the same chunk again and again.
	cmd := lasting(t, "stat", "--json", "--retries", "1000", "-j", "2", path)
	stdout, stderr := begin(t, cmd)
	if err := killNowAndThen(t, cmd, path); err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var got struct {
		Arrays json.RawMessage
		Run    struct{ Retries, Respawns, Chunks int }
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if string(got.Arrays) != want {
		t.Errorf("%s, want %s", got.Arrays, want)
	}
	if got.Run.Retries < 1 || got.Run.Respawns < 1 || got.Run.Chunks != 2*512 { // in two passes
		t.Errorf("run %+v", got.Run)
	}
	if !strings.Contains(stderr.String(), "killed by SIGKILL (killed) in attempt 1: retrying") {
		t.Errorf("standard error: %s", stderr.String())
	}
}

// lasting is command on the slowest kernels, so that a run lasts longer than
// what is done to it meanwhile.
func lasting(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := command(t, args...)
	cmd.Env = append(cmd.Env, kernels.TierVariable+"="+kernels.Scalar.String())
	return cmd
}

// killNowAndThen kills up to 10 workers of a running command once they are at
// work, waits for it and returns how it ended.
func killNowAndThen(t *testing.T, cmd *exec.Cmd, path string) error {
	t.Helper()
	workers := atWork(t, cmd, path)
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	for kills := 0; kills < 10 && len(workers) > 0; kills++ {
		syscall.Kill(workers[kills%len(workers)], syscall.SIGKILL)
		time.Sleep(30 * time.Millisecond)
		workers = workersOf(t, cmd.Process.Pid)
	}
	return <-done
}

func TestQuarantinedChunkEndsWithStatus3AndNoValue(t *testing.T) {
	path := sparse(t)
	cmd := lasting(t, "stat", "--json", "--retries", "0", "-j", "2", path)
	stdout, stderr := begin(t, cmd)
	killNowAndThen(t, cmd, path)
	var got struct {
		Arrays []struct {
			Count, Sum, Mean *float64
			Missing          []struct{ First, Last uint64 }
		}
		Run struct{ Quarantined int }
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s, %s", err, stdout, stderr)
	}
	a := got.Arrays[0]
	if status := cmd.ProcessState.ExitCode(); status != 3 || a.Count != nil || a.Sum != nil || a.Mean != nil ||
		got.Run.Quarantined < 1 || len(a.Missing) != got.Run.Quarantined {
		t.Errorf("status %d, %s", status, stdout)
	}
	for _, m := range a.Missing {
		if m.Last-m.First != 4<<20-1 || (m.First-128)%(4<<20) != 0 {
			t.Errorf("missing %+v", m)
		}
	}
	if !strings.Contains(stderr.String(), "in attempt 1: quarantined") || !strings.Contains(stderr.String(), "no result, because workers kept dying in chunk") {
		t.Errorf("standard error: %s", stderr)
	}
}

func TestQuarantinedChunkLeavesNoPartial(t *testing.T) {
	path := sparse(t)
	part := filepath.Join(t.TempDir(), "part")
	cmd := lasting(t, "stat", "--shard", "0/1", "--partial", part, "--retries", "0", "-j", "2", path)
	_, stderr := begin(t, cmd)
	killNowAndThen(t, cmd, path)
	if status := cmd.ProcessState.ExitCode(); status != exitQuarantined || !strings.Contains(stderr.String(), "no result, because workers kept dying in chunk") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if _, err := os.Stat(part); err == nil {
		t.Error("there is a partial that lacks a chunk")
	}
}

func TestInterruptEndsWithStatus130(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		path := sparse(t)
		cmd := lasting(t, "stat", "-j", "2", path)
		stdout, stderr := begin(t, cmd)
		workers := atWork(t, cmd, path)
		for _, pid := range workers {
			// A worker that is stuck must not hold up the end.
			stop(t, pid)
		}
		cmd.Process.Signal(signal)
		cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); status != 130 || stdout.Len() > 0 || stderr.String() != "gangsaw: interrupted\n" {
			t.Errorf("%v: status %d, %q, %q", signal, status, stdout.String(), stderr.String())
		}
		for _, pid := range workers {
			if err := syscall.Kill(pid, 0); err == nil {
				t.Errorf("%v: worker %d is left", signal, pid)
			}
		}
	}
}

func TestTruncatedDuringTheRunEndsWithStatus4(t *testing.T) {
	path := sparse(t)
	cmd := lasting(t, "stat", "-j", "2", path)
	stdout, stderr := begin(t, cmd)
	workers := atWork(t, cmd, path)
	for _, pid := range workers {
		stop(t, pid)
	}
	if err := os.Truncate(path, 1<<20); err != nil {
		t.Fatal(err)
	}
	for _, pid := range workers {
		syscall.Kill(pid, syscall.SIGCONT)
	}
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 4 || strings.Contains(stdout.String(), "sum") ||
		!strings.Contains(stderr.String(), path+": the file was truncated from 2147483776 to 1048576 bytes") {
		t.Errorf("status %d, %q, %q", status, stdout.String(), stderr.String())
	}
}

// Interrupted in the middle of a change in place, the command says how to finish it,
// and what finishes it does.
func TestInterruptedInPlaceIsResumed(t *testing.T) {
	for range 5 {
		if interruptInPlace(t) {
			return
		}
	}
	t.Error("it was never interrupted")
}

// interruptInPlace reports whether the signal came before the end.
func interruptInPlace(t *testing.T) bool {
	x := generated(t, "x.npy", "--shape", "8000000")
	y := filepath.Join(filepath.Dir(x), "y.npy")
	if out := gangsaw(t, "eval", slow, x, "-o", y); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	before := head(t, x)
	cmd := command(t, "eval", "--isa", "scalar", "--progress", "none", slow, x, "--in-place")
	_, stderr := begin(t, cmd)
	// Until something is changed: before, there is nothing to finish.
	for begin := time.Now(); head(t, x) == before; time.Sleep(100 * time.Microsecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("it does not begin")
		}
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if cmd.ProcessState.ExitCode() == 0 {
		return false
	}
	if status := cmd.ProcessState.ExitCode(); status != 130 || !strings.Contains(stderr.String(), "finish it by gangsaw resume "+x) {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if out := gangsaw(t, "stat", x); !strings.Contains(out.stderr, "a run has changed it in part") {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "eval", "x + 1", x, "--in-place"); out.status != 1 || !strings.Contains(out.stderr, "resume that run, or abandon it") {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "resume", x); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	a, errA := os.ReadFile(x)
	b, errB := os.ReadFile(y)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("the bytes are not those of an undisturbed run: %v, %v", errA, errB)
	}
	return true
}

func TestFewNumbersAreReadByOneProcess(t *testing.T) {
	few := filepath.Join(t.TempDir(), "few")
	if err := os.WriteFile(few, make([]byte, 8000), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--dtype", "f8", few}, " goroutine"},
		{[]string{"--dtype", "f8", "-j", "2", few}, " worker process"},
		{[]string{"--dtype", "f8", "--deadline", "1h", few}, " worker process"},
		{[]string{ecg}, " worker process"},
	} {
		if out := gangsaw(t, append([]string{"stat"}, c.args...)...); out.status != 0 || !strings.Contains(out.stderr, c.want) {
			t.Errorf("%v: %+v", c.args, out)
		}
	}
}
