package proc

import (
	"fmt"
	"os"
	"strings"
)

// oomCounter returns the file in which the kernel counts the processes that it
// killed for lack of memory: of this process's cgroup, else of the system.
func oomCounter() string {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "/proc/vmstat"
	}
	for line := range strings.Lines(string(groups)) {
		// number:controllers:path
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		var files []string
		switch {
		case parts[1] == "":
			// Inside a container the path may be that of the host.
			files = []string{"/sys/fs/cgroup" + parts[2] + "/memory.events", "/sys/fs/cgroup/memory.events"}
		case strings.Contains(","+parts[1]+",", ",memory,"):
			files = []string{"/sys/fs/cgroup/memory" + parts[2] + "/memory.oom_control", "/sys/fs/cgroup/memory/memory.oom_control"}
		}
		for _, file := range files {
			if _, ok := oomKills(file); ok {
				return file
			}
		}
	}
	return "/proc/vmstat"
}

// oomKills reads the counter in such a file.
func oomKills(file string) (uint64, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		var n uint64
		if _, err := fmt.Sscanf(line, "oom_kill %d", &n); err == nil {
			return n, true
		}
	}
	return 0, false
}

// blameMemory reports whether the kernel has killed a process for lack of
// memory that no other exit accounts for. It is asked of one that was killed
// by SIGKILL, and not by its supervisor.
func (s *Starter) blameMemory() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	kills, ok := oomKills(s.oomFile)
	if !ok || kills <= s.oomSeen {
		return false
	}
	s.oomSeen++
	return true
}
