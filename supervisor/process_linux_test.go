package supervisor

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

const (
	roleVariable = "GANGSAW_POOL_TEST" // what this binary is when it is not the test
	fileVariable = "GANGSAW_POOL_TEST_FILE"
)

var crash = flag.Bool("crash", false, "kill at every instruction and thousands of times")

// rounds returns how often a test goes on: so many times, many times with -crash,
// and fewer under the race detector, where starting a worker takes ten times as long.
func rounds(usual, many int) int {
	switch {
	case *crash:
		return many
	case raceDetector:
		return usual / 5
	}
	return usual
}

// roles are what this binary can be when it is not the test.
var roles = map[string]func(){
	"no hook": noHook,
	"supervise": func() {
		Main()
		supervise()
	},
}

func TestMain(m *testing.M) {
	if role, ok := roles[os.Getenv(roleVariable)]; ok {
		role()
		return
	}
	Main()
	os.Exit(m.Run())
}

// noHook is a program that forgot to call Main.
func noHook() {
	log, err := os.OpenFile(os.Getenv(fileVariable), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(log, os.Getpid())
	pool, err := Start(context.Background(), Workers(3))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	pool.Close()
}

// supervise computes for ever.
func supervise() {
	pool, err := Start(context.Background(), Workers(3))
	if err != nil {
		panic(err)
	}
	f, err := pool.File(os.Getenv(fileVariable))
	if err != nil {
		panic(err)
	}
	for first := true; ; first = false {
		if _, err := pool.Stat(context.Background(), f.Arrays()[0]); err != nil {
			panic(err)
		}
		if first {
			fmt.Println("working")
		}
	}
}

// children returns the processes that this one, or another, started.
func children(t *testing.T, pid int) []int {
	t.Helper()
	var all []int
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, word := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, child)
		}
	}
	return all
}

// workers returns n worker processes of a process, all of them at work: one
// that is stopped before its exec would stop its parent too.
func workers(t *testing.T, pid, n int) []int {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(time.Millisecond) {
		var ready []int
		for _, child := range children(t, pid) {
			// Before its exec a child shares its parent's memory, and so its
			// parent's environment and mappings.
			environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", child))
			if err != nil || !strings.Contains("\x00"+string(environ), "\x00"+wire.EnvWorker+"=") {
				continue
			}
			if maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", child)); err == nil && strings.Contains(string(maps), "gangsaw-results") {
				ready = append(ready, child)
			}
		}
		if len(ready) == n {
			return ready
		}
	}
	t.Fatalf("no %d workers came to work", n)
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

func TestStoppedWorkerGoesOn(t *testing.T) {
	path := rawFile(t, 0, normal(1<<20, 5))
	pool := start(t, Workers(2), ChunkBytes(1))
	x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64}))
	want, err := pool.Stat(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		victim := workers(t, os.Getpid(), 2)[0]
		stop(t, victim)
		sent := make(chan struct{})
		time.AfterFunc(5*time.Millisecond, func() {
			syscall.Kill(victim, syscall.SIGCONT)
			close(sent)
		})
		if got, err := pool.Stat(t.Context(), x); err != nil || got != want {
			t.Fatalf("%+v, %v, want %+v", got, err, want)
		}
		<-sent
	}
}

func TestWorkersMapTheFileSharedAndForgetIt(t *testing.T) {
	path := rawFile(t, 0, normal(1<<16, 7))
	pool := start(t, Workers(2))
	f, err := pool.File(path, Raw(raw.Layout{Type: kernels.Float64}))
	if err != nil {
		t.Fatal(err)
	}
	mapped := func() (lines []string) {
		for _, pid := range children(t, os.Getpid()) {
			maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(maps)) {
				if strings.HasSuffix(line, path+"\n") {
					lines = append(lines, strings.Fields(line)[1])
				}
			}
		}
		return lines
	}
	until := func(want string) {
		t.Helper()
		for begin := time.Now(); fmt.Sprint(mapped()) != want; time.Sleep(time.Millisecond) {
			if time.Since(begin) > 10*time.Second {
				t.Fatalf("mappings of the workers: %v, want %s", mapped(), want)
			}
		}
	}
	until("[r--s r--s]")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	until("[]")
}

func TestCancelledStatReturnsAndThePoolLives(t *testing.T) {
	path := rawFile(t, 0, normal(1<<20, 8))
	pool := start(t, Workers(2), ChunkBytes(1))
	x := open(t, pool, path, Raw(raw.Layout{Type: kernels.Float64}))
	// With all workers stopped, nothing but the cancellation ends the call.
	for _, pid := range workers(t, os.Getpid(), 2) {
		stop(t, pid)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := pool.Stat(ctx, x); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled: %v", err)
	}
	for _, pid := range children(t, os.Getpid()) {
		syscall.Kill(pid, syscall.SIGCONT)
	}
	if _, err := pool.Stat(t.Context(), x); err != nil {
		t.Errorf("after it: %v", err)
	}
}

// command runs this binary in a role.
func command(role, file string, env ...string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), append(env, roleVariable+"="+role, fileVariable+"="+file)...)
	return cmd
}

func TestProgramWithoutMainIsAClearErrorAndNoForkBomb(t *testing.T) {
	log := filepath.Join(t.TempDir(), "pids")
	out, err := command("no hook", log).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(string(out), "must call supervisor.Main first") {
		t.Errorf("%v: %s", err, out)
	}
	if !strings.Contains(string(out), "did not call supervisor.Main") {
		t.Errorf("the worker said nothing: %s", out)
	}
	pids, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	// The program, its three workers, and what was respawned before it gave up.
	if n := strings.Count(string(pids), "\n"); n < 2 || n > 8 {
		t.Errorf("%d processes ran", n)
	}
}

func TestStrayEnvironmentIsAClearError(t *testing.T) {
	for _, value := range []string{"", "nonsense", wire.Identity{Incarnation: 1, Slots: 64}.String()} {
		out, err := command("supervise", "", wire.EnvWorker+"="+value).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.HasPrefix(string(out), "gangsaw worker: GANGSAW_WORKER") || !strings.Contains(string(out), "unset it") {
			t.Errorf("%q: %v: %s", value, err, out)
		}
	}
}

func TestPoolSaysWhatItsWorkersAre(t *testing.T) {
	if start(t).InProcess() || !start(t, InProcess()).InProcess() {
		t.Error("processes and goroutines are mixed up")
	}
}

func TestNoPoolInsideAWorker(t *testing.T) {
	inWorker.Store(true)
	defer inWorker.Store(false)
	if _, err := Start(t.Context()); !errors.Is(err, ErrInWorker) {
		t.Errorf("%v", err)
	}
}

// running reports whether a process exists and is no zombie.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

func TestKilledSupervisorLeavesNoProcess(t *testing.T) {
	for range 5 {
		cmd := command("supervise", "../testdata/ecg.npy")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 16)); err != nil {
			t.Fatal(err)
		}
		pids := workers(t, cmd.Process.Pid, 3)
		stop(t, pids[0])
		cmd.Process.Kill()
		cmd.Wait()
		for _, pid := range pids {
			for begin := time.Now(); running(pid); time.Sleep(time.Millisecond) {
				if time.Since(begin) > 10*time.Second {
					syscall.Kill(pid, syscall.SIGKILL)
					t.Fatalf("worker %d is left", pid)
				}
			}
		}
	}
}

// holdings counts what a leak would let grow.
func holdings(t *testing.T) string {
	t.Helper()
	runtime.GC()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d files, %d segments, %d mappings, %d children, %d goroutines", len(files),
		strings.Count(string(maps), "gangsaw-"), strings.Count(string(maps), "ecg.npy"), len(children(t, os.Getpid())), runtime.NumGoroutine())
}

// settled returns what is held once that stands still: goroutines of the tests
// before may end late.
func settled(t *testing.T) string {
	t.Helper()
	for held := holdings(t); ; {
		time.Sleep(50 * time.Millisecond)
		now := holdings(t)
		if now == held {
			return held
		}
		held = now
	}
}

func TestPoolsLeaveNothingBehind(t *testing.T) {
	use(t)
	before := settled(t)
	for range 20 {
		use(t, Workers(2), Standby(1))
		use(t, InProcess())
	}
	// Goroutines end a moment after what they waited for.
	after := holdings(t)
	for begin := time.Now(); after != before && time.Since(begin) < 10*time.Second; after = holdings(t) {
		time.Sleep(time.Millisecond)
	}
	if after != before {
		t.Errorf("%s, before: %s", after, before)
	}
}

func TestWorkersRunOnTheSelectedTier(t *testing.T) {
	before := kernels.CurrentTier()
	defer kernels.UseTier(before)
	for tier := kernels.Scalar; tier <= kernels.BestTier(); tier++ {
		if err := kernels.UseTier(tier); err != nil {
			t.Fatal(err)
		}
		pool := start(t, Workers(2))
		if pool.ISA() != tier.String() {
			t.Errorf("the pool runs on %s, want %v", pool.ISA(), tier)
		}
		for _, pid := range workers(t, os.Getpid(), 2) {
			environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
			if err != nil || !bytes.Contains(environ, []byte(":"+tier.String()+"\x00")) {
				t.Errorf("worker %d was not told %v: %v", pid, tier, err)
			}
		}
		pool.Close()
	}
}
