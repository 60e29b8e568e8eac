package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// head returns the first bytes of a file.
func head(t *testing.T, path string) [4096]byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [4096]byte
	if _, err := f.ReadAt(b[:], 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// slow takes its time, so that a run has a middle.
const slow = "(x - mean(x)) / std(x) + 0*tanh(tan(sin(cos(exp(log1p(abs(x)))))))"

func TestBackupIsSaidAndPutBack(t *testing.T) {
	x := generated(t, "x.npy", "--shape", "4000000")
	old, err := os.ReadFile(x)
	if err != nil {
		t.Fatal(err)
	}
	for interrupted := false; !interrupted; {
		cmd := command(t, "eval", "--isa", "scalar", "--progress", "none", slow, x, "--in-place", "--backup")
		before := head(t, x)
		_, stderr := begin(t, cmd)
		for begin := time.Now(); head(t, x) == before; time.Sleep(100 * time.Microsecond) {
			if time.Since(begin) > time.Minute {
				t.Fatal("it does not begin")
			}
		}
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if cmd.ProcessState.ExitCode() == 0 { // the signal came too late
			if !strings.Contains(stderr.String(), "as it was is kept in "+x+".gangsaw-backup") {
				t.Fatalf("%s", stderr)
			}
			if err := os.Rename(x+".gangsaw-backup", x); err != nil {
				t.Fatal(err)
			}
			continue
		}
		interrupted = true
		if status := cmd.ProcessState.ExitCode(); status != 130 || !strings.Contains(stderr.String(), "or put the backup back by gangsaw resume --restore "+x) {
			t.Fatalf("status %d: %s", status, stderr)
		}
	}
	if out := gangsaw(t, "resume", "--restore", "--abandon", x); out.status != 2 || !strings.Contains(out.stderr, "contradict each other") {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "resume", "--restore", x); out.status != 0 || out.stderr != "gangsaw: "+x+" is as it was before the run\n" {
		t.Errorf("%+v", out)
	}
	if got, err := os.ReadFile(x); err != nil || !bytes.Equal(got, old) {
		t.Fatalf("it is not: %v", err)
	}
	if out := gangsaw(t, "eval", "x + 1", x, "--in-place", "--progress", "none"); out.status != 0 ||
		out.stderr != "gangsaw: "+x+": 32000000 bytes of array \"x\" are replaced in place, and without --backup nothing brings the old ones back\n" {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "eval", "x - 1", x, "--in-place", "--progress", "none", "--backup"); out.status != 0 || !strings.HasPrefix(out.stderr, "gangsaw: "+x+" as it was is kept in ") {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "eval", "x - 1", x, "--in-place", "--backup"); out.status != 1 || !strings.Contains(out.stderr, "an earlier run left it: delete it, or move it away") {
		t.Errorf("%+v", out)
	}
	if out := gangsaw(t, "resume", "--restore", x); out.status != 1 || !strings.Contains(out.stderr, "to undo a run that is complete, move "+x+".gangsaw-backup over it") {
		t.Errorf("%+v", out)
	}
}

// A chunk that is past its deadline takes its worker with it, and is run again as
// often as it may be.
func TestDeadlineKillsTheWorkerOfAChunk(t *testing.T) {
	path := generated(t, "x.npy", "--shape", "4000000")
	for retries, want := range map[string]int{"0": exitQuarantined, "1": 0} {
		for try := 0; ; try++ {
			cmd := lasting(t, "eval", "sum("+slow+")", "--chunk", "256KiB", "--deadline", "1s", "--retries", retries, "-j", "2", path)
			stdout, stderr := begin(t, cmd)
			stop(t, atWork(t, cmd, path)[0])
			cmd.Wait()
			status, late := cmd.ProcessState.ExitCode(), strings.Contains(stderr.String(), "took longer than 1s")
			if status == 0 && !late && try < 20 {
				continue // it was stopped with no chunk in hand
			}
			if status != want || !late {
				t.Errorf("%s retries: status %d, %s, %s", retries, status, stdout, stderr)
			}
			break
		}
	}
	for _, args := range [][]string{{"--deadline", "0s"}, {"--deadline", "-1s"}, {"--deadline", "soon"}} {
		if out := gangsaw(t, append([]string{"stat", path}, args...)...); out.status != 2 {
			t.Errorf("%v: %+v", args, out)
		}
	}
}

// What a journal does not tell is not said.
func TestAbandonedByAUselessJournal(t *testing.T) {
	x := generated(t, "x.npy", "--shape", "1000")
	if err := os.WriteFile(x+".gangsaw", []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := gangsaw(t, "resume", "--abandon", x)
	if out.status != 0 || !strings.Contains(out.stderr, "stays as it is") || strings.Contains(out.stderr, "0 bytes") || exists(x+".gangsaw") {
		t.Errorf("%+v", out)
	}
}
