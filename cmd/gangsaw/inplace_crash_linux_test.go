package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
)

var (
	crash = flag.Bool("crash", false, "kill thousands of processes instead of some")
	size  = flag.Int64("size", 1<<30, "bytes of the large files of -crash and -formulas")
)

const (
	factor = 2654435769
	// once must not be applied twice, or to half of what it reads.
	once = "2654435769*x + max(x)"
)

// applied is a file of uint32, and which line its elements lie on: each application
// of once makes another line of it.
type applied struct {
	path         string
	n            uint32
	slope, start uint32
	max          uint32
}

func newApplied(t *testing.T, bytes int64) *applied {
	t.Helper()
	n := uint32(bytes / 4)
	path := generated(t, "x.npy", "--dtype", "u4", "--dist", "sequence", "--shape", fmt.Sprint(n))
	return &applied{path: path, n: n, slope: 1, max: n - 1}
}

// next is what the file holds once the formula was applied.
func (a applied) next() applied {
	a.slope, a.start = factor*a.slope, factor*a.start+a.max
	a.max = 0
	for i := range a.n {
		a.max = max(a.max, a.slope*i+a.start)
	}
	return a
}

func (a *applied) journal() string { return a.path + ".gangsaw" }

// check compares all elements.
func (a *applied) check(t *testing.T, when string) {
	t.Helper()
	f, err := os.Open(a.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(128, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(f, 1<<20)
	b := make([]byte, 1<<16)
	for i := uint32(0); i < a.n; {
		k := min(uint32(len(b)/4), a.n-i)
		if _, err := io.ReadFull(r, b[:4*k]); err != nil {
			t.Fatal(err)
		}
		for at := range k {
			if got, want := binary.LittleEndian.Uint32(b[4*at:]), a.slope*(i+at)+a.start; got != want {
				t.Fatalf("%s: element %d is %d, want %d", when, i+at, got, want)
			}
		}
		i += k
	}
	if left, err := filepath.Glob(a.path + ".*"); err != nil || len(left) > 0 {
		t.Fatalf("%s: left behind: %v, %v", when, left, err)
	}
}

// started begins a command that changes the file, slowly.
func (a *applied) started(t *testing.T, args ...string) (*exec.Cmd, chan error) {
	t.Helper()
	cmd := command(t, append(args, "--progress", "none", "-j", "3")...)
	cmd.Env = append(cmd.Env, kernels.TierVariable+"="+kernels.Scalar.String())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	return cmd, ended
}

// Workers are killed at random moments of a change in place by a formula.
func TestKilledWorkersOfEvalInPlaceAreReplaced(t *testing.T) {
	kills, bytes := 20, int64(16<<20)
	if *crash {
		kills, bytes = 2000, *size
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	file := newApplied(t, bytes)
	killed, resumed, said := 0, 0, time.Now()
	rounds, pause := 0, 20*time.Millisecond
	for ; killed < kills; rounds++ {
		cmd, ended := file.started(t, "eval", once, file.path, "--in-place", "--retries", "1000", "--chunk", "256KiB")
		var err error
		for done := false; !done; {
			select {
			case err = <-ended:
				done = true
			case <-time.After(time.Duration(r.Int64N(int64(pause)))):
				if pids := workersOf(t, cmd.Process.Pid); len(pids) > 0 && exists(file.journal()) && syscall.Kill(pids[r.IntN(len(pids))], syscall.SIGKILL) == nil {
					killed++
				}
			}
		}
		if err != nil {
			// So many deaths in a row look like a program that cannot run.
			pause += pause / 4
			if !exists(file.journal()) {
				file.check(t, "before anything was changed")
				continue
			}
			if out := gangsaw(t, "resume", file.path); out.status != 0 {
				t.Fatalf("%v; %+v", err, out)
			}
			resumed++
		}
		*file = file.next()
		file.check(t, fmt.Sprintf("round %d", rounds))
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			t.Logf("%d of %d kills, %d changes of %d bytes", killed, kills, rounds+1, bytes)
		}
	}
	t.Logf("%d workers were killed in %d changes of %d bytes, %d of which had to be resumed", killed, rounds, bytes, resumed)
}

// killedAll kills a command and all of its workers a while after there is a journal,
// and reports whether it had not ended.
func (a *applied) killedAll(t *testing.T, after time.Duration, args ...string) bool {
	t.Helper()
	cmd, ended := a.started(t, args...)
	for begin := time.Now(); !exists(a.journal()) && time.Since(begin) < time.Minute; time.Sleep(20 * time.Microsecond) {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			return false
		default:
		}
	}
	time.Sleep(after)
	for _, pid := range append([]int{cmd.Process.Pid}, workersOf(t, cmd.Process.Pid)...) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	err := <-ended
	if err != nil && cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatal(err)
	}
	return err != nil
}

// The command and all its workers are killed together; gangsaw resume, which is
// killed itself now and then, finishes what they began.
func TestKilledEvalInPlaceIsResumedOnce(t *testing.T) {
	runs, bytes := 4, int64(16<<20)
	if *crash {
		runs, bytes = 200, *size/16
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	file := newApplied(t, bytes)
	begin := time.Now()
	if out := gangsaw(t, "eval", once, file.path, "--in-place", "--isa", "scalar"); out.status != 0 {
		t.Fatalf("%+v", out)
	}
	*file = file.next()
	file.check(t, "undisturbed")
	long := int64(time.Since(begin)) / 8 // adjusted so that about every other kill comes in time
	interrupted, again, said := 0, 0, time.Now()
	tries := 0
	for ; interrupted < runs && tries < 20*runs; tries++ {
		file.killedAll(t, time.Duration(r.Int64N(long)), "eval", once, file.path, "--in-place", "--chunk", "256KiB")
		if !exists(file.journal()) {
			long -= long / 4 // it had ended: there is a journal before it is killed
		} else {
			long += long / 8
			interrupted++
			for range r.IntN(3) {
				if file.killedAll(t, time.Duration(r.Int64N(long)), "resume", file.path) {
					again++
				}
				if !exists(file.journal()) {
					break
				}
			}
			if exists(file.journal()) {
				if out := gangsaw(t, "resume", file.path); out.status != 0 {
					t.Fatalf("%+v", out)
				}
			}
		}
		*file = file.next()
		file.check(t, fmt.Sprintf("try %d", tries))
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			t.Logf("%d of %d runs interrupted", interrupted, runs)
		}
	}
	t.Logf("%d of %d changes of %d bytes were interrupted, and resumed, which was killed %d times", interrupted, tries, bytes, again)
	if interrupted < runs {
		t.Errorf("only %d of %d runs were interrupted", interrupted, tries)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
