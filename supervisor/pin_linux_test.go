package supervisor

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/proc"
)

// allowed returns which CPUs each thread of a process may use.
func allowed(t *testing.T, pid int) (all []string) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		text, err := os.ReadFile(thread)
		if err != nil {
			continue // it has ended
		}
		_, list, _ := strings.Cut(string(text), "Cpus_allowed_list:\t")
		list, _, _ = strings.Cut(list, "\n")
		all = append(all, list)
	}
	return all
}

func TestPinnedWorkersHaveACPUEach(t *testing.T) {
	n := min(proc.CPUs(), 4)
	check := func(pids []int) {
		t.Helper()
		seen := map[string]bool{}
		for _, pid := range pids {
			cpus := allowed(t, pid)
			slices.Sort(cpus)
			if cpus = slices.Compact(cpus); len(cpus) != 1 || strings.ContainsAny(cpus[0], ",-") || seen[cpus[0]] {
				t.Errorf("threads of worker %d may use CPUs %q, others use %v", pid, cpus, seen)
			}
			seen[cpus[0]] = true
		}
	}
	pool := start(t, Workers(n), Pin())
	result(t, submit(t, pool, square.With(3)), 9)
	pids := workers(t, os.Getpid(), n)
	check(pids)
	// Whoever takes the place of a dead one takes its CPU.
	for range 3 {
		victim := pids[len(pids)-1] // the newest
		syscall.Kill(victim, syscall.SIGKILL)
		for begin := time.Now(); slices.Contains(pids, victim); pids = workers(t, os.Getpid(), n) {
			if time.Since(begin) > 10*time.Second {
				t.Fatalf("worker %d does not go away", victim)
			}
		}
		check(pids)
	}
	if own := allowed(t, os.Getpid()); slices.Contains(own, allowed(t, pids[0])[0]) && proc.CPUs() > 1 {
		t.Errorf("threads of the supervisor are bound too: %q", own)
	}
}
