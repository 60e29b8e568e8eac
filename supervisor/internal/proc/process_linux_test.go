package proc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The test binary is its own worker: what it does there is its role.
const roleVariable = "GANGSAW_PROC_TEST"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "echo":
		echo()
	case "sleep":
		time.Sleep(time.Minute)
	case "fail":
		os.Exit(7)
	case "crash":
		syscall.Kill(os.Getpid(), syscall.SIGTERM)
		time.Sleep(time.Minute)
	case "parent":
		parent()
	}
}

// echo answers each message with the first byte of the file that came with it.
func echo() {
	c, err := NewConn(3)
	if err != nil {
		panic(err)
	}
	for {
		n, file, err := c.Receive(make([]byte, 8), "gift")
		if err != nil {
			os.Exit(0)
		}
		answer := make([]byte, 1)
		file.ReadAt(answer, int64(n))
		c.Send(answer, nil)
	}
}

// parent starts a sleeper and tells its pid.
func parent() {
	os.Setenv(roleVariable, "sleep")
	p, err := NewStarter().Start(Spec{})
	if err != nil {
		panic(err)
	}
	<-p.started
	fmt.Println(p.PID())
	time.Sleep(time.Minute)
}

func start(t *testing.T, role string) *Process {
	t.Helper()
	s := NewStarter()
	p, err := s.Start(Spec{Env: []string{roleVariable + "=" + role}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		p.Close()
		s.Close()
	})
	<-p.started
	return p
}

func TestExitTellsHowAProcessEnded(t *testing.T) {
	for role, want := range map[string]string{
		"fail":  "exited with status 7",
		"crash": "killed by SIGTERM (terminated)",
	} {
		exit, err := start(t, role).Wait()
		if err != nil || exit.String() != want {
			t.Errorf("%s: %v, %v, want %q", role, exit, err, want)
		}
	}
}

func TestKillReachesAStoppedProcess(t *testing.T) {
	p := start(t, "sleep")
	if err := syscall.Kill(p.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	if exit, err := p.Wait(); err != nil || exit.Signal != syscall.SIGKILL {
		t.Errorf("%v, %v", exit, err)
	}
	p.Kill() // of a process that is gone: nothing
}

// A child that somebody stops between fork and exec holds up fork and exec.
func TestKillReachesAProcessThatIsBeingStarted(t *testing.T) {
	// The Go runtime cannot stop the world while a thread waits in vfork.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	s := NewStarter()
	defer s.Close()
	caught := 0
	for range 300 {
		p, err := s.Start(Spec{Env: []string{roleVariable + "=sleep"}})
		if err != nil {
			t.Fatal(err)
		}
		var pids []int
		for len(pids) == 0 {
			pids = s.children()
		}
		syscall.Kill(pids[0], syscall.SIGSTOP)
		if p.PID() == 0 {
			caught++
		}
		p.Kill()
		if exit, err := p.Wait(); err != nil || exit.Signal != syscall.SIGKILL {
			t.Fatalf("%v, %v", exit, err)
		}
		p.Close()
	}
	t.Logf("%d of 300 were caught while they started", caught)
}

func TestKilledBeforeItsTurn(t *testing.T) {
	s := NewStarter()
	defer s.Close()
	hold := make(chan struct{})
	go func() { s.requests <- func() { <-hold } }()
	time.Sleep(time.Millisecond)
	p, err := s.Start(Spec{Env: []string{roleVariable + "=sleep"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Kill()
	close(hold)
	if exit, err := p.Wait(); err != nil || exit.Err == nil && exit.Signal != syscall.SIGKILL {
		t.Errorf("%v, %v", exit, err)
	}
}

func TestWorkerHasItsOwnProcessGroupAndFewFiles(t *testing.T) {
	p := start(t, "sleep")
	if group, err := syscall.Getpgid(p.PID()); err != nil || group != p.PID() {
		t.Errorf("process group %d of process %d, %v", group, p.PID(), err)
	}
	// What the runtime opens for itself comes later than 3, the socket.
	for fd, want := range map[int]string{0: "/dev/null", 3: "socket:"} {
		if got, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", p.PID(), fd)); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("file %d is %s, %v, want %s", fd, got, err, want)
		}
	}
}

func TestFilesTravelOverTheSocket(t *testing.T) {
	p := start(t, "echo")
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	file.WriteString("gangsaw")
	for _, at := range []int{1, 4, 6} {
		if err := p.Conn.Send(make([]byte, at), file); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 8)
		n, gift, err := p.Conn.Receive(answer, "")
		if err != nil || gift != nil || n != 1 || answer[0] != "gangsaw"[at] {
			t.Errorf("answer %q, %v, %v", answer[:n], gift, err)
		}
	}
	p.Kill()
	if _, _, err := p.Conn.Receive(make([]byte, 8), ""); !errors.Is(err, io.EOF) {
		t.Errorf("after its death: %v", err)
	}
}

func TestSendToAProcessThatDoesNotReadTimesOut(t *testing.T) {
	p := start(t, "sleep")
	begin := time.Now()
	for {
		if err := p.Conn.Send([]byte("x"), nil); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("full socket: %v", err)
			}
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("the socket never fills")
		}
	}
}

// running reports whether a process still exists and is no zombie.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

func TestNoProcessOutlivesItsSupervisor(t *testing.T) {
	for _, stopped := range []bool{false, true} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), roleVariable+"=parent")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line := make([]byte, 32)
		n, err := out.Read(line)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
		if err != nil || !running(pid) {
			t.Fatalf("process %d does not run, %v", pid, err)
		}
		if stopped {
			syscall.Kill(pid, syscall.SIGSTOP)
		}
		cmd.Process.Kill()
		cmd.Wait()
		for begin := time.Now(); running(pid); time.Sleep(time.Millisecond) {
			if time.Since(begin) > 10*time.Second {
				syscall.Kill(pid, syscall.SIGKILL)
				t.Fatalf("process %d (stopped: %v) outlived its supervisor", pid, stopped)
			}
		}
	}
}

func TestStarterFreesEverything(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	s := NewStarter()
	defer s.Close()
	var before int
	for i := range 30 {
		p, err := s.Start(Spec{Env: []string{roleVariable + "=sleep"}})
		if err != nil {
			t.Fatal(err)
		}
		p.Kill()
		if _, err := p.Wait(); err != nil {
			t.Fatal(err)
		}
		p.Close()
		if i == 0 {
			before = count()
		}
	}
	if after := count(); after != before {
		t.Errorf("%d open files, %d after 29 more processes", before, after)
	}
}

// The kernel's counter of kills for lack of memory tells those from others.
func TestOutOfMemoryIsToldFromOtherKills(t *testing.T) {
	if n, ok := oomKills(oomCounter()); !ok {
		t.Errorf("no counter in %s", oomCounter())
	} else {
		t.Logf("%s: %d", oomCounter(), n)
	}
	counter := filepath.Join(t.TempDir(), "memory.events")
	kill := func(kills int, kill func(*Process)) Exit {
		t.Helper()
		p := start(t, "sleep")
		if err := os.WriteFile(counter, fmt.Appendf(nil, "low 0\noom 3\noom_kill %d\noom_group_kill 0\n", kills), 0o666); err != nil {
			t.Fatal(err)
		}
		p.starter.mu.Lock()
		p.starter.oomFile, p.starter.oomSeen = counter, 4
		p.starter.mu.Unlock()
		kill(p)
		exit, err := p.Wait()
		if err != nil {
			t.Fatal(err)
		}
		return exit
	}
	outside := func(p *Process) { syscall.Kill(p.PID(), syscall.SIGKILL) }
	if got := kill(5, outside); got != (Exit{Signal: syscall.SIGKILL, OutOfMemory: true}) {
		t.Errorf("with one more kill: %v", got)
	}
	if got := kill(4, outside); got != (Exit{Signal: syscall.SIGKILL}) {
		t.Errorf("with no more kills: %v", got)
	}
	if got := kill(5, (*Process).Kill); got != (Exit{Signal: syscall.SIGKILL}) {
		t.Errorf("killed by the supervisor: %v", got)
	}
	if got := kill(5, func(p *Process) { syscall.Kill(p.PID(), syscall.SIGTERM) }); got != (Exit{Signal: syscall.SIGTERM}) {
		t.Errorf("with another signal: %v", got)
	}
}
