// Package doctor looks at what a machine offers to gangsaw and at what is in the
// way. It only looks: what cannot be read is unknown, and nothing is an error.
package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/dustin/go-humanize"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Note    Level = "note"    // works, but could be better
	Problem Level = "problem" // something does not work
	Unknown Level = "unknown" // could not be read
)

// Finding is one thing that was looked at.
type Finding struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Level  Level  `json:"level"`
	Advice string `json:"advice,omitempty"`
}

// system is where files of the system are read from: "/", or a copy of some of
// them.
type system string

// text returns a file of one line, without white space around it.
func (s system) text(path string) (string, bool) {
	b, err := os.ReadFile(filepath.Join(string(s), path))
	return strings.TrimSpace(string(b)), err == nil
}

// field returns what follows a key, such as "MemTotal:", in a file of lines.
func (s system) field(path, key string) (string, bool) {
	all, _ := s.text(path)
	for line := range strings.Lines(all) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// unknown says that a file could not be read.
func unknown(name, path string) Finding {
	return Finding{name, "unknown", Unknown, path + " cannot be read here"}
}

// caches tells the sizes of a core's caches.
func (s system) caches() Finding {
	const dir = "sys/devices/system/cpu/cpu0/cache"
	var all []string
	for i := 0; ; i++ {
		at := fmt.Sprintf("%s/index%d/", dir, i)
		level, ok := s.text(at + "level")
		size, sized := s.text(at + "size")
		if !ok || !sized {
			break
		}
		if kind, _ := s.text(at + "type"); kind != "Instruction" {
			all = append(all, "L"+level+" "+size)
		}
	}
	if len(all) == 0 {
		return unknown("caches", "/"+dir)
	}
	return Finding{Name: "caches", Value: strings.Join(all, ", "), Level: OK}
}

// memory tells what memory there is.
func (s system) memory() Finding {
	total, ok := s.kibibytes("MemTotal:")
	free, freeOK := s.kibibytes("MemAvailable:")
	if !ok || !freeOK {
		return unknown("memory", "/proc/meminfo")
	}
	return Finding{Name: "memory", Value: humanize.IBytes(total) + ", " + humanize.IBytes(free) + " available", Level: OK}
}

func (s system) kibibytes(key string) (uint64, bool) {
	text, _ := s.field("proc/meminfo", key)
	n, err := strconv.ParseUint(strings.TrimSuffix(text, " kB"), 10, 54)
	return n << 10, err == nil
}

// limit returns the smallest value of a file in this process's control group and
// those above it, as parse reads it.
func (s system) limit(file string, parse func(text string) (float64, bool)) (least float64, found bool) {
	group, _ := s.field("proc/self/cgroup", "0::")
	for at := filepath.Clean("/" + group); ; at = filepath.Dir(at) {
		if text, ok := s.text(filepath.Join("sys/fs/cgroup", at, file)); ok {
			if n, ok := parse(text); ok && (!found || n < least) {
				least, found = n, true
			}
		}
		if at == "/" {
			return least, found
		}
	}
}

// quota reads cpu.max, such as "150000 100000", as CPUs.
func quota(text string) (float64, bool) {
	var most, period float64
	if n, _ := fmt.Sscan(text, &most, &period); n != 2 || !(most > 0) || !(period > 0) {
		return 0, false
	}
	return most / period, true
}

// bytes reads memory.max.
func bytes(text string) (float64, bool) {
	n, err := strconv.ParseUint(text, 10, 63)
	return float64(n), err == nil
}

func (s system) memoryLimit() Finding {
	n, limited := s.limit("memory.max", bytes)
	f := Finding{Name: "memory limit", Value: "none", Level: OK}
	if limited {
		f.Value, f.Level = humanize.IBytes(uint64(n)), Note
		f.Advice = "the control group's limit counts page cache that only it uses: files larger than it are read again by every pass"
	}
	return f
}

// cpus compares the CPUs of the machine with those that may be used.
func (s system) cpus(online, usable int) Finding {
	f := Finding{Name: "CPUs", Value: fmt.Sprintf("%d of %d usable", usable, online), Level: OK}
	if n, limited := s.limit("cpu.max", quota); limited {
		f.Value += fmt.Sprintf(", quota of %.4g", n)
		if n < float64(online) {
			f.Level, f.Advice = Note, "a quota stops all workers at once when it is used up: give whole CPUs, or a cpuset"
		}
	}
	if usable < online && f.Level == OK {
		f.Level, f.Advice = Note, "affinity, by taskset or a cpuset, leaves the others to somebody else"
	}
	return f
}

// choice returns the one in brackets of "always [madvise] never".
func choice(text string) string {
	_, rest, _ := strings.Cut(text, "[")
	chosen, _, ok := strings.Cut(rest, "]")
	if !ok {
		return text
	}
	return chosen
}

func (s system) hugePages() []Finding {
	const dir = "sys/kernel/mm/transparent_hugepage/"
	var all []Finding
	for _, c := range []struct{ name, file, advice string }{
		{"huge pages", "enabled", "echo madvise > /" + dir + "enabled, as root, lets memory that asks for them have them"},
		{"huge pages of shared memory", "shmem_enabled", "echo advise > /" + dir + "shmem_enabled, as root: arenas and tmpfs files take fewer page faults"},
	} {
		text, ok := s.text(dir + c.file)
		if !ok {
			all = append(all, unknown(c.name, "/"+dir+c.file))
			continue
		}
		f := Finding{Name: c.name, Value: choice(text), Level: OK}
		if f.Value == "never" || f.Value == "deny" {
			f.Level, f.Advice = Note, c.advice
		}
		all = append(all, f)
	}
	return all
}

func (s system) overcommit() Finding {
	const path = "proc/sys/vm/overcommit_memory"
	text, ok := s.text(path)
	name, known := map[string]string{"0": "heuristic", "1": "always", "2": "never"}[text]
	if !ok || !known {
		return unknown("overcommit", "/"+path)
	}
	f := Finding{Name: "overcommit", Value: name, Level: OK}
	if text == "2" {
		f.Level = Note
		f.Advice = "each worker reserves address space that it never uses: with strict accounting raise vm.overcommit_ratio, or use fewer workers"
	}
	return f
}

// ptrace tells who may look into processes.
func (s system) ptrace() Finding {
	const path = "proc/sys/kernel/yama/ptrace_scope"
	text, ok := s.text(path)
	if !ok {
		return Finding{Name: "ptrace scope", Value: "not restricted by Yama", Level: OK}
	}
	f := Finding{Name: "ptrace scope", Value: text, Level: OK}
	if text != "0" {
		f.Level, f.Advice = Note, "a debugger attaches to a worker only as root, or after sysctl kernel.yama.ptrace_scope=0; gangsaw itself needs none"
	}
	return f
}

// kernel compares the release with the oldest that is supported.
func kernel(release string) Finding {
	f := Finding{Name: "kernel", Value: "Linux " + release, Level: OK}
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		f.Level = Unknown
	} else if major < 5 || major == 5 && minor < 10 {
		f.Level, f.Advice = Problem, "worker processes need Linux 5.10 or newer: upgrade, or work with --in-process"
	}
	return f
}
